package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// No span has more calls than allowed, however late they were made and arrived, and the rate
// is almost used up all the same.
func TestScheduleKeepsToTheRateInEverySpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{
			Calls: rapid.IntRange(1, 100_000).Draw(t, "calls"),
			Per:   rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(t, "per"),
		}
		s := rate.schedule()
		turns := int((rate.Per + s.fresh + s.way + s.every - 1) / s.every) // of which calls can arrive in a span
		assert.LessOrEqual(t, turns, rate.Calls)
		rounded := float64(s.every-1) / float64(s.every) // up, to a whole nanosecond
		assert.GreaterOrEqual(t, float64(rate.Per)/float64(s.every), 0.9*float64(rate.Calls)*rounded)
		assert.GreaterOrEqual(t, s.saved, time.Duration(0))
		assert.Positive(t, s.way)
		assert.Positive(t, s.chunk)
		// What is reserved can be made, if the ledger answers within answer.
		assert.Less(t, s.saved+min(answer, s.fresh/2), s.fresh)
	})
}

func TestSlotsAndWait(t *testing.T) {
	second := func(calls int) Rate { return Rate{Calls: calls, Per: time.Second} }
	assert.Equal(t, 18, second(10).Slots())
	assert.Equal(t, maxSlots, second(1000).Slots())
	assert.Equal(t, 1, Rate{Calls: 10, Per: time.Hour}.Slots())
	assert.Equal(t, 142560*time.Millisecond, second(10).Wait())
}
