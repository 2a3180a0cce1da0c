package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/internal/remote"
)

// dependency is something that ingestion cannot go on without, and that comes
// back. However many callers wait for it, its outage is logged once, and once
// again when nobody waits any more.
type dependency struct {
	label   string // in metrics
	name    string
	advice  string        // what to check
	timeout time.Duration // of one attempt
	slots   chan struct{} // has room for as many attempts as may be under way; nil: any number
	backoff backoff.Range
	log     *zap.Logger
	retried func()        // called for each failed attempt
	giveUp  time.Duration // after how long a record may be given up that fails while others pass

	mu      sync.Mutex
	passes  map[string]uint64 // successful calls, by what of the dependency they were about
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
	return d.repeat(ctx, f, func(error) error { return nil })
}

// pass is call for one record. It fails with a *notPassedError, too, if the record
// itself cannot pass. Of is what of the dependency the record has to pass, for others
// that pass there are its witnesses; empty if there is only one.
func (d *dependency) pass(ctx context.Context, of string, f func(ctx context.Context) error) error {
	waiting := suspicion{after: d.giveUp}
	err := d.repeat(ctx, f, func(err error) error {
		switch {
		case blame(err) == theRecords:
			return &notPassedError{reason: source.ReasonRefused, at: d.name, cause: err}
		case !errors.Is(err, errElsewhere) && waiting.failed(time.Now(), d.passed(of)):
			return &notPassedError{reason: source.ReasonGivenUp, at: d.name, cause: err}
		}
		return nil
	})
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.passes == nil {
			d.passes = map[string]uint64{}
		}
		d.passes[of]++
	}
	return err
}

func (d *dependency) passed(of string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passes[of]
}

// repeat repeats f until it succeeds, ctx is done, or end returns an error for what f
// failed with.
func (d *dependency) repeat(ctx context.Context, f func(ctx context.Context) error, end func(error) error) error {
	failed := false
	for pauses := d.backoff.Start(); ; {
		err := d.try(ctx, f)
		switch {
		case err == nil:
			d.succeeded(failed)
			return nil
		case ctx.Err() != nil:
			d.gaveUp(failed)
			return ctx.Err()
		}
		if ended := end(err); ended != nil {
			d.gaveUp(failed)
			return ended
		}
		if !failed {
			failed = true
			d.failed(err)
		}
		d.retried()
		_ = pauses.Wait(ctx, retryAfter(err)) // if ctx is done, the next attempt fails and ends it
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
