package ledger

import (
	"context"
	"strconv"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Exceptions keeps what was decided about single people's access, other than what the rules
// give: see docs/adr/0046-exceptions.md. A row is never removed.
type Exceptions interface {
	// PlaceException stores an exception, with an audit row, and makes its person due, with
	// DueDecision. It returns ErrNotFound for a person whom the ledger does not know.
	PlaceException(ctx context.Context, x Exception) (Exception, error)
	// EndException ends an exception before its time, and what prolongs it, with an audit row, makes
	// its person, and who has their accounts now, due with DueDecision, and returns the exception.
	// One that has ended stays as it is, and what prolongs it is ended.
	EndException(ctx context.Context, e ExceptionEnd) (Exception, error)
	// Exceptions lists exceptions by ID, after the given ID, at most limit.
	Exceptions(ctx context.Context, f ExceptionFilter, after int64, limit int) ([]Exception, error)
}

// Exception is a decision by which one person's access differs from what the rules give. The
// kinds and their meanings are those of policy.ExceptionKind.
type Exception struct {
	ID          int64 // given by the ledger, ascending, never reused
	PersonID    string
	Kind        string
	Role        string // of a grant
	App         string // of what is withheld or accepted
	Entitlement string // likewise; empty means the whole account
	Duty        string // of a waiver: the rule
	Control     string // of a waiver: what compensates for it
	// Employment is the event that opened the employment for which the exception was made.
	// It ends with that employment.
	Employment hr.EventKey
	StartsAt   time.Time
	EndsAt     time.Time // from then on it has no effect; zero, for what is withheld only: it ends with the employment
	Origin     string    // what it was decided by: the name of a request, a review or a finding; ExceptionByOperator
	Emergency  bool

	DecidedAt time.Time
	DecidedBy string
	Login     string // see WithLogin
	Reason    string

	EndedAt    time.Time // zero until it has ended and somebody, or an assessment, has said so
	EndedBy    string
	EndedLogin string
	EndReason  string
}

// ExceptionByOperator is the origin of an exception that an operator made.
const ExceptionByOperator = "operator"

// InForce reports whether the exception is in force at an instant, as far as its time goes.
func (x Exception) InForce(at time.Time) bool {
	return x.EndedAt.IsZero() && !x.StartsAt.After(at) && (x.EndsAt.IsZero() || x.EndsAt.After(at))
}

const exceptionPrefix = "x-"

// Name returns the name by which people refer to the exception, such as "x-12".
func (x Exception) Name() string { return ExceptionName(x.ID) }

// ExceptionName returns the name of the exception with that number, such as "x-12".
func ExceptionName(id int64) string { return exceptionPrefix + strconv.FormatInt(id, 10) }

// ExceptionID returns the number of the exception with a name, and false if the text is no such
// name.
func ExceptionID(name string) (int64, bool) { return numberIn(name, exceptionPrefix) }

// ExceptionEnd ends an exception before its time.
type ExceptionEnd struct {
	ID               int64
	Operator, Reason string
	At               time.Time
}

// LapsedException is an exception that has ended by itself, and why.
type LapsedException struct {
	ID  int64
	Why string
}

// ExceptionFilter selects exceptions; fields that are zero match all.
type ExceptionFilter struct {
	ID       int64
	PersonID string
	Kind     string
	Role     string
	Open     bool      // only those that have not ended, though their time may be over
	EndsBy   time.Time // only those whose time ends at or before that instant
}
