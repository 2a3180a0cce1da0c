package health

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/words"
)

// Runs answers what Temporal knows about the workers and the sweeper.
type Runs interface {
	// Queues returns every task queue that Tenure uses for these apps, with its workers.
	Queues(ctx context.Context, apps []string) ([]Queue, error)
	// Sweeps returns the state of the sweeper's schedule.
	Sweeps(ctx context.Context) (Sweeps, error)
}

// Queue is a task queue that needs workers, and the workers that it has.
type Queue struct {
	Name    string
	Workers []string // identities of the workers that poll it, sorted
}

// Sweeps is the state of the sweeper's schedule.
type Sweeps struct {
	Exists bool
	Paused bool
	Note   string    // why it is paused, in the words of the human who paused it
	Last   time.Time // when it last started the sweeper; zero if it never has
}

// temporalParts describes the workers and the sweeper, as Temporal knows them.
func (t Tenure) temporalParts(ctx context.Context) (parts []Part) {
	const do = "check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, and that the server is up: tenure config check --connect"
	err := t.Temporal(ctx, func(runs Runs) error {
		if queues, err := runs.Queues(ctx, t.Apps); err != nil {
			parts = away(err, do, "workers")
		} else {
			parts = []Part{workersPart(queues)}
		}
		if sweeps, err := runs.Sweeps(ctx); err != nil {
			parts = append(parts, away(err, do, "sweeper")...)
		} else {
			parts = append(parts, sweeperPart(sweeps, t.SweepEvery, time.Now()))
		}
		return nil
	})
	if err != nil {
		return away(err, do, "workers", "sweeper")
	}
	return parts
}

// workersPart describes the workers, and names the task queues that no worker polls.
func workersPart(queues []Queue) Part {
	var workers, without []string
	for _, q := range queues {
		workers = append(workers, q.Workers...)
		if len(q.Workers) == 0 {
			without = append(without, q.Name)
		}
	}
	slices.Sort(workers)
	n := len(slices.Compact(workers))
	p := Part{
		Part: "workers", State: OK, Text: fmt.Sprintf("%s at work, on %s", words.Count(n, "worker"), words.Count(len(queues), "task queue")),
		Numbers: map[string]int{"workers": n, "queues": len(queues), "queuesWithoutWorker": len(without)},
	}
	switch {
	case n == 0:
		p.State, p.Text = Attention, "no worker is at work: nobody is given access, and nobody loses it"
		p.Do = "start one, and look at its log: worker --config FILE"
	case len(without) > 0:
		p.State = Attention
		p.Text = fmt.Sprintf("%s at work, but nobody takes what is on %s", words.Count(n, "worker"), strings.Join(without, ", "))
		p.Do = "start the workers again with this configuration: they know an app only if it was there when they started"
	}
	return p
}

// sweeperPart reports whether the sweeper looks for people who are due.
func sweeperPart(s Sweeps, every time.Duration, now time.Time) Part {
	p := Part{Part: "sweeper", State: OK, Text: "last started " + words.Instant(s.Last)}
	late := s.Last.Add(max(5*every, 5*time.Minute))
	switch {
	case !s.Exists:
		p.State, p.Text, p.Do = Attention, "its schedule does not exist in Temporal", "a worker makes it when it starts: start one"
	case s.Paused:
		p.State, p.Text, p.Do = Attention, "its schedule is paused: "+s.Note, "temporal schedule toggle --unpause --schedule-id tenure-sweep"
	case s.Last.IsZero():
		p.State, p.Text = Note, "it has not been started yet"
	case now.After(late):
		p.State = Attention
		p.Text = fmt.Sprintf("last started %s, and it is to be started every %s", words.Instant(s.Last), every)
		p.Do = "see the schedule tenure-sweep in Temporal: temporal schedule describe --schedule-id tenure-sweep"
	}
	return p
}
