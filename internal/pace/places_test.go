package pace_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/pace"
)

// However many call, no more are under way than there are places.
func TestNoMoreCallsThanPlaces(t *testing.T) {
	for most, common := range map[int]int64{1: 1, 2: 1, 5: 4, 10: 8, 0: 1} {
		synctest.Test(t, func(t *testing.T) {
			places := pace.NewPlaces(most)
			var now, peak atomic.Int64
			call := func(ctx context.Context) {
				leave, err := places.Enter(ctx)
				if !assert.NoError(t, err) {
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
			run := func(n int, ctx context.Context) {
				var all sync.WaitGroup
				for range n {
					all.Go(func() { call(ctx) })
				}
				all.Wait()
			}
			run(200, t.Context())
			assert.Equal(t, common, peak.Load(), most)
			peak.Store(0)
			run(200, pace.Urgent(t.Context()))
			assert.EqualValues(t, max(most, 1), peak.Load(), "urgent calls may have all of %d", most)
		})
	}
}

// Calls that hang do not keep urgent ones out.
func TestUrgentCallsHavePlacesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := pace.NewPlaces(3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 2 {
			_, err := places.Enter(ctx) // and stays
			require.NoError(t, err)
		}
		leave, err := places.Enter(pace.Urgent(ctx))
		require.NoError(t, err)
		leave()
		_, err = places.Enter(ctx)
		var noTurn *pace.NoTurnError
		require.True(t, errors.As(err, &noTurn))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestNoPlacesBoundNothing(t *testing.T) {
	var places *pace.Places
	leave, err := places.Enter(t.Context())
	require.NoError(t, err)
	leave()
}
