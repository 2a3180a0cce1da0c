package scale

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/relational"
)

// Cost is what one more of something costs.
type Cost struct {
	Store  string `json:"store"`
	People int    `json:"people"`
	What   string `json:"what"`
	Counts Counts `json:"counts"`
	// Spent is what was asked of the database: statements, commits that were synced, and round
	// trips.
	Spent relational.Spent `json:"spent"`
	Took  time.Duration    `json:"took"` // the median

	// Deeper is how many of the blocks are looked at only since indexes have more levels than in
	// the smallest ledger.
	Deeper int64 `json:"deeper,omitempty"`

	all  statements // nil if nobody counted them
	done indexes    // the same
}

// quiet is a Temporal that knows of no run.
type quiet struct{ activities.Runs }

// EndedByHand implements activities.Runs.
func (quiet) EndedByHand(context.Context, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

// Strangers implements activities.Runs.
func (quiet) Strangers(context.Context, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

// measured lists what is measured, in this order. A joiner, a mover and a leaver are the same
// person.
var measured = []struct {
	what string
	do   func(ctx context.Context, h *house, person string) error
}{
	{"opening", func(context.Context, *house, string) error { return nil }},
	{"record a joiner", func(ctx context.Context, h *house, person string) error { return h.record(ctx, hired(person)) }},
	{"provision them", func(ctx context.Context, h *house, person string) error { return h.settle(ctx, person) }},
	{"record a mover", func(ctx context.Context, h *house, person string) error { return h.record(ctx, moved(person)) }},
	{"change them", func(ctx context.Context, h *house, person string) error { return h.settle(ctx, person) }},
	{"record a leaver", func(ctx context.Context, h *house, person string) error { return h.record(ctx, hrevents.Left(person)) }},
	{"cut them off", func(ctx context.Context, h *house, person string) error { return h.settle(ctx, person) }},
	{"read a person", func(ctx context.Context, h *house, person string) error {
		_, err := h.ledger.Person(ctx, person)
		return err
	}},
	{"sweep", func(ctx context.Context, h *house, _ string) error {
		a := &activities.Activities{Engine: h.engine, Runs: quiet{}, Overdue: time.Minute}
		_, err := a.Sweep(ctx)
		return err
	}},
	{"count who is overdue", func(ctx context.Context, h *house, _ string) error {
		_, err := h.ledger.Overdue(ctx, ledger.LateSince(h.engine.Clock, time.Minute))
		return err
	}},
	{"count for the metrics", func(ctx context.Context, h *house, _ string) error {
		_, err := h.ledger.Count(ctx)
		return err
	}},
}

// changes measures what one more change costs. Each thing is done for this many people, and the
// cost of opening the ledger is taken off.
func (s *store) changes(ctx context.Context, h *house, people, each int) (all []Cost, err error) {
	var opening Counts
	for _, m := range measured {
		before, err := s.counts(ctx)
		if err != nil {
			return nil, err
		}
		asked, err := s.statements(ctx)
		if err != nil {
			return nil, err
		}
		trees, err := s.indexes(ctx)
		if err != nil {
			return nil, err
		}
		took := make([]time.Duration, each)
		var spent relational.Spent
		err = s.with(ctx, func(l ledger.Ledger) error {
			here := h.on(l)
			asked := l.(interface{ Spent() relational.Spent })
			before := asked.Spent()
			defer func() { spent = asked.Spent().Minus(before) }()
			for i := range each {
				began := time.Now()
				if err := m.do(ctx, here, fmt.Sprintf("n%05d", i)); err != nil {
					return fmt.Errorf("%s: %w", m.what, err)
				}
				took[i] = time.Since(began)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		after, err := s.counts(ctx)
		if err != nil {
			return nil, err
		}
		now, err := s.statements(ctx)
		if err != nil {
			return nil, err
		}
		grown, err := s.indexes(ctx)
		if err != nil {
			return nil, err
		}
		counts := after.minus(before)
		now = now.since(asked)
		if s.meter != nil {
			// Others write to the server's log too, and the statistics of tables come late.
			counts.WAL, counts.Blocks = now.sum().WAL, now.sum().Blocks
		}
		if m.what == measured[0].what {
			opening = counts
			continue
		}
		slices.Sort(took)
		all = append(all, Cost{Store: s.kind, People: people, What: m.what, Counts: counts.minus(opening).by(int64(each)), Spent: eachOf(spent, int64(each)), Took: took[each/2], all: now, done: grown.since(trees)})
	}
	return all, nil
}

// eachOf returns what was asked for one of n.
func eachOf(s relational.Spent, n int64) relational.Spent {
	return relational.Spent{Writes: s.Writes / n, Commits: s.Commits / n, Reads: s.Reads / n, Statements: s.Statements / n, RoundTrips: s.RoundTrips / n}
}
