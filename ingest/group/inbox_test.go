package group

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// awaited reports whether some partition waits for bytes.
func (b *budget) awaited() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.freed != nil
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := newBudget(100)
		first, second := &allowance{of: b}, &allowance{of: b}
		require.NoError(t, first.take(ctx, 60))
		require.NoError(t, first.take(ctx, 40), "to the last byte")
		require.NoError(t, second.take(ctx, 500), "who has nothing does not wait, however large the record")

		var taken [2]error
		wait := func(i int, a *allowance) {
			taken[i] = context.DeadlineExceeded
			go func() { taken[i] = a.take(ctx, 10) }()
			synctest.Wait()
			require.ErrorIs(t, taken[i], context.DeadlineExceeded, "waits")
		}
		wait(0, first)
		wait(1, second)
		first.give(60)
		synctest.Wait()
		require.ErrorIs(t, taken[0], context.DeadlineExceeded, "still too much with the others")
		second.give(500)
		synctest.Wait()
		require.NoError(t, taken[0])
		require.NoError(t, taken[1])

		require.NoError(t, first.take(ctx, 40))
		wait(1, second)
		cancel()
		synctest.Wait()
		require.ErrorIs(t, taken[1], context.Canceled)
		first.giveAll()
		second.giveAll()
		assert.EqualValues(t, 100, b.free)
	})
}
