package onelogin_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/onelogin"
	"github.com/tenurehq/tenure/connector/onelogin/onelogintest"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/secret"
)

const clientSecret = "s3cret-that-nobody-may-see"

func serve(t *testing.T, switches onelogintest.Switches, roles ...string) (app *onelogintest.Service, settings connector.Settings) {
	t.Helper()
	app = onelogintest.New(onelogintest.Options{ClientID: "tenure", ClientSecret: clientSecret, Roles: roles}, switches)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return app, connector.Settings{"url": server.URL, "clientID": "tenure", "clientSecret": secret.Of(clientSecret)}
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := onelogin.Kind.Open(t.Context(), connector.Env{App: "onelogin"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return mailed{c}
}

// mailed maps the e-mail address, which OneLogin requires, as policy does, where a test does
// not.
type mailed struct{ connector.Connector }

func (m mailed) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	sum := sha256.Sum256([]byte(spec.Username))
	attributes := map[string]any{"email": hex.EncodeToString(sum[:8]) + "@example.com"}
	maps.Copy(attributes, spec.Attributes)
	spec.Attributes = attributes
	return m.Connector.Create(ctx, spec)
}

func target(app *onelogintest.Service, settings connector.Settings) connectortest.Target {
	return connectortest.Target{
		Kind: onelogin.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := onelogin.Kind.Open(t.Context(), connector.Env{App: "onelogin"}, settings)
			require.NoError(t, err)
			return mailed{c}
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
			Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: onelogin.Kind.LastUse,
		},
		Entitlements: [2]string{"staff", "engineers"},
		Attributes:   [2]string{"title", "department"},
		Deviations: map[connectortest.Deviation]string{
			connectortest.PagesShift: "OneLogin does not say that a list stays whole when users are deleted: the stand-in assumes the worst",
		},
		KeyAttributes: map[connector.MatchKey]string{connector.ByEmail: "email"},
		Secrets:       []string{clientSecret, settings["url"].(string)},
		Seed: func(_ *testing.T, account connector.Account) {
			app.AddUser(map[string]any{"username": account.Username, "email": account.Username + "@example.com", "external_id": account.ExternalID})
		},
		Rename: func(_ *testing.T, account connector.Account, username string) {
			app.SetField(account.ID, "username", username)
		},
		Faults: connectortest.Behind(app.Door(), func(accepts bool) {
			app.SetSecret(map[bool]string{true: clientSecret, false: "another"}[accepts])
		}),
	}
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	type (
		on    = onelogintest.Switches
		fails = map[string]connector.ErrorKind
	)
	run := func(switches on, refused fails) connectortest.Trapped[on] {
		return connectortest.Trapped[on]{On: switches, Fails: refused, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, settings := serve(t, on{}, "staff", "engineers")
			return app, target(app, settings)
		}}
	}
	const forbidden = connector.KindForbidden
	connectortest.RunTrapped(t, connectortest.Vendor[on]{Kind: "onelogin", Runs: map[string]connectortest.Trapped[on]{
		"as documented":    run(on{}, nil),
		"password pending": run(on{PasswordPending: true}, nil),
		"short pages":      run(on{PageSize: 7}, nil),
		"others are found": run(on{Foreign: true}, nil),
		"a mapping":        run(on{Mapping: "staff"}, fails{}),
		"read only": run(on{ReadOnly: true}, fails{
			connector.OpCreate: forbidden, connector.OpUpdate: forbidden, connector.OpRelabel: forbidden,
			connector.OpGrant: forbidden, connector.OpRevoke: forbidden, connector.OpDisable: forbidden,
			connector.OpEnable: forbidden, connector.OpRevokeSessions: forbidden, connector.OpDelete: forbidden,
			connectortest.UpdateDisabled: forbidden,
		}),
	}})
}

// Whether somebody can sign in depends on the status and the state.
func TestStatusAndState(t *testing.T) {
	app, settings := serve(t, onelogintest.Switches{})
	c := open(t, settings)
	on := map[int]bool{0: false, 1: true, 2: false, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true}
	for status, byStatus := range on {
		for state, byState := range map[int]bool{0: false, 1: true, 2: false, 3: true, 9: true} {
			id := app.AddUser(map[string]any{"username": "zoe", "email": "zoe@example.com", "status": status, "state": state})
			account, err := c.Read(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, byStatus && byState, account.Active, "status %d, state %d", status, state)
			require.NoError(t, c.Enable(t.Context(), id))
			account, err = c.Read(t.Context(), id)
			require.NoError(t, err)
			assert.True(t, account.Active, "both are made right")
			require.NoError(t, c.Disable(t.Context(), id))
			assert.EqualValues(t, 2, app.Field(id, "status"))
			require.NoError(t, c.Delete(t.Context(), id))
		}
	}
}

func TestTraps(t *testing.T) {
	app, settings := serve(t, onelogintest.Switches{}, "staff", "mapped")
	c := open(t, settings)
	id := app.AddUser(map[string]any{"username": "zoe", "email": "zoe@example.com", "custom_attributes": map[string]any{"floor": "3"}})
	other := app.AddUser(map[string]any{"username": "kim", "email": "kim@example.com"})

	require.NoError(t, c.RevokeSessions(t.Context(), id))
	assert.False(t, app.Sessions(id))
	assert.True(t, app.Sessions(other))

	app.SetSwitches(onelogintest.Switches{Foreign: true})
	found, err := c.Find(t.Context(), connector.Keys{Username: "zoe"})
	require.NoError(t, err)
	require.Len(t, found, 1, "who was not asked for is left out")
	assert.Equal(t, id, found[0].Account.ID)

	app.SetSwitches(onelogintest.Switches{Mapping: "mapped"})
	require.NoError(t, c.Revoke(t.Context(), id, []string{"mapped"}))
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, []string{"mapped"}, account.Entitlements, "a mapping gives it back, which the proof sees")

	assert.Equal(t, "3", account.Attributes["custom_attributes.floor"])
	require.NoError(t, c.Update(t.Context(), id, map[string]any{"custom_attributes.floor": "", "custom_attributes.wing": "B"}))
	account, err = c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"email": "zoe@example.com", "custom_attributes.wing": "B"}, account.Attributes)
	assert.True(t, connector.Is(c.Update(t.Context(), id, map[string]any{"status": "1"}), connector.KindInvalid), "policy does not turn accounts on")
	assert.True(t, connector.Is(c.Update(t.Context(), id, map[string]any{"email": "kim@example.com"}), connector.KindInvalid))

	app.SetSwitches(onelogintest.Switches{ReadOnly: true})
	problems := 0
	for _, finding := range c.Probe(t.Context()) {
		if finding.Problem != "" {
			problems++
		}
	}
	assert.Equal(t, 1, problems)
	assert.True(t, connector.Is(c.Disable(t.Context(), id), connector.KindForbidden))
}

// TestTrial does what `tenure app test NAME --write` does.
func TestTrial(t *testing.T) {
	app, settings := serve(t, onelogintest.Switches{PasswordPending: true}, "staff")
	c := open(t, settings)
	try := &trial.Trial{Connector: c, Say: func(s trial.Step) { assert.NoError(t, s.Err, s.What) }}
	require.NoError(t, try.Look(t.Context()))
	require.NoError(t, try.Live(t.Context(), trial.Life{
		Account:      connector.Spec{PersonID: "test-1a2b", Username: "tenure-test-1a2b", Active: true, Attributes: map[string]any{"title": "Tester"}},
		Changed:      map[string]any{"title": "Other"},
		Cleared:      map[string]any{"title": ""},
		Entitlements: []string{"staff"},
	}))
	assert.Nil(t, app.Field("1001", "username"), "nothing is left")
}

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "https://example.onelogin.com", "clientID": "a", "clientSecret": "b"}
	connectortest.Settings(t, onelogin.Kind, good, map[string]connectortest.Setting{
		"good":       {},
		"API's path": {Change: connector.Settings{"url": "https://example.onelogin.com/api/2"}, Want: "/api"},
		"plain text": {Change: connector.Settings{"url": "http://example.onelogin.com"}, Want: "encrypted"},
		"no secret":  {Change: connector.Settings{"clientSecret": nil}, Want: "clientSecret"},
	})
	f := onelogin.Kind.Foresees(good)
	assert.Empty(t, f.Attribute("title"))
	assert.Empty(t, f.Attribute("custom_attributes.floor"))
	assert.NotEmpty(t, f.Attribute("external_id"))
}

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	app, settings := serve(t, onelogintest.Switches{})
	connectortest.ListMany(t, target(app, settings), func(number int, text string) {
		app.AddUser(map[string]any{"username": fmt.Sprintf("user%d", number), "email": fmt.Sprintf("user%d@example.com", number), "title": text})
	})
}

func TestWhenAnAccountWasLastUsed(t *testing.T) {
	app, settings := serve(t, onelogintest.Switches{})
	c := open(t, settings)
	id := app.AddUser(map[string]any{"username": "zoe", "email": "zoe@example.com"})
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Zero(t, account.LastUsedAt, "OneLogin shows null")
	app.SetField(id, "last_login", "2026-11-30T08:15:00.000Z")
	account, err = c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 11, 30, 8, 15, 0, 0, time.UTC), account.LastUsedAt)
}
