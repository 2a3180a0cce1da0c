package scans

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a scan costs the app and the ledger grows with the accounts, one page at a time, and
// what it holds does not grow.
func TestAScanCostsAPageAtATime(t *testing.T) {
	small, large := 1000, 5000
	costs, err := Measure(t.Context(), Options{Accounts: []int{small, large}}, t.Logf)
	require.NoError(t, err)
	require.Len(t, costs, 8)
	for _, c := range costs {
		gone := 2 * c.Accounts / 1000 // each is asked for by itself
		listed := c.Accounts - gone
		want := map[string]int{"page": pagesOf(listed, generatedPage), "read": gone}
		if c.How != howGenerated {
			want = map[string]int{"GET ServiceProviderConfig": 1, "GET Users": pagesOf(listed, scimDefault) + 1, "GET Users/ID": gone} // the last one is empty
		}
		assert.True(t, maps.Equal(want, c.App), "%s of %d: %v, not %v", c.How, c.Accounts, c.App, want)

		pages := map[string]int{howGenerated: want["page"], howPages: want["GET Users"], howWhole: pagesOf(listed, ledgerPage)}[c.How]
		compared := c.Accounts/ledgerPage + 1
		assert.Equal(t, map[string]int{"Observe": pages, "Sightings": compared, "SaveVerdicts": compared}, c.Ledger, "%s of %d", c.How, c.Accounts)
		assert.Positive(t, c.Heap, "it is measured")
		assert.Less(t, c.Heap, c.HeapBound(), "%s of %d", c.How, c.Accounts)
	}
	for i, c := range costs[len(costs)/2:] {
		assert.InDelta(t, costs[i].Heap, c.Heap, mebibyte, "%s: five times as many accounts", c.How)
	}
}

const (
	scimDefault = 100 // how many accounts the connector asks for at once
	ledgerPage  = 500 // how many are stored or compared in one transaction
)

func pagesOf(accounts, page int) int { return (accounts + page - 1) / page }

// A connector that collects its list before it gives the first account does not stay within
// the bound.
func TestTheBoundCanBeExceeded(t *testing.T) {
	held := make([]byte, 0)
	m := meter{}
	m.begin()
	held = append(held, make([]byte, 2*heapOfPage)...)
	m.look()
	heap, resident, took := m.end()
	assert.Greater(t, heap, Cost{How: howGenerated}.HeapBound())
	assert.GreaterOrEqual(t, resident, int64(0))
	assert.Positive(t, took.Wall)
	assert.Len(t, held, 2*heapOfPage)
}
