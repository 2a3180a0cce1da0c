package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/ledger"
)

func TestAllowed(t *testing.T) {
	usual := ledger.Limit{Share: 0.1, Count: 20, Most: 200}
	for _, c := range []struct {
		limit          ledger.Limit
		employed, want int
	}{
		{usual, 0, 20}, {usual, 60, 20}, {usual, 209, 20}, {usual, 210, 21}, {usual, 1000, 100}, {usual, 50_000, 200},
		{ledger.Limit{}, 1000, 0}, // each one needs an operator
		{ledger.Limit{Share: 1}, 1000, 1000},
		{ledger.Limit{Count: 7}, 1000, 7},
		{ledger.Limit{Count: 7, Most: 3}, 1000, 3},
	} {
		assert.Equal(t, c.want, c.limit.Allowed(c.employed), "%+v of %d", c.limit, c.employed)
	}
}

// The number allowed never falls when a company grows. So a number that an empty company
// allows can pass without counting the people employed.
func TestAllowedGrowsWithTheCompany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.Limit{
			Share: rapid.Float64Range(0, 1).Draw(t, "share"), Count: rapid.IntRange(0, 500).Draw(t, "count"), Most: rapid.IntRange(0, 500).Draw(t, "most"),
		}
		small := rapid.IntRange(0, 10_000).Draw(t, "small")
		large := small + rapid.IntRange(0, 10_000).Draw(t, "more")
		assert.LessOrEqual(t, l.Allowed(small), l.Allowed(large))
		assert.LessOrEqual(t, l.Allowed(large), max(l.Count, large))
	})
}

// So many people employed are enough, and one fewer are not: nobody has to count the others.
func TestEmployedIsTheFewestThatDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.Limit{
			Share: rapid.Float64Range(0, 1).Draw(t, "share"), Count: rapid.IntRange(0, 50).Draw(t, "count"), Most: rapid.IntRange(0, 500).Draw(t, "most"),
		}
		concerned := rapid.IntRange(l.Allowed(0)+1, 1000).Draw(t, "concerned")
		employed, ok := l.Employed(concerned)
		if !ok {
			assert.Less(t, l.Allowed(1e9), concerned)
			return
		}
		assert.GreaterOrEqual(t, l.Allowed(employed), concerned)
		assert.Less(t, l.Allowed(employed-2), concerned, "two fewer: shares are rounded")
	})
	_, ok := ledger.Limit{}.Employed(1)
	assert.False(t, ok)
}

func TestCohortNames(t *testing.T) {
	for name, want := range map[string]int64{"c-12": 12, "12": 12, "c-": 0, "": 0, "c-0": 0, "c--3": 0, "wiki": 0} {
		id, ok := ledger.CohortID(name)
		assert.Equal(t, want != 0, ok, name)
		if ok {
			assert.Equal(t, want, id, name)
		}
	}
	assert.Equal(t, "c-12", ledger.Cohort{ID: 12}.Name())
}
