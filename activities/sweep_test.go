package activities_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
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
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/provision"
)

// openRuns fakes a Temporal in which some people have an open run. It notes who is
// resumed.
type openRuns struct {
	open    func(personID string) bool
	resumed map[string]string
	ended   []string // people whose run was ended by hand
	refuses string   // the person whose run cannot be told, or "everybody"

	runs      map[string]activities.Run // the state of the open runs
	told      map[string]time.Time
	strangers []string
	since     []time.Time // for each time that strangers were asked for
	hidden    string      // the person whose run cannot be looked at
	replaced  map[string]string
	requests  []int64
	reviews   []int64
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

func (r *openRuns) Look(_ context.Context, personID string) (activities.Run, error) {
	if personID == r.hidden {
		return activities.Run{}, errors.New("too many calls")
	}
	run := r.runs[personID]
	run.Open = r.open(personID)
	return run, nil
}

func (r *openRuns) Told(_ context.Context, personID string) (time.Time, error) {
	return r.told[personID], nil
}

func (r *openRuns) Strangers(_ context.Context, since time.Time) iter.Seq2[string, error] {
	r.since = append(r.since, since)
	return func(yield func(string, error) bool) {
		for _, id := range r.strangers {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (r *openRuns) Replace(_ context.Context, personID string, _ activities.Run, why string) error {
	if r.replaced == nil {
		r.replaced = map[string]string{}
	}
	r.replaced[personID] = why
	return nil
}

func (r *openRuns) ResumeRequest(_ context.Context, id int64, _ string) error {
	if name := ledger.RequestName(id); name == r.refuses || r.refuses == "everybody" {
		return errors.New("too many signals")
	}
	r.requests = append(r.requests, id)
	return nil
}

func (r *openRuns) ResumeReview(_ context.Context, id int64, _ string) error {
	if name := ledger.ReviewName(id); name == r.refuses || r.refuses == "everybody" {
		return errors.New("too many signals")
	}
	r.reviews = append(r.reviews, id)
	return nil
}

func (*openRuns) Scan(context.Context, string) error { return nil }

func (r *openRuns) Resume(_ context.Context, personID, why string) error {
	if personID == r.refuses || r.refuses == "everybody" {
		return errors.New("too many signals")
	}
	r.resumed[personID] = why
	return nil
}

// overdue is how long something may be due without progress: longer than the tests above
// let pass.
const overdue = 2 * time.Hour

// sweep sweeps once.
func sweep(t *testing.T, store ledger.Ledger, runs activities.Runs, now time.Time) (result activities.SweepResult, err error) {
	t.Helper()
	a := &activities.Activities{Runs: runs, Overdue: overdue, Engine: &provision.Engine{
		Ledger: store, Log: zap.NewNop(), Clock: clock.Func(func() time.Time { return now }),
	}}
	return sweepOf(t, a)
}

func sweepOf(t *testing.T, a *activities.Activities) (result activities.SweepResult, err error) {
	t.Helper()
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(a.Sweep)
	value, err := env.ExecuteActivity(a.Sweep)
	if err == nil {
		require.NoError(t, value.Get(&result))
	}
	return result, err
}

// However many people are due and have a run, the sweep finds the last one, who has none.
func TestSweepFindsWhoeverHasNoRun(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
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

// An open run is told of things that are due and that it cannot know of.
func TestSweepTellsOpenRunsOfDeadLettersAndDecisions(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
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

// A person whose run cannot be told holds up nobody else.
func TestSweepGoesOnWithoutWhomItCannotTell(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
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

// A run that is not Tenure's, or makes no progress, is replaced. One that has a reason to wait
// is left alone, however long it waits.
func TestSweepReplaces(t *testing.T) {
	const late, soon = 3 * time.Hour, time.Hour // how long the person has been due
	old := time.Now().Add(-24 * time.Hour)
	for name, tc := range map[string]struct {
		due      time.Duration // how long ago; zero: not yet
		what     string
		run      activities.Run
		told     time.Duration // how long ago; zero: never
		replaced bool
		resumed  bool
	}{
		"foreign":                            {due: time.Minute, run: activities.Run{Foreign: true}, replaced: true},
		"foreign, and just started":          {due: time.Minute, run: activities.Run{Foreign: true, StartedAt: time.Now()}, replaced: true},
		"foreign, before anything is due":    {run: activities.Run{Foreign: true}, replaced: true},
		"stuck":                              {due: late, run: activities.Run{Stuck: "paused"}, replaced: true},
		"stuck, for a while":                 {due: soon, run: activities.Run{Stuck: "paused"}},
		"stuck, and just replaced":           {due: late, run: activities.Run{Stuck: "paused", StartedAt: time.Now()}},
		"stuck, before anything is due":      {run: activities.Run{Stuck: "paused"}},
		"waits for a step":                   {due: late},
		"waits for a step, told of a task":   {due: late, what: ledger.DueTask, resumed: true},
		"sleeps":                             {run: activities.Run{Idle: true}},
		"idle, and was never told":           {due: late, run: activities.Run{Idle: true}, resumed: true},
		"idle, and was told before the time": {due: late, run: activities.Run{Idle: true}, told: late + time.Hour, resumed: true},
		"idle, and was just told":            {due: late, run: activities.Run{Idle: true}, told: time.Second},
		"idle, and was told":                 {due: late, run: activities.Run{Idle: true}, told: time.Minute, replaced: true},
		"idle, told, and just replaced":      {due: late, run: activities.Run{Idle: true, StartedAt: time.Now()}, told: time.Minute},
		"idle for a while, never told":       {due: soon, run: activities.Run{Idle: true}},
		"idle for a while":                   {due: soon, run: activities.Run{Idle: true}, told: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
			store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, store.Close()) })
			due := now.Add(-tc.due)
			if tc.due == 0 {
				due = now.Add(time.Minute)
			}
			require.NoError(t, store.SaveAssessment(t.Context(), ledger.Assessment{
				Summary: ledger.Summary{PersonID: "1", AssessedAt: now.Add(-48 * time.Hour), DueAt: due, DueWhat: cmp.Or(tc.what, "end")},
			}))
			if tc.run.StartedAt.IsZero() {
				tc.run.StartedAt = old
			}
			runs := &openRuns{
				open: func(string) bool { return true }, resumed: map[string]string{},
				runs: map[string]activities.Run{"1": tc.run, "nobody": {Foreign: true}}, told: map[string]time.Time{},
				strangers: []string{"nobody"},
			}
			if tc.told > 0 {
				runs.told["1"] = time.Now().Add(-tc.told)
			}
			if tc.run.Foreign {
				runs.strangers = append(runs.strangers, "1")
			}
			result, err := sweep(t, store, runs, now)
			require.NoError(t, err)
			assert.Equal(t, tc.replaced, runs.replaced["1"] != "", runs.replaced)
			assert.Equal(t, tc.resumed, runs.resumed["1"] != "", runs.resumed)
			assert.Empty(t, runs.replaced["nobody"], "somebody else's affair")
			assert.Equal(t, len(runs.replaced), result.Replaced)
		})
	}
}

// Each sweep looks for strangers' workflows that began lately, and one in an hour for all.
func TestSweepLooksForAllStrangersOnceInAnHour(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.SaveAssessment(t.Context(), ledger.Assessment{Summary: ledger.Summary{PersonID: "1", AssessedAt: now}}))
	runs := &openRuns{
		open: func(string) bool { return true }, resumed: map[string]string{}, strangers: []string{"1"},
		runs: map[string]activities.Run{"1": {Foreign: true}},
	}
	acts := &activities.Activities{Engine: &provision.Engine{Ledger: store, Clock: clock.Func(func() time.Time { return now }), Log: zap.NewNop()}, Runs: runs}
	for _, step := range []struct {
		passed time.Duration
		hidden string
		all    bool
	}{
		{0, "1", true},
		{time.Minute, "", true}, // the sweep before could not look at somebody
		{time.Minute, "", false},
		{58 * time.Minute, "", false},
		{time.Minute, "", true},
		{time.Minute, "", false},
	} {
		now, runs.hidden, runs.since, runs.replaced = now.Add(step.passed), step.hidden, nil, nil
		_, err := sweepOf(t, acts)
		require.NoError(t, err)
		require.Len(t, runs.since, 1)
		if step.all {
			assert.Zero(t, runs.since[0], now)
		} else {
			assert.WithinDuration(t, time.Now().Add(-15*time.Minute), runs.since[0], time.Minute, now)
		}
		assert.Equal(t, step.hidden == "", runs.replaced["1"] != "")
	}
}

// The run of a person who has made progress since the ledger was asked is not ended.
func TestSweepEndsNobodyWhoHasGotOn(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	due := ledger.Summary{PersonID: "1", AssessedAt: now.Add(-48 * time.Hour), DueAt: now.Add(-3 * time.Hour), DueWhat: "end"}
	require.NoError(t, store.SaveAssessment(t.Context(), ledger.Assessment{Summary: due}))
	runs := &openRuns{resumed: map[string]string{}, runs: map[string]activities.Run{"1": {Stuck: "paused"}}, open: func(string) bool {
		seen, err := store.Person(t.Context(), "1")
		require.NoError(t, err)
		seen.AssessedAt, seen.DueAt = now, now.Add(time.Hour)
		require.NoError(t, store.SaveAssessment(t.Context(), ledger.Assessment{Summary: seen.Summary}))
		return true
	}}
	_, err = sweep(t, store, runs, now)
	require.NoError(t, err)
	assert.Empty(t, runs.replaced)
}

// Requests for roles have no person's run: the sweep tells the runs of those that are due, or
// starts them, and one that cannot be told keeps nobody else waiting.
func TestSweepTellsTheRunsOfRequests(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	_, err = store.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "e1"}, Type: hr.EventHired, PersonID: "p1", Recorded: now,
		Profile: &hr.Profile{Type: hr.TypeEmployee, StartDate: hr.DateOf(now)},
	}}})
	require.NoError(t, err)
	for i, lookAt := range []time.Time{now, now.Add(-time.Hour), now.Add(time.Minute), {}} {
		_, err := store.AskFor(t.Context(), ledger.Asking{Request: ledger.Request{
			PersonID: "p1", Role: fmt.Sprint(i), For: time.Hour, Reason: "x", AskedBy: "p1", Operator: "ada", AskedAt: now,
			Terms: "{}", State: ledger.RequestAsked, LookAt: lookAt,
		}})
		require.NoError(t, err)
	}
	runs := &openRuns{open: func(string) bool { return true }, resumed: map[string]string{}, refuses: "r-1"}
	result, err := sweep(t, store, runs, now)
	require.NoError(t, err)
	assert.Equal(t, []int64{2}, runs.requests)
	assert.Equal(t, 1, result.Requests)
	runs.refuses, runs.requests = "", nil
	_, err = sweep(t, store, runs, now)
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, runs.requests)
}
