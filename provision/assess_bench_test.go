package provision_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// BenchmarkAssess measures an assessment of somebody who has accounts in six apps, and of whom
// nothing has to be done: from the read of the ledger to the assessment that is saved.
func BenchmarkAssess(b *testing.B) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
	require.NoError(b, err)
	defer func() { require.NoError(b, store.Close()) }()
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
	}
	compiled, err := policy.Compile(rules)
	require.NoError(b, err)
	engine := &provision.Engine{
		Ledger: store, Policy: compiled, Apps: apps, Log: zap.NewNop(),
		Clock: clock.Func(func() time.Time { return now }), AttentionAfter: time.Hour, Recheck: time.Hour,
	}
	_, err = store.Record(b.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "1"}, Type: hr.EventHired, PersonID: "ada", Recorded: now, Effective: hr.DateOf(now),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", JobTitle: "Engineer", Department: "Development",
			StartDate: hr.DateOf(now), Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(b, err)
	assessment, err := engine.Assess(b.Context(), "ada")
	require.NoError(b, err)
	for _, todo := range assessment.Todo {
		_, _, err := engine.Apply(b.Context(), provision.Attempt{PersonID: "ada", Step: todo.Step, Deadline: time.Now().Add(time.Hour)})
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		again, err := engine.Assess(b.Context(), "ada")
		require.NoError(b, err)
		require.Empty(b, again.Todo)
	}
}
