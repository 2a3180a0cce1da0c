package rest

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// longestPause is the longest time for which one request waits because of quotas, all its pauses
// together: ledger.LongestPause, which every process and every urgent call keeps. Whoever has to
// wait longer should let others have its place.
const longestPause = time.Minute

// shortestPause is for how long a pause counts at least, so that a vendor whose pauses are next to
// nothing does not get one request for as many times as fit into the longest one.
const shortestPause = time.Second

// Turns are those by which an app is called: those of a connector.Env.
type Turns struct {
	Pace  func(ctx context.Context) error                      // before each request; nil if there is no limit
	Pause func(ctx context.Context, pause time.Duration) error // nil: nobody is told of a pause
}

// notSentError is the error of a request whose turn did not come.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

// Await waits for the turn of a request. Its error is one of NotSent.
func (t Turns) Await(ctx context.Context) error {
	if t.Pace == nil {
		return nil
	}
	if err := t.Pace(ctx); err != nil {
		return notSentError{err}
	}
	return nil
}

// NotSent returns the error of a request whose turn did not come, if err says that.
func NotSent(op string, err error) (failed *connector.Error, unsent bool) {
	var cause notSentError
	if !errors.As(err, &cause) {
		return nil, false
	}
	return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "the request was not sent, since its turn did not come", Cause: cause}, true
}

// Patiently makes a call. If a quota refuses it, Patiently has all calls of the app pause for as
// long as the vendor asks, waits for its turn as every call does, and makes the call again. The
// caller would have to begin anew with all that came before it.
//
// Nothing can happen twice: a request over a quota is refused before anything is done. That holds
// for all that a Vendor calls KindRateLimited (429; the 403 of GitHub and Google with a reason of
// theirs, or with a header that says when to ask again; Salesforce's REQUEST_LIMIT_EXCEEDED; the
// 503 of Google's licence manager), and the engine relies on it: such a creation has made nothing.
// All the same, connectors make no creation, no restore and no transfer of data again before somebody
// has looked.
//
// It returns the refusal, and with it when to ask again, if there is nobody to tell of the pause,
// if all pauses of this call are longer than longestPause, if one of them takes more than half of
// the time that the caller has left (what follows needs time too), or if the turn does not come.
func (t Turns) Patiently(ctx context.Context, call func() error) error {
	var refusal error
	for left := longestPause; ; {
		err := call()
		var unsent notSentError
		if refusal != nil && errors.As(err, &unsent) {
			return refusal
		}
		refusal = err
		var failed *connector.Error
		if !errors.As(refusal, &failed) || failed.Kind != connector.KindRateLimited || t.Pace == nil || t.Pause == nil {
			return refusal
		}
		left -= max(failed.RetryAfter, shortestPause)
		if failed.RetryAfter <= 0 || left < 0 || !halfOf(ctx, failed.RetryAfter) || t.Pause(ctx, failed.RetryAfter) != nil {
			return refusal
		}
	}
}

// halfOf reports whether a pause takes no more than half of the time that is left.
func halfOf(ctx context.Context, pause time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() == nil && (!bounded || time.Until(deadline) >= 2*pause)
}
