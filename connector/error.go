package connector

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/internal/remote"
)

// ErrorKind classifies errors by what the caller can do.
type ErrorKind = remote.Kind

// The error kinds; package remote says what each means.
const (
	KindUnavailable  = remote.Unavailable
	KindRateLimited  = remote.RateLimited
	KindUnauthorized = remote.Unauthorized
	KindForbidden    = remote.Forbidden
	KindNotFound     = remote.NotFound
	KindExists       = remote.Exists
	KindConflict     = remote.Conflict
	KindInvalid      = remote.Invalid
	KindUnsupported  = remote.Unsupported
	KindPending      = remote.Pending
	KindUnderway     = remote.Underway

	KindContradictory = remote.Contradictory
)

// Error is the only error type that connectors return.
type Error = remote.Error

// Is reports whether err is an *Error of one of the kinds.
func Is(err error, kinds ...ErrorKind) bool { return remote.Is(err, kinds...) }

// Retryable reports whether err is an *Error of a kind that may go away by itself: the
// same call may succeed later although nobody has changed anything.
func Retryable(err error) bool { return remote.Retryable(err) }

// Unfinished marks err as the error of a Disable that does not count as done, even if the
// account turns out to be off: see Connector.Disable.
func Unfinished(err error) error {
	var known *Error
	if !errors.As(err, &known) {
		return err
	}
	marked := *known
	marked.Unfinished = true
	return &marked
}

// GivenUp returns an error if the caller of a call has gone, else nil. It is for connectors
// that send no requests.
func GivenUp(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return &Error{Kind: KindUnavailable, Op: op, Message: "the call was given up", Cause: ctx.Err()}
}

var errLacking = errors.New("an expected entitlement is not shown")

// Lacking returns the answer to a read that expects entitlements which the app does not show: see
// Expecting.
func Lacking(op string) error {
	return &Error{Kind: KindUnavailable, Op: op, Message: "the app does not show an entitlement that the account should have", Cause: errLacking}
}

// Lacks reports whether err is that of Lacking.
func Lacks(err error) bool { return errors.Is(err, errLacking) }

// Unseen returns the error of a look-up in an app that only a human can look into.
func Unseen(ctx context.Context, op string) error {
	if err := GivenUp(ctx, op); err != nil {
		return err
	}
	return &Error{Kind: KindNotFound, Op: op, Message: "nobody but a human can look into this app"}
}

// Unsupported returns the error for a call that a connector does not offer.
func Unsupported(op string) error {
	return &Error{
		Kind: KindUnsupported, Op: op,
		Message: "the connector cannot do this: do it in the app by hand, then skip this step",
	}
}

// Invalid returns an error of KindInvalid: the same call fails in the same way until a
// human has changed something.
func Invalid(op, format string, args ...any) error {
	return &Error{Kind: KindInvalid, Op: op, Message: fmt.Sprintf(format, args...)}
}

// Each calls do for every name, and returns the first error. An error that will not go away
// does not stop it. KindUnavailable and KindRateLimited do, since the app needs a rest.
func Each(names []string, do func(name string) error) error {
	var first error
	for _, name := range names {
		err := do(name)
		if Is(err, KindUnavailable, KindRateLimited) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}
