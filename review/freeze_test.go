package review_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/review"
)

// filled is a ledger in which some people have accounts in the wiki, and some accounts are nobody's.
func filled(t *testing.T, people int, orphans []string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for n := range people {
		id := fmt.Sprint(10000 + n)
		who := &hr.Profile{Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Byron", Location: hr.Location{TimeZone: "Europe/Berlin"}, StartDate: hr.DateOf(now.Add(-30 * day))}
		_, err := store.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr/test", ID: id}, Type: hr.EventHired, PersonID: id, Recorded: now, Effective: who.StartDate, Profile: who,
		}}})
		require.NoError(t, err)
		has(t, store, id, "a", "b")
	}
	scan, err := store.BeginScan(t.Context(), "wiki", "scan", now)
	require.NoError(t, err)
	var seen []ledger.Observed
	var verdicts []ledger.Verdict
	for _, id := range orphans {
		seen = append(seen, ledger.Observed{AccountID: id, Username: id, At: now, Active: true, Entitlements: []string{"c"}})
		verdicts = append(verdicts, ledger.Verdict{AccountID: id, Findings: []ledger.Finding{{Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingOpen}}})
	}
	require.NoError(t, store.Observe(t.Context(), ledger.Listed{Scan: scan.ID, Accounts: seen}))
	_, err = store.EndListing(t.Context(), scan.ID, now, -1)
	require.NoError(t, err)
	_, err = store.SaveVerdicts(t.Context(), ledger.Compared{Scan: scan.ID, At: now, Verdicts: verdicts})
	require.NoError(t, err)
	require.NoError(t, store.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanDone}))
	return store
}

var steps int

// has gives somebody an account in the wiki with these entitlements.
func has(t *testing.T, store *sqlite.Store, id string, entitlements ...string) {
	t.Helper()
	steps++
	require.NoError(t, store.FinishStep(t.Context(), ledger.Outcome{
		PersonID: id, App: "wiki", Key: fmt.Sprint(steps), Kind: "Update", At: now, State: ledger.StepDone,
		Link: &ledger.Link{PersonID: id, App: "wiki", AccountID: "7-" + id, Username: id, State: ledger.LinkActive, Entitlements: entitlements, CreatedAt: now, ProvenAt: now},
	}))
}

// forecast returns the population of a review that starts now, frozen in pages of a size.
func forecast(t *testing.T, store *sqlite.Store, size int) review.Forecast {
	t.Helper()
	was := review.FrozenPage(size)
	defer review.FrozenPage(was)
	board := &review.Board{Ledger: store, Rules: assess.Rules{Policy: rules(t)}, Clock: clock.Func(func() time.Time { return now })}
	f, err := board.Forecast(t.Context(), review.Terms{Name: "yearly", Days: 14}, "")
	require.NoError(t, err)
	return f
}

func TestTheDigestOfAPopulationDoesNotDependOnItsPages(t *testing.T) {
	store := filled(t, 7, []string{"z", "y", "x", "w", "v"})
	whole := forecast(t, store, 200)
	assert.Equal(t, 7*3+5*2, whole.Accesses, "three things of each person, and two of each account that is nobody's")
	assert.NotEmpty(t, whole.Digest)
	for _, size := range []int{1, 2, 3, 5, 8} {
		assert.Equal(t, whole, forecast(t, store, size), "pages of %d", size)
	}
}

func TestTheDigestOfAPopulationTellsEachChange(t *testing.T) {
	whole := forecast(t, filled(t, 4, []string{"y", "z"}), 200).Digest
	assert.Equal(t, whole, forecast(t, filled(t, 4, []string{"y", "z"}), 200).Digest, "it depends on what is there only")
	for name, change := range map[string]func() *sqlite.Store{
		"one more person": func() *sqlite.Store { return filled(t, 5, []string{"y", "z"}) },
		"one orphan less": func() *sqlite.Store { return filled(t, 4, []string{"z"}) },
		"another orphan":  func() *sqlite.Store { return filled(t, 4, []string{"x", "z"}) },
		"one entitlement more": func() *sqlite.Store {
			s := filled(t, 4, []string{"y", "z"})
			has(t, s, "10002", "a", "b", "c")
			return s
		},
		"one entitlement less":     func() *sqlite.Store { s := filled(t, 4, []string{"y", "z"}); has(t, s, "10003", "a"); return s },
		"what nothing gives":       func() *sqlite.Store { s := filled(t, 4, []string{"y", "z"}); has(t, s, "10001", "a", "e"); return s },
		"somebody who has nothing": func() *sqlite.Store { s := filled(t, 4, []string{"y", "z"}); has(t, s, "10000"); return s },
	} {
		assert.NotEqual(t, whole, forecast(t, change(), 200).Digest, name)
	}
	other := func(name string) string {
		s := filled(t, 4, nil)
		has(t, s, "10001", "a", name)
		return forecast(t, s, 200).Digest
	}
	assert.NotEqual(t, other("e"), other("f"), "another thing for the same reason")
}
