package group

import (
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the order of acknowledgements, the offset that may be committed is the end of
// the longest unbroken run of acknowledged records. It is never past a record that is not
// acknowledged, and never goes back.
func TestWindowCommitsTheContiguousPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 100).Draw(t, "start")
		w := newWindow(start)
		last, before := start-1, start
		var offsets []int64 // all offsets that were added
		acked := map[int64]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				last += rapid.Int64Range(1, 4).Draw(t, "gap")
				require.True(t, w.add(last, time.Time{}))
				offsets = append(offsets, last)
			},
			"ack": func(t *rapid.T) {
				if len(offsets) == 0 {
					t.Skip("nothing in flight")
				}
				offset := rapid.SampledFrom(offsets).Draw(t, "offset")
				w.ack(offset) // perhaps not for the first time
				acked[offset] = true
			},
			"again": func(t *rapid.T) {
				if len(offsets) == 0 {
					t.Skip("nothing in flight")
				}
				require.False(t, w.add(rapid.SampledFrom(offsets).Draw(t, "offset"), time.Time{}), "a repetition")
			},
			"": func(t *rapid.T) {
				want := start
				for _, offset := range offsets {
					if !acked[offset] {
						break
					}
					want = offset + 1
				}
				require.Equal(t, want, w.next)
				require.GreaterOrEqual(t, w.next, before)
				before = w.next
				require.Equal(t, last+1, w.end())
				first, any := w.first()
				require.Equal(t, w.len() > 0, any)
				if any {
					require.False(t, acked[first])
				}
			},
		})
	})
}

func TestWindowFromTheFirstOffset(t *testing.T) {
	w := newWindow(kafka.FirstOffset)
	assert.Negative(t, w.next, "nothing to commit yet")
	require.True(t, w.add(1000, time.Time{}))
	assert.Negative(t, w.next)
	w.ack(1000)
	assert.EqualValues(t, 1001, w.next)
}
