package activities_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/provision"
)

// leaver records somebody whose last day was so many days before now.
func leaver(t *testing.T, l ledger.Ledger, id string, now time.Time, days int, status hr.Status) {
	t.Helper()
	began, last := now.AddDate(-5, 0, 0), hr.DateOf(now.AddDate(0, 0, -days))
	_, err := l.Record(t.Context(), []ledger.Received{
		{At: began, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "hired-" + id}, Type: hr.EventHired, PersonID: id, Recorded: began, Effective: hr.DateOf(began),
			Profile: &hr.Profile{Type: hr.TypeEmployee, GivenName: "Wilhelmina", FamilyName: "Quartz" + id, StartDate: hr.DateOf(began), Location: hr.Location{TimeZone: "UTC"}},
		}},
		{At: began, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "left-" + id}, Type: hr.EventTerminated, PersonID: id, Recorded: began, Effective: last,
			Termination: &hr.Termination{LastDay: last},
		}},
	})
	require.NoError(t, err)
	p, err := l.Person(t.Context(), id)
	require.NoError(t, err)
	p.Status, p.AssessedAt, p.DueAt, p.DueWhat = status, now, time.Time{}, ""
	p.GivenName, p.FamilyName = "Wilhelmina", "Quartz"+id
	require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: p.Summary}))
}

func TestWhoseTimeIsOverIsErasedInPages(t *testing.T) {
	now := time.Date(2030, time.March, 2, 3, 0, 0, 0, time.UTC)
	l, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	l.SetPepper([]byte("a pepper that only tests use"))
	for i := range 205 {
		leaver(t, l, fmt.Sprintf("a%03d", i), now, 20, hr.StatusEnded) // not yet
	}
	for i := range 5 {
		leaver(t, l, fmt.Sprintf("b%d", i), now, 40, hr.StatusEnded)
	}
	leaver(t, l, "c-held", now, 40, hr.StatusEnded)
	_, err = l.PlaceHold(t.Context(), ledger.Hold{PersonID: "c-held", PlacedAt: now, ExpiresAt: now.Add(time.Hour), Operator: "ops", Reason: "matter 42"})
	require.NoError(t, err)
	leaver(t, l, "d-suspended", now, 40, hr.StatusSuspended)

	logs, seen := observer.New(zapcore.DebugLevel)
	outcomes := map[string]int{}
	acts := &activities.Activities{
		Erased:  func(outcome string) { outcomes[outcome]++ },
		Engine:  &provision.Engine{Ledger: l, Clock: clock.Func(func() time.Time { return now }), Log: zap.New(logs)},
		Privacy: erase.Terms{Keep: 30 * 24 * time.Hour},
	}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(acts.Erase)
	env.RegisterActivity(acts.Scrub)
	page := func(after string) (p activities.ErasePage) {
		t.Helper()
		value, err := env.ExecuteActivity(acts.Erase, activities.EraseRequest{After: after})
		require.NoError(t, err)
		require.NoError(t, value.Get(&p))
		return p
	}
	first := page("")
	assert.Equal(t, activities.ErasePage{After: "a199", More: true}, first)
	assert.Equal(t, activities.ErasePage{After: "d-suspended", Erased: 5, Waiting: 1}, page(first.After))
	assert.Equal(t, activities.ErasePage{After: "d-suspended", Waiting: 1, Scrub: true}, page(first.After),
		"a page that is done again, since the worker was killed before it said what it did")
	assert.Equal(t, map[string]int{activities.ErasureDone: 5}, outcomes)
	leaver(t, l, "e-keyless", now, 40, hr.StatusEnded)
	l.SetPepper([]byte("another pepper"))
	_, err = env.ExecuteActivity(acts.Erase, activities.EraseRequest{After: first.After})
	require.ErrorContains(t, err, "privacy.pepper")
	assert.Equal(t, map[string]int{activities.ErasureDone: 5, activities.ErasureRefused: 1}, outcomes)
	_, err = env.ExecuteActivity(acts.Scrub)
	require.NoError(t, err)
	for id, want := range map[string]bool{"a000": false, "b0": true, "b4": true, "c-held": false, "d-suspended": false} {
		p, err := l.Person(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, want, !p.ErasedAt.IsZero(), id)
	}
	rows, err := l.Audit(t.Context(), "b0", 0, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{"erased", "tenure", activities.EraseReason}, []string{rows[0].Action, rows[0].Actor, rows[0].Cause})

	assert.NotEmpty(t, seen.All())
	for _, entry := range seen.All() {
		fields, err := json.Marshal(entry.ContextMap())
		require.NoError(t, err)
		assert.NotContains(t, entry.Message+string(fields), "Wilhelmina")
		assert.NotContains(t, entry.Message+string(fields), "Quartz")
	}

	acts.Privacy.Keep = 0
	now = now.AddDate(50, 0, 0)
	assert.Equal(t, activities.ErasePage{}, page(""), "without privacy.keep nobody is erased")
}
