package memory_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
)

func fresh(t *testing.T) (*memory.App, connector.Connector) {
	t.Helper()
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	return app, open(t, t.Name())
}

func TestConnectorsOfOneNameShareAnApp(t *testing.T) {
	one, two, other := open(t, "shared-a"), open(t, "shared-a"), open(t, "shared-b")
	made, err := one.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	seen, err := two.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, seen)
	_, err = other.Read(t.Context(), made.ID)
	require.Error(t, err)
	assert.Equal(t, []connector.Account{made}, memory.Shared("shared-a").Accounts())

	unnamed, err := memory.Kind.Open(t.Context(), connector.Env{App: "shared-a"}, nil)
	require.NoError(t, err)
	_, err = unnamed.Read(t.Context(), made.ID)
	assert.NoError(t, err, "without a name, the app's own is taken")

	memory.Shared("shared-a").Reset()
	assert.Empty(t, memory.Shared("shared-a").Accounts())
}

func TestHooks(t *testing.T) {
	app, c := fresh(t)
	var seen []string
	app.OnCall(func(_ context.Context, op, accountID string) error {
		seen = append(seen, op+" "+accountID)
		if op == connector.OpDisable {
			return errors.New("anna.smith cannot be disabled")
		}
		return nil
	})
	refuse := &connector.Error{Kind: connector.KindForbidden, Op: connector.OpEnable, Message: "no"}
	app.AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpEnable {
			return refuse
		}
		return nil
	})
	id := app.Put(connector.Account{Username: "anna"})

	err := c.Disable(t.Context(), id)
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindUnavailable, failed.Kind)
	assert.NotContains(t, err.Error(), "anna")

	assert.Equal(t, refuse, c.Enable(t.Context(), id))
	account, ok := app.Account(id)
	require.True(t, ok)
	assert.True(t, account.Active, "done before the hook failed")

	assert.Equal(t, []string{"disable " + id, "enable " + id}, seen)
	assert.Equal(t, 1, app.Calls(connector.OpDisable))
	assert.Equal(t, 0, app.Calls(connector.OpDelete))
	app.OnCall(nil)
	require.NoError(t, c.Disable(t.Context(), id))
	assert.Equal(t, 2, app.Calls(connector.OpDisable))
}

func TestAccountsAreCopies(t *testing.T) {
	app, c := fresh(t)
	tags := []string{"a", "b"}
	id := app.Put(connector.Account{Username: "anna", Attributes: map[string]any{"tags": tags}, Entitlements: []string{"staff"}})
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	account.Attributes["tags"].([]string)[0] = "x"
	account.Attributes["title"] = "x"
	account.Entitlements[0] = "x"
	tags[1] = "x"
	again, _ := app.Account(id)
	assert.Equal(t, map[string]any{"tags": []string{"a", "b"}}, again.Attributes)
	assert.Equal(t, []string{"staff"}, again.Entitlements)
}

func TestHandOver(t *testing.T) {
	app, c := fresh(t)
	from, to := app.Put(connector.Account{Username: "anna"}), app.Put(connector.Account{Username: "bob"})
	require.NoError(t, c.HandOver(t.Context(), from, to))
	got, ok := app.HandedOver(from)
	assert.True(t, ok)
	assert.Equal(t, to, got)
	require.Error(t, c.HandOver(t.Context(), to, "nobody"))
	_, ok = app.HandedOver(to)
	assert.False(t, ok)
}

func TestAttributesThatWillNotDo(t *testing.T) {
	app, c := fresh(t)
	id := app.Put(connector.Account{Username: "anna"})
	err := c.Update(t.Context(), id, map[string]any{"good": "x", "bad": 1.5})
	assert.ErrorContains(t, err, `attribute "bad" must be a string, bool, int64 or list of strings, not float64`)
	account, _ := app.Account(id)
	assert.Empty(t, account.Attributes, "all or none")
}
