package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/dev/topology"
)

// How a process fails.
const (
	kill  = "kill"  // SIGKILL; started again at once, as a supervisor would
	stop  = "stop"  // asked to end; started again when the outage is over
	pause = "pause" // SIGSTOP: connections stay open, and nothing comes through them
)

// Fault is one thing that goes wrong.
type Fault struct{ How, Process string }

func (f Fault) String() string { return f.How + " " + f.Process }

// Faults returns all faults: every process killed, every dependency stopped and
// stalled, and one process of each of Tenure's own programs stalled.
func Faults() []Fault {
	dependencies := []string{"kafka", "temporal", "postgresql", topology.AppDirectory, topology.AppWiki, topology.AppDatabase}
	var all []Fault
	for _, p := range append(slices.Clone(dependencies), "worker-1", "starter-1") {
		all = append(all, Fault{kill, p})
	}
	for _, p := range dependencies {
		all = append(all, Fault{stop, p})
	}
	for _, p := range append(slices.Clone(dependencies), "worker-1", "starter-1") {
		all = append(all, Fault{pause, p})
	}
	return all
}

// Choose returns the faults whose text is one of the names or begins with one:
// "stop kafka", or "kill" for all kills.
func Choose(names []string) ([]Fault, error) {
	var chosen []Fault
	for _, name := range names {
		found := false
		for _, f := range Faults() {
			if text := f.String(); text == name || strings.HasPrefix(text, name+" ") {
				found = true
				chosen = append(chosen, f)
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no fault %q: it is kill, stop or pause, and then perhaps a process, as in %q", name, Faults()[0])
		}
	}
	return chosen, nil
}

// outage is how long the fault lasts at the least.
func (f Fault) outage(most time.Duration) time.Duration {
	if f.How == kill {
		return 0
	}
	return most
}

// strike does the fault, waits until it is over, and returns when the process is
// there again.
func (f Fault) strike(ctx context.Context, p *process.Process, outage time.Duration) error {
	switch f.How {
	case kill:
		p.Kill()
	case stop:
		p.Stop()
	case pause:
		if err := p.Pause(); err != nil {
			return err
		}
	}
	if err := sleep(ctx, f.outage(outage)); err != nil {
		return err
	}
	if f.How == pause {
		return p.Resume()
	}
	return start(ctx, p)
}

// startTimeout bounds how long start tries.
const startTimeout = 2 * time.Minute

// start starts a process and retries: children or a port that a killed process left
// behind may be in the way for a moment.
func start(ctx context.Context, p *process.Process) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for ctx.Err() == nil {
		if err = p.Start(ctx); err == nil {
			return nil
		}
		_ = sleep(ctx, 500*time.Millisecond) // the loop looks at ctx
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
