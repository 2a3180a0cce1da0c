package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Holds are legal holds: of somebody who is held, nothing is deleted for good. See
// docs/adr/0019-holds-and-approvals.md.
type Holds interface {
	// PlaceHold places a hold on a person, with an audit row, withdraws what humans were
	// asked to delete of theirs, and makes them due, with DueDecision. Who was never
	// heard of is ErrNotFound.
	//
	// A deletion that begins later sees it (BeginStep comes before the reading that
	// decides). The answer names those that had begun, and so does it with what else
	// destroys an account (Attempt.Destroys): they may be done.
	PlaceHold(ctx context.Context, h Hold) (PlacedHold, error)
	// ReleaseHold ends a hold that is not released, with an audit row, and makes its
	// person due, with DueDecision. It returns the hold as it is then: one that was
	// released before stays as it was.
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
	ExpiresAt time.Time // from then on it holds nothing
	Operator  string
	Login     string // see WithLogin
	Reason    string

	ReleasedAt    time.Time // zero unless somebody ended it
	ReleasedBy    string
	ReleasedLogin string
	ReleaseReason string
}

// InForce reports whether the hold holds anything at an instant.
func (h Hold) InForce(at time.Time) bool { return h.ReleasedAt.IsZero() && h.ExpiresAt.After(at) }

const holdPrefix = "h-"

// Name returns the name by which people refer to the hold, such as "h-12".
func (h Hold) Name() string { return HoldName(h.ID) }

// HoldName returns the name of the hold with that number, such as "h-12".
func HoldName(id int64) string { return holdPrefix + strconv.FormatInt(id, 10) }

// HoldID returns the number of the hold of that name, and false if it is no such name.
func HoldID(name string) (int64, bool) {
	number, ok := strings.CutPrefix(name, holdPrefix)
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil && id > 0
}

// HeldUntil is until when holds keep a person's accounts from being deleted; zero if
// there are none. It may lie in the past.
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
	Deleting []string // apps in which a deletion, or as good as one, had begun, sorted
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

// DueDecision is the reason why people are due about whom an operator decided: about
// their deletions (a hold, a retention or an approval), or about what needs attention.
const DueDecision = "decision"

// Retentions are how long one person's accounts are kept, where an operator has said
// something else than the configuration.
type Retentions interface {
	// SetRetention says how long a person's accounts are kept, with an audit row, in
	// place of what was said before of the same app (or of all), and makes the person
	// due, with DueDecision. Who was never heard of is ErrNotFound.
	SetRetention(ctx context.Context, r Retention) (Retention, error)
	// ResetRetention lets the configuration say it again, with an audit row, and makes
	// the person due, with DueDecision. It returns what was in force and is not any
	// more: zero if nothing was.
	ResetRetention(ctx context.Context, r RetentionReset) (Retention, error)
	// Retentions lists all that was ever said of one person, or (empty) of everybody,
	// by ID, after the given ID, at most limit.
	Retentions(ctx context.Context, personID string, after int64, limit int) ([]Retention, error)
}

// Retention is how long one person's accounts are kept once they are off: until an
// instant or, if Until is zero, For so long from the proof.
type Retention struct {
	ID       int64 // given by the ledger, ascending, never reused
	PersonID string
	App      string // empty: every app that has no retention of its own
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

// RetentionReset ends the retention of an app (or the one of all other apps).
type RetentionReset struct {
	PersonID, App    string
	Operator, Reason string
	At               time.Time
}

// Approvals are the deletions that an operator has to approve. Assessments ask for
// them (Assessment.Approvals) and say when they are not asked for any more.
type Approvals interface {
	// ApproveDeletion notes that a deletion is approved, asked for or not yet, with an
	// audit row, and makes its person due, with DueDecision. One that is approved
	// already stays as it is. Who was never heard of is ErrNotFound.
	ApproveDeletion(ctx context.Context, a DeletionApproval) (Approval, error)
	// Approvals lists approvals by person and key, after the given place, at most limit.
	Approvals(ctx context.Context, f ApprovalFilter, after ApprovalPlace, limit int) ([]Approval, error)
}

// ApprovalState is the state of an approval.
type ApprovalState string

// The life of an approval.
const (
	ApprovalAsked    ApprovalState = "asked"    // the deletion is due, and waits
	ApprovalApproved ApprovalState = "approved" // it may be done
	ApprovalOver     ApprovalState = "over"     // it is done, or not asked for any more
)

// Approval is an operator's word, given or waited for, on the deletion of one account.
type Approval struct {
	PersonID string
	App      string
	Key      string // of the step that deletes; names the ending that it belongs to
	State    ApprovalState

	AskedAt   time.Time // zero if it was approved before it was asked for
	LookAt    time.Time // when somebody is reminded next
	Reminders int

	ApprovedAt time.Time
	Operator   string
	Login      string // see WithLogin
	Reason     string
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
