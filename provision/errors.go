package provision

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
)

// The error codes that are not a connector.ErrorKind. They are persisted: in the ledger,
// and by whoever runs the engine.
const (
	CodeLedger        = "ledger"             // the ledger did not answer: tried again for ever
	CodeBusy          = "busy"               // as many steps call the app as may: tried again soon
	CodeUnknownApp    = "unknown_app"        // the app is not in the configuration any more
	CodeNotConverging = "not_converging"     // done again and again without lasting effect
	CodeNoRecipient   = "no_recipient"       // nobody to hand data over to
	CodeProtected     = "protected"          // no automation touches this person, or this account
	CodeWhose         = "whose"              // an account matches the person, which does not prove that it is theirs
	CodeNotTheirs     = "not_theirs"         // the account that matches is linked to another person
	CodeUnproven      = "unproven"           // an account may have been made, and cannot be seen
	CodeNotKept       = "attribute_not_kept" // the app, asked again, does not show what it took
	CodeSpared        = "spared"             // taking access would delete the account, which is not to be done
	// CodeNotPlanned means that a step was asked for that no plan can have.
	CodeNotPlanned = "decided_in_the_ledger"
)

// Error says why the engine could not do what it was asked for. It holds no personal
// data, so that it may be stored and shown.
type Error struct {
	Code       string // one of those above, or a connector.ErrorKind
	Message    string // what was wrong, and what to do
	Retryable  bool   // the same attempt may succeed later
	RetryAfter time.Duration
	// NoTurn means that the app was not called: it may not be, just now.
	NoTurn bool
	// Final means that there is no use in another attempt before a human has looked.
	Final bool

	urgent     bool    // somebody is to be cut off now
	attributes *string // digest of what the account shows now: see ledger.Outcome
	cause      error
}

// Error returns the code and the message.
func (f *Error) Error() string { return f.Code + ": " + f.Message }

// Unwrap returns what made the ledger fail, which is not for everybody's eyes.
func (f *Error) Unwrap() error { return f.cause }

// ErrorOf finds out what an error of a connector, or of the engine itself, means.
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
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Error{Code: string(connector.KindUnavailable), Message: "no answer in time", Retryable: true}
	}
	// A connector that returns another error breaks its contract. What it says
	// may hold personal data, so it is not passed on.
	return &Error{Code: string(connector.KindUnavailable), Message: "the connector failed in an unexpected way", Retryable: true}
}

// Bounded returns the error as that of an attempt that is made again within
// pace.UrgentPatience, if it is urgent, however long the app asks to be left alone.
func (f *Error) Bounded(urgent bool) *Error {
	bounded := *f
	if bounded.urgent = urgent; urgent {
		bounded.RetryAfter = min(f.RetryAfter, pace.UrgentPatience)
	}
	return &bounded
}

// refuses reports whether an urgent step has been tried for pace.UrgentPatience and
// the app still asks to be left alone.
func (f *Error) refuses(failing time.Duration) bool {
	return f.urgent && f.Code == string(connector.KindRateLimited) && !f.NoTurn && failing >= pace.UrgentPatience
}

// LedgerError wraps an error of the ledger, which is always worth another try.
func LedgerError(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: CodeLedger, Message: "the ledger did not answer", Retryable: true, cause: err}
}
