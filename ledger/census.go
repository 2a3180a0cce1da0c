package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/clock"
)

// Census counts what the ledger holds.
type Census interface {
	// Count counts links and steps, by app.
	Count(ctx context.Context) (Counts, error)
	// Overdue counts the people with whom nothing goes on: see Lateness.
	Overdue(ctx context.Context, l Lateness) (int, error)
}

// Lateness says who is overdue: whose time came at Since or before and who have not been
// looked at since. Of whom a run is at work (DueWorking) a step may wait for its turn in
// an app: they are, if their time came at Waiting or before and no step was tried after
// Since, or an event came in at Since or before that nobody has looked at.
type Lateness struct {
	Since, Waiting time.Time
}

// waitsForApp is how long (real time) a step may wait in its app's task queue before it
// is planned again: as long nothing is recorded of it.
const waitsForApp = time.Hour

// LateSince returns the lateness of somebody who is overdue now, if their time may pass
// for so long (real time) without progress.
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
}
