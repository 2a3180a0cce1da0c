package ledger

import (
	"context"
	"time"
)

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
	App      string // empty: all of which nothing is said by name
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

// RetentionReset takes back what was said of an app (or of all of which nothing was said by name).
type RetentionReset struct {
	PersonID, App    string
	Operator, Reason string
	At               time.Time
}
