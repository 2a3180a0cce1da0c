package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Options says what is measured.
type Options struct {
	People []int  // sizes, each a multiple of ten
	Server string // superuser's URL of a PostgreSQL server; empty: SQLite
	Each   int    // how many of each change are measured
	// Temporal is the HOST:PORT of a Temporal server whose store is on Server too, in the databases
	// temporal and temporal_visibility; empty leaves it out. Server then has pg_stat_statements.
	Temporal  string
	Asleep    int           // how many leavers' runs sleep there at most; 0: those of all leavers
	AsleepFor time.Duration // how long they may take to be started
	Runs      int           // how many of each change are measured there
	Tenure    string        // the program whose commands are measured; empty leaves them out
	Kept      string        // a directory in which the ledgers are kept; empty: none is
	Progress  io.Writer
}

// Standard returns what is measured if nothing else is said.
func Standard() Options {
	return Options{People: []int{1000, 10_000, 100_000}, Each: 100, AsleepFor: 15 * time.Minute, Runs: 20}
}

// Report is what was measured.
type Report struct {
	Sizes    []Sizes   `json:"sizes"`
	Changes  []Cost    `json:"changes"`
	Commands []Command `json:"commands,omitempty"`
	// Grown is of the smallest and the largest ledger, on a server that counts statements.
	Grown []Growth `json:"grown,omitempty"`
	// Stores and Runs are of Temporal's store.
	Stores []Store   `json:"stores,omitempty"`
	Runs   []RunCost `json:"runs,omitempty"`
}

// Run measures.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	tell := func(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }
	dir := ""
	if o.Kept != "" {
		if dir, err = filepath.Abs(o.Kept); err != nil {
			return nil, err
		}
	} else {
		if dir, err = os.MkdirTemp("", "tenure-scale-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	r = &Report{}
	for _, people := range o.People {
		if err := r.measure(ctx, o, dir, people, tell); err != nil {
			return nil, fmt.Errorf("%d people: %w", people, err)
		}
	}
	for i, c := range r.Changes {
		r.Changes[i].Deeper = c.done.deeper(r.smallest(c).done) / int64(o.Each)
		if last := r.largest(c); last.all != nil && last.People > c.People && r.smallest(c).People == c.People {
			r.Grown = append(r.Grown, grown(c.What, c.all, last.all, o.Each)...)
		}
	}
	r.attribute()
	return r, nil
}

// smallest returns the cost of the same thing in the first ledger, and largest in the last.
func (r *Report) smallest(c Cost) Cost {
	for _, first := range r.Changes {
		if first.What == c.What {
			return first
		}
	}
	return c
}

func (r *Report) largest(c Cost) Cost {
	for _, last := range slices.Backward(r.Changes) {
		if last.What == c.What {
			return last
		}
	}
	return c
}

func (r *Report) measure(ctx context.Context, o Options, dir string, people int, tell func(string, ...any)) (err error) {
	s, err := newStore(ctx, dir, o.Server, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.counted(ctx) {
		if s.meter, err = openMeter(ctx, o.Server); err != nil {
			return err
		}
		if _, err := s.db.ExecContext(ctx, `CREATE EXTENSION pageinspect`); err != nil {
			return err
		}
	}
	h, sizes, err := s.fill(ctx, people, tell)
	if err != nil {
		return err
	}
	r.Sizes = append(r.Sizes, sizes)
	if o.Tenure != "" {
		commands, err := s.commands(ctx, o.Tenure, dir, people, tell)
		if err != nil {
			return err
		}
		r.Commands = append(r.Commands, commands...)
	}
	costs, err := s.changes(ctx, h, people, o.Each)
	if err != nil {
		return err
	}
	r.Changes = append(r.Changes, costs...)
	if o.Temporal == "" {
		return nil
	}
	return r.asleep(ctx, o, s, h, people, tell)
}
