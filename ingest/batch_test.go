package ingest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/ledger"
)

func TestBatcherGathersWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var sizes []int
		b := newBatcher(5, func(_ context.Context, items []int) ([]int, error) {
			sizes = append(sizes, len(items))
			time.Sleep(time.Second)
			return items, nil
		})
		go b.run(ctx)
		for i := range 12 {
			go func() {
				out, err := b.submit(ctx, i, -i)
				assert.NoError(t, err)
				assert.Equal(t, []int{i, -i}, out, "everybody gets their own results")
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []int{2, 4, 4, 4, 4, 4, 2}, sizes, "never split, never more than the limit")
		cancel()
	})
}

// When nothing passes, the batcher finds out with few calls. A submission that cannot be
// kept does not count as such a sign.
func TestBatcherSparesWhatIsAway(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		calls int32
	}{
		"away": {errors.New("down"), 1 + 1 + 2}, "refused": {ledger.ErrRefused, 1 + 1 + 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var calls, elsewhere atomic.Int32
				b := newBatcher(10, func(context.Context, []int) ([]int, error) {
					calls.Add(1)
					time.Sleep(time.Second)
					return nil, c.err
				})
				go b.run(ctx)
				for i := range 10 { // the first one is submitted alone, the others queue
					go func() {
						if _, err := b.submit(ctx, i); errors.Is(err, errElsewhere) {
							elsewhere.Add(1)
						}
					}()
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Equal(t, c.calls, calls.Load())
				assert.Equal(t, 11-c.calls, elsewhere.Load())
				cancel()
			})
		})
	}
}

func TestBatcherFindsTheOneThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := newBatcher(10, func(_ context.Context, items []int) ([]int, error) {
			time.Sleep(time.Second)
			if slices.Contains(items, 3) {
				return nil, errors.New("three")
			}
			return items, nil
		})
		go b.run(ctx)
		var succeeded, failed atomic.Int32
		for i := range 6 {
			go func() {
				if _, err := b.submit(ctx, i); err != nil {
					failed.Add(1)
				} else {
					succeeded.Add(1)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		assert.EqualValues(t, 5, succeeded.Load(), "all others, before and after it")
		assert.EqualValues(t, 1, failed.Load(), "3")
		cancel()
		_, err := b.submit(ctx, 1)
		assert.ErrorIs(t, err, context.Canceled)
	})
}
