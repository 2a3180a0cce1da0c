package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Turns is the line of people who wait for their turn. Events may be recorded much faster than
// what they call for can be done. So Temporal is told of some events only when the work that
// is under way leaves room for more (Received.Waits), and the ledger keeps the line until then.
//
// A person stands in the line from the first event that waits. They leave it when Temporal is
// told (TakeTurns), when an event about them is recorded that does not wait, or when an
// assessment has seen all that they wait for: whoever brings their run to look at the ledger
// has taken their turn.
type Turns interface {
	// Line lists people who wait, by LastSeq, after the given one, at most limit.
	Line(ctx context.Context, after int64, limit int) ([]Place, error)
	// Turns returns what the people of these IDs wait for, in any order, without those who do
	// not wait.
	Turns(ctx context.Context, people []string) ([]Turn, error)
	// TakeTurns notes that Temporal was told at this time of what these people waited for:
	// PersonID and LastSeq. It makes them due, and they are at work. A person about whom
	// something was recorded since keeps their place, or has left the line already.
	TakeTurns(ctx context.Context, turns []Turn, at time.Time) error
	// AtWork lists the people who are at work, and were told after the given time: first those
	// who were told last, at most limit.
	AtWork(ctx context.Context, since time.Time, limit int) ([]Told, error)
	// Backlog counts the people who wait.
	Backlog(ctx context.Context) (Backlog, error)
}

// Place is a person's place in the line.
type Place struct {
	PersonID string
	LastSeq  int64 // their last event
	// ManagerID is the manager whom the last event that names one says they have. Known means
	// that this manager was assessed at some time.
	ManagerID string
	Known     bool
}

// Turn is what a person waits for.
type Turn struct {
	PersonID string
	LastSeq  int64       // their last event
	LastKey  hr.EventKey // of it
	First    hr.Event    // the first event that waits; empty if it was erased
	At       time.Time   // when that one was received
}

// Told is a person who is at work: their run was told of an event, and no assessment since
// then has found that nothing is to be done at once. Steps that need attention, wait for a
// human or for an app's operation, or are held back, are not to be done at once, nor is what
// is due later.
type Told struct {
	PersonID string
	At       time.Time // when the run was last to be told of an event
}

// Backlog describes the line.
type Backlog struct {
	People int       // how many people wait for their turn
	Oldest time.Time // when the event was received that has waited longest; zero if nobody waits
}
