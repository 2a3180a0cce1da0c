package username_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/internal/username"
)

func TestNumbered(t *testing.T) {
	for _, c := range []struct {
		base       string
		n, longest int
		want       string
	}{
		{"ada", 1, 0, "ada"},
		{"ada", 12, 0, "ada12"},
		{"mschmidt-oberhausener-land", 1, 20, "mschmidt-oberhausene"},
		{"mschmidt-oberhausener-land", 2, 20, "mschmidt-oberhausen2"},
		{"mschmidt-oberhausener-land", 100, 20, "mschmidt-oberhaus100"},
		{"anna-maria", 2, 6, "anna2"}, // no separator before the number
		{"anna-maria", 1, 5, "anna"},
		{"müller", 1, 2, "m"},
		{"ada", 1, 3, "ada"},
	} {
		assert.Equal(t, c.want, username.Numbered(c.base, c.n, c.longest))
	}
}

func TestMadeOf(t *testing.T) {
	for _, c := range []struct {
		name, base string
		longest    int
		want       bool
	}{
		{"ada", "ada", 0, true},
		{"Ada7", "ada", 0, true},
		{"ada1", "ada", 0, false},
		{"ada07", "ada", 0, false},
		{"ada", "adal", 0, false},
		{"ada22", "ada2", 0, true},
		{"mschmidt-oberhausener-land2", "mschmidt-oberhausener-land", 20, false},
		{"mschmidt-oberhausen2", "mschmidt-oberhausener-land", 20, true},
		{"ada99999999999999999999", "ada", 0, false},
	} {
		assert.Equal(t, c.want, username.MadeOf(c.name, c.base, c.longest), "%+v", c)
	}
}

func TestEveryNumberedUsernameFitsAndIsRecognised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.StringMatching(`[a-z][a-z0-9.-]{0,40}[a-z0-9]`).Draw(t, "base")
		n := rapid.IntRange(1, 100_000).Draw(t, "n")
		longest := rapid.SampledFrom([]int{0, 8, 20, 63}).Draw(t, "longest")
		name := username.Numbered(base, n, longest)
		if longest > 0 {
			assert.LessOrEqual(t, len(name), longest)
		}
		assert.True(t, username.MadeOf(name, base, longest), name)
	})
}
