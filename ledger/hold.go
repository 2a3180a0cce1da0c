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
