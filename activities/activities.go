package activities

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile/scan"
)

// Activities holds the methods that Tenure's workers register as activities: they run the
// engine for Temporal.
type Activities struct {
	*provision.Engine
	// Moved is called for each step that leaves the main queue because its app has used up
	// its slots there; may be nil.
	Moved func(app string)
	// Erased is called with what became of each erasure: one of the outcomes ErasureDone,
	// ErasureRefused and ErasureFailed. It may be nil.
	Erased func(outcome string)
	// Runs finds and starts people's runs. Only the sweeper and scans use it.
	Runs Runs
	// Scanner looks at all accounts of apps. Only scans use it.
	Scanner *scan.Scanner
	// Overdue is how long (real time) something may be due without progress before the person
	// counts as overdue, and a run of theirs that makes no progress is replaced.
	Overdue time.Duration
	Reviews Reviews
	// Privacy says who is erased. Without Keep, nobody is.
	Privacy erase.Terms

	slots sync.Map // *slots, by app
	turns struct { // see sweepTurns
		sync.Mutex
		next time.Time
	}
	strangers struct { // see endStrangers
		sync.Mutex
		next time.Time
	}
}

// Runs is the part of Temporal that the sweeper needs.
type Runs interface {
	// Look returns the state of the person's last run.
	Look(ctx context.Context, personID string) (Run, error)
	// Told returns when (real time) the person's run last received a signal to look again;
	// zero if it received none lately.
	Told(ctx context.Context, personID string) (time.Time, error)
	// Strangers yields the people under whose ID a workflow is open that is not Tenure's, and
	// began after since (real time), or at any time if that is zero. Those that are still to
	// begin are among them.
	Strangers(ctx context.Context, since time.Time) iter.Seq2[string, error]
	// EndedByHand yields the people whose last run was terminated or cancelled since then,
	// and who have no open run.
	EndedByHand(ctx context.Context, since time.Time) iter.Seq2[string, error]
	// Resume starts a run, which decides by itself what has to be done, or tells the open
	// run to look again.
	Resume(ctx context.Context, personID, why string) error
	// ResumeRequest starts the run of a request for a role, or tells the open run to look
	// again.
	ResumeRequest(ctx context.Context, requestID int64, why string) error
	// ResumeReview starts the run of a review, or tells the open run to look again.
	ResumeReview(ctx context.Context, reviewID int64, why string) error
	// Scan starts a scan of an app, unless one is open.
	Scan(ctx context.Context, app string) error
	// Replace ends an open run with a reason, and starts another as Resume does.
	Replace(ctx context.Context, personID string, run Run, why string) error
}

// Run is the state of a person's run in Temporal.
type Run struct {
	Open  bool
	Chain string // identifies the run together with those that continue it
	// StartedAt is when (real time) the run was started, or continued the one before.
	StartedAt time.Time
	// Foreign means that the run is not Tenure's: Tenure does not have its workflow type or
	// its task queue.
	Foreign bool
	// Stuck says why the run cannot make progress by itself; empty: it can, as far as is
	// known.
	Stuck string
	// Idle means that the run waits for a date or a signal, and for nothing else.
	Idle bool
}
