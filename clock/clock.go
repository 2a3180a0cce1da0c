// Package clock tells the time to everything that compares HR's dates with the present:
// planning, proofs, retention.
//
// In production it is the machine's clock. The demo and tests on a real server use an
// accelerated one, so that three months pass in a minute and no other part has to know.
// The package imports the standard library only.
package clock

import (
	"math"
	"time"
)

// Clock tells the product's time, and converts spans of it into real time and back.
type Clock struct {
	now     func() time.Time
	rate    float64
	shifted bool
}

// Real returns the machine's clock.
func Real() Clock { return Clock{now: time.Now, rate: 1} }

// Func returns a clock that asks f for the time. Wait and Span take it for as fast as real
// time. Tests that skip time use it.
func Func(f func() time.Time) Clock { return Clock{now: f, rate: 1} }

// Accelerated returns a clock that shows start at the real instant epoch, and runs rate
// times as fast as real time. Processes that are given the same three values agree on the
// time.
func Accelerated(epoch, start time.Time, rate float64) Clock {
	return Clock{rate: rate, shifted: true, now: func() time.Time {
		return start.Add(time.Duration(float64(time.Since(epoch)) * rate)).UTC()
	}}
}

// Shifted reports whether the clock shows another time than the machine's. Times that
// other systems report cannot be compared with such a clock.
func (c Clock) Shifted() bool { return c.shifted }

// Now returns the present instant of the product's time, in UTC.
func (c Clock) Now() time.Time { return c.now().UTC() }

// Wait converts a span of the product's time into the real time that it takes, rounded up
// to whole milliseconds because timers are no finer. It is never negative.
func (c Clock) Wait(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	real := time.Duration(math.Ceil(float64(d) / c.rate))
	return (real + time.Millisecond - 1).Truncate(time.Millisecond)
}

// Span converts a span of real time into the product's time that passes in it. It is the
// inverse of Wait.
func (c Clock) Span(real time.Duration) time.Duration {
	return time.Duration(float64(real) * c.rate)
}
