package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Holds keeps legal holds. While a hold on a person is in force, none of their accounts is
// deleted for good. See docs/adr/0019-holds-and-approvals.md.
type Holds interface {
	// PlaceHold places a hold on a person, with an audit row. It withdraws the person's
	// tasks to delete accounts, and makes the person due, with DueDecision. It returns
	// ErrNotFound for a person whom the ledger does not know.
	//
	// A deletion that begins later sees the hold, because BeginStep comes before the read
	// that decides. The answer names the apps in which a deletion, or another step that
	// destroys an account (Attempt.Destroys), had begun before: it may still be done.
	PlaceHold(ctx context.Context, h Hold) (PlacedHold, error)
	// ReleaseHold ends a hold, with an audit row, makes its person due, with DueDecision,
	// and returns the hold. A hold that was released before stays as it is.
	ReleaseHold(ctx context.Context, r HoldRelease) (Hold, error)
	// Holds lists holds by ID, after the given ID, at most limit.
	Holds(ctx context.Context, f HoldFilter, after int64, limit int) ([]Hold, error)
}

// Hold keeps a person's accounts from being deleted for good. Several may be in force
// at once: the last one to end decides.
type Hold struct {
	ID        int64 // given by the ledger, ascending, never reused
	PersonID  string
	PlacedAt  time.Time
	ExpiresAt time.Time // from then on it has no effect
	Operator  string
	Login     string // see WithLogin
	Reason    string

	ReleasedAt    time.Time // zero unless an operator released it
	ReleasedBy    string
	ReleasedLogin string
	ReleaseReason string
}

// InForce reports whether the hold is in force at an instant.
func (h Hold) InForce(at time.Time) bool { return h.ReleasedAt.IsZero() && h.ExpiresAt.After(at) }

const holdPrefix = "h-"

// Name returns the name by which people refer to the hold, such as "h-12".
func (h Hold) Name() string { return HoldName(h.ID) }

// HoldName returns the name of the hold with that number, such as "h-12".
func HoldName(id int64) string { return holdPrefix + strconv.FormatInt(id, 10) }

// HoldID returns the number of the hold with a name, and false if the text is no such name.
func HoldID(name string) (int64, bool) {
	number, ok := strings.CutPrefix(name, holdPrefix)
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil && id > 0
}

// HeldUntil returns the instant until which holds keep a person's accounts from being
// deleted; zero if there are no holds. It may lie in the past.
func HeldUntil(holds []Hold) time.Time {
	var until time.Time
	for _, h := range holds {
		if h.ReleasedAt.IsZero() && h.ExpiresAt.After(until) {
			until = h.ExpiresAt
		}
	}
	return until
}

// PlacedHold is the answer to a hold that was placed.
type PlacedHold struct {
	Hold     Hold
	Deleting []string // apps in which a step that destroys an account had begun, sorted
}

// HoldRelease ends a hold before its time.
type HoldRelease struct {
	ID               int64
	Operator, Reason string
	At               time.Time
}

// HoldFilter selects holds; fields that are zero match all.
type HoldFilter struct {
	ID       int64
	PersonID string
	InForce  time.Time // only those in force at that instant
}

// DueDecision is the reason why people are due after an operator decided something about
// them: about their deletions (a hold, a retention or an approval), or about a step that
// needed attention.
const DueDecision = "decision"

// Retentions keeps the retentions that an operator has set for single people, in place of
// the configured ones.
type Retentions interface {
	// SetRetention sets how long a person's accounts are kept, with an audit row, and makes
	// the person due, with DueDecision. It replaces an earlier retention of the same app
	// (or of all apps). It returns ErrNotFound for a person whom the ledger does not know.
	SetRetention(ctx context.Context, r Retention) (Retention, error)
	// ResetRetention ends a retention, so that the configuration decides again, with an
	// audit row, and makes the person due, with DueDecision. It returns the retention that
	// was in force; zero if there was none.
	ResetRetention(ctx context.Context, r RetentionReset) (Retention, error)
	// Retentions lists all retentions ever set for one person, or for everybody if personID
	// is empty, by ID, after the given ID, at most limit.
	Retentions(ctx context.Context, personID string, after int64, limit int) ([]Retention, error)
}

// Retention holds how long one person's disabled accounts are kept: until Until or, if that
// is zero, for the time For from the proof that they are off.
type Retention struct {
	ID       int64 // given by the ledger, ascending, never reused
	PersonID string
	App      string // empty means every app that has no retention of its own
	Until    time.Time
	For      time.Duration

	SetAt    time.Time
	Operator string
	Login    string // see WithLogin
	Reason   string

	EndedAt    time.Time // zero while it is in force
	EndedBy    string
	EndedLogin string
	EndReason  string
}

// RetentionReset ends a person's retention for an app, or the one for all other apps.
type RetentionReset struct {
	PersonID, App    string
	Operator, Reason string
	At               time.Time
}

// Approvals keeps the approvals of deletions that an operator has to approve. Assessments ask
// for them (Assessment.Approvals) and end them when the plan no longer needs them.
type Approvals interface {
	// ApproveDeletion records that a deletion is approved, with an audit row, and makes its
	// person due, with DueDecision. The approval need not have been asked for. One that is
	// given already stays as it is. It returns ErrNotFound for a person whom the ledger does
	// not know.
	ApproveDeletion(ctx context.Context, a DeletionApproval) (Approval, error)
	// Approvals lists approvals by person and key, after the given place, at most limit.
	Approvals(ctx context.Context, f ApprovalFilter, after ApprovalPlace, limit int) ([]Approval, error)
}

// ApprovalState is the state of an approval.
type ApprovalState string

// The states of an approval.
const (
	ApprovalAsked    ApprovalState = "asked"    // the deletion is due, and waits for approval
	ApprovalApproved ApprovalState = "approved" // the deletion may be done
	ApprovalOver     ApprovalState = "over"     // the deletion is done, or no longer planned
)

// Approval is an operator's approval of the deletion of one account, given or waited for.
// Commands print it as JSON.
type Approval struct {
	PersonID  string        `json:"person"`
	App       string        `json:"app"`
	Key       string        `json:"-"` // of the step that deletes; it names the employment's end that the deletion belongs to
	State     ApprovalState `json:"state"`
	AskedAt   time.Time     `json:"askedAt,omitzero"` // zero if it was approved before it was asked for
	Reminders int           `json:"reminders,omitempty"`
	LookAt    time.Time     `json:"remindAt,omitzero"` // when an operator is reminded next

	ApprovedAt time.Time `json:"approvedAt,omitzero"`
	Operator   string    `json:"operator,omitempty"`
	Login      string    `json:"login,omitempty"` // see WithLogin
	Reason     string    `json:"reason,omitempty"`
}

// DeletionApproval approves a deletion.
type DeletionApproval struct {
	PersonID, App, Key string
	Operator, Reason   string
	At                 time.Time
}

// ApprovalFilter selects approvals; fields that are zero match all.
type ApprovalFilter struct {
	PersonID string
	State    ApprovalState
}

// ApprovalPlace is the last entry of a page of approvals: the next page begins after it.
type ApprovalPlace struct{ PersonID, Key string }
