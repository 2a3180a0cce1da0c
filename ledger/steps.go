package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// StepState is the state of a step.
type StepState string

// The life of a step.
const (
	StepOpen       StepState = "open"       // planned or being tried
	StepAttention  StepState = "attention"  // a human must look
	StepSkipped    StepState = "skipped"    // a human decided that it is not to be done, as long as it is asked for
	StepDone       StepState = "done"       // applied and confirmed
	StepSuperseded StepState = "superseded" // the plan does not want it any more
)

// Step is one intended change of one account.
type Step struct {
	PersonID                             string
	Key                                  string // identifies the step's content: same key = same change. See plan.Step
	App                                  string
	Kind                                 string // plan.Kind
	State                                StepState
	Attempts                             int    // calls of BeginStep since it was first planned
	Code                                 string // error code of the last failed attempt
	Message                              string // what went wrong and what to do; never personal data
	PlannedAt, LastAttemptAt, FinishedAt time.Time
	Reason                               string // the operator's, when skipped
}

// Attempt announces one attempt at a step. A step that nobody planned becomes
// an open one.
type Attempt struct {
	PersonID, App, Key, Kind string
	At                       time.Time // now
	Deadline                 time.Time // when this attempt is certainly over, whatever became of the process
	Gives                    bool      // whether the step gives access (creates, enables, grants)
	// Destroys says that the step may destroy the account: it deletes it, or disables
	// it where that is as good as deleting.
	Destroys bool
}

// Begun is the ledger's answer to an attempt.
type Begun struct {
	Attempt int64 // identifies this attempt, for Outcome
	Link    Link  // as it is now; State is empty if there is none
	// DoubtUntil is the latest deadline of another step's attempt that gives
	// access to the same account and whose outcome is not recorded; zero if none
	// is in doubt at Attempt.At.
	DoubtUntil time.Time
	// TryingSince is when the first attempt was begun since the step was planned
	// or an operator had it tried again.
	TryingSince time.Time
	// Unproven reports whether there was an attempt before, at this step or at another
	// one of the account's, that came to no proof: what it was to do may be done in part.
	Unproven bool
}

// Outcome is the result of one attempt.
type Outcome struct {
	PersonID, App, Key, Kind string
	Attempt                  int64 // Begun.Attempt; zero ends every attempt at the step
	At                       time.Time
	State                    StepState // StepDone, StepOpen (will be retried), StepAttention or StepSuperseded
	Code                     string
	Message                  string
	Link                     *Link // new state of the link; nil leaves it; PersonID and App are filled in
	// Attributes becomes the digest of the link's attributes, where the attempt that
	// failed has changed some; empty says that it is not known what they are.
	Attributes *string
	Audit      *AuditRow // nil writes none; Seq, PersonID and (if empty) App and At are filled in
	// InDoubt says that the attempt failed, but what it asked of the app may still
	// take effect: it stays in doubt until its deadline.
	InDoubt bool
	// DueReports makes the people whose manager this person is due at At, with
	// DueWhat "manager", unless they are due earlier.
	DueReports bool
}

// Verb names what an operator did.
type Verb string

// The operator's verbs.
const (
	VerbRetry Verb = "retry" // open an attention step again
	VerbSkip  Verb = "skip"  // the step (or conflict) is not to be done
)

// Action is one operator action, and writes an audit row. It makes the person due, with
// DueDecision: that their run is told is not left to whoever acted. VerbSkip makes the
// step StepSkipped (even one not planned yet), unless it is done, until an
// assessment finds that it is not asked for any more (Assessment.LapsedSkips).
// VerbRetry makes a step in attention, or a skipped one, StepOpen. With Conflict
// set, VerbSkip waives that conflict and VerbRetry takes the waiver back.
type Action struct {
	Verb     Verb
	PersonID string
	Key      string // step key, or conflict key
	App      string // empty for a conflict
	Conflict bool
	Operator string
	Reason   string
	At       time.Time
}

// Steps lists the steps of many people at once.
type Steps interface {
	// Steps lists steps by person and key, after the given place, at most limit.
	Steps(ctx context.Context, f StepFilter, after StepPlace, limit int) ([]Step, error)
}

// StepPlace is a step's place in the list of all. The zero value is before all.
type StepPlace struct{ PersonID, Key string }

// StepFilter selects steps; fields that are zero match all. Questions are steps of
// the kind "Question".
type StepFilter struct {
	PersonID string
	App      string
	Kind     string
	Code     string
	States   []StepState // any of these
	// From and Until bound the last attempt (of a question, when it was asked): at or
	// after, and before.
	From, Until time.Time
	Statuses    []hr.Status // the person's, as the last assessment left them: any of these
}
