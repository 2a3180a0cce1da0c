package backoff

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPausesDoubleUpToTheLongest(t *testing.T) {
	r := Range{Min: 100 * time.Millisecond, Max: 10 * time.Second}
	for range 100 {
		pauses := r.Start()
		for attempt := range 50 {
			whole := r.Max
			if attempt < 7 {
				whole = r.Min << attempt
			}
			pause := pauses.Next()
			assert.GreaterOrEqual(t, pause, whole/2-time.Microsecond)
			assert.LessOrEqual(t, pause, whole+time.Microsecond)
		}
	}
}

func TestSeriesDoNotPauseAlike(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		seen[Range{Min: time.Second, Max: time.Minute}.Start().Next()] = true
	}
	assert.Greater(t, len(seen), 90)
}

func TestWaitsAsLongAsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, Range{Min: time.Second, Max: time.Second}.Start().Wait(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(began))
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, Range{Min: time.Hour, Max: time.Hour}.Start().Wait(ctx, 0), context.Canceled)
}
