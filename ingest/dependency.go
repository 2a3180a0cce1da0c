package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/remote"
)

// backoff is how long to wait between attempts: from Min, doubling to Max, each
// time a random part of it between a half and all.
type backoff struct{ Min, Max time.Duration }

func (b backoff) delay(attempt int) time.Duration {
	d := b.Max
	if attempt < 20 { // beyond, the shift would overflow
		d = min(b.Max, b.Min<<attempt)
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter needs no secrecy
}

// dependency is something that ingestion cannot go on without, and that comes
// back. However many callers wait for it, its outage is logged once, and once
// again when nobody waits any more.
type dependency struct {
	label   string // in metrics
	name    string
	advice  string        // what to check
	timeout time.Duration // of one attempt
	slots   chan struct{} // has room for as many attempts as may be under way; nil: any number
	backoff backoff
	log     *zap.Logger
	retried func() // called for each failed attempt

	mu      sync.Mutex
	waiting int
	since   time.Time     // when the outage began that nobody has seen the end of
	stopped time.Time     // when the first of those that wait began to
	waited  time.Duration // how long any caller waited before
}

// dependencyState is how a dependency is doing.
type dependencyState struct {
	waiting int           // callers that wait because it failed
	waited  time.Duration // how long any caller has waited, ever
}

func (d *dependency) state() dependencyState {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := dependencyState{waiting: d.waiting, waited: d.waited}
	if d.waiting > 0 {
		s.waited += time.Since(d.stopped)
	}
	return s
}

// call repeats f until it succeeds, or ctx is done: then the context's error is
// returned.
func (d *dependency) call(ctx context.Context, f func(ctx context.Context) error) error {
	failed := false
	for attempt := 0; ; attempt++ {
		err := d.try(ctx, f)
		switch {
		case err == nil:
			d.succeeded(failed)
			return nil
		case ctx.Err() != nil:
			d.gaveUp(failed)
			return ctx.Err()
		case !failed:
			failed = true
			d.failed(err)
		}
		d.retried()
		_ = sleep(ctx, max(d.backoff.delay(attempt), retryAfter(err))) // if ctx is done, the next attempt fails and ends it
	}
}

// retryAfter is how long the other side asked to be left alone.
func retryAfter(err error) time.Duration {
	var failure *remote.Error
	if errors.As(err, &failure) {
		return failure.RetryAfter
	}
	return 0
}

func (d *dependency) try(ctx context.Context, f func(ctx context.Context) error) error {
	if d.slots != nil {
		select {
		case d.slots <- struct{}{}:
			defer func() { <-d.slots }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	return f(ctx)
}

func (d *dependency) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting++; d.waiting == 1 {
		d.stopped = time.Now()
	}
	if d.since.IsZero() {
		d.since = time.Now()
		d.log.Warn(d.name+" is unavailable: waiting, and trying again; "+d.advice, zap.Error(err))
	}
}

// succeeded ends the outage if nobody else waits.
func (d *dependency) succeeded(waited bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leave(waited)
	if d.waiting == 0 && !d.since.IsZero() {
		d.log.Info(d.name+" is available again", zap.Duration("outage", time.Since(d.since)))
		d.since = time.Time{}
	}
}

// gaveUp ends one caller's wait, which says nothing of the outage.
func (d *dependency) gaveUp(waited bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leave(waited)
}

// leave takes one caller from those that wait, if it did.
func (d *dependency) leave(waited bool) {
	if !waited {
		return
	}
	if d.waiting--; d.waiting == 0 {
		d.waited += time.Since(d.stopped)
	}
}

// sleep waits, and returns ctx's error if that is done first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
