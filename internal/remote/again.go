package remote

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	// longestRest is the longest pause that a call waits for before it is made again. A caller
	// who has to wait longer should let others have its turn.
	longestRest = 2 * time.Second
	// shortestRest is the pause if the service names none.
	shortestRest = 200 * time.Millisecond
)

// Again makes a call, and makes it once more after a short pause if it failed in passing (see
// Error.Passing) and nothing can happen twice: it reads, or the service declined it. It returns
// the first error if there is no time for the pause.
//
// A caller who fails has to begin anew with all that came before the call. One more request
// for each passing failure saves these.
func Again(ctx context.Context, reads bool, call func() error) error {
	err := call()
	var failed *Error
	if !errors.As(err, &failed) || failed.RetryAfter > longestRest || !failed.Declined && (!reads || !failed.Passing) {
		return err
	}
	if !wait(ctx, max(failed.RetryAfter, shortestRest)) {
		return err
	}
	return call()
}

// wait waits, and reports whether there was time for it.
func wait(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Reads reports whether a request with this method changes nothing (RFC 9110 section 9.2.1).
func Reads(method string) bool {
	return method == "" || method == http.MethodGet || method == http.MethodHead
}

// InPassing reports whether an answer with this status is likely to be another one soon. 504
// is not: whoever waited for a gateway that gave up would wait for it again.
func InPassing(status int) bool {
	return status == http.StatusInternalServerError || status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}
