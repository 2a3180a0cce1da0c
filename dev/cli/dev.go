package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/internal/visible"
)

// devFlags holds the flags of `dev dev`.
type devFlags struct {
	config, data, bin           string
	noApps, noWorker, noStarter bool
	ports                       stack.Ports
	apps                        []stack.App
}

func devCommand() *cobra.Command {
	flags := devFlags{apps: stack.DemoApps(stack.FirstAppPort)}
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run the stack until Ctrl-C, its state kept for the next time",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runDev(command.Context(), command.OutOrStdout(), flags)
		},
	}
	flags.register(command.Flags())
	return command
}

func (f *devFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.config, "config", "", "use this `FILE` instead of the stack's own tenure.yaml")
	set.StringVar(&f.data, "data", ".tenure", "keep all state in this `DIR`")
	set.StringVar(&f.bin, "bin", "bin", "find the programs worker and starter in this `DIR`")
	set.BoolVar(&f.noApps, "no-apps", false, "do not run the demo apps")
	set.BoolVar(&f.noWorker, "no-worker", false, "do not run the worker")
	set.BoolVar(&f.noStarter, "no-starter", false, "do not run the starter")

	port := func(number *int, flag string, normally int, what string) {
		set.IntVar(number, flag, normally, "`PORT` of "+what+"; 0 takes a free one")
	}
	normally := stack.DefaultPorts()
	port(&f.ports.Temporal, stack.FlagTemporalPort, normally.Temporal, "Temporal")
	port(&f.ports.UI, stack.FlagUIPort, normally.UI, "Temporal's UI")
	port(&f.ports.Kafka, stack.FlagKafkaPort, normally.Kafka, "Kafka")
	port(&f.ports.WorkerMetrics, stack.FlagWorkerMetricsPort, normally.WorkerMetrics, "the worker's metrics")
	port(&f.ports.StarterMetrics, stack.FlagStarterMetricsPort, normally.StarterMetrics, "the starter's metrics")
	for i := range f.apps {
		app := &f.apps[i]
		port(&app.Port, stack.FlagAppPort(app.Name), app.Port, "the app "+app.Name)
	}
}

// options checks the flags and returns the stack's options.
func (f *devFlags) options(out io.Writer) (stack.Options, error) {
	opts := stack.Options{
		DataDir:    f.data,
		Ports:      f.ports,
		Apps:       f.apps,
		NoApps:     f.noApps,
		ConfigFile: f.config,
		OnRestart:  func(line string) { fmt.Fprintln(out, visible.Lines(line)) },
	}
	if f.data == "" {
		return opts, usageError{errors.New("--data needs a directory")}
	}
	for _, program := range []struct {
		name   string
		unused bool
		path   *string
	}{{"worker", f.noWorker, &opts.WorkerBinary}, {"starter", f.noStarter, &opts.StarterBinary}} {
		if program.unused {
			continue
		}
		path, err := filepath.Abs(filepath.Join(f.bin, program.name))
		if err != nil {
			return opts, err
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return opts, usageError{fmt.Errorf("there is no %s in %s: `make build` makes it, --bin says where it is, --no-%s does without",
				program.name, f.bin, program.name)}
		}
		*program.path = path
	}
	return opts, nil
}

// runDev runs the stack until ctx ends.
func runDev(ctx context.Context, out io.Writer, flags devFlags) error {
	opts, err := flags.options(out)
	if err != nil {
		return err
	}
	began := time.Now()
	s, err := stack.Start(ctx, opts)
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // interrupted while it started
		}
		return err
	}
	printAddresses(out, s)
	fmt.Fprintf(out, "\nState is kept in %s. Up in %s; Ctrl-C stops it.\nready\n", s.Dir(), time.Since(began).Round(10*time.Millisecond))

	<-ctx.Done()
	signal.Reset(os.Interrupt, syscall.SIGTERM) // before the message: from here on, a second signal kills
	fmt.Fprintln(out, "\nstopping (Ctrl-C again ends it at once) ...")
	s.Close()
	return nil
}
