package pace

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// turns gives turns as a ledger does that is busy, and whose clock is not ours.
type turns struct {
	clock time.Duration // what its clock is ahead
	row   chan struct{} // locked until the turn is stored
	end   time.Time
}

// slowTurns gives turns as to a process that is far away.
type slowTurns struct {
	ledger.Pacer
	*turns
	slow func() time.Duration
}

func (s slowTurns) ReserveCalls(_ context.Context, r ledger.CallReservation) (ledger.CallTurn, error) {
	time.Sleep(s.slow())
	s.row <- struct{}{}
	now := time.Now().Add(s.clock)
	turn := ledger.CallTurn{At: now.Add(-r.Saved), Now: now}
	if s.end.After(turn.At) {
		turn.At = s.end
	}
	if ahead := now.Add(r.Ahead); r.Ahead > 0 && ahead.After(turn.At) {
		turn.At = ahead
	}
	s.end = turn.At.Add(time.Duration(r.Calls) * r.Every)
	time.Sleep(s.slow() / 4)
	<-s.row
	time.Sleep(s.slow())
	return turn, nil
}

// What an app counts keeps to the rate in each span of it, however late answers of the ledger
// come and processes wake, as long as requests are not longer on their way than is allowed for.
func TestAnAppCountsNoMoreCallsThanTheRate(t *testing.T) {
	for name, c := range map[string]struct {
		rate    Rate
		slowest time.Duration // of the ledger
		more    int           // calls in a span, where no answer ever comes fast enough
		least   float64       // what part of the rate is used
	}{
		"a ledger that is near": {Rate{Calls: 10, Per: time.Second}, 5 * time.Millisecond, 0, 0.85},
		"a ledger that is busy": {Rate{Calls: 10, Per: time.Second}, 80 * time.Millisecond, 0, 0.8},
		"a ledger that is slow": {Rate{Calls: 10, Per: time.Second}, 400 * time.Millisecond, 1, 0.15},
		"many calls":            {Rate{Calls: 200, Per: time.Second}, 20 * time.Millisecond, 0, 0.5},
		"many calls a minute":   {Rate{Calls: 600, Per: time.Minute}, 80 * time.Millisecond, 0, 0.75},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				synctest.Test(t, func(t *testing.T) { arrivals(t, c.rate, c.slowest, c.more, c.least, seed) })
			}
		})
	}
}

func arrivals(t *testing.T, rate Rate, slowest time.Duration, more int, least float64, seed uint64) {
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 1)) // nothing depends on it but when a test sleeps
	within := func(most time.Duration) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(dice.Int64N(int64(most) + 1))
	}
	const spans, processes, callers = 20, 3, 4
	ctx, cancel := context.WithTimeout(t.Context(), spans*rate.Per)
	defer cancel()
	store := &turns{clock: -time.Hour, row: make(chan struct{}, 1)}
	way := rate.schedule().way
	var arrived []time.Time
	var all sync.WaitGroup
	for i := range processes {
		slow := func() time.Duration {
			if i > 0 && within(10) < 7 { // only one process is always far away
				return 0
			}
			return within(slowest)
		}
		p := New(ctx, "wiki", rate, slowTurns{turns: store, slow: slow}, NewMetrics(prometheus.NewRegistry()))
		for range callers {
			all.Go(func() {
				time.Sleep(within(rate.Per))
				for p.Wait(ctx) == nil {
					time.Sleep(within(way)) // the request is on its way
					mu.Lock()
					arrived = append(arrived, time.Now())
					mu.Unlock()
					if within(20) == 0 {
						time.Sleep(within(rate.Per / 2)) // somebody who calls now and then
					}
				}
			})
		}
	}
	all.Wait()
	slices.SortFunc(arrived, time.Time.Compare)
	most := 0
	for i, first := range arrived {
		n, _ := slices.BinarySearchFunc(arrived[i:], first.Add(rate.Per), time.Time.Compare)
		most = max(most, n)
	}
	t.Logf("%d calls in all, %d of %d at most", len(arrived), most, rate.Calls)
	require.LessOrEqual(t, most, rate.Calls+more, fmt.Sprint("seed ", seed))
	assert.Greater(t, float64(len(arrived)), least*float64(spans*rate.Calls))
}
