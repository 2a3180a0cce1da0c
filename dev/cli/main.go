// Package cli is the command line of the embedded stack: `dev dev` runs it,
// `dev company` makes up what can be played through it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/internal/visible"
)

// The exit codes, as of the product's own command line.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the program with these arguments and returns the exit code. The first
// SIGINT or SIGTERM stops it gracefully, the second at once.
func Main(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // back to the default: a second signal kills
	command := newCommand()
	command.SetArgs(args)
	command.SetOut(out)
	command.SetErr(errs)
	err := command.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(errs, "dev:", visible.Lines(err.Error()))
	if usage := (usageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "dev",
		Short:         "Run Tenure's embedded stack",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(devCommand(), demoCommand(), companyCommand(), benchCommand(), benchIngestCommand(), benchScaleCommand(), benchProvisionCommand(), benchWorkersCommand(), temporalCommand(), chaosCommand())
	return root
}

// usageError is an error in how the command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
