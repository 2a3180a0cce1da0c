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

// What deeper indexes cost is a block for each look-up and entry, and each level more.
func TestDeeperIndexes(t *testing.T) {
	small := indexes{"a": {levels: 1, looks: 5}, "b": {levels: 2, looks: 5}}.since(indexes{"a": {levels: 1}, "b": {levels: 2}})
	before := indexes{"a": {levels: 2, looks: 100, entries: 10}, "b": {levels: 2, looks: 100}, "new": {}}
	large := indexes{"a": {levels: 3, looks: 107, entries: 13}, "b": {levels: 2, looks: 120}, "new": {levels: 1, looks: 9}}.since(before)
	assert.Equal(t, indexes{"a": {levels: 2, looks: 7, entries: 3}, "b": {levels: 2, looks: 20}, "new": {looks: 9}}, large, "as deep as before")
	assert.EqualValues(t, 7+3, large.deeper(small))
	assert.Zero(t, small.deeper(small))
}
