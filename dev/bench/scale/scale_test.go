package scale

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What one more change reads and asks does not grow with the company, beyond the depth of indexes.
func TestOneMoreChangeCostsTheSame(t *testing.T) {
	small, large := 100, 2000
	r, err := Run(t.Context(), Options{People: []int{small, large}, Each: 10, Progress: io.Discard})
	require.NoError(t, err)
	require.Len(t, r.Sizes, 2)
	assert.InDelta(t, r.Sizes[0].Leaver, r.Sizes[1].Leaver, 3000, "bytes")
	costs := map[string][]Cost{}
	for _, c := range r.Changes {
		costs[c.What] = append(costs[c.What], c)
	}
	for what, c := range costs {
		require.Len(t, c, 2, what)
		assert.InDelta(t, c[0].Spent.Statements, c[1].Spent.Statements, 2, what)
		if what != "count for the metrics" { // it counts everybody
			assert.LessOrEqual(t, c[1].Counts.Read, 3*c[0].Counts.Read/2+1<<18, "%s: bytes read of %d people", what, large)
		}
	}
}
