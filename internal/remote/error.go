// Package remote has the common parts of calls to other systems (apps and HR systems): the
// kinds of error by which callers decide what to do, and how an HTTP answer becomes one.
//
// It imports the standard library only.
package remote

import (
	"errors"
	"slices"
	"time"
)

// Kind tells the caller what an error means.
type Kind string

// The kinds. Unavailable, RateLimited, Pending, Underway and Contradictory are worth trying
// again; the others will fail the same way until somebody changes something.
const (
	Unavailable  Kind = "unavailable"  // down, unreachable, timed out, 5xx
	RateLimited  Kind = "rate_limited" // 429, or a quota's 403; see RetryAfter
	Unauthorized Kind = "unauthorized" // credentials refused
	Forbidden    Kind = "forbidden"    // credentials lack a right
	NotFound     Kind = "not_found"    // no such account, or person
	Exists       Kind = "exists"       // such an account is there already
	Conflict     Kind = "conflict"     // the account belongs to somebody else, or changed meanwhile
	Invalid      Kind = "invalid"      // the values were refused, or the answer is of no use
	Unsupported  Kind = "unsupported"  // the other system cannot do that
	Pending      Kind = "pending"      // a human has been asked; see RetryAfter
	// Underway means that the other system has begun what was asked for and takes long over
	// it. Error.Operation names it there; see RetryAfter for when to look again.
	Underway Kind = "underway"
	// Contradictory marks an answer that claims success and cannot be true, or that lacks
	// its subject: a list with fewer entries than it counts, or a creation without the
	// account. It proves nothing: the change may have happened, and what is not shown may
	// exist.
	Contradictory Kind = "contradictory"
)

// Retryable reports whether the same call may succeed later without a change.
func (k Kind) Retryable() bool {
	return k == Unavailable || k == RateLimited || k == Pending || k == Underway || k == Contradictory
}

// Error is the only error type of such calls.
type Error struct {
	Kind       Kind
	Op         string        // "create", "find", "fetch", ...
	Message    string        // what went wrong and what to do; no personal data, no secret
	RetryAfter time.Duration // for RateLimited, Unavailable, Pending and Underway: when to try again; else zero
	Operation  string        // for Underway: what the other system calls the operation
	Cause      error         // wrapped; never printed, since it may hold an address

	// Unfinished means that a call that disables an account by several requests did not
	// complete them (see connector.Connector): if the account is disabled, that does not
	// prove that all requests were done.
	Unfinished bool
	// Declined means that the service answered that it takes no requests now, and when to ask
	// again: it has done nothing of the last one, and nothing of it comes later.
	Declined bool
	// Passing means that the failure is likely to be over soon: the service had a problem of
	// its own, or the connection broke. What takes long to fail is not.
	Passing bool
}

func (e *Error) Error() string { return e.Op + ": " + string(e.Kind) + ": " + e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether err, or an error that it wraps, is an *Error of one of the kinds.
func Is(err error, kinds ...Kind) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(kinds, e.Kind)
}

// Retryable reports whether err is an *Error of a kind that may go away by itself.
func Retryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind.Retryable()
}
