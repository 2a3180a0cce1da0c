package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The exit codes of Tenure's programs.
const (
	ExitDone      = 0 // done, or stopped because it was asked to
	ExitFailed    = 1 // failed for a reason that may pass
	ExitUsage     = 2 // wrong flags or configuration: it fails again until somebody changes them
	ExitAttention = 3 // done, and something needs an operator (command line only)
)

// Process holds what Main prepares for a long-running program.
type Process struct {
	Name       string
	ConfigPath string // --config, else TENURE_CONFIG, else tenure.yaml
	Log        *zap.Logger
	Metrics    *prometheus.Registry // for the process's own metrics; see ServeHTTP
}

// ServeHTTP serves p's metrics and probes: see the function of this name.
func (p *Process) ServeHTTP(addr string, checks Checks) (*HTTP, error) {
	return ServeHTTP(addr, p.Log, p.Metrics, checks)
}

// UsageError marks an error that stays until somebody changes flags, environment or
// configuration: Main exits with ExitUsage. Nil stays nil.
func UsageError(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

// UsageErrorf returns an error as fmt.Errorf does, marked as by UsageError.
func UsageErrorf(format string, args ...any) error { return UsageError(fmt.Errorf(format, args...)) }

// IsUsageError reports whether an error was marked by UsageError.
func IsUsageError(err error) bool {
	var usage *usageError
	return errors.As(err, &usage)
}

type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// Main does what the main functions of programs have in common: it reads the flags, makes
// the logger, cancels run's context at the first SIGINT or SIGTERM (the second kills), and
// returns the exit code. When its context is done, run has to finish what is under way and
// return; context.Canceled is no failure then. own adds flags of the program's own.
func Main(name, summary string, run func(context.Context, *Process) error, own ...func(*flag.FlagSet)) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // back to the default: a second signal kills
	return execute(ctx, name, summary, os.Args[1:], os.Stdout, os.Stderr, run, own...)
}

func execute(ctx context.Context, name, summary string, args []string, stdout, stderr io.Writer,
	run func(context.Context, *Process) error, own ...func(*flag.FlagSet),
) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		_, _ = fmt.Fprintf(stderr, "%s\n\nUsage: %s [flags]\n\n", summary, name)
		flags.PrintDefaults()
	}
	path := flags.String("config", DefaultConfigPath(), "the configuration `file`; also TENURE_CONFIG")
	level := zapcore.InfoLevel
	flags.TextVar(&level, "log-level", level, "the least `level` to log: debug, info, warn or error")
	showVersion := flags.Bool("version", false, "print the version and exit")
	for _, add := range own {
		add(flags)
	}

	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return ExitDone
	case err != nil:
		return ExitUsage
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "unexpected argument %q\n", flags.Arg(0))
		flags.Usage()
		return ExitUsage
	case *showVersion:
		_, _ = fmt.Fprintf(stdout, "%s %s\n", name, Version())
		return ExitDone
	}

	log := NewLogger(stderr, level).With(zap.String("process", name))
	defer func() { _ = log.Sync() }()
	log.Info("starting", zap.String("version", Version()), zap.String("config", *path))
	err := run(ctx, &Process{Name: name, ConfigPath: *path, Log: log, Metrics: NewRegistry(name)})
	return finish(ctx, log, stderr, err)
}

// finish logs how the program ended, and returns its exit code.
func finish(ctx context.Context, log *zap.Logger, stderr io.Writer, err error) int {
	switch {
	case err == nil, ctx.Err() != nil && errors.Is(err, context.Canceled):
		log.Info("stopped")
		return ExitDone
	case IsUsageError(err):
		// Plain lines instead of JSON, for the human who has to correct it.
		_, _ = fmt.Fprintln(stderr, err)
		return ExitUsage
	default:
		log.Error("failed", zap.Error(err))
		return ExitFailed
	}
}

// DefaultConfigPath returns TENURE_CONFIG if it is set, and otherwise "tenure.yaml".
func DefaultConfigPath() string {
	if path := os.Getenv("TENURE_CONFIG"); path != "" {
		return path
	}
	return "tenure.yaml"
}
