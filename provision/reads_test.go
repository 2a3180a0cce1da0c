package provision

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// paused is a ledger whose readings of a person wait until the test lets them go.
type paused struct {
	ledger.Work
	revision int64 // what is committed
	begun    int
	release  chan error
}

func (p *paused) Person(context.Context, string) (ledger.Person, error) {
	p.begun++
	found := ledger.Person{Summary: ledger.Summary{Revision: p.revision}, Links: []ledger.Link{{App: "wiki"}}}
	return found, <-p.release
}

type readResult struct {
	person ledger.Person
	err    error
}

// Whoever asks while a person is read waits for the next reading, since what they have committed
// meanwhile is not in this one. All who ask meanwhile share that.
func TestAReadingIsSharedByThoseWhoAskedBeforeItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r reads
		l := &paused{release: make(chan error)}
		ask := func(ctx context.Context) <-chan readResult {
			answer := make(chan readResult, 1)
			go func() {
				p, err := r.person(ctx, l, "p1")
				answer <- readResult{p, err}
			}()
			synctest.Wait()
			return answer
		}
		first := ask(t.Context())
		l.revision = 1
		var later []<-chan readResult
		for range 9 {
			later = append(later, ask(t.Context()))
		}
		hurried, hurry := context.WithCancel(t.Context())
		gaveUp := ask(hurried)
		require.Equal(t, 1, l.begun)
		hurry()
		require.ErrorIs(t, (<-gaveUp).err, context.Canceled)

		l.release <- nil
		assert.Zero(t, (<-first).person.Revision)
		synctest.Wait()
		assert.Equal(t, 2, l.begun)
		l.release <- nil
		for _, one := range later {
			got := <-one
			require.NoError(t, got.err)
			assert.EqualValues(t, 1, got.person.Revision)
			assert.Equal(t, "wiki", got.person.Links[0].App, "changed by nobody else")
			got.person.Links[0].App = "mine"
		}
		synctest.Wait()
		assert.Empty(t, r.waiting)
		assert.Empty(t, r.serving)

		failed := ask(t.Context())
		l.release <- errors.New("mistake")
		require.EqualError(t, (<-failed).err, "mistake")
	})
}
