package provision_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// BenchmarkAssess measures an assessment of somebody who has accounts in six apps, and of whom
// nothing has to be done: from the read of the ledger to the assessment that is saved. It does so
// for a company that has no roles to request and no rules of separation of duties, for one that has
// them and somebody without exceptions, and for somebody with a grant, what is withheld and a waiver.
//
// TestGovernanceCostsAnAssessmentLittle holds the second to the first.
func BenchmarkAssess(b *testing.B) {
	b.Run("none", func(b *testing.B) { benchmarkAssess(b, false, false) })
	b.Run("governed", func(b *testing.B) { benchmarkAssess(b, true, false) })
	b.Run("excepted", func(b *testing.B) { benchmarkAssess(b, true, true) })
}

func benchmarkAssess(b *testing.B, governed, excepted bool) {
	assess := atRest(b, governed, excepted)
	b.ReportAllocs()
	for b.Loop() {
		assess()
	}
}

// TestGovernanceCostsAnAssessmentLittle measures in one run what an assessment allocates, and
// requires that roles to request and rules of separation of duties add at most a tenth for
// somebody who has no exceptions. Time is not held: on a busy machine it says nothing.
func TestGovernanceCostsAnAssessmentLittle(t *testing.T) {
	const rounds = 200
	measured := func(governed bool) (bytes, allocations float64) {
		assess := atRest(t, governed, false)
		assess() // whatever is made once is made
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range rounds {
			assess()
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc-before.TotalAlloc) / rounds, float64(after.Mallocs-before.Mallocs) / rounds
	}
	bytes, allocations := measured(false)
	more, moreAllocations := measured(true)
	t.Logf("%.0f bytes and %.0f allocations, and with governance %+.1f %% and %+.1f %%", bytes, allocations, 100*(more/bytes-1), 100*(moreAllocations/allocations-1))
	assert.LessOrEqual(t, more, 1.1*bytes, "bytes")
	assert.LessOrEqual(t, moreAllocations, 1.1*allocations, "allocations")
}

// atRest returns what assesses somebody of whom nothing has to be done.
func atRest(b testing.TB, governed, excepted bool) (assess func()) {
	store, err := sqlite.Open(b.Context(), sqlitetest.New(b))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	rules := policy.Rules{Apps: map[string]policy.AppRules{}, Leaver: policy.LeaverRules{Retain: 720 * time.Hour, Delete: true}}
	apps := map[string]*provision.App{}
	for i := range 6 {
		name := fmt.Sprint("app", i)
		rules.Apps[name] = policy.AppRules{Attributes: map[string]string{"title": "person.jobTitle"}}
		rules.Roles = append(rules.Roles, policy.Role{Name: "in " + name, When: "person.department != 'Nobody'", Grants: []policy.Grant{{App: name, Entitlements: []string{"staff", "users"}}}})
		open, err := memory.Kind.Open(b.Context(), connector.Env{App: b.Name() + name}, connector.Settings{})
		require.NoError(b, err)
		apps[name] = &provision.App{Connector: open}
		if !governed {
			continue
		}
		rules.Roles = append(rules.Roles, policy.Role{
			Name: "admin of " + name, When: "true", Request: &policy.RequestRules{Most: 720 * time.Hour},
			Grants: []policy.Grant{{App: name, Entitlements: []string{"admins"}}},
		})
		rules.Duties = append(rules.Duties, policy.Duty{
			Name: "duty of " + name, Mode: policy.DutyPrevent, Since: now.AddDate(-1, 0, 0), Waive: &policy.WaiveRules{Most: 720 * time.Hour},
			One: []policy.Grant{{App: name, Entitlements: []string{"users"}}}, Other: []policy.Grant{{App: name, Entitlements: []string{"admins"}}},
		})
	}
	compiled, err := policy.Compile(rules)
	require.NoError(b, err)
	engine := &provision.Engine{
		Ledger: store, Policy: compiled, Apps: apps, Log: zap.NewNop(),
		Clock: clock.Func(func() time.Time { return now }), AttentionAfter: time.Hour, Recheck: time.Hour,
	}
	hire := hr.EventKey{Source: "/hr", ID: "1"}
	_, err = store.Record(b.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hire, Type: hr.EventHired, PersonID: "ada", Recorded: now, Effective: hr.DateOf(now),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", JobTitle: "Engineer", Department: "Development",
			StartDate: hr.DateOf(now), Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(b, err)
	if excepted {
		for _, x := range []ledger.Exception{
			{Kind: "waive", Duty: "duty of app0", Control: "watched"}, {Kind: "grant", Role: "admin of app0"}, {Kind: "withhold", App: "app1", Entitlement: "users"},
		} {
			x.PersonID, x.Employment, x.StartsAt, x.EndsAt = "ada", hire, now, now.Add(700*time.Hour)
			x.Origin, x.DecidedBy, x.DecidedAt, x.Reason = "r-1", "olga", now, "INC-1"
			_, err := store.PlaceException(b.Context(), x)
			require.NoError(b, err)
		}
	}
	assessment, err := engine.Assess(b.Context(), "ada")
	require.NoError(b, err)
	for _, todo := range assessment.Todo {
		_, _, err := engine.Apply(b.Context(), provision.Attempt{PersonID: "ada", Step: todo.Step, Deadline: time.Now().Add(time.Hour)})
		require.NoError(b, err)
	}
	return func() {
		now = now.Add(time.Second)
		again, err := engine.Assess(b.Context(), "ada")
		require.NoError(b, err)
		require.Empty(b, again.Todo)
	}
}
