package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// No span has more calls than allowed, however many were saved and kept, and the rate is
// almost used up all the same.
func TestScheduleKeepsToTheRateInEverySpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{
			Calls: rapid.IntRange(1, 100_000).Draw(t, "calls"),
			Per:   rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "per"),
		}
		s := rate.schedule()
		even := int((rate.Per + s.every - 1) / s.every) // in a span that its end is not part of
		atOnce := int((s.saved + s.keep) / s.every)
		assert.LessOrEqual(t, even+atOnce, rate.Calls)
		rounded := float64(s.every-1) / float64(s.every) // up, to a whole nanosecond
		assert.GreaterOrEqual(t, float64(even), 0.9*float64(rate.Calls)*rounded-1)
		assert.GreaterOrEqual(t, s.saved, time.Duration(0))
		assert.Positive(t, s.chunk)
	})
}

func TestSlotsAndWait(t *testing.T) {
	second := func(calls int) Rate { return Rate{Calls: calls, Per: time.Second} }
	assert.Equal(t, 20, second(10).Slots())
	assert.Equal(t, maxSlots, second(1000).Slots())
	assert.Equal(t, 1, Rate{Calls: 10, Per: time.Hour}.Slots())
	assert.Equal(t, 144*time.Second, second(10).Wait())
}
