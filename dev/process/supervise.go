package process

import (
	"context"
	"fmt"
	"time"
)

const (
	// exitUsage is the exit code by which Tenure's programs say that they will
	// fail again until somebody changes their flags or configuration.
	exitUsage = 2

	firstPause = time.Second
	lastPause  = 30 * time.Second
	// steady is how long a run must have lasted for its end to be a new trouble
	// and not the old one once more.
	steady = time.Minute
)

// Supervise starts the program again whenever it ends by itself, until ctx is
// done or somebody asks it to end (Stop, Kill). While it keeps dying, the pauses
// grow. Notify is told in one line, for people, what happens. A program that says
// by its exit code that its configuration is wrong is not started again.
func (p *Process) Supervise(ctx context.Context, notify func(line string)) {
	pause := p.pause
	for {
		r := p.present()
		if r == nil {
			return
		}
		began := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-r.ended:
		}
		if r.cmd.ProcessState.ExitCode() == exitUsage {
			notify(fmt.Sprintf("%s says that its configuration is wrong, and is not started again", p.opts.Name))
			return
		}
		if time.Since(began) > steady {
			pause = p.pause
		}
		// Pausing before the notice also keeps quiet when a Ctrl-C in the terminal
		// has reached the child a moment before it reaches us.
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if p.asked(r) {
			return
		}
		pause = min(2*pause, lastPause)
		notify(fmt.Sprintf("%s ended (%s): starting it again", p.opts.Name, describe(r.cmd.ProcessState)))
		if err := p.Start(ctx); err != nil && ctx.Err() == nil {
			notify(err.Error())
		}
	}
}
