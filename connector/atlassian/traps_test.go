package atlassian_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/atlassian"
	"github.com/tenurehq/tenure/connector/atlassian/atlassiantest"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/connector/vendortest"
)

// none is an account ID that nobody has.
const none = "712020:00000000-0000-4000-8000-000000000000"

// A managed account is deactivated, also in other organisations; an unmanaged one is suspended
// in this one, and nothing else is done to it.
func TestManagedAndUnmanagedLeavers(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{}, nil)
	c := open(t, settings)
	own, foreign := app.AddUser("zoe@example.com"), app.AddUser("kim@contractor.net")
	app.GiveTokens(own, "t-1", "t-2")

	require.NoError(t, c.Disable(t.Context(), own))
	assert.Equal(t, atlassiantest.State{Account: "inactive", Membership: "active", Tokens: 2}, app.State(own))
	require.NoError(t, c.RevokeSessions(t.Context(), own))
	assert.Zero(t, app.State(own).Tokens, "tokens outlive a deactivation (ACCESS-1816)")

	err := c.RevokeSessions(t.Context(), foreign)
	assert.True(t, connector.Is(err, connector.KindForbidden), "%v", err)
	require.NoError(t, c.Disable(t.Context(), foreign))
	assert.Equal(t, atlassiantest.State{Account: "active", Membership: "suspended", Tokens: 1}, app.State(foreign))
	require.NoError(t, c.RevokeSessions(t.Context(), foreign), "nothing of theirs reaches the organisation")

	found, err := c.Find(t.Context(), connector.Keys{Email: "KIM@contractor.net"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, "kim@contractor.net", found[0].Account.Username, "an address in another domain is a username as a whole")

	require.NoError(t, c.Delete(t.Context(), foreign))
	assert.Equal(t, "no_membership", app.State(foreign).Membership)
	assert.True(t, connector.Is(c.Restore(t.Context(), foreign), connector.KindNotFound), "a removal cannot be undone")
	require.NoError(t, c.Delete(t.Context(), own))
	assert.True(t, app.State(own).Deleting)
	assert.True(t, connector.Is(c.Enable(t.Context(), own), connector.KindNotFound))
	require.NoError(t, c.Restore(t.Context(), own))
	assert.Equal(t, atlassiantest.State{Account: "inactive", Membership: "active"}, app.State(own), "Atlassian activates it, and we turn it off")
	app.Set(own, "closed", "")
	assert.True(t, connector.Is(c.Restore(t.Context(), own), connector.KindNotFound), "after 14 days")
}

// Whose deactivation is refused is suspended at least, and the step goes on saying why.
func TestRefusedDeactivationSuspends(t *testing.T) {
	for name, switches := range map[string]atlassiantest.Switches{
		"owns sites": {Blocked: true}, "provisioned": {Provisioned: true}, "scopes": {Scoped: true},
	} {
		app, settings := serve(t, switches, nil)
		c := open(t, settings)
		id := app.AddUser("zoe@example.com")
		for range 2 {
			err := c.Disable(t.Context(), id)
			var failed *connector.Error
			require.ErrorAs(t, err, &failed, name)
			assert.True(t, failed.Unfinished, name)
			assert.Contains(t, failed.Message, "until then, access to this organisation is suspended", name)
			assert.Equal(t, "suspended", app.State(id).Membership, name)
			assert.Equal(t, "active", app.State(id).Account, name)
		}
		app.SetSwitches(atlassiantest.Switches{})
		require.NoError(t, c.Disable(t.Context(), id), name)
		require.NoError(t, c.Enable(t.Context(), id), name)
		assert.Equal(t, atlassiantest.State{Account: "active", Membership: "active", Tokens: 1}, app.State(id), name)
	}
}

// A search may show what was: somebody is turned off also if it shows them as off.
func TestDisablingTrustsNoSearch(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{Stale: true}, nil)
	c := open(t, settings)
	own, foreign := app.AddUser("zoe@example.com"), app.AddUser("kim@contractor.net")
	for range 2 {
		require.NoError(t, c.Disable(t.Context(), own))
		require.NoError(t, c.Disable(t.Context(), foreign))
	}
	assert.Equal(t, "inactive", app.State(own).Account)
	assert.Equal(t, "suspended", app.State(foreign).Membership)

	app.SetSwitches(atlassiantest.Switches{Blocked: true})
	require.NoError(t, c.Disable(t.Context(), own), "Atlassian refuses to turn off what is off")
}

// An organisation administrator can be deactivated, and not be suspended.
func TestAdministratorsCannotBeSuspended(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{}, connector.Settings{"managed": false})
	c := open(t, settings)
	id := app.AddUser("zoe@example.com")
	require.NoError(t, c.Grant(t.Context(), id, []string{"role:org-admin"}))
	err := c.Disable(t.Context(), id)
	assert.True(t, connector.Is(err, connector.KindInvalid), "%v", err)
	assert.ErrorContains(t, err, "role:org-admin")
	require.NoError(t, c.Revoke(t.Context(), id, []string{"role:org-admin"}))
	require.NoError(t, c.Disable(t.Context(), id))
}

// That somebody is not there takes two answers of Atlassian's own.
func TestNotFoundIsCertain(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{}, nil)
	c := open(t, settings)
	_, err := c.Read(t.Context(), none)
	require.True(t, connector.Is(err, connector.KindNotFound), "%v", err)

	made, err := c.Create(t.Context(), connector.Spec{Username: "zoe", Active: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"everybody"}, made.Entitlements)
	for name, test := range map[string]struct {
		switches atlassiantest.Switches
		faults   vendortest.Faults
		kind     connector.ErrorKind
	}{
		"a search that lags":     {switches: atlassiantest.Switches{Lags: true}, kind: connector.KindContradictory},
		"pages in a circle":      {switches: atlassiantest.Switches{Circle: true, Lags: true}, kind: connector.KindContradictory},
		"no list":                {switches: atlassiantest.Switches{Mute: true}, kind: connector.KindContradictory},
		"a proxy":                {faults: vendortest.Faults{Proxies: 1}, kind: connector.KindUnavailable},
		"a gateway without code": {switches: atlassiantest.Switches{Misrouted: true}, kind: connector.KindUnavailable},
	} {
		app.SetSwitches(test.switches)
		app.Door().SetFaults(test.faults)
		_, err := c.Read(t.Context(), made.ID)
		assert.True(t, connector.Is(err, test.kind), "%s: %v", name, err)
		app.Door().SetFaults(test.faults)
		err = c.Delete(t.Context(), made.ID)
		assert.True(t, connector.Is(err, test.kind), "%s: delete: %v", name, err)
		app.Door().SetFaults(test.faults)
		_, err = c.Find(t.Context(), connector.Keys{AccountID: made.ID})
		assert.True(t, connector.Is(err, test.kind), "%s: find: %v", name, err)
		app.Door().SetFaults(vendortest.Faults{})
		app.SetSwitches(atlassiantest.Switches{})
	}

	settings["directory"] = "another"
	other := open(t, settings)
	_, err = other.Read(t.Context(), made.ID)
	assert.True(t, connector.Is(err, connector.KindInvalid), "a directory that the key does not see: %v", err)
	err = other.Delete(t.Context(), made.ID)
	assert.True(t, connector.Is(err, connector.KindInvalid), "%v", err)
	err = other.Revoke(t.Context(), made.ID, []string{"everybody"})
	assert.True(t, connector.Is(err, connector.KindInvalid), "%v", err)
}

func TestDirectories(t *testing.T) {
	_, settings := serve(t, atlassiantest.Switches{SecondOne: true}, nil)
	_, err := open(t, settings).Read(t.Context(), none)
	assert.True(t, connector.Is(err, connector.KindInvalid), "%v", err)
	assert.ErrorContains(t, err, "setting directory")
}

func TestSeatsAndSyncedGroups(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{NoSeats: true}, nil)
	c := open(t, settings)
	id := app.AddUser("kim@example.com")
	err := c.Grant(t.Context(), id, []string{"jira-users"})
	assert.True(t, connector.Is(err, connector.KindConflict), "%v", err)
	_, err = c.Create(t.Context(), connector.Spec{Username: "zoe", Active: true})
	assert.True(t, connector.Is(err, connector.KindContradictory), "the account may have been made: %v", err)
	assert.ErrorContains(t, err, "no seat")

	app.SetSwitches(atlassiantest.Switches{Synced: true})
	err = c.Grant(t.Context(), id, []string{"jira-users"})
	assert.True(t, connector.Is(err, connector.KindInvalid), "%v", err)
	assert.ErrorContains(t, err, "synchronised")
	app.SetSwitches(atlassiantest.Switches{})
	require.NoError(t, c.Grant(t.Context(), id, []string{"jira-users"}))
	app.SetSwitches(atlassiantest.Switches{Synced: true})
	assert.ErrorContains(t, c.Revoke(t.Context(), id, []string{"jira-users"}), "take it there")
}

// A managed account without membership counts as on, since its owner can sign in; a grant
// invites it.
func TestManagedAccountsOutsideTheDirectory(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{}, connector.Settings{"invitedTo": nil})
	c := open(t, settings)
	assert.False(t, c.Capabilities().Create)
	id := app.AddUser("zoe@example.com")
	app.Set(id, "", "no_membership")
	found, err := c.Find(t.Context(), connector.Keys{Username: "zoe"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.True(t, found[0].Account.Active)
	require.NoError(t, c.Grant(t.Context(), id, []string{"jira-users", "confluence-users"}))
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, []string{"confluence-users", "jira-users"}, account.Entitlements)
	assert.Equal(t, "active", app.State(id).Membership)
	assert.Zero(t, app.Mails())
}

func TestListShowsPeople(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{}, nil)
	c := open(t, settings)
	app.SetKind(app.AddUser("bot@example.com"), "app")
	deleted := app.AddUser("gone@example.com")
	require.NoError(t, c.Delete(t.Context(), deleted))
	var names []string
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		names = append(names, account.Username)
	}
	assert.Equal(t, []string{"admin"}, names)
}

func TestProbe(t *testing.T) {
	for name, test := range map[string]struct {
		switches atlassiantest.Switches
		problems int
	}{
		"scopes": {atlassiantest.Switches{Scoped: true}, 1}, "provisioned": {atlassiantest.Switches{Provisioned: true}, 3}, "all": {},
	} {
		_, settings := serve(t, test.switches, nil)
		problems := 0
		for _, finding := range open(t, settings).Probe(t.Context()) {
			if finding.Problem != "" {
				problems++
			}
		}
		assert.Equal(t, test.problems, problems, name)
	}
}

// TestTrial does what `tenure app test NAME --write` does.
func TestTrial(t *testing.T) {
	app, settings := serve(t, atlassiantest.Switches{}, connector.Settings{"invitation": "Welcome"})
	c := open(t, settings)
	try := &trial.Trial{Connector: c, Say: func(s trial.Step) { assert.NoError(t, s.Err, s.What) }}
	require.NoError(t, try.Look(t.Context()))
	require.NoError(t, try.Live(t.Context(), trial.Life{
		Account:      connector.Spec{PersonID: "test-1a2b", Username: "tenure-test-1a2b", Active: true},
		Entitlements: []string{"jira-users"},
	}))
	assert.Equal(t, 1, app.Mails())
	found, err := c.Find(t.Context(), connector.Keys{Username: "tenure-test-1a2b"})
	require.NoError(t, err)
	assert.Empty(t, found, "nothing is left")
}

func TestSettings(t *testing.T) {
	good := connector.Settings{"orgID": org, "token": key, "domain": "example.com", "invitedTo": []any{"everybody"}}
	connectortest.Settings(t, atlassian.Kind, good, map[string]connectortest.Setting{
		"good":          {},
		"a URL":         {Change: connector.Settings{"orgID": "https://admin.atlassian.com/o/1"}, Want: "ID"},
		"plain text":    {Change: connector.Settings{"url": "http://example.com"}, Want: "encrypted"},
		"an address":    {Change: connector.Settings{"domain": "zoe@example.com"}, Want: "domain"},
		"nobody to ask": {Change: connector.Settings{"invitedTo": nil, "invitation": "Welcome"}, Want: "invitedTo"},
		"no key":        {Change: connector.Settings{"token": nil}, Want: "token"},
	})
	f := atlassian.Kind.Foresees(good)
	assert.NotEmpty(t, f.Attribute("name"))
	assert.Empty(t, f.Entitlement("jira-users"))
	assert.Empty(t, f.Entitlement("role:org-admin"))
	assert.NotEmpty(t, f.Entitlement("role:owner"))
	assert.NotEmpty(t, f.Entitlement("licence:jira"))
}
