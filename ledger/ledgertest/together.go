package ledgertest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// leaversEach is how many people each process lets leave, and leaversAllowed how many
// may, of all processes together.
const leaversEach, leaversAllowed = 40, 25

// leave is a process's part of CountTogether.
func leave(ctx context.Context, l ledger.Ledger, name string) error {
	admitted := 0
	limits := ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {Count: leaversAllowed}}}
	for i := range leaversEach {
		a, err := l.Admit(ctx, ledger.AdmissionRequest{
			PersonID: fmt.Sprint(name, " ", i), At: time.Now(), Limits: limits,
			Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "x", Immediate: true}},
		})
		if err != nil {
			return err
		}
		if a.Withdrawals[0].State == ledger.WithdrawalAdmitted {
			admitted++
		}
	}
	fmt.Println(admitted)
	return nil
}

// CountTogether lets many people leave by way of several processes: no more than
// allowed are admitted by all of them together. The ledger is new, and is where at
// says.
func CountTogether(t *testing.T, l ledger.Ledger, at string) {
	t.Helper()
	const processes = 4
	var children []*Child
	for i := range processes {
		children = append(children, Start(t, Leave, at, fmt.Sprint("p", i)))
	}
	for _, c := range children { // all wait for this
		require.NoError(t, c.In.Close())
	}
	total := 0
	for _, c := range children {
		require.True(t, c.Out.Scan(), c.Said(t))
		n, err := strconv.Atoi(c.Out.Text())
		require.NoError(t, err)
		total += n
		require.NoError(t, c.Cmd.Wait(), c.Said(t))
	}
	assert.Equal(t, leaversAllowed, total)
	cohorts, err := l.Cohorts(t.Context(), ledger.CohortFilter{})
	require.NoError(t, err)
	require.Len(t, cohorts, 1)
	assert.Equal(t, processes*leaversEach-leaversAllowed, cohorts[0].Held)
}
