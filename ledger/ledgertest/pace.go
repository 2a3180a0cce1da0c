package ledgertest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// slack bounds how far a time may be off, because time passes while a test runs. The rates of
// the tests are so low that it does not matter.
const slack = time.Minute

// hourly reserves calls of an app with a rate of one call an hour.
func hourly(t *testing.T, l ledger.Ledger, app string, calls int, saved time.Duration) time.Duration {
	t.Helper()
	turn, err := l.ReserveCalls(t.Context(), ledger.CallReservation{App: app, Calls: calls, Every: time.Hour, Saved: saved})
	require.NoError(t, err)
	return turn.Wait()
}

var paceTests = tests{
	"CallsFollowOneAnother": func(t *testing.T, l ledger.Ledger) {
		assert.InDelta(t, 0, hourly(t, l, "wiki", 1, 0), float64(slack))
		assert.InDelta(t, time.Hour, hourly(t, l, "wiki", 3, 0), float64(slack))
		assert.InDelta(t, 4*time.Hour, hourly(t, l, "wiki", 1, 0), float64(slack))
	},
	"AppsDoNotDisturbEachOther": func(t *testing.T, l ledger.Ledger) {
		hourly(t, l, "wiki", 10, 0)
		require.NoError(t, l.PauseCalls(t.Context(), "wiki", time.Hour))
		assert.InDelta(t, 0, hourly(t, l, "chat", 1, 0), float64(slack))
	},
	"TimeWithoutCallsIsMadeUpFor": func(t *testing.T, l ledger.Ledger) {
		assert.InDelta(t, -4*time.Hour, hourly(t, l, "wiki", 3, 4*time.Hour), float64(slack))
		assert.InDelta(t, -time.Hour, hourly(t, l, "wiki", 1, 4*time.Hour), float64(slack))
		assert.InDelta(t, 0, hourly(t, l, "wiki", 1, 4*time.Hour), float64(slack), "no further than agreed")
		assert.InDelta(t, time.Hour, hourly(t, l, "wiki", 1, 4*time.Hour), float64(slack))
	},
	"ATurnIsAsFarAheadAsIsAsked": func(t *testing.T, l ledger.Ledger) {
		ahead := ledger.CallReservation{App: "wiki", Calls: 1, Every: time.Hour, Saved: 4 * time.Hour, Ahead: 2 * time.Hour}
		for _, want := range []time.Duration{2 * time.Hour, 3 * time.Hour} {
			turn, err := l.ReserveCalls(t.Context(), ahead)
			require.NoError(t, err)
			assert.InDelta(t, want, turn.Wait(), float64(slack))
		}
		assert.InDelta(t, 4*time.Hour, hourly(t, l, "wiki", 1, 0), float64(slack), "it is taken, and so are those before it")
	},
	"APauseHoldsForCallsTakenAfterIt": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, l.PauseCalls(t.Context(), "wiki", 6*time.Hour))
		require.NoError(t, l.PauseCalls(t.Context(), "wiki", 2*time.Hour), "ends no longer one")
		assert.InDelta(t, 6*time.Hour, hourly(t, l, "wiki", 1, 4*time.Hour), float64(slack))
		assert.InDelta(t, 7*time.Hour, hourly(t, l, "wiki", 1, 4*time.Hour), float64(slack), "nothing is made up for afterwards")
	},
	"APauseAddsNothingToALongerWait": func(t *testing.T, l ledger.Ledger) {
		hourly(t, l, "wiki", 5, 0)
		require.NoError(t, l.PauseCalls(t.Context(), "wiki", 2*time.Hour))
		assert.InDelta(t, 5*time.Hour, hourly(t, l, "wiki", 1, 0), float64(slack))
	},
	"HowLongCallsWaitIsSaid": func(t *testing.T, l ledger.Ledger) {
		waits, err := l.CallWaits(t.Context())
		require.NoError(t, err)
		assert.Empty(t, waits)
		hourly(t, l, "chat", 1, 4*time.Hour) // four hours without calls may be made up for
		hourly(t, l, "wiki", 3, 0)
		require.NoError(t, l.PauseCalls(t.Context(), "mail", 2*time.Hour))
		waits, err = l.CallWaits(t.Context())
		require.NoError(t, err)
		assert.Len(t, waits, 2, "%v", waits)
		assert.InDelta(t, 3*time.Hour, waits["wiki"], float64(slack))
		assert.InDelta(t, 2*time.Hour, waits["mail"], float64(slack))
	},
	"AClockThatIsSetBackHoldsNobodyUp": func(t *testing.T, l ledger.Ledger) {
		each := ledger.CallReservation{App: "wiki", Calls: 2, Every: time.Second}
		_, err := l.ReserveCalls(t.Context(), ledger.CallReservation{App: "wiki", Calls: 1, Every: 24 * time.Hour})
		require.NoError(t, err) // as if it had been said a day later
		turn, err := l.ReserveCalls(t.Context(), each)
		require.NoError(t, err)
		assert.InDelta(t, 0, turn.Wait(), float64(slack))

		for range 60 { // workers who wait for their turns
			_, err = l.ReserveCalls(t.Context(), each)
			require.NoError(t, err)
		}
		turn, err = l.ReserveCalls(t.Context(), each)
		require.NoError(t, err)
		assert.Greater(t, turn.Wait(), time.Minute, "what was taken stays so")
		require.NoError(t, l.PauseCalls(t.Context(), "mail", ledger.LongestPause))
		turn, err = l.ReserveCalls(t.Context(), ledger.CallReservation{App: "mail", Calls: 1, Every: time.Millisecond})
		require.NoError(t, err)
		assert.Greater(t, turn.Wait(), ledger.LongestPause/2, "and so is a pause")
	},
	"NonsenseIsRefused": func(t *testing.T, l ledger.Ledger) {
		for _, r := range []ledger.CallReservation{
			{Calls: 1, Every: time.Second},
			{App: "wiki", Every: time.Second},
			{App: "wiki", Calls: 1},
			{App: "wiki", Calls: 1, Every: time.Second, Saved: -1},
			{App: "wiki", Calls: 1, Every: time.Second, Ahead: -1},
		} {
			_, err := l.ReserveCalls(t.Context(), r)
			assert.Error(t, err, "%+v", r)
		}
	},
	"NoCallIsTakenTwice": func(t *testing.T, l ledger.Ledger) {
		const callers = 60
		var hours [callers]atomic.Int64
		race(callers, func(int) {
			from := hourly(t, l, "wiki", 1, 0)
			hours[min(max(int(from.Round(time.Hour)/time.Hour), 0), callers-1)].Add(1)
		})
		for i := range hours {
			assert.EqualValues(t, 1, hours[i].Load(), "the call of hour %d", i)
		}
	},
}
