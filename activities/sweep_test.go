package activities_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// openRuns says that some people have an open run, and notes who is resumed.
type openRuns struct {
	open    func(personID string) bool
	resumed map[string]string
	ended   []string // by hand
	refuses string   // whose run cannot be told
}

func (r *openRuns) EndedByHand(context.Context, time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range r.ended {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (r *openRuns) Open(_ context.Context, personID string) (bool, error) {
	return r.open(personID), nil
}

func (r *openRuns) Resume(_ context.Context, personID, why string) error {
	if personID == r.refuses || r.refuses == "everybody" {
		return errors.New("too many signals")
	}
	r.resumed[personID] = why
	return nil
}

// sweep sweeps once.
func sweep(t *testing.T, store ledger.Ledger, runs activities.Runs, now time.Time) (result activities.SweepResult, err error) {
	t.Helper()
	a := &activities.Activities{Ledger: store, Log: zap.NewNop(), Runs: runs, Clock: clock.Func(func() time.Time { return now })}
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(a.Sweep)
	value, err := env.ExecuteActivity(a.Sweep)
	if err == nil {
		require.NoError(t, value.Get(&result))
	}
	return result, err
}

// However many people are due and at work, the one behind them all who has no run
// is found.
func TestSweepFindsWhoeverHasNoRun(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	var received []ledger.Received
	for i := range 2500 {
		id := fmt.Sprintf("%05d", i)
		received = append(received, ledger.Received{
			Event: hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: hr.EventUpdated, PersonID: id, Recorded: now},
			At:    now.Add(time.Duration(i) * time.Millisecond),
		})
	}
	_, err = store.Record(t.Context(), received)
	require.NoError(t, err)

	runs := &openRuns{ended: []string{"00007"}, open: func(id string) bool { return id != "02499" }, resumed: map[string]string{}}
	result, err := sweep(t, store, runs, now.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, activities.SweepResult{Due: 2500, Resumed: 1, Ended: 1}, result)
	assert.Equal(t, map[string]string{"02499": "due: event", "00007": "the run before was ended by hand"}, runs.resumed)
}

// What an open run cannot know of is told to it.
func TestSweepTellsOpenRunsOfDeadLettersAndDecisions(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for _, id := range []string{"1", "2", "3"} {
		require.NoError(t, store.SaveAssessment(t.Context(), ledger.Assessment{
			Summary: ledger.Summary{PersonID: id, AssessedAt: now, DueAt: now, DueWhat: ledger.DueWorking},
		}))
	}
	_, err = store.RecordDeadLetter(t.Context(), ledger.DeadLetter{
		At: ledger.Position{Topic: "dlq"}, Origin: ledger.Position{Topic: "t"}, Digest: "d", ReceivedAt: now, PersonID: "2", Urgent: true,
	})
	require.NoError(t, err)
	_, err = store.PlaceHold(t.Context(), ledger.Hold{PersonID: "3", PlacedAt: now, ExpiresAt: now.Add(time.Minute), Operator: "ops", Reason: "x"})
	require.NoError(t, err)
	runs := &openRuns{open: func(string) bool { return true }, resumed: map[string]string{}}
	_, err = sweep(t, store, runs, now.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"2": "due: letter", "3": "due: decision"}, runs.resumed)
}

// One whose run cannot be told holds up nobody: neither those behind them, nor those who
// are being cut off.
func TestSweepGoesOnWithoutWhomItCannotTell(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	const people = 150
	for i := range people {
		require.NoError(t, store.SaveAssessment(t.Context(), ledger.Assessment{
			Summary: ledger.Summary{PersonID: fmt.Sprintf("%03d", i), AssessedAt: now, DueAt: now, DueWhat: ledger.DueWorking},
		}))
	}
	without := func(refuses string) *openRuns {
		return &openRuns{ended: []string{"007", "008"}, open: func(string) bool { return false }, resumed: map[string]string{}, refuses: refuses}
	}
	runs := without("007")
	result, err := sweep(t, store, runs, now.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, activities.SweepResult{Due: people, Resumed: people - 1, Ended: 1, Failed: 2}, result)
	assert.Len(t, runs.resumed, people-1)
	assert.Equal(t, "the run before was ended by hand", runs.resumed["008"])

	_, err = sweep(t, store, without("everybody"), now.Add(time.Hour))
	assert.ErrorContains(t, err, "too many signals", "Temporal does not answer: all of it is tried again")
}
