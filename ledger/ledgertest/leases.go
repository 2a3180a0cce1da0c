package ledgertest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// take takes a lease that nobody else has.
func take(t *testing.T, l ledger.Ledger, holder string, term time.Duration) ledger.Lease {
	t.Helper()
	lease, held, err := l.TakeLease(t.Context(), "notices", holder, term)
	require.NoError(t, err)
	require.True(t, held)
	return lease
}

var leaseTests = tests{
	"OneHolderAtATime": func(t *testing.T, l ledger.Ledger) {
		first := take(t, l, "a", time.Minute)
		assert.Equal(t, ledger.Lease{Name: "notices", Holder: "a", Fence: 1, Left: time.Minute}, first)
		there, held, err := l.TakeLease(t.Context(), "notices", "b", time.Minute)
		require.NoError(t, err)
		assert.False(t, held)
		assert.Equal(t, "a", there.Holder)
		assert.EqualValues(t, 1, there.Fence)
		assert.InDelta(t, time.Minute, there.Left, float64(slack))
		other, held, err := l.TakeLease(t.Context(), "figures", "b", time.Minute)
		require.NoError(t, err)
		assert.True(t, held, "another lease is another thing")
		assert.EqualValues(t, 1, other.Fence)
	},
	"AHolderProlongsItsLease": func(t *testing.T, l ledger.Ledger) {
		take(t, l, "a", time.Minute)
		again := take(t, l, "a", 9*time.Minute)
		assert.EqualValues(t, 1, again.Fence)
		leases, err := l.Leases(t.Context())
		require.NoError(t, err)
		require.Len(t, leases, 1)
		assert.Greater(t, leases[0].Left, 9*time.Minute-slack)
	},
	"ALeaseThatHasEndedGoesToAnother": func(t *testing.T, l ledger.Ledger) {
		first := take(t, l, "a", time.Millisecond)
		var second ledger.Lease
		require.Eventually(t, func() bool {
			var held bool
			var err error
			second, held, err = l.TakeLease(t.Context(), "notices", "b", time.Minute)
			return assert.NoError(t, err) && held
		}, time.Minute, time.Millisecond)
		assert.Greater(t, second.Fence, first.Fence)
		_, held, err := l.TakeLease(t.Context(), "notices", "a", time.Minute)
		require.NoError(t, err)
		assert.False(t, held)
	},
	"ALeaseThatIsDroppedGoesToAnotherAtOnce": func(t *testing.T, l ledger.Ledger) {
		first := take(t, l, "a", time.Minute)
		require.NoError(t, l.DropLease(t.Context(), first))
		second := take(t, l, "b", time.Minute)
		assert.Greater(t, second.Fence, first.Fence)
		require.NoError(t, l.DropLease(t.Context(), first), "which is not its own any more")
		_, held, err := l.TakeLease(t.Context(), "notices", "c", time.Minute)
		require.NoError(t, err)
		assert.False(t, held)
	},
	"AllLeasesAreListed": func(t *testing.T, l ledger.Ledger) {
		for _, name := range []string{"b", "a"} {
			_, _, err := l.TakeLease(t.Context(), name, "x", time.Minute)
			require.NoError(t, err)
		}
		leases, err := l.Leases(t.Context())
		require.NoError(t, err)
		require.Len(t, leases, 2)
		assert.Equal(t, "a", leases[0].Name)
		assert.Equal(t, "x", leases[0].Holder)
	},
	"NonsenseIsRefused": func(t *testing.T, l ledger.Ledger) {
		for _, c := range []struct {
			name, holder string
			term         time.Duration
		}{{"", "a", time.Minute}, {"n", "", time.Minute}, {"n", "a", 0}, {"n", "a", ledger.LongestLease + 1}} {
			_, held, err := l.TakeLease(t.Context(), c.name, c.holder, c.term)
			require.ErrorIs(t, err, ledger.ErrRefused, "%+v", c)
			assert.False(t, held)
		}
	},
	"OfManyWhoTakeALeaseOneHasIt": func(t *testing.T, l ledger.Ledger) {
		var holders atomic.Int64
		race(30, func(i int) {
			_, held, err := l.TakeLease(t.Context(), "notices", fmt.Sprint("worker ", i), time.Minute)
			assert.NoError(t, err)
			if held {
				holders.Add(1)
			}
		})
		assert.EqualValues(t, 1, holders.Load())
	},
}
