package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// StepState is the state of a step.
type StepState string

// The states of a step.
const (
	StepOpen       StepState = "open"       // planned or being tried
	StepAttention  StepState = "attention"  // an operator is needed
	StepSkipped    StepState = "skipped"    // an operator decided that it is not done, for as long as the plan asks for it
	StepDone       StepState = "done"       // done and proven
	StepSuperseded StepState = "superseded" // the plan does not want it any more
)

// Step is one intended change of one account. Commands print it as JSON.
type Step struct {
	PersonID      string    `json:"person"`
	App           string    `json:"app,omitempty"`
	Kind          string    `json:"kind"` // plan.Kind
	Key           string    `json:"key"`  // identifies the step's content: same key = same change. See plan.Step
	State         StepState `json:"state"`
	Attempts      int       `json:"attempts,omitempty"` // attempts since it was first planned
	Code          string    `json:"code,omitempty"`     // error code of the last failed attempt
	Message       string    `json:"message,omitempty"`  // what went wrong and what to do; never personal data
	Reason        string    `json:"reason,omitempty"`   // the operator's, when skipped
	PlannedAt     time.Time `json:"plannedAt,omitzero"`
	LastAttemptAt time.Time `json:"lastAttemptAt,omitzero"`
	FinishedAt    time.Time `json:"-"`
	TryingSince   time.Time `json:"-"` // see Begun.TryingSince
	Underway      Underway  `json:"underway,omitzero"`
}

// Underway is an operation by which an app does what a step asks for, and which takes long.
type Underway struct {
	Operation string    `json:"operation"` // what the app calls it
	Call      string    `json:"call"`      // the call that began it: connector.OpHandOver, for example; empty if there is none
	Since     time.Time `json:"since"`     // when the step's first operation began
	// LookAt is when to look again how far it is. It is zero if the last attempt failed, or if
	// it takes too long.
	LookAt time.Time `json:"lookAt,omitzero"`
}

// Attempt announces one attempt at a step. A step that was never planned becomes open.
type Attempt struct {
	PersonID, App, Key, Kind string
	At                       time.Time // now
	Deadline                 time.Time // when this attempt is certainly over, even if its process died
	Gives                    bool      // whether the step gives access (creates, enables, grants)
	// Destroys means that the step may destroy the account: it deletes it, or disables it in
	// an app in which that is as good as deleting.
	Destroys bool
	// May is what the attempt's calls may change, until Deadline. The link has it until the
	// outcome says what they did. Nil if it makes no such calls.
	May *Unsure
	// Ahead is what was read before the attempt; nil if nothing was that counts. See Begun.AsRead.
	Ahead *Ahead
}

// Ahead is what an attempt that may create an account goes by, if the person was read and the app
// was searched before it began.
type Ahead struct {
	Revision int64  // of the person, as it was read
	Username string // ... and the person's username
	// Creating is the creation that follows, because the search has shown no account. It is noted
	// with the attempt, as NoteCreation does. Zero if none follows.
	Creating Creation
	// OrNone asks for no attempt if only the person has changed (Begun.Untried, not AsRead): then
	// nothing is written, and Begun.Attempt is zero.
	OrNone bool
}

// Begun is the ledger's answer to an attempt.
type Begun struct {
	Attempt int64 // identifies this attempt, for Outcome; zero if none has begun: see Ahead.OrNone
	Link    Link  // as it was before the attempt; State is empty if there is none
	// DoubtUntil is the latest deadline of the attempts at other steps that give access to
	// the same account and whose outcome is not recorded. It is zero if no such attempt is
	// in doubt at Attempt.At.
	DoubtUntil time.Time
	// TryingSince is when the first attempt began after the step was planned or an operator
	// last asked to retry it.
	TryingSince time.Time
	// Queued is for how long since then no attempt was under way although one was due: see
	// Outcome.Due. By as much as a clock showed less than at the attempt before, it is less, and
	// may be negative: what has passed by several clocks counts as by one.
	Queued time.Duration
	// Unproven means that an earlier attempt, at this step or another step of the account,
	// ended without proof, so that its change may be done in part.
	Unproven bool
	// AcknowledgedAt and Underway are those of the outcome of the step's last attempt.
	AcknowledgedAt time.Time
	Underway       Underway
	// AsRead means that what Attempt.Ahead says still held when the attempt was recorded, so that
	// it may go by that: the person has that revision and that username, the link is Untouched, and
	// no attempt at a step of the app is known. Only then is Ahead.Creating noted. Link does not
	// show it.
	AsRead bool
	// Untried means that what the app was seen to have before the attempt may still be gone by,
	// whatever else has changed since Attempt.Ahead was read: the link is Untouched, and no attempt
	// at a step of the app is known. It is true if AsRead is.
	Untried bool
}

// Outcome is the result of one attempt.
type Outcome struct {
	PersonID, App, Key, Kind string
	Attempt                  int64 // Begun.Attempt; zero means every attempt at the step
	At                       time.Time
	State                    StepState // StepDone, StepOpen (will be retried), StepAttention or StepSuperseded
	Code                     string
	Message                  string
	Link                     *Link // new state of the link; nil leaves it; PersonID and App are filled in
	// Attributes is the new digest of the link's attributes if a failed attempt has changed
	// some of them. Empty means that they are not known.
	Attributes *string
	Audit      *AuditRow // nil writes none; Seq, PersonID and (if empty) App and At are filled in
	// InDoubt means that calls of the attempt may still take effect: it failed, or what it has done
	// may come late once more. It stays in doubt until its deadline.
	InDoubt bool
	// Changes is what may have changed of the account, if Link is nil. It takes the place of
	// what the link got from Attempt.May. Nil leaves that.
	Changes *Changes
	// AcknowledgedAt is when the app accepted all that the step asks for, if it has not
	// shown it yet; zero if it has not, or has to be asked again.
	AcknowledgedAt time.Time
	// Underway is the operation that the step waits for; zero if there is none. With LookAt,
	// the app is at work, so that TryingSince is At from now on.
	Underway Underway
	// Due is when the next attempt is due, if the step stays open. The time from then until the
	// attempt begins is spent in a queue, and does not count as failing: see Begun.Queued. Zero
	// means that it is not known.
	Due time.Time
	// DueReports makes the people whose manager this person is due at At, with
	// DueWhat "manager", unless they are due earlier.
	DueReports bool
}

// Verb names an operator's action.
type Verb string

// The operator's verbs.
const (
	VerbRetry Verb = "retry" // open a step in attention again
	VerbSkip  Verb = "skip"  // the step is not done, or the conflict ignored
)

// Action is one action of an operator, and writes an audit row. It makes the person due,
// with DueDecision, so that their run is signalled even if the caller fails to do it.
// VerbSkip makes a step StepSkipped, even one that is not planned yet, unless it is done. It
// stays so until an assessment finds that the plan no longer asks for it
// (Assessment.LapsedSkips). VerbRetry makes a step in attention, or a skipped one, StepOpen.
// With Conflict set, VerbSkip waives that conflict and VerbRetry withdraws the waiver.
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

// StepPlace is a step's place in the list of all steps. The zero value is before all.
type StepPlace struct{ PersonID, Key string }

// StepFilter selects steps; fields that are zero match all. Questions are steps of
// the kind "Question".
type StepFilter struct {
	PersonID string
	App      string
	Kind     string
	Code     string
	States   []StepState // any of these
	// From and Until bound the last attempt, or for a question when it was asked: at or
	// after From, and before Until.
	From, Until time.Time
	Statuses    []hr.Status // the person's status by the last assessment: any of these
}
