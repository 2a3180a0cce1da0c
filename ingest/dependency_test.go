package ingest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/internal/backoff"
)

func newDependency() (*dependency, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	return &dependency{
		name: "the thing", advice: "look at it", timeout: time.Second, log: zap.New(core),
		backoff: backoff.Range{Min: time.Second, Max: 10 * time.Second}, retried: func() {},
	}, logs
}

func TestOutageIsLoggedOnceHoweverManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, logs := newDependency()
		var up, calls atomic.Int32
		f := func(context.Context) error {
			calls.Add(1)
			if up.Load() == 0 {
				return errors.New("down")
			}
			return nil
		}
		for range 10 {
			go func() { assert.NoError(t, d.call(t.Context(), f)) }()
		}
		time.Sleep(time.Hour)
		assert.Equal(t, 1, logs.Len())
		assert.InDelta(t, 10*3600/7.5, calls.Load(), 500, "backs off to between 5 and 10 s")
		up.Store(1)
		time.Sleep(time.Minute)
		require.Equal(t, 2, logs.Len())
		assert.Equal(t, "the thing is available again", logs.All()[1].Message)

		up.Store(0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, d.call(ctx, f), context.DeadlineExceeded)
		assert.Equal(t, 3, logs.Len(), "the second outage, which nobody has seen the end of")
		up.Store(1)
		require.NoError(t, d.call(t.Context(), f))
		assert.Equal(t, 4, logs.Len())
	})
}

func TestAnAttemptThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := newDependency()
		attempts := 0
		err := d.call(t.Context(), func(ctx context.Context) error {
			if attempts++; attempts == 3 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		require.NoError(t, err)
	})
}

func TestSlotsBoundWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, logs := newDependency()
		d.slots = make(chan struct{}, 2)
		var now, most atomic.Int32
		for range 20 {
			go func() {
				assert.NoError(t, d.call(t.Context(), func(context.Context) error {
					most.Store(max(most.Load(), now.Add(1)))
					defer now.Add(-1)
					time.Sleep(900 * time.Millisecond) // the wait for a slot does not count as time of the attempt
					return nil
				}))
			}()
		}
		time.Sleep(time.Minute)
		assert.EqualValues(t, 2, most.Load())
		assert.Zero(t, logs.Len())
	})
}
