package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/dev/topology"
)

func temporalCommand() *cobra.Command {
	var opts topology.Options
	command := &cobra.Command{
		Use:   "temporal [-- COMMAND [ARG...]]",
		Short: "Run the Temporal server on a PostgreSQL of its own",
		Long: `Run the Temporal server that is built from its released source, with its store in a
PostgreSQL of its own. Both are processes on loopback; PostgreSQL syncs each commit.
With a command, the servers run while the command runs, which finds the server's
address in TEMPORAL_ADDRESS and the URL of PostgreSQL in TEMPORAL_STORE. Without one,
the address is printed, and the servers run until Ctrl-C. Nothing is left afterwards.

It needs what ` + "`make build-real`" + ` makes, and PostgreSQL's programs.`,
		Example: `  bin/dev temporal
  bin/dev temporal -- sh -c 'bin/dev bench-ingest --temporal $TEMPORAL_ADDRESS --replay 0 --scale 0 --memory 0'`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := absolute(&opts); err != nil {
				return err
			}
			opts.WithoutKafka, opts.WithoutApps = true, true
			opts.Progress = func(line string) { fmt.Fprintln(command.ErrOrStderr(), line) }
			ctx := command.Context()
			t, err := topology.Start(ctx, opts)
			if err != nil {
				return err
			}
			defer t.Close()
			if len(args) == 0 {
				fmt.Fprintln(command.OutOrStdout(), t.TemporalAddress())
				select {
				case <-ctx.Done():
					return nil
				case <-t.Process("temporal").Ended():
					return errors.New("the Temporal server has ended:\n" + t.Tail("temporal"))
				}
			}
			child := beside(ctx, args, command.OutOrStdout(), command.ErrOrStderr())
			child.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+t.TemporalAddress(), "TEMPORAL_STORE="+t.PostgresURL("temporal"))
			return child.Run()
		},
	}
	topologyFlags(command.Flags(), &opts)
	return command
}

// beside returns a command that is asked to end when the context does, so that it leaves nothing
// of its own behind, and is killed when it does not.
func beside(ctx context.Context, args []string, out, errs io.Writer) *exec.Cmd {
	child := exec.CommandContext(ctx, args[0], args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, out, errs
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = 30 * time.Second
	return child
}
