package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options says what is measured.
type Options struct {
	People   []int  // sizes, each a multiple of ten
	Server   string // superuser's URL of a PostgreSQL server; empty: SQLite
	Each     int    // how many of each change are measured
	Tenure   string // the program whose commands are measured; empty leaves them out
	Kept     string // a directory in which the ledgers are kept; empty: none is
	Progress io.Writer
}

// Standard returns what is measured if nothing else is said.
func Standard() Options { return Options{People: []int{1000, 10_000, 100_000}, Each: 100} }

// Report is what was measured.
type Report struct {
	Sizes    []Sizes   `json:"sizes"`
	Changes  []Cost    `json:"changes"`
	Commands []Command `json:"commands,omitempty"`
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
	return r, nil
}

func (r *Report) measure(ctx context.Context, o Options, dir string, people int, tell func(string, ...any)) (err error) {
	s, err := newStore(ctx, dir, o.Server, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
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
	return nil
}
