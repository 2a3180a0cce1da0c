package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/pace"
	"github.com/tenurehq/tenure/ledger"
)

// The error codes that are not a connector.ErrorKind. Codes are the types of
// Temporal application errors and the codes in the ledger.
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
)

// failure is a failed attempt, ready for the ledger and for Temporal.
type failure struct {
	code       string
	message    string
	retryable  bool
	retryAfter time.Duration
	urgent     bool    // somebody is to be cut off now
	noTurn     bool    // the app was not called: it may not be, just now
	attributes *string // digest of what the account shows now: see ledger.Outcome
}

func (f failure) Error() string { return f.code + ": " + f.message }

// failed finds out what an error of a connector means.
func failed(err error) failure {
	var own failure
	if errors.As(err, &own) {
		return own
	}
	var protected *connector.ProtectedError
	if errors.As(err, &protected) {
		return failure{code: CodeProtected, message: protected.Error()}
	}
	var taken *ledger.TakenError
	if errors.As(err, &taken) {
		return takenByAnother(taken)
	}
	var noTurn *pace.NoTurnError
	if errors.As(err, &noTurn) {
		return failure{
			code: string(connector.KindRateLimited), message: noTurn.Error(),
			retryable: true, retryAfter: noTurn.After, noTurn: true,
		}
	}
	var app *connector.Error
	if errors.As(err, &app) {
		return failure{
			code:       string(app.Kind),
			message:    app.Op + ": " + app.Message,
			retryable:  app.Kind.Retryable(),
			retryAfter: app.RetryAfter,
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return failure{code: string(connector.KindUnavailable), message: "no answer in time", retryable: true}
	}
	// A connector that returns another error breaks its contract. What it says
	// may hold personal data, so it is not passed on.
	return failure{code: string(connector.KindUnavailable), message: "the connector failed in an unexpected way", retryable: true}
}

// bounded is the failure of an attempt that is made again within pace.UrgentPatience,
// if it is urgent, however long the app asks to be left alone.
func (f failure) bounded(urgent bool) failure {
	if f.urgent = urgent; urgent {
		f.retryAfter = min(f.retryAfter, pace.UrgentPatience)
	}
	return f
}

// refuses reports whether an urgent step has been tried for pace.UrgentPatience and
// the app still asks to be left alone.
func (f failure) refuses(failing time.Duration) bool {
	return f.urgent && f.code == string(connector.KindRateLimited) && !f.noTurn && failing >= pace.UrgentPatience
}

// temporal is the failure as Temporal wants it. Attention ends the activity: its
// run shows it and waits for a human.
func (f failure) temporal(attention bool) error {
	return temporal.NewApplicationErrorWithOptions(f.message, f.code, temporal.ApplicationErrorOptions{
		NonRetryable:   attention,
		NextRetryDelay: f.retryAfter,
		Category:       f.category(),
	})
}

// category keeps attempts that only waited for their turns out of what the SDK logs and
// counts as errors.
func (f failure) category() temporal.ApplicationErrorCategory {
	if f.noTurn {
		return temporal.ApplicationErrorCategoryBenign
	}
	return temporal.ApplicationErrorCategoryUnspecified
}

// classify wraps an error of the ledger, which is always worth another try.
func classify(err error) error {
	if err == nil {
		return nil
	}
	return temporal.NewApplicationErrorWithCause("the ledger did not answer", CodeLedger, err)
}
