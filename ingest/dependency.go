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

// dependency is a service that ingestion cannot go on without, and that comes back
// after an outage. However many callers wait for it, the outage is logged once when it
// begins and once when it is over.
type dependency struct {
	label   string // in metrics
	name    string
	advice  string        // what to check
	timeout time.Duration // of one attempt
	slots   chan struct{} // bounds the attempts under way; nil: no bound
	backoff backoff.Range
	log     *zap.Logger
	retried func()        // called for each failed attempt
	giveUp  time.Duration // how long a record may fail while others pass

	mu      sync.Mutex
	passes  map[string]uint64 // successful calls, by part of the dependency: see pass
	waiting int
	since   time.Time     // when the outage began; zero: there is none
	stopped time.Time     // when the first of the callers that wait began to wait
	waited  time.Duration // how long some caller waited, before stopped
}

// dependencyState is how a dependency is doing.
type dependencyState struct {
	waiting int           // callers that wait because it failed
	waited  time.Duration // how long some caller has waited, altogether
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

// call repeats f until it succeeds or ctx is done. Its only error is ctx's.
func (d *dependency) call(ctx context.Context, f func(ctx context.Context) error) error {
	return d.repeat(ctx, f, func(error) error { return nil })
}

// pass is call for one record. It also returns a *notPassedError, if the record itself
// cannot pass. Part names the part of the dependency that the record has to pass, such as
// a topic: only records that pass the same part prove that it is not down.
func (d *dependency) pass(ctx context.Context, part string, f func(ctx context.Context) error) error {
	suspect := suspicion{after: d.giveUp}
	err := d.repeat(ctx, f, func(err error) error {
		switch {
		case blame(err) == theRecords:
			return &notPassedError{reason: source.ReasonRefused, at: d.name, cause: err}
		case !errors.Is(err, errElsewhere) && suspect.failed(time.Now(), d.passed(part)):
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
		d.passes[part]++
	}
	return err
}

func (d *dependency) passed(part string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.passes[part]
}

// repeat repeats f until it succeeds, ctx is done, or end returns an error for the error
// of f.
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

// retryAfter returns how long the other side asked to wait.
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

// gaveUp ends one caller's wait. The outage may go on.
func (d *dependency) gaveUp(waited bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leave(waited)
}

// leave removes one caller from those that wait, if it waited.
func (d *dependency) leave(waited bool) {
	if !waited {
		return
	}
	if d.waiting--; d.waiting == 0 {
		d.waited += time.Since(d.stopped)
	}
}
