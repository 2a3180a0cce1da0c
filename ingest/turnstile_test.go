package ingest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/workflows"
)

// office is a ledger, and what a worker does in it: a person of whom Temporal is told is at
// work until the office is done with them.
type office struct {
	ledger.Ledger
	t *testing.T

	mu     sync.Mutex
	open   []string // who was told and is not done
	most   int
	passes bool // everybody is done at once
}

func newOffice(t *testing.T) *office {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return &office{Ledger: l, t: t}
}

// Nudge implements Nudger.
func (o *office) Nudge(ctx context.Context, n workflows.Nudge) error {
	o.mu.Lock()
	if !slices.Contains(o.open, n.PersonID) {
		o.open = append(o.open, n.PersonID)
	}
	o.most = max(o.most, len(o.open))
	passes := o.passes
	o.mu.Unlock()
	if passes {
		return o.done(ctx, n.PersonID)
	}
	return nil
}

// done saves an assessment that finds nothing to be done.
func (o *office) done(ctx context.Context, personID string) error {
	o.mu.Lock()
	o.open = slices.DeleteFunc(o.open, func(id string) bool { return id == personID })
	o.mu.Unlock()
	p, err := o.Person(ctx, personID)
	if err != nil {
		return err
	}
	p.AssessedAt, p.DueAt, p.DueWhat = time.Now(), time.Time{}, ""
	return o.SaveAssessment(ctx, ledger.Assessment{Summary: p.Summary})
}

func (o *office) atWork() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.open)
}

func (o *office) backlog() int {
	b, err := o.Backlog(o.t.Context())
	require.NoError(o.t, err)
	return b.People
}

// ahead lets a consumer read ahead in an office.
func (o *office) ahead(people int) func(*Options) {
	return func(opts *Options) {
		opts.Intake, opts.Nudger, opts.Turns, opts.ReadAhead = o.Ledger, o, o.Ledger, people
		opts.Tuning.Turns = TurnPaces{Idle: 10 * time.Millisecond, Busy: 5 * time.Millisecond, Again: 50 * time.Millisecond, Tell: 200 * time.Millisecond}
	}
}

func joiners(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%02d", i)
	}
	return ids
}

// All is read and recorded at once, and no more people are at work than may be. Whoever loses
// access does not wait, and everybody has their turn in the end.
func TestAFloodWaitsInTheLedger(t *testing.T) {
	r, o := newRig(t, 2), newOffice(t)
	people := joiners(40)
	r.publish(notes(1, people...)...)
	_, stop := r.run(o.ahead(10))
	r.awaitAllCommitted()
	r.eventually(func() bool { return len(o.atWork()) == 10 && o.backlog() == 30 }, "as many are at work as may be, and the others wait")

	// Somebody who was assessed before, and waits for another change.
	known := o.atWork()[0]
	require.NoError(t, o.done(t.Context(), known))
	r.publish(note{ID: "more", Person: known, Type: hr.EventTransferred}.message())
	r.publish(note{ID: "gone", Person: known, Type: hr.EventTerminated}.message())
	r.eventually(func() bool { return slices.Contains(o.atWork(), known) }, "who leaves does not wait")

	// A new consumer goes on where the first one stopped.
	stop()
	r.run(o.ahead(10))
	r.eventually(func() bool {
		for _, id := range o.atWork() {
			require.NoError(t, o.done(t.Context(), id))
		}
		return o.backlog() == 0
	}, "the line moves on")
	for _, id := range people {
		p, err := o.Person(t.Context(), id)
		require.NoError(t, err)
		assert.False(t, p.AssessedAt.IsZero() && !slices.Contains(o.atWork(), id), "%s has had their turn", id)
	}
	assert.LessOrEqual(t, o.most, 12, "somebody who leaves is at work besides")
}

// Temporal takes nothing for one person, who is first in the line: all others have their turn, and
// the sweeper is left to try that one again.
func TestOnePersonHoldsUpNobodyInTheLine(t *testing.T) {
	r, o := newRig(t, 1), newOffice(t)
	r.publish(notes(1, joiners(20)...)...)
	_, stop := r.run(o.ahead(2))
	r.awaitAllCommitted()
	require.Positive(t, o.backlog())
	stop()
	first, err := o.Line(t.Context(), 0, 1)
	require.NoError(t, err)
	for _, id := range o.atWork() {
		require.NoError(t, o.done(t.Context(), id))
	}
	o.passes = true
	r.run(func(opts *Options) {
		o.ahead(1)(opts) // one at a time: nobody else is told in the same batch
		opts.Nudger = declining{o, first[0].PersonID}
	})
	r.eventually(func() bool { return o.backlog() <= 1 }, "the others have their turn")
}

// declining is an office in which Temporal takes nothing for one person.
type declining struct {
	*office
	person string
}

func (r declining) Nudge(ctx context.Context, n workflows.Nudge) error {
	if n.PersonID == r.person {
		return errors.New("an error of this one workflow")
	}
	return r.office.Nudge(ctx, n)
}

// A starter without the lease does not read the line.
func TestOnlyOneStarterReadsTheLine(t *testing.T) {
	r, o := newRig(t, 1), newOffice(t)
	lease, held, err := o.TakeLease(t.Context(), turnLease, "another", time.Minute)
	require.NoError(t, err)
	require.True(t, held)
	counting := &readings{Ledger: o.Ledger}
	r.publish(notes(1, joiners(30)...)...)
	r.run(func(opts *Options) {
		o.ahead(2)(opts)
		opts.Turns = counting
	})
	r.awaitAllCommitted()
	r.eventually(func() bool { return counting.leases.Load() > 3 }, "it asks for the lease now and then")
	assert.Zero(t, counting.pages.Load())
	require.NoError(t, o.DropLease(t.Context(), lease))
	r.eventually(func() bool { return counting.pages.Load() > 0 }, "it goes on when it has the lease")
}

// readings counts whole pages of the line that are read, and attempts at the lease.
type readings struct {
	ledger.Ledger
	pages, leases atomic.Int64
}

func (r *readings) Line(ctx context.Context, after int64, n int) ([]ledger.Place, error) {
	if n > 1 {
		r.pages.Add(1)
	}
	return r.Ledger.Line(ctx, after, n)
}

func (r *readings) TakeLease(ctx context.Context, name, holder string, term time.Duration) (ledger.Lease, bool, error) {
	r.leases.Add(1)
	return r.Ledger.TakeLease(ctx, name, holder, term)
}

// What was recorded while people waited has its turn although there is no limit any more.
func TestWithoutALimitNobodyWaits(t *testing.T) {
	r, o := newRig(t, 1), newOffice(t)
	r.publish(notes(1, joiners(20)...)...)
	_, stop := r.run(o.ahead(2))
	r.awaitAllCommitted()
	require.Positive(t, o.backlog())
	stop()
	r.run(o.ahead(0))
	r.eventually(func() bool { return o.backlog() == 0 && len(o.atWork()) == 20 }, "all have their turn")
}

// Two starters share one line: nobody is left out, and no more are at work than may be.
func TestTwoStartersShareOneLine(t *testing.T) {
	r, o := newRig(t, 2), newOffice(t)
	r.publish(notes(1, joiners(60)...)...)
	r.run(o.ahead(20))
	r.run(o.ahead(20))
	r.eventually(func() bool { return len(o.atWork()) >= 20 && o.backlog() > 0 }, "as many are at work as may be")
	assert.LessOrEqual(t, o.most, 24, "each may let a tenth pass")
	o.mu.Lock()
	o.passes = true
	o.mu.Unlock()
	for _, id := range o.atWork() {
		require.NoError(t, o.done(t.Context(), id))
	}
	r.eventually(func() bool { return o.backlog() == 0 }, "all have their turn")
}
