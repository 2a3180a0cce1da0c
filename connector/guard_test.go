package connector_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/plan"
)

// protecting guards an app in which the account called breakglass and person 666 are
// protected.
func protecting(c connector.Connector, person string) connector.Connector {
	return connector.Guard(c, connector.Protection{
		App: "wiki", For: person, Looks: true,
		Person:  func(id string) bool { return id == "666" },
		Account: func(a connector.Account) bool { return a.Username == "breakglass" },
	})
}

func open(t *testing.T, kind string, settings connector.Settings) connector.Connector {
	t.Helper()
	k, ok := catalog.Lookup(kind)
	require.True(t, ok)
	c, err := k.Open(t.Context(), connector.Env{App: "wiki"}, settings)
	require.NoError(t, err)
	return c
}

// everyChange makes every call that changes an account.
func everyChange(t *testing.T, c connector.Connector, id, other string) map[string]error {
	t.Helper()
	ctx := t.Context()
	return map[string]error{
		connector.OpAdopt:            c.Adopt(ctx, id, "7"),
		connector.OpUpdate:           c.Update(ctx, id, map[string]any{"title": "x"}),
		connector.OpGrant:            c.Grant(ctx, id, []string{"staff"}),
		connector.OpRevoke:           c.Revoke(ctx, id, []string{"staff"}),
		connector.OpDisable:          c.Disable(ctx, id),
		connector.OpEnable:           c.Enable(ctx, id),
		connector.OpRelabel:          c.Relabel(ctx, id, connector.Label{PersonID: "7"}),
		connector.OpRevokeSessions:   c.RevokeSessions(ctx, id),
		connector.OpResetCredentials: c.ResetCredentials(ctx, id),
		connector.OpHandOver:         c.HandOver(ctx, id, other),
		connector.OpDelete:           c.Delete(ctx, id),
	}
}

func TestAGuardLetsNoChangeOfWhatIsProtectedThrough(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	id := app.Put(connector.Account{Username: "breakglass", Active: true, Entitlements: []string{"admins"}})
	other := app.Put(connector.Account{Username: "zoe", Active: true})
	before := app.Accounts()
	guarded := protecting(open(t, "memory", connector.Settings{"name": t.Name()}), "7")

	var refused *connector.ProtectedError
	for op, err := range everyChange(t, guarded, id, other) {
		require.ErrorAs(t, err, &refused, op)
		assert.Equal(t, op, refused.Op)
		assert.NotContains(t, err.Error(), "breakglass", "errors hold no personal data")
		assert.Zero(t, app.Calls(op), "%s reached the app", op)
	}
	require.ErrorAs(t, guarded.HandOver(t.Context(), other, id), &refused, "nothing is put into it either")
	_, err := guarded.Create(t.Context(), connector.Spec{PersonID: "7", Username: "breakglass"})
	require.ErrorAs(t, err, &refused)
	_, err = guarded.Create(t.Context(), connector.Spec{PersonID: "666", Username: "max"})
	require.ErrorAs(t, err, &refused)
	require.ErrorAs(t, guarded.Adopt(t.Context(), other, "666"), &refused)
	assert.Equal(t, before, app.Accounts())

	for op, err := range everyChange(t, protecting(guarded, "666"), other, other) {
		require.ErrorAs(t, err, &refused, "%s of a protected person's", op)
		assert.True(t, refused.Person)
	}
	assert.Equal(t, before, app.Accounts())

	for op, err := range everyChange(t, guarded, other, other) {
		require.NoError(t, err, op)
		assert.Positive(t, app.Calls(op), "%s did not reach the app", op)
	}
	require.NoError(t, guarded.Delete(t.Context(), "not there"), "what the app says counts")
}

// Nobody can read an account in the recycle bin: the guard knows it by its ID, and by the
// username that the caller remembers.
func TestAGuardBringsNothingProtectedBack(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	raw := open(t, "memory", connector.Settings{"name": t.Name(), "recycleBin": "24h"})
	deleted := func(username string) string {
		id := app.Put(connector.Account{Username: username, Active: true})
		require.NoError(t, raw.Delete(t.Context(), id))
		return id
	}
	byName, byID, other := deleted("breakglass"), deleted("admin"), deleted("zoe")
	guard := func(person string) connector.Connector {
		return connector.Guard(raw, connector.Protection{
			App: "wiki", For: person, Looks: true,
			Person:  func(id string) bool { return id == "666" },
			Account: func(a connector.Account) bool { return a.Username == "breakglass" || a.ID == byID },
		})
	}
	var refused *connector.ProtectedError
	require.ErrorAs(t, guard("7").Restore(connector.WithFormerUsername(t.Context(), "breakglass"), byName), &refused)
	require.ErrorAs(t, guard("7").Restore(t.Context(), byID), &refused)
	require.ErrorAs(t, guard("666").Restore(t.Context(), other), &refused)
	assert.True(t, refused.Person)
	assert.Zero(t, app.Calls(connector.OpRestore), "it reached the app")

	require.NoError(t, guard("7").Restore(connector.WithFormerUsername(t.Context(), "zoe"), other))
	require.NoError(t, raw.Restore(t.Context(), byName)) // by an administrator
	require.ErrorAs(t, guard("7").Restore(t.Context(), byName), &refused, "it is there again, and shows its username")
}

func TestAGuardOffersWhatTheConnectorDoes(t *testing.T) {
	for kind, settings := range map[string]connector.Settings{
		"memory": {"name": t.Name()},
		"manual": {"assignee": "it"},
		"jit":    {"directory": "directory", "assignee": "it"},
		"inner":  {"directory": "directory", "inner": map[string]any{"connector": "memory", "settings": map[string]any{"name": t.Name()}}},
	} {
		t.Run(kind, func(t *testing.T) {
			raw := open(t, strings.Replace(kind, "inner", "jit", 1), settings)
			guarded := protecting(raw, "7")
			assert.Equal(t, raw.Capabilities(), guarded.Capabilities())
			for _, step := range plan.Kinds() {
				_, asks := raw.Ask(string(step))
				_, asksToo := guarded.Ask(string(step))
				assert.Equal(t, asks, asksToo, step)
			}
		})
	}
}

func TestAGuardAlsoProtectsWhatAnInnerConnectorReaches(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	id := app.Put(connector.Account{Username: "breakglass", Active: true})
	inner := map[string]any{"connector": "memory", "settings": map[string]any{"name": t.Name()}}
	before := app.Accounts()
	var refused *connector.ProtectedError
	for op, err := range everyChange(t, protecting(open(t, "jit", connector.Settings{"directory": "directory", "inner": inner}), "7"), id, id) {
		require.ErrorAs(t, err, &refused, op)
	}
	assert.Equal(t, before, app.Accounts())
}

func TestWhatIsProtectedCorrelatesWithNobody(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	app.Put(connector.Account{Username: "breakglass", ExternalID: "8", Active: true})
	app.Put(connector.Account{Username: "zoe", Active: true})
	c := open(t, "memory", connector.Settings{"name": t.Name()})
	find := func(person string, keys connector.Keys) []string {
		matches, err := protecting(c, person).Find(t.Context(), keys)
		require.NoError(t, err)
		names := []string{}
		for _, m := range matches {
			names = append(names, m.Account.Username)
		}
		return slices.Sorted(slices.Values(names))
	}
	assert.Equal(t, []string{"zoe"}, find("7", connector.Keys{PersonID: "7", Username: "zoe"}))
	assert.Empty(t, find("7", connector.Keys{PersonID: "7", Username: "breakglass"}))
	_, err := protecting(c, "8").Find(t.Context(), connector.Keys{PersonID: "8"})
	var refused *connector.ProtectedError
	require.ErrorAs(t, err, &refused, "it is marked as theirs: they are not simply without")
	assert.Empty(t, find("", connector.Keys{PersonID: "8"}), "who only lists goes on")
}

// If the guard cannot read the account, it makes no call to the app. That the account is
// off then does not prove that Disable did everything.
func TestWhatAGuardCouldNotLookAtIsUnfinished(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	id := app.Put(connector.Account{Username: "zoe"})
	guarded := protecting(open(t, "memory", connector.Settings{"name": t.Name()}), "7")
	app.SetFaults(memory.Faults{Kind: connector.KindUnavailable})
	var failed *connector.Error
	require.ErrorAs(t, guarded.Disable(t.Context(), id), &failed)
	assert.Equal(t, connector.OpRead, failed.Op)
	assert.True(t, failed.Unfinished)
	assert.Zero(t, app.Calls(connector.OpDisable))
}
