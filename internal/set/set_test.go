package set_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/internal/set"
)

func TestEveryElementIsEitherLeftOrInBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c", "d"}))
		a, b := names.Draw(t, "a"), names.Draw(t, "b")
		before := slices.Clone(a)
		left, both := set.Minus(a, b), set.Intersect(a, b)
		for _, x := range a {
			assert.Equal(t, slices.Contains(b, x), slices.Contains(both, x))
			assert.NotEqual(t, slices.Contains(b, x), slices.Contains(left, x))
		}
		assert.Len(t, a, len(left)+len(both))
		assert.Equal(t, before, a, "the lists stay as they are")
	})
	assert.Nil(t, set.Minus([]string{"a"}, []string{"a"}))
}

func TestSorted(t *testing.T) {
	assert.Equal(t, []string{"a", "b"}, set.Sorted([]string{"b", "a", "b"}))
	assert.Nil(t, set.Sorted([]string{}))
}
