package chaos

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/ledger"
)

// TestTheJudgeSeesEveryKindOfWrong gives the judge an app that is as it must be, and
// then one mistake at a time.
func TestTheJudgeSeesEveryKindOfWrong(t *testing.T) {
	h := newHistory()
	h.people = map[string]standing{
		"1": {Active: true, Title: "Engineer", Department: "Development", Manager: "2"},
		"2": {Active: true, Title: "Development Manager", Department: "Development"},
		"3": {Ended: true, Title: "Staff", Department: "Marketing"},
	}
	right := func() []topology.Account {
		return []topology.Account{
			{Person: "1", Username: "one", Enabled: true, Title: "Engineer", Manager: "2"},
			{Person: "2", Username: "two", Enabled: true, Title: "Development Manager", Groups: []string{"managers"}},
		}
	}
	v := &verdict{}
	v.judgeApp(h, topology.AppWiki, right())
	require.True(t, v.clean(), "%+v", v)
	require.Equal(t, 2, v.accounts)

	for name, c := range map[string]struct {
		change                  func([]topology.Account) []topology.Account
		wrong, lost, duplicates int
	}{
		"disabled":      {func(a []topology.Account) []topology.Account { a[0].Enabled = false; return a }, 1, 0, 0},
		"another title": {func(a []topology.Account) []topology.Account { a[0].Title = "Senior Engineer"; return a }, 1, 0, 0},
		"no manager":    {func(a []topology.Account) []topology.Account { a[0].Manager = ""; return a }, 1, 0, 0},
		"too much":      {func(a []topology.Account) []topology.Account { a[0].Groups = []string{"managers"}; return a }, 1, 0, 0},
		"too little":    {func(a []topology.Account) []topology.Account { a[1].Groups = nil; return a }, 1, 0, 0},
		"missing":       {func(a []topology.Account) []topology.Account { return a[1:] }, 0, 1, 0},
		"two":           {func(a []topology.Account) []topology.Account { return append(a, a[0]) }, 0, 0, 1},
		"nobody's":      {func(a []topology.Account) []topology.Account { return append(a, topology.Account{Username: "one2"}) }, 0, 0, 1},
		"left, and still there": {func(a []topology.Account) []topology.Account {
			return append(a, topology.Account{Person: "3", Username: "three"})
		}, 1, 0, 0},
		"left, and still in": {func(a []topology.Account) []topology.Account {
			return append(a, topology.Account{Person: "3", Username: "three", Enabled: true})
		}, 2, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := &verdict{}
			v.judgeApp(h, topology.AppWiki, c.change(right()))
			assert.Len(t, v.wrong, c.wrong)
			assert.Len(t, v.lost, c.lost)
			assert.Len(t, v.duplicates, c.duplicates)
		})
	}
}

// TestTheJudgeCountsWhoIsLetThrough: the breaker is on, and in the end holds nobody.
func TestTheJudgeCountsWhoIsLetThrough(t *testing.T) {
	v := &verdict{}
	v.judgeWithdrawals(ledger.Person{Withdrawals: []ledger.Withdrawal{
		{Kind: ledger.Leavers, State: ledger.WithdrawalAdmitted},
		{Kind: ledger.Leavers, State: ledger.WithdrawalOver},
		{Kind: ledger.Deletions, State: ledger.WithdrawalAdmitted},
		{Kind: ledger.Leavers, State: ledger.WithdrawalAnnounced},
	}})
	assert.True(t, v.clean())
	assert.Equal(t, 2, v.admitted)
	v.judgeWithdrawals(ledger.Person{Withdrawals: []ledger.Withdrawal{{Kind: ledger.Leavers, State: ledger.WithdrawalHeld, Cohort: 3}}})
	assert.Len(t, v.wrong, 1)
}

func TestFaultsAreChosenByName(t *testing.T) {
	kills, err := Choose([]string{"kill"})
	require.NoError(t, err)
	assert.Len(t, kills, 8)
	one, err := Choose([]string{"stop kafka"})
	require.NoError(t, err)
	assert.Equal(t, []Fault{{stop, "kafka"}}, one)
	_, err = Choose([]string{"drop kafka"})
	assert.ErrorContains(t, err, "drop kafka")
}
