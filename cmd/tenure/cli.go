package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/running"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/service"
)

// terminal is where a command reads and writes.
type terminal struct {
	in             io.Reader
	out, err       io.Writer
	outTTY, errTTY bool
}

// cli is one invocation of the program.
type cli struct {
	terminal
	configPath string
	output     format
	limit      int // of a list; 0 is none

	started bool           // flags and arguments were understood
	cfg     *config.Config // see config
	parts   []config.Part  // with whose secrets it was loaded
}

// execute runs one invocation and returns its exit code.
func execute(ctx context.Context, t terminal, args []string) int {
	c := &cli{terminal: t, output: formatTable}
	root := c.root() //nolint:contextcheck // commands get theirs from cobra
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(console{t.out})
	root.SetErr(console{t.err})
	err := root.ExecuteContext(ledger.WithLogin(ctx, machineLogin()))
	switch {
	case err == nil:
		return service.ExitDone
	case errors.Is(err, errAttention):
		return service.ExitAttention
	}
	if c.cfg != nil && c.configPath == "" && !strings.Contains(err.Error(), c.cfg.Path) {
		t.tell("configuration: %s\n", c.cfg.Path) // what is wrong may be that it is this one
	}
	t.tell("tenure: %s\n", err)
	if !c.started || service.IsUsageError(err) {
		return service.ExitUsage
	}
	return service.ExitFailed
}

// errAttention ends a command that did what it was asked and found, or left,
// something for a human. It is not printed: the command has said what it is.
var errAttention = errors.New("needs attention")

// usagef returns an error that only other arguments or another configuration can cure.
func usagef(format string, args ...any) error {
	return service.UsageError(fmt.Errorf(format, args...))
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tenure",
		Short: "Access that lasts exactly as long as the job",
		Long: `Tenure gives people the accounts that policy grants them, in every app, for
exactly as long as they are employed.

This is the operator's command line. It exits with 0 if all is done, 1 if
something failed, 2 if the arguments or the configuration are wrong, and 3 if
it is done and something needs attention.`,
		Example: `  tenure config check
  tenure event validate events.jsonl
  tenure event send events.jsonl
  tenure person show 10004
  tenure run list --attention`,
		Version:       service.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			// cobra asks this later, when the command would count as started.
			if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
				return err
			}
			c.started = true
			c.tellFormer(cmd)
			return nil
		},
	}
	root.PersistentFlags().StringVar(&c.configPath, "config", "",
		"configuration `file` (default: $TENURE_CONFIG, else that of make dev if it runs here, else tenure.yaml, else .tenure/tenure.yaml)")
	root.AddCommand(c.eventCommand(), c.configCommand(), c.statusCommand(), c.personCommand(), c.accessCommand(), c.appCommand(), c.runCommand(), c.planCommand(), c.replayCommand(), c.breakerCommand(), c.holdCommand(), c.deletionCommand(), c.retentionCommand(), c.taskCommand(), c.watchCommand(), c.dlqCommand(), c.ledgerCommand(), c.probeCommand(), c.uiCommand(), c.versionCommand())
	c.completions(root)
	return root
}

// noun is a command that only has verbs. Without one, or with one that does not
// exist, it says which there are.
func noun(name, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			names := make([]string, 0, len(verbs))
			for _, v := range verbs {
				names = append(names, v.Name())
			}
			given := "no verb"
			if len(args) > 0 {
				given = fmt.Sprintf("unknown verb %q", args[0])
				if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
					given += fmt.Sprintf(" (did you mean %q?)", near[0])
				}
			}
			return fmt.Errorf("%s: %s; there is: %s", cmd.CommandPath(), given, strings.Join(names, ", "))
		},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// config loads the configuration with the secrets of the parts that the command uses:
// who reads the ledger needs those of no app.
func (c *cli) config(parts ...config.Part) (*config.Config, error) {
	if c.cfg != nil && !slices.ContainsFunc(parts, func(p config.Part) bool { return !slices.Contains(c.parts, p) }) {
		return c.cfg, nil
	}
	path := c.findConfig()
	if !exists(path) {
		return nil, usagef("there is no configuration at %s: name one with --config or TENURE_CONFIG", path)
	}
	parts = append(parts, c.parts...)
	cfg, err := config.LoadFor(path, parts...)
	if err != nil {
		return nil, usagef("the configuration is wrong:\n%w", err)
	}
	c.cfg, c.parts = cfg, parts
	return cfg, nil
}

// stackDir is where the embedded stack (make dev) keeps its state.
const stackDir = ".tenure"

// findConfig is --config, else what the environment says, else that of the embedded
// stack if it runs here, else the first of the usual files that exists: one in the
// working directory, or the one that the embedded stack keeps there.
func (c *cli) findConfig() string {
	if c.configPath != "" {
		return c.configPath
	}
	path := service.DefaultConfigPath()
	if os.Getenv("TENURE_CONFIG") != "" {
		return path
	}
	if runs := running.Configuration(stackDir); runs != "" {
		return relative(runs)
	}
	if embedded := filepath.Join(stackDir, path); !exists(path) && exists(embedded) {
		return embedded
	}
	return path
}

// relative is a path as people write it who are here.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// withLedger calls f with the ledger that the configuration names.
func (c *cli) withLedger(ctx context.Context, f func(*config.Config, ledger.Ledger) error) error {
	cfg, err := c.config(config.PartLedger) //nolint:contextcheck // loading it connects to nothing
	if err != nil {
		return err
	}
	// Opening a ledger makes one: right for the services, but for somebody who asks,
	// an empty answer in place of "you look in the wrong place".
	there, err := open.Exists(ctx, cfg.Ledger.URL)
	if err != nil {
		return fmt.Errorf("%w (check ledger.url in %s)", err, cfg.Path)
	}
	if !there {
		return fmt.Errorf("there is no ledger at %s: check ledger.url in %s, and whether the starter has ever run", open.Address(cfg.Ledger.URL), cfg.Path)
	}
	store, err := open.Open(ctx, cfg.Ledger.URL)
	if err != nil {
		return fmt.Errorf("%w (check ledger.url in %s)", err, cfg.Path)
	}
	return errors.Join(f(cfg, store), store.Close())
}
