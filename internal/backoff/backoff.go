// Package backoff computes how long to wait between attempts, and waits.
package backoff

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Range defines the pauses between attempts: Min after the first one, twice as long after
// each further one, and no longer than Max. Each pause is random, between half of that and
// all of it, so that callers that failed together do not try again together.
type Range struct{ Min, Max time.Duration }

// Start returns the pauses of one series of attempts.
func (r Range) Start() *Pauses {
	// The library varies each interval by a third to both sides: from 3/4 of the whole,
	// that is from a half of it to all of it.
	p := &Pauses{backoff.ExponentialBackOff{
		InitialInterval: r.Min - r.Min/4, MaxInterval: r.Max - r.Max/4, Multiplier: 2, RandomizationFactor: 1.0 / 3,
	}}
	p.backOff.Reset()
	return p
}

// Pauses returns the pauses of one series of attempts. It is not safe for concurrent use.
type Pauses struct{ backOff backoff.ExponentialBackOff }

// Next returns how long to wait before the next attempt.
func (p *Pauses) Next() time.Duration { return p.backOff.NextBackOff() }

// Wait waits before the next attempt, and for least at least. It returns ctx's error if ctx
// ends first.
func (p *Pauses) Wait(ctx context.Context, least time.Duration) error {
	return Sleep(ctx, max(p.Next(), least))
}

// Sleep waits for d. It returns ctx's error if ctx ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
