package provision

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/plan"
)

// The error codes that are not a connector.ErrorKind. They are persisted, in the ledger and
// in workflow histories.
const (
	CodeLedger        = "ledger"             // the ledger did not answer: retried without end
	CodeBusy          = "busy"               // no place is free among the steps that call the app: retried soon
	CodeUnknownApp    = "unknown_app"        // the app is no longer in the configuration
	CodeNotConverging = "not_converging"     // done again and again without lasting effect
	CodeNoRecipient   = "no_recipient"       // there is nobody to hand data over to
	CodeProtected     = "protected"          // the person or the account is protected
	CodeWhose         = "whose"              // an account matches the person, and nothing proves that it is theirs
	CodeNotTheirs     = "not_theirs"         // the account that matches is linked to another person
	CodeUnproven      = "unproven"           // an account may have been made, and the app does not show it
	CodeNotKept       = "attribute_not_kept" // the app accepted attributes and, read again, does not show them
	CodeNoSeat        = "no_seat"            // a licence has no seat left; everything else was given
	CodeSpared        = "spared"             // only deleting the account would take access, and it must not be deleted
	// CodeNotPlanned means that the step that was asked for cannot be in any plan.
	CodeNotPlanned = "decided_in_the_ledger"
)

// Error says why the engine could not do something. It holds no personal data, so that it
// can be stored and shown.
type Error struct {
	Code       string // one of those above, or a connector.ErrorKind
	Message    string // what was wrong, and what to do
	Retryable  bool   // the same attempt may succeed later
	RetryAfter time.Duration
	// NoTurn means that the app was not called because of its limits.
	NoTurn bool
	// Settles is set if nothing failed, and the app may answer for that long (real time) as if
	// a change had not been made.
	Settles time.Duration
	// Final means that Temporal makes no further attempt: the step needs attention. The run
	// tries it again after Engine.Recheck, or when an operator asks for it.
	Final bool

	why        string  // of CodeNoRecipient: why nobody can be given the data
	declined   bool    // the app has done nothing of the last call: see connector.Error.Declined
	urgent     bool    // the person has to be cut off now
	attributes *string // the digest of the attributes that the account shows: see ledger.Outcome
	cause      error
}

// Error returns the code and the message.
func (f *Error) Error() string { return f.Code + ": " + f.Message }

// Unwrap returns the cause of an error of the ledger. It may hold personal data.
func (f *Error) Unwrap() error { return f.cause }

// ErrorOf returns any error of a connector, the ledger or the engine as an *Error.
func ErrorOf(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var protected *connector.ProtectedError
	if errors.As(err, &protected) {
		return &Error{Code: CodeProtected, Message: protected.Error()}
	}
	var taken *ledger.TakenError
	if errors.As(err, &taken) {
		return takenByAnother(taken)
	}
	var noTurn *pace.NoTurnError
	if errors.As(err, &noTurn) {
		return &Error{
			Code: string(connector.KindRateLimited), Message: noTurn.Error(),
			Retryable: true, RetryAfter: noTurn.After, NoTurn: true,
		}
	}
	var app *connector.Error
	if errors.As(err, &app) {
		return &Error{
			Code:       string(app.Kind),
			Message:    app.Op + ": " + app.Message,
			Retryable:  app.Kind.Retryable(),
			RetryAfter: app.RetryAfter,
			declined:   app.Declined,
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Error{Code: string(connector.KindUnavailable), Message: "no answer in time", Retryable: true}
	}
	// A connector that returns another error breaks its contract. Its text may hold
	// personal data, so it is not passed on.
	return &Error{Code: string(connector.KindUnavailable), Message: "the connector failed in an unexpected way", Retryable: true}
}

// Bounded returns a copy of the error for a step that keeps pauses up to longest: the next
// attempt follows within that time, however long a pause the app asks for.
func (f *Error) Bounded(urgent bool, longest time.Duration) *Error {
	bounded := *f
	bounded.urgent = urgent
	bounded.RetryAfter = min(f.RetryAfter, longest)
	return &bounded
}

// Patience returns the longest pause that a step keeps. Somebody who has left is not left
// with their access for as long as an app asks: the step is tried after AttentionAfter, and
// needs attention if the app still refuses.
func (e *Engine) Patience(kind plan.Kind, urgent bool) time.Duration {
	switch {
	case urgent:
		return pace.UrgentPatience
	case kind == plan.Disable && e.AttentionAfter > 0:
		return e.AttentionAfter
	}
	return math.MaxInt64
}

// refuses reports whether an urgent step has been tried for pace.UrgentPatience and the app
// still asks for a pause.
func (f *Error) refuses(failing time.Duration) bool {
	return f.urgent && f.Code == string(connector.KindRateLimited) && !f.NoTurn && failing >= pace.UrgentPatience
}

// LedgerError wraps an error of the ledger, which is always retryable.
func LedgerError(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: CodeLedger, Message: "the ledger did not answer", Retryable: true, cause: err}
}
