package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/clock"
)

// Census counts what the ledger holds.
type Census interface {
	// Count counts links and steps by app, and exceptions by kind.
	Count(ctx context.Context) (Counts, error)
	// Overdue counts the people who are overdue: see Lateness.
	Overdue(ctx context.Context, l Lateness) (int, error)
}

// Lateness defines who is overdue: people who have been due since Since or earlier. If
// somebody's run is at work (DueWorking), a step may be waiting for its turn in an app. Such
// a person is overdue only in two cases: they have been due since Waiting or earlier and no
// step was tried after Since, or an event was received at Since or earlier and no assessment
// has seen it.
type Lateness struct {
	Since, Waiting time.Time
}

// waitsForApp is how long (real time) a step may wait in its app's task queue before it is
// planned again. Nothing is recorded about the step in that time.
const waitsForApp = time.Hour

// LateSince returns the Lateness for now, if people may be due for the time overdue (real
// time) without progress.
func LateSince(c clock.Clock, overdue time.Duration) Lateness {
	now := c.Now()
	return Lateness{Since: now.Add(-c.Span(overdue)), Waiting: now.Add(-c.Span(overdue + waitsForApp))}
}

// Counts holds numbers by app; apps without any are left out.
type Counts struct {
	Links     map[string]map[LinkState]int // by app and state
	Attention map[string]int               // steps that need attention; "" counts questions
	// Retention counts the disabled accounts of people who have left that are kept until
	// their retention ends.
	Retention map[string]int
	// Approvals counts the deletions that wait for an operator's approval.
	Approvals map[string]int
	// Exceptions counts, by kind, the exceptions that have not ended.
	Exceptions map[string]int
}
