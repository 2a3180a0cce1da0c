package activities

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/tenurehq/tenure/provision"
)

// Activities are the activities of Tenure's workers: the engine, and how Temporal calls it.
type Activities struct {
	*provision.Engine
	// Moved is called for each step that finds its app's share of the main queue used
	// up; may be nil.
	Moved func(app string)
	// Runs finds and starts people's runs; used by the sweeper only.
	Runs Runs
	// Overdue is how long (real time) somebody's time may pass without progress before
	// they count as overdue, and a run of theirs that does not get on is replaced.
	Overdue time.Duration

	slots sync.Map // by app, *slots
}

// Runs is what the sweeper needs of Temporal.
type Runs interface {
	// Look says how the person's last run is.
	Look(ctx context.Context, personID string) (Run, error)
	// Told is when (real time) the person's run was last told to look again, and has
	// heard it; zero if it was not lately.
	Told(ctx context.Context, personID string) (time.Time, error)
	// Strangers gives the people under whose ID something is open that is not Tenure's.
	Strangers(ctx context.Context) iter.Seq2[string, error]
	// EndedByHand gives the people whose last run was terminated or cancelled since,
	// and who have no open one.
	EndedByHand(ctx context.Context, since time.Time) iter.Seq2[string, error]
	// Resume starts a run that finds out by itself what has to be done, or tells
	// the open one to look again.
	Resume(ctx context.Context, personID, why string) error
	// Replace ends a run that is open, with a reason, and starts another as Resume does.
	Replace(ctx context.Context, personID string, run Run, why string) error
}

// Run is how a person's run is, as Temporal has it.
type Run struct {
	Open  bool
	Chain string // names the run and those that continue it
	// StartedAt is when (real time) it was started, or continued the one before.
	StartedAt time.Time
	// Foreign says that it is not Tenure's: of a workflow type or on a task queue that
	// Tenure does not have.
	Foreign bool
	// Stuck says why it cannot get on by itself; empty: it can, for all that is known.
	Stuck string
	// Idle says that it waits for a date or a signal, and for nothing else.
	Idle bool
}
