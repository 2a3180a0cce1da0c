package zoom_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/connector/zoom"
	"github.com/tenurehq/tenure/connector/zoom/zoomtest"
)

func is(t *testing.T, err error, kind connector.ErrorKind, says string) {
	t.Helper()
	assert.True(t, connector.Is(err, kind), "%v", err)
	assert.ErrorContains(t, err, says)
}

func TestDeletingIsNoDisassociation(t *testing.T) {
	app, settings := serve(t, 5, zoomtest.Switches{}, nil)
	c := open(t, settings)
	id := app.AddUser(map[string]any{"email": "zoe@example.com"})
	require.NoError(t, c.Delete(t.Context(), id))
	assert.Equal(t, []url.Values{{"action": {"delete"}}}, app.Deletions())
	deletes := slices.IndexFunc(zoom.Kind.Operations, func(o connector.Operation) bool { return o.Op == connector.OpDelete })
	assert.Equal(t, c.Capabilities().HandOverByDelete, zoom.Kind.Operations[deletes].HandsOver, "tables say so")
	is(t, readError(t, c, id), connector.KindNotFound, "no such user")
}

func readError(t *testing.T, c connector.Connector, id string) error {
	t.Helper()
	_, err := c.Read(t.Context(), id)
	return err
}

func TestDataGoesToTheRecipientAsTheUserIsDeleted(t *testing.T) {
	app, settings := serve(t, 5, zoomtest.Switches{}, connector.Settings{"handOver": []any{"meetings", "recordings", "whiteboards"}})
	c := open(t, settings)
	add := func(email string, kind int, status string) string {
		return app.AddUser(map[string]any{"email": email, "type": kind, "status": status})
	}
	id, kim := add("zoe@example.com", 1, "inactive"), add("kim@example.com", 2, "active")
	for to, says := range map[string]string{
		add("basic@example.com", 1, "active"):    "no licence",
		add("off@example.com", 2, "inactive"):    "not active",
		add("waiting@example.com", 1, "pending"): "not active",
		"Zm999999AbCdEf":                         "name somebody else",
	} {
		err := c.Delete(connector.WithRecipient(t.Context(), to), id)
		is(t, err, connector.KindInvalid, says)
		assert.NoError(t, readError(t, c, id), "the user is there: a missing recipient is no missing user")
	}
	app.SetEvents(id)
	is(t, c.Delete(t.Context(), id), connector.KindInvalid, "needs a recipient")

	app.SetSwitches(zoomtest.Switches{RecipientGone: true})
	is(t, c.Delete(connector.WithRecipient(t.Context(), kim), id), connector.KindUnavailable, "one of the two")
	app.SetSwitches(zoomtest.Switches{})

	require.NoError(t, c.Delete(connector.WithRecipient(t.Context(), kim), id))
	assert.Equal(t, []url.Values{{
		"action": {"delete"}, "transfer_email": {"kim@example.com"},
		"transfer_meeting": {"true"}, "transfer_recording": {"true"}, "transfer_whiteboard": {"true"},
	}}, app.Deletions())
	require.NoError(t, c.Delete(connector.WithRecipient(t.Context(), kim), id), "again")
}

// A pending user can accept the invitation at any time, so they count as on until it is taken
// back.
func TestPendingUsers(t *testing.T) {
	for name, switches := range map[string]zoomtest.Switches{"shown": {}, "shown by the ID only": {BarePending: true}} {
		t.Run(name, func(t *testing.T) {
			app, settings := serve(t, 5, switches, connector.Settings{"create": "create"})
			c := open(t, settings)
			made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "zoe", Active: true, Attributes: map[string]any{"first_name": "Zoë"}})
			require.NoError(t, err)
			assert.Equal(t, "zoe", made.Username)
			assert.True(t, made.Active)
			assert.Zero(t, made.CreatedAt, "Zoom shows the time of the call")

			account, err := c.Read(t.Context(), made.ID)
			require.NoError(t, err)
			assert.True(t, account.Active)
			keeps, err := c.Keeps(t.Context(), account, "first_name", "Zoë")
			if switches.BarePending {
				is(t, err, connector.KindPending, "not accepted")
			} else {
				require.NoError(t, err)
				assert.True(t, keeps)
			}
			for _, keys := range []connector.Keys{{PersonID: "p-1"}, {Username: "ZOE"}, {Email: "zoe@example.com"}} {
				found, err := c.Find(t.Context(), keys)
				require.NoError(t, err)
				require.Len(t, found, 1, "%v", keys)
				assert.Equal(t, made.ID, found[0].Account.ID)
			}
			listed := map[string]bool{}
			for account, err := range c.List(t.Context()) {
				require.NoError(t, err)
				listed[account.ID] = true
			}
			assert.True(t, listed[made.ID], "lists show no IDs of pending users")

			require.NoError(t, c.RevokeSessions(t.Context(), made.ID))
			require.NoError(t, c.Disable(t.Context(), made.ID))
			assert.Equal(t, []url.Values{{"action": {"disassociate"}}}, app.Deletions(), "the invitation is taken back")
			is(t, readError(t, c, made.ID), connector.KindNotFound, "no such user")

			waiting := app.AddUser(map[string]any{"email": "kim@example.com", "status": "pending"})
			require.NoError(t, c.Delete(connector.WithRecipient(t.Context(), waiting), waiting), "nothing is handed over")
			_, err = c.Create(t.Context(), connector.Spec{Username: "max", Active: false})
			is(t, err, connector.KindUnsupported, "at any time")
		})
	}
}

func TestACreationThatIsNotCompleted(t *testing.T) {
	app, settings := serve(t, 5, zoomtest.Switches{PendingUnset: true}, connector.Settings{"create": "create"})
	c := open(t, settings)
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "zoe", Active: true})
	is(t, err, connector.KindContradictory, "was made")
	assert.NotEmpty(t, made.ID)
	is(t, c.Update(t.Context(), made.ID, map[string]any{"dept": "R&D"}), connector.KindPending, "has not accepted")

	app.Accept()
	require.NoError(t, c.Adopt(t.Context(), made.ID, "p-1"))
}

func TestAnotherAccountsAddress(t *testing.T) {
	app, settings := serve(t, 5, zoomtest.Switches{}, nil)
	c := open(t, settings)
	app.SetElsewhere("zoe@example.com")
	_, err := c.Find(t.Context(), connector.Keys{Username: "zoe"})
	is(t, err, connector.KindConflict, "another Zoom account")
	_, err = c.Create(t.Context(), connector.Spec{Username: "zoe", Active: true})
	is(t, err, connector.KindInvalid, "another Zoom account")

	id := app.AddUser(map[string]any{"email": "kim@example.com"})
	app.SetField(id, "email", "kim.new@example.com")
	found, err := c.Find(t.Context(), connector.Keys{Username: "kim"})
	require.NoError(t, err)
	assert.Empty(t, found, "an address that somebody had is not theirs for ever")
}

// "me" is whoever owns the app, in every path.
func TestMeIsNobody(t *testing.T) {
	app, settings := serve(t, 5, zoomtest.Switches{}, nil)
	c := open(t, settings)
	for _, id := range []string{"me", zoomtest.Owner} {
		for name, call := range map[string]func() error{
			"read": func() error { return readError(t, c, id) }, "disable": func() error { return c.Disable(t.Context(), id) },
			"delete": func() error { return c.Delete(t.Context(), id) }, "sessions": func() error { return c.RevokeSessions(t.Context(), id) },
			"update": func() error { return c.Update(t.Context(), id, map[string]any{"dept": "x"}) },
			"grant":  func() error { return c.Grant(t.Context(), id, []string{"staff"}) },
		} {
			assert.True(t, connector.Is(call(), connector.KindContradictory), name)
		}
	}
	assert.Empty(t, app.Deletions())
	assert.True(t, app.Sessions("me"))
}

func TestSeats(t *testing.T) {
	for name, silent := range map[string]bool{"refused": false, "not given, and not said": true} {
		t.Run(name, func(t *testing.T) {
			app, settings := serve(t, 2, zoomtest.Switches{SilentSeats: silent}, connector.Settings{"licences": true, "roles": true})
			c := open(t, settings)
			first, second := app.AddUser(map[string]any{"email": "zoe@example.com"}), app.AddUser(map[string]any{"email": "kim@example.com"})
			require.NoError(t, c.Grant(t.Context(), first, []string{"licence:Licensed"}))
			for e, err := range c.Entitlements(t.Context()) {
				require.NoError(t, err)
				if e.Kind == connector.Licence {
					assert.Equal(t, connector.Seats{Total: 2, Used: 2}, e.Seats)
				}
				assert.NotEqual(t, "role:Member", e.Name)
			}
			err := c.Grant(t.Context(), second, []string{"licence:Licensed", "staff"})
			account, readErr := c.Read(t.Context(), second)
			require.NoError(t, readErr)
			assert.Equal(t, []string{"staff"}, account.Entitlements, "the rest is given, and no licence is shown that is not there")
			if !silent {
				is(t, err, connector.KindConflict, "all 2 seats")
			}
			require.NoError(t, c.Revoke(t.Context(), first, []string{"licence:Licensed"}))
			assert.Equal(t, 1, app.Field(first, "type"))
			require.NoError(t, c.Grant(t.Context(), second, []string{"licence:Licensed"}))
		})
	}
}

func TestAUserHasOneRole(t *testing.T) {
	app, settings := serve(t, 2, zoomtest.Switches{}, connector.Settings{"roles": true})
	c := open(t, settings)
	id := app.AddUser(map[string]any{"email": "zoe@example.com"})
	is(t, c.Grant(t.Context(), id, []string{"role:Analyst", "role:Admin"}), connector.KindInvalid, "one role")
	assert.Equal(t, "3", app.Field(id, "role_id"))
	require.NoError(t, c.Grant(t.Context(), id, []string{"role:Admin"}))
	require.NoError(t, c.Revoke(t.Context(), id, []string{"role:Analyst", "role:Admin"}))
	assert.Equal(t, "2", app.Field(id, "role_id"), "a member, as everybody is")
	is(t, c.Grant(t.Context(), id, []string{"role:Member"}), connector.KindInvalid, "everybody")
	is(t, c.Disable(t.Context(), ownerID(t, c)), connector.KindForbidden, "owner")
}

func ownerID(t *testing.T, c connector.Connector) string {
	t.Helper()
	found, err := c.Find(t.Context(), connector.Keys{Username: "owner"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0].Account.ID
}

func TestWithoutAPersonAttribute(t *testing.T) {
	app, settings := serve(t, 2, zoomtest.Switches{}, connector.Settings{"personAttribute": nil})
	c := open(t, settings)
	assert.False(t, c.Capabilities().Adopt)
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "zoe", Active: true, Attributes: map[string]any{"custom_attributes.floor": "3"}})
	require.NoError(t, err)
	assert.Equal(t, []any{map[string]any{"key": "floor", "value": "3"}}, app.Field(made.ID, "custom_attributes"), "and nothing about the person")
	found, err := c.Find(t.Context(), connector.Keys{PersonID: "p-1", Username: "zoe"})
	require.NoError(t, err)
	assert.Equal(t, []connector.Match{{Account: made, By: connector.ByUsername}}, found)
}

func TestCustomAttributesStayWhenOneIsChanged(t *testing.T) {
	app, settings := serve(t, 2, zoomtest.Switches{CustomReplaced: true}, nil)
	c := open(t, settings)
	id := app.AddUser(map[string]any{"email": "zoe@example.com", "custom_attributes": []any{map[string]any{"key": "floor", "name": "Floor", "value": "3"}}})
	require.NoError(t, c.Adopt(t.Context(), id, "p-1"))
	require.NoError(t, c.Update(t.Context(), id, map[string]any{"custom_attributes.wing": "B"}))
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, "p-1", account.ExternalID)
	assert.Equal(t, map[string]any{"custom_attributes.floor": "3", "custom_attributes.wing": "B"}, account.Attributes)
}

func TestLimits(t *testing.T) {
	app, settings := serve(t, 2, zoomtest.Switches{}, nil)
	c := open(t, settings)
	id := app.AddUser(map[string]any{"email": "zoe@example.com"})
	_, err := c.Check(t.Context()) // it has a token from now on
	require.NoError(t, err)
	for name, test := range map[string]struct {
		faults   vendortest.Faults
		switches zoomtest.Switches
		kind     connector.ErrorKind
		wait     time.Duration
	}{
		"by the second":               {vendortest.Faults{Limited: true}, zoomtest.Switches{}, connector.KindRateLimited, time.Second},
		"by the day, until when":      {vendortest.Faults{Limited: true, Wait: 5 * time.Hour}, zoomtest.Switches{Daily: true}, connector.KindRateLimited, 5 * time.Hour},
		"by the day, not until when":  {vendortest.Faults{Limited: true}, zoomtest.Switches{Daily: true}, connector.KindRateLimited, time.Hour},
		"being disassociated already": {vendortest.Faults{}, zoomtest.Switches{Leaving: true}, connector.KindUnavailable, 0},
	} {
		app.SetSwitches(test.switches)
		app.Door().SetFaults(test.faults)
		err := c.Delete(t.Context(), id)
		var failed *connector.Error
		require.ErrorAs(t, err, &failed, name)
		assert.Equal(t, test.kind, failed.Kind, name)
		assert.Equal(t, test.wait, failed.RetryAfter, name)
	}
}

func TestProbeNamesTheScopesThatAreMissing(t *testing.T) {
	app, settings := serve(t, 2, zoomtest.Switches{Scopes: []string{"user:read:user:admin", "user:read:list_users:admin", "group:write:admin"}}, connector.Settings{"roles": true})
	c := open(t, settings)
	problems := map[string]string{}
	for _, finding := range c.Probe(t.Context()) {
		if finding.Problem != "" {
			problems[finding.What] = finding.Problem
		}
	}
	assert.Contains(t, problems["may deactivate users"], "user:update:status:admin")
	assert.NotContains(t, problems, "may add to groups", "a classic scope")
	assert.Contains(t, problems, "may give roles")
	assert.NotContains(t, problems, "may see how many licences are left")
	id := app.AddUser(map[string]any{"email": "zoe@example.com"})
	is(t, c.Disable(t.Context(), id), connector.KindForbidden, "lacks a scope")
}

// TestTrial does what `tenure app test NAME --write` does.
func TestTrial(t *testing.T) {
	app, settings := serve(t, 2, zoomtest.Switches{}, connector.Settings{"roles": true, "licences": true})
	c := open(t, settings)
	try := &trial.Trial{Connector: c, Say: func(s trial.Step) { assert.NoError(t, s.Err, s.What) }}
	require.NoError(t, try.Look(t.Context()))
	require.NoError(t, try.Live(t.Context(), trial.Life{
		Account:      connector.Spec{PersonID: "test-1a2b", Username: "tenure-test-1a2b", Active: true, Attributes: map[string]any{"job_title": "Tester"}},
		Changed:      map[string]any{"job_title": "Other"},
		Cleared:      map[string]any{"job_title": ""},
		Entitlements: []string{"staff", "licence:Licensed"},
	}))
	assert.Len(t, app.Deletions(), 1, "nothing is left")
}

func TestSettings(t *testing.T) {
	good := connector.Settings{"accountID": "a", "clientID": "b", "clientSecret": "c", "domain": "example.com"}
	connectortest.Settings(t, zoom.Kind, good, map[string]connectortest.Setting{
		"good":              {},
		"no domain":         {Change: connector.Settings{"domain": "example"}, Want: "domain"},
		"custCreate":        {Change: connector.Settings{"create": "custCreate"}, Want: "ssoCreate"},
		"chats":             {Change: connector.Settings{"handOver": []any{"chats"}}, Want: "handed over"},
		"plain text":        {Change: connector.Settings{"url": "http://api.example.com"}, Want: "encrypted"},
		"token in the open": {Change: connector.Settings{"tokenURL": "http://zoom.example.com/oauth/token"}, Want: "encrypted"},
	})
	good["personAttribute"] = personKey
	f := zoom.Kind.Foresees(good)
	assert.Empty(t, f.Attribute("job_title"))
	assert.Empty(t, f.Attribute("custom_attributes.floor"))
	assert.NotEmpty(t, f.Attribute("custom_attributes."+personKey))
	assert.NotEmpty(t, f.Attribute("email"))
	assert.Empty(t, f.Entitlement("staff"))
	assert.NotEmpty(t, f.Entitlement("licence:Licensed"))
	assert.NotEmpty(t, f.Entitlement("role:Admin"))
}
