package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/backoff"
)

const (
	// patience is the default of Trial.Patience.
	patience = 30 * time.Second
	// saidEvery is how often a trial reports that it is waiting.
	saidEvery = 10 * time.Second
)

// unlikeError describes how an account that was read differs from what it should be. It
// may go away by waiting: apps that answer from copies of their data show changes late.
type unlikeError string

func (u unlikeError) Error() string { return "read again, " + string(u) }

func unlike(format string, args ...any) error { return unlikeError(fmt.Sprintf(format, args...)) }

// mayPass reports whether waiting may make an error go away.
func mayPass(err error) bool {
	var u unlikeError
	return errors.As(err, &u) || connector.Retryable(err)
}

// late reports whether a change failed in a way that may go away by waiting: the app
// limits the rate, does not know the new account yet, or does not show yet the change that
// it reported.
func late(err error) bool {
	return connector.Is(err, connector.KindRateLimited, connector.KindNotFound, connector.KindContradictory)
}

// pauses holds the shortest and the longest pause between two attempts.
var pauses = backoff.Range{Min: 200 * time.Millisecond, Max: 3 * time.Second}

// await calls do until it succeeds, fails with an error for which passes returns false, or
// the trial's patience or ctx is over. It returns the last error.
func (t *Trial) await(ctx context.Context, passes func(error) bool, do func() error) error {
	most := t.Patience
	if most == 0 {
		most = patience
	}
	began, said := time.Now(), time.Time{}
	for pauses := pauses.Start(); ; {
		err := do()
		if err == nil || !passes(err) || ctx.Err() != nil {
			return err
		}
		var asked time.Duration
		var e *connector.Error
		if errors.As(err, &e) {
			asked = e.RetryAfter
		}
		left := most - time.Since(began)
		if left <= 0 || asked > left {
			return fmt.Errorf("%w (waited %s)", err, time.Since(began).Round(time.Second))
		}
		if t.Waiting != nil && time.Since(said) >= saidEvery {
			said = time.Now()
			t.Waiting(fmt.Sprintf("%s: %s: waiting, up to %s", t.doing, err, most))
		}
		if backoff.Sleep(ctx, min(max(pauses.Next(), asked), left)) != nil {
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
}

// shows reads the account until fits returns no error for it.
func (t *Trial) shows(ctx context.Context, id string, fits func(connector.Account) error) error {
	passes := func(err error) bool { return mayPass(err) || connector.Is(err, connector.KindNotFound) }
	return t.await(ctx, passes, func() error {
		account, err := t.Connector.Read(ctx, id)
		if err != nil {
			return err
		}
		return fits(account)
	})
}

// change makes a change, and repeats it while it comes too early (see late).
func (t *Trial) change(ctx context.Context, do func() error) error { return t.await(ctx, late, do) }
