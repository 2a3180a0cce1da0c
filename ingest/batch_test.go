package ingest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
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

func TestBatcherFindsTheOneThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := newBatcher(10, func(_ context.Context, items []int) ([]int, error) {
			time.Sleep(time.Second)
			for _, i := range items {
				if i == 3 {
					return nil, errors.New("three")
				}
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
		assert.EqualValues(t, 3, succeeded.Load(), "0, 1 and 2")
		assert.EqualValues(t, 3, failed.Load(), "3, and those after it, which come again")
		cancel()
		_, err := b.submit(ctx, 1)
		assert.ErrorIs(t, err, context.Canceled)
	})
}
