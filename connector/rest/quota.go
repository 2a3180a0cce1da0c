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

// notSentError is the error of a request whose turn did not come.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

// patiently makes a call. If a quota refuses it, patiently has all calls of the app pause for as
// long as the vendor asks, waits for its turn as every call does, and makes the call again. The
// caller would have to begin anew with all that came before it.
//
// Nothing can happen twice: a request over a quota is refused before anything is done. That holds
// for all that a Vendor calls KindRateLimited (429; the 403 of GitHub and Google with a reason of
// theirs, or with a header that says when to ask again; Salesforce's REQUEST_LIMIT_EXCEEDED; the
// 503 of Google's licence manager), and the engine relies on it: such a creation has made nothing.
// All the same, Do makes no creation and no transfer of data again before somebody has looked.
//
// It returns the refusal, and with it when to ask again, if there is nobody to tell of the pause,
// if all pauses of this call are longer than longestPause, if one of them takes more than half of
// the time that the caller has left (what follows needs time too), or if the turn does not come.
func (c *Client) patiently(ctx context.Context, call func() error) error {
	var refusal error
	for left := longestPause; ; {
		err := call()
		var unsent notSentError
		if refusal != nil && errors.As(err, &unsent) {
			return refusal
		}
		refusal = err
		var failed *connector.Error
		if !errors.As(refusal, &failed) || failed.Kind != connector.KindRateLimited || c.Pace == nil || c.Pause == nil {
			return refusal
		}
		left -= failed.RetryAfter
		if failed.RetryAfter <= 0 || left < 0 || !halfOf(ctx, failed.RetryAfter) || c.Pause(ctx, failed.RetryAfter) != nil {
			return refusal
		}
	}
}

// halfOf reports whether a pause takes no more than half of the time that is left.
func halfOf(ctx context.Context, pause time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() == nil && (!bounded || time.Until(deadline) >= 2*pause)
}
