package ledger

import (
	"context"
	"time"
)

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

// ApprovalPlace is where a list of approvals goes on.
type ApprovalPlace struct{ PersonID, Key string }
