package pace

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

// process returns a pacer as in another process: with its own connection to the ledger's
// file.
func process(t *testing.T, path string, rate Rate) *Pacer {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return New(t.Context(), "wiki", rate, store, NewMetrics(prometheus.NewRegistry()))
}

func TestSeveralProcessesHoldOneRate(t *testing.T) {
	for _, rate := range []Rate{
		{Calls: 10, Per: time.Second},
		{Calls: 100, Per: time.Second},
		{Calls: 6000, Per: time.Minute},
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		want := rate.Calls * 3 / int(rate.Per/time.Second)
		var mu sync.Mutex
		var calls []time.Time
		var all sync.WaitGroup
		var left atomic.Int64
		left.Store(int64(want))
		begun := time.Now()
		for range 3 {
			p := process(t, path, rate)
			for range 8 {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if !assert.NoError(t, p.Wait(t.Context())) {
							return
						}
						mu.Lock()
						calls = append(calls, time.Now())
						mu.Unlock()
					}
				})
			}
		}
		all.Wait()
		assert.Less(t, time.Since(begun), 10*time.Second, "little longer than needed for %d calls", want)
		require.Len(t, calls, want)
		slices.SortFunc(calls, time.Time.Compare)
		for i, first := range calls {
			within, _ := slices.BinarySearchFunc(calls[i:], first.Add(rate.Per), time.Time.Compare)
			require.LessOrEqual(t, within, rate.Calls, "in %s from call %d on", rate.Per, i)
		}
		if rate.Per == time.Second {
			assert.Greater(t, time.Since(begun), 1500*time.Millisecond)
		}
	}
}

// counting counts the calls of a ledger, and can be made to fail.
type counting struct {
	ledger.Pacer
	reserved atomic.Int64
	down     atomic.Bool
}

func (c *counting) ReserveCalls(ctx context.Context, r ledger.CallReservation) (ledger.CallTurn, error) {
	c.reserved.Add(1)
	if c.down.Load() {
		return ledger.CallTurn{}, errors.New("no answer")
	}
	return c.Pacer.ReserveCalls(ctx, r)
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return &counting{Pacer: store}
}

func TestManyCallsAreFewWrites(t *testing.T) {
	store := newCounting(t)
	p := New(t.Context(), "wiki", Rate{Calls: 500, Per: time.Second}, store, NewMetrics(prometheus.NewRegistry()))
	for range 500 {
		require.NoError(t, p.Wait(t.Context()))
	}
	assert.LessOrEqual(t, store.reserved.Load(), int64(60))
}

func TestALedgerThatIsAwayIsWaitedFor(t *testing.T) {
	store := newCounting(t)
	store.down.Store(true)
	p := New(t.Context(), "wiki", Rate{Calls: 100, Per: time.Second}, store, NewMetrics(prometheus.NewRegistry()))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var noTurn *NoTurnError
	require.ErrorAs(t, p.Wait(ctx), &noTurn)
	waiting := make(chan error, 1)
	before := store.reserved.Load()
	go func() { waiting <- p.Wait(t.Context()) }()
	require.Eventually(t, func() bool { return store.reserved.Load() > before }, 5*time.Second, time.Millisecond)
	store.down.Store(false)
	require.NoError(t, <-waiting)
}

func TestATurnThatCannotComeInTimeIsSaidAtOnce(t *testing.T) {
	store := newCounting(t)
	metrics := prometheus.NewRegistry()
	p := New(t.Context(), "wiki", Rate{Calls: 1, Per: time.Hour}, store, NewMetrics(metrics))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, p.Wait(ctx))
	for range 3 {
		var noTurn *NoTurnError
		require.ErrorAs(t, p.Wait(ctx), &noTurn)
		assert.InDelta(t, 66*time.Minute, noTurn.After, float64(time.Minute), "an hour, and a tenth")
	}
	var noTurn *NoTurnError
	require.ErrorAs(t, p.Soon(ctx, time.Now().Add(time.Minute)), &noTurn, "known without asking")
	require.NoError(t, p.Soon(ctx, time.Now().Add(2*time.Hour)))
	assert.EqualValues(t, 2, store.reserved.Load(), "what nobody made is kept for the next")
	families, err := metrics.Gather()
	require.NoError(t, err)
	assert.EqualValues(t, 4, families[0].GetMetric()[0].GetHistogram().GetSampleCount())
}

func TestAPauseHoldsEverybody(t *testing.T) {
	for _, rate := range []Rate{{}, {Calls: 100, Per: time.Second}} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		told, other := process(t, path, rate), process(t, path, rate)
		require.NoError(t, told.Wait(t.Context()))
		require.NoError(t, told.Pause(t.Context(), time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), UrgentPatience/2)
		defer cancel()
		var noTurn *NoTurnError
		require.ErrorAs(t, told.Wait(ctx), &noTurn)
		assert.InDelta(t, time.Hour, noTurn.After, float64(time.Minute))
		require.ErrorAs(t, told.Soon(ctx, time.Now().Add(time.Minute)), &noTurn)
		if rate.Calls > 0 {
			require.ErrorAs(t, other.Wait(ctx), &noTurn)
			assert.InDelta(t, UrgentPatience, noTurn.After, float64(UrgentPatience/4))
		}
	}
}

// An app may ask for a pause of any length. An urgent call waits for a minute of it at most,
// even if other calls are refused meanwhile.
func TestAnUrgentCallKeepsAPauseForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context(), "wiki", Rate{}, nil, NewMetrics(prometheus.NewRegistry()))
		begun := time.Now()
		require.NoError(t, p.Pause(t.Context(), 24*time.Hour))
		time.Sleep(UrgentPatience / 2)
		require.NoError(t, p.Pause(t.Context(), 24*time.Hour))
		urgent, cancel := context.WithTimeout(Urgent(t.Context()), UrgentPatience)
		defer cancel()
		require.NoError(t, p.Soon(urgent, begun.Add(UrgentPatience)))
		require.NoError(t, p.Wait(urgent))
		assert.Equal(t, UrgentPatience, time.Since(begun))
		others, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var noTurn *NoTurnError
		require.ErrorAs(t, p.Wait(others), &noTurn)
		assert.Equal(t, 24*time.Hour-UrgentPatience/2, noTurn.After)
		require.ErrorAs(t, p.Soon(others, begun.Add(time.Hour)), &noTurn)
	})
}

// A call may keep pauses up to a time of its own.
func TestAPatientCallKeepsAPauseForThatLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context(), "wiki", Rate{}, nil, NewMetrics(prometheus.NewRegistry()))
		begun := time.Now()
		require.NoError(t, p.Pause(t.Context(), 24*time.Hour))
		patient := Patient(t.Context(), time.Hour)
		require.NoError(t, p.Soon(patient, begun.Add(time.Hour)))
		require.NoError(t, p.Wait(patient))
		assert.Equal(t, time.Hour, time.Since(begun))
		require.NoError(t, p.Pause(t.Context(), 24*time.Hour), "the app still refuses")
		require.NoError(t, p.Wait(patient), "the pause began an hour ago")
		assert.Equal(t, time.Hour, time.Since(begun))
	})
}

// Urgent calls keep a short pause too.
func TestAnUrgentCallKeepsAShortPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(t.Context(), "wiki", Rate{}, nil, NewMetrics(prometheus.NewRegistry()))
		begun := time.Now()
		require.NoError(t, p.Pause(t.Context(), 30*time.Second))
		require.NoError(t, p.Wait(Urgent(t.Context())))
		assert.Equal(t, 30*time.Second, time.Since(begun))
	})
}

func TestAPauseEnds(t *testing.T) {
	for _, rate := range []Rate{{}, {Calls: 100, Per: time.Second}} {
		p := process(t, filepath.Join(t.TempDir(), "ledger.db"), rate)
		begun := time.Now()
		require.NoError(t, p.Pause(t.Context(), 200*time.Millisecond))
		require.NoError(t, p.Wait(t.Context()))
		assert.GreaterOrEqual(t, time.Since(begun), 200*time.Millisecond)
	}
}

// No call waits for its turn when the process is told to stop.
func TestStoppingEndsTheWait(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	p := New(ctx, "wiki", Rate{Calls: 1, Per: time.Hour}, newCounting(t), NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, p.Wait(t.Context()))
	ended := make(chan error, 2)
	for range 2 { // one call has the turn, and one waits behind it
		go func() { ended <- p.Wait(t.Context()) }()
	}
	stop()
	for range 2 {
		var noTurn *NoTurnError
		require.ErrorAs(t, <-ended, &noTurn)
	}
}
