package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tenurehq/tenure/dev/demo"
	"github.com/tenurehq/tenure/dev/stack"
)

func demoCommand() *cobra.Command {
	opts := demo.Options{Apps: stack.DemoApps(0)}
	var bin string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Play seven weeks of a small company and check every account in the end",
		Long: `Play seven weeks of a small company on the embedded stack: people join, move, leave,
come back, apps break down; access is asked for, found and reviewed. Shows what
Tenure does about it, and in the end asks every app for everybody's accounts. Exits 0
only if all are what policy says. On a busy machine it waits for what is late, says
so, and takes more than the minute.

It keeps nothing, and takes free ports: it can run beside "dev dev".`,
		Example: `  make demo
  make demo DEMO_FLAGS=--hold
  make demo DEMO_FLAGS="--day 2s --ui-port 8233"`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var err error
			if opts.Bin, err = filepath.Abs(bin); err != nil {
				return err
			}
			if opts.Day < 200*time.Millisecond {
				return usageError{fmt.Errorf("--day %s: an app needs at least 200ms to be asked anything", opts.Day)}
			}
			opts.Colour = term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == ""
			return demo.Run(command.Context(), command.OutOrStdout(), opts)
		},
	}
	set := command.Flags()
	set.StringVar(&bin, "bin", "bin", "find the programs worker, starter and tenure in this `DIR`")
	set.DurationVar(&opts.Day, "day", time.Second, "how long a day of the story takes")
	set.BoolVar(&opts.Hold, "hold", false, "stay up afterwards, until Ctrl-C")
	set.StringVar(&opts.Record, "record", "", "write histories into this `DIR`: fixtures for the replay test")
	set.IntVar(&opts.Ports.UI, stack.FlagUIPort, 0, "`PORT` of Temporal's UI; 0 takes a free one")
	set.IntVar(&opts.Ports.Temporal, stack.FlagTemporalPort, 0, "`PORT` of Temporal; 0 takes a free one")
	return command
}
