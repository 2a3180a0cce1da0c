package pace_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/pace"
)

func newPlaces(ctx context.Context, most int) *pace.Places {
	return pace.NewPlaces(ctx, "wiki", most, pace.NewMetrics(prometheus.NewRegistry()))
}

var classes = []pace.Class{pace.Giving, pace.Taking, pace.Cutting}

// Never do more steps call than there are places.
func TestNoMoreThanPlaces(t *testing.T) {
	for most, common := range map[int]int64{1: 1, 2: 1, 5: 4, 10: 8, 0: 1} {
		synctest.Test(t, func(t *testing.T) {
			places := newPlaces(t.Context(), most)
			var now, peak atomic.Int64
			call := func(class pace.Class) {
				leave, ok := places.Enter(t.Context(), pace.Claim{Class: class})
				if !assert.True(t, ok) {
					return
				}
				defer leave()
				defer now.Add(-1)
				for n := now.Add(1); ; {
					if old := peak.Load(); n <= old || peak.CompareAndSwap(old, n) {
						break
					}
				}
				time.Sleep(time.Second)
			}
			run := func(n int, among ...pace.Class) {
				var all sync.WaitGroup
				for i := range n {
					all.Go(func() { call(among[i%len(among)]) })
				}
				all.Wait()
			}
			for range 2 { // the second time shows that all places were given back
				peak.Store(0)
				run(200, pace.Giving, pace.Taking)
				assert.Equal(t, common, peak.Load(), most)
				peak.Store(0)
				run(200, pace.Cutting)
				assert.EqualValues(t, max(most, 1), peak.Load(), "those who are cut off may have all of %d", most)
				peak.Store(0)
				run(200, classes...)
				assert.LessOrEqual(t, peak.Load(), int64(max(most, 1)))
			}
		})
	}
}

// Steps that hang do not keep out a step that cuts somebody off now.
func TestCuttingOffHasPlacesOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := newPlaces(t.Context(), 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, class := range []pace.Class{pace.Giving, pace.Taking} {
			_, ok := places.Enter(ctx, pace.Claim{Class: class}) // and stays
			require.True(t, ok)
		}
		leave, ok := places.Enter(ctx, pace.Claim{Class: pace.Cutting})
		require.True(t, ok)
		leave()
		_, ok = places.Enter(ctx, pace.Claim{Class: pace.Taking})
		require.False(t, ok)
		require.Error(t, ctx.Err())
	})
}

// A fifth of the places, and at least one of several, is reserved for steps that cut
// somebody off now. Other steps never get these places.
func TestAFifthIsKept(t *testing.T) {
	for most, common := range map[int]int{1: 1, 2: 1, 5: 4, 9: 8, 10: 8, 19: 16, 50: 40} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			places := newPlaces(ctx, most)
			var in atomic.Int64
			var all sync.WaitGroup
			for range 2 * most {
				all.Go(func() {
					if _, ok := places.Enter(ctx, pace.Claim{Class: pace.Taking}); ok { // and stays
						in.Add(1)
					}
				})
			}
			synctest.Wait()
			assert.EqualValues(t, common, in.Load(), "of %d", most)
			for range most - common {
				_, ok := places.Enter(ctx, pace.Claim{Class: pace.Cutting})
				assert.True(t, ok)
			}
			cancel()
			all.Wait()
		})
	}
}

// Steps that take access go before steps that give it. Within a class, the step that has
// waited longest goes first, in whatever order they came.
func TestWhoIsLetInFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1
		places := newPlaces(t.Context(), most)
		leave, ok := places.Enter(t.Context(), pace.Claim{Class: pace.Giving})
		require.True(t, ok)
		type who struct {
			class pace.Class
			since int
		}
		var mu sync.Mutex
		var order []who
		var all sync.WaitGroup
		for _, w := range []who{
			{pace.Giving, 5}, {pace.Taking, 9}, {pace.Giving, 1}, {pace.Cutting, 8}, {pace.Giving, 3}, {pace.Cutting, 2}, {pace.Taking, 4},
		} {
			all.Go(func() {
				leave, ok := places.Enter(t.Context(), pace.Claim{Class: w.class, Since: time.Unix(int64(w.since), 0)})
				if assert.True(t, ok) {
					mu.Lock()
					order = append(order, w)
					mu.Unlock()
					leave()
				}
			})
			synctest.Wait()
		}
		leave()
		all.Wait()
		assert.Equal(t, []who{
			{pace.Cutting, 2}, {pace.Cutting, 8}, {pace.Taking, 4}, {pace.Taking, 9}, {pace.Giving, 1}, {pace.Giving, 3}, {pace.Giving, 5},
		}, order)
	})
}

// A step that gives up blocks nobody and leaves nothing behind.
func TestGivingUpAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		process, stop := context.WithCancel(t.Context())
		places := pace.NewPlaces(process, "wiki", 1, pace.NewMetrics(reg))
		waiting := func() float64 {
			for _, family := range must(reg.Gather()) {
				if family.GetName() == "tenure_app_waiting_steps" {
					return family.GetMetric()[0].GetGauge().GetValue()
				}
			}
			return -1
		}
		leave, ok := places.Enter(t.Context(), pace.Claim{})
		require.True(t, ok)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		var gaveUp sync.WaitGroup
		for range 5 {
			gaveUp.Go(func() {
				_, ok := places.Enter(ctx, pace.Claim{Class: pace.Taking})
				assert.False(t, ok)
			})
		}
		synctest.Wait()
		assert.EqualValues(t, 5, waiting())
		gaveUp.Wait()
		assert.Equal(t, 30*time.Second, time.Since(begun))
		assert.Zero(t, waiting())
		var stopped sync.WaitGroup
		stopped.Go(func() {
			_, ok := places.Enter(t.Context(), pace.Claim{})
			assert.False(t, ok, "the process is about to stop")
		})
		synctest.Wait()
		stop()
		stopped.Wait()
		leave()
		leave, ok = places.Enter(t.Context(), pace.Claim{})
		require.True(t, ok, "there is one: nobody waits for it")
		leave()
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNoPlacesBoundNothing(t *testing.T) {
	var places *pace.Places
	leave, ok := places.Enter(t.Context(), pace.Claim{})
	require.True(t, ok)
	leave()
}
