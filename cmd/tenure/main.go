//go:build !man

// Command tenure is the operator's command line: it sends and checks HR events,
// checks the configuration, shows people, apps and runs, and repairs what needs
// attention.
//
// It reads the ledger and the apps directly, publishes to Kafka, and asks Temporal for
// what is running. What an operator decides is written to the ledger, together with its
// audit row; then the person's run is told to look again.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done and
// something needs attention.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // people live in zones that this machine may not know

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // back to the default: a second signal kills
	code := execute(ctx, terminal{
		in:     os.Stdin,
		out:    os.Stdout,
		err:    os.Stderr,
		outTTY: term.IsTerminal(int(os.Stdout.Fd())),
		errTTY: term.IsTerminal(int(os.Stderr.Fd())),
	}, os.Args[1:])
	stop()
	os.Exit(code)
}
