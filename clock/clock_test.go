package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/clock"
)

func TestAcceleratedShowsStartAtTheEpochAndRunsFaster(t *testing.T) {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	const rate = 86400 // a day a second
	c := clock.Accelerated(time.Now().Add(-10*time.Second), start, rate)
	assert.WithinRange(t, c.Now(), start.AddDate(0, 0, 10), start.AddDate(0, 0, 11))
	assert.Equal(t, time.Second, c.Wait(24*time.Hour))
	assert.Equal(t, 24*time.Hour, c.Span(time.Second))
}

// After a wait of that length the instant has come: Wait is never too short.
func TestWaitIsNeverTooShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(1, 1e6).Draw(t, "rate")
		c := clock.Accelerated(time.Now(), time.Now(), rate)
		d := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(400*24*time.Hour)).Draw(t, "d"))
		wait := c.Wait(d)
		assert.GreaterOrEqual(t, wait, time.Duration(0))
		assert.GreaterOrEqual(t, c.Span(wait)+time.Microsecond, d)
		assert.Zero(t, wait%time.Millisecond)
	})
}
