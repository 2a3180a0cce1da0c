package okta_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/secret"
)

// Somebody who comes back has a deactivated account, which lists leave out, and which nobody
// may make a twin of.
func TestADeactivatedAccountIsFoundByEveryKey(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Hour} {
		org, url := serve(t, oktatest.Switches{})
		c := open(t, connector.Settings{"url": url, "token": token, "searchLag": "2h"})
		id := org.AddUser(oktatest.Seed{Status: "DEPROVISIONED", Login: "zoe@example.com", Profile: map[string]any{"employeeNumber": "p-1"}})
		org.SetSwitches(oktatest.Switches{SearchLag: lag})
		for by, keys := range map[connector.MatchKey]connector.Keys{
			connector.ByExternalID: {PersonID: "p-1"}, connector.ByUsername: {Username: "ZOE@example.com"},
			connector.ByEmail: {Email: "seed@example.com"}, connector.ByAccountID: {AccountID: id},
		} {
			found, err := c.Find(t.Context(), keys)
			require.NoError(t, err)
			require.Len(t, found, 1, by)
			assert.Equal(t, id, found[0].Account.ID)
			assert.Equal(t, by, found[0].By)
		}
		var listed []string
		for account, err := range c.List(t.Context()) {
			require.NoError(t, err)
			listed = append(listed, account.ID)
		}
		assert.Equal(t, []string{id}, listed)
	}
}

// Okta keeps no user without an address. Whoever has none yet has the login for it.
func TestTheLoginStandsInForAnEmptyAddress(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	for username, settings := range map[string]connector.Settings{
		"zoe":             {"usernameSuffix": "@example.com"},
		"max@example.com": nil,
	} {
		all := connector.Settings{"url": url, "token": token}
		maps.Copy(all, settings)
		c := open(t, all)
		empty := map[string]any{"firstName": "Zoë", "lastName": "Doe", "email": ""}
		made, err := c.Create(t.Context(), connector.Spec{Username: username, PersonID: "p-" + username, Active: true, Attributes: empty})
		require.NoError(t, err)
		empty["title"] = "CTO"
		for _, address := range []any{"", nil, "zoe@elsewhere.example", ""} {
			empty["email"] = address
			require.NoError(t, c.Update(t.Context(), made.ID, empty), "%v", address)
			account, err := c.Read(t.Context(), made.ID)
			require.NoError(t, err)
			dropped, err := connector.Dropped(t.Context(), c, account, empty)
			require.NoError(t, err)
			assert.Empty(t, dropped)
		}
		account, err := c.Read(t.Context(), made.ID)
		require.NoError(t, err)
		assert.Contains(t, account.Attributes["email"], "@example.com")
		account.Attributes["email"] = "old@example.com"
		kept, err := c.Keeps(t.Context(), account, "email", "")
		require.NoError(t, err)
		assert.False(t, kept, "another address is not empty")
	}
	id := org.AddUser(oktatest.Seed{Login: "no-address"})
	c := open(t, connector.Settings{"url": url, "token": token})
	assert.True(t, connector.Is(c.Update(t.Context(), id, map[string]any{"email": ""}), connector.KindInvalid), "there is nothing to stand in")
}

// What a search says may be old: somebody else may have the person ID by now, or nobody.
func TestASearchIsAHint(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := named{open(t, connector.Settings{"url": url, "token": token})}
	moved := org.AddUser(oktatest.Seed{Login: "moved@example.com", Profile: map[string]any{"employeeNumber": "p-1"}})
	gone := org.AddUser(oktatest.Seed{Login: "gone@example.com", Profile: map[string]any{"employeeNumber": "p-2"}})
	org.SetSwitches(oktatest.Switches{SearchLag: time.Hour})
	require.NoError(t, c.Relabel(t.Context(), moved, connector.Label{PersonID: "p-9", WasPersonID: "p-1"}))
	require.NoError(t, c.Delete(t.Context(), gone))
	for _, person := range []string{"p-1", "p-2"} {
		found, err := c.Find(t.Context(), connector.Keys{PersonID: person})
		require.NoError(t, err)
		assert.Empty(t, found, person)
	}
	found, err := c.Find(t.Context(), connector.Keys{PersonID: "p-9"})
	require.NoError(t, err)
	require.Len(t, found, 1, "searches will know it in an hour only")
	assert.Equal(t, moved, found[0].Account.ID)
}

// Okta takes the part of a login before the @ for a login, and "me" for whoever asks.
func TestALoginIsComparedWithWhatWasAskedFor(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := open(t, connector.Settings{"url": url, "token": token})
	org.AddUser(oktatest.Seed{Login: "zoe@example.com"})
	slash := org.AddUser(oktatest.Seed{Login: "team/zoe@example.com"})
	found, err := c.Find(t.Context(), connector.Keys{Username: "zoe"})
	require.NoError(t, err)
	assert.Empty(t, found)
	found, err = c.Find(t.Context(), connector.Keys{Username: "team/zoe@example.com"})
	require.NoError(t, err)
	require.Len(t, found, 1, "such a login cannot stand in a path")
	assert.Equal(t, slash, found[0].Account.ID)
	found, err = c.Find(t.Context(), connector.Keys{Username: "team/other@example.com"})
	require.NoError(t, err)
	assert.Empty(t, found)
}

// The token must not go to another host, and the list is not complete without the next page.
func TestANextPageOnAnotherHostIsRefused(t *testing.T) {
	org, url := serve(t, oktatest.Switches{ForeignLink: true, PageSize: 1})
	c := open(t, connector.Settings{"url": url, "token": token})
	for _, login := range []string{"a@example.com", "b@example.com"} {
		org.AddUser(oktatest.Seed{Login: login})
	}
	var last error
	for _, err := range c.List(t.Context()) {
		last = err
	}
	assert.True(t, connector.Is(last, connector.KindContradictory), last)
	_, err := c.Find(t.Context(), connector.Keys{Email: "seed@example.com"})
	assert.True(t, connector.Is(err, connector.KindContradictory), err)
}

// Okta names the time of the reset by its own clock, and sends no Retry-After.
func TestTheResetIsReckonedByOktasClock(t *testing.T) {
	for _, skew := range []time.Duration{0, 5 * time.Hour, -5 * time.Hour} {
		org, url := serve(t, oktatest.Switches{Skew: skew})
		c := open(t, connector.Settings{"url": url, "token": token})
		org.Door().SetFaults(vendortest.Faults{Limited: true, Wait: 40 * time.Second})
		_, err := c.Read(t.Context(), "00u1")
		var failed *connector.Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, connector.KindRateLimited, failed.Kind)
		assert.Equal(t, 40*time.Second, failed.RetryAfter)
	}
}

// A deactivated account can be changed only where the org allows it: the error says where.
func TestChangingADeactivatedAccount(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := open(t, connector.Settings{"url": url, "token": token})
	id := org.AddUser(oktatest.Seed{Status: "DEPROVISIONED", Login: "zoe@example.com"})
	for _, change := range []func() error{
		func() error { return c.Update(t.Context(), id, map[string]any{"title": "CTO"}) },
		func() error { return c.Adopt(t.Context(), id, "p-1") },
		func() error { return c.Relabel(t.Context(), id, connector.Label{Username: "new@example.com"}) },
	} {
		org.SetSwitches(oktatest.Switches{})
		err := change()
		assert.True(t, connector.Is(err, connector.KindInvalid), err)
		assert.ErrorContains(t, err, "Edit Deactivated User Profile Updates")
		org.SetSwitches(oktatest.Switches{UpdateDeactivated: true})
		assert.NoError(t, change())
	}
}

func TestAttributesOfOtherTypes(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	c := named{open(t, connector.Settings{"url": url, "token": token})}
	set := map[string]any{"badges": []string{"b", "a"}, "floor": int64(7), "title": "x"}
	made, err := c.Create(t.Context(), connector.Spec{Username: "zoe@example.com", Attributes: set})
	require.NoError(t, err)
	dropped, err := connector.Dropped(t.Context(), c, made, set)
	require.NoError(t, err)
	assert.Empty(t, dropped)
	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"badges": []string{}, "title": ""}))
	user, _ := org.User(made.ID)
	assert.NotContains(t, user.Profile, "badges", "null clears")
	assert.NotContains(t, user.Profile, "title")
	assert.Equal(t, float64(7), user.Profile["floor"], "POST leaves the rest")

	for name, part := range map[string]string{"login": "username", "employeeNumber": "person ID", "shoeSize": "Profile Editor", "a-b": "variable name"} {
		err := c.Update(t.Context(), made.ID, map[string]any{name: "x"})
		assert.True(t, connector.Is(err, connector.KindInvalid), err)
		assert.ErrorContains(t, err, part)
	}
}

func TestGroups(t *testing.T) {
	org, url := serve(t, oktatest.Switches{}, "staff", "staff of Berlin", "ruled")
	org.AddGroup("imported", "APP_GROUP")
	org.AddGroup("staff", "APP_GROUP")
	org.AddGroup("twins", "OKTA_GROUP")
	org.AddGroup("twins", "OKTA_GROUP")
	c := open(t, connector.Settings{"url": url, "token": token})
	id := org.AddUser(oktatest.Seed{Login: "zoe@example.com"})
	has := func() []string {
		account, err := c.Read(t.Context(), id)
		require.NoError(t, err)
		return account.Entitlements
	}
	require.NoError(t, c.Grant(t.Context(), id, []string{"staff"}))
	assert.Equal(t, []string{"staff"}, has(), "and not Everyone, which nobody can leave")
	for name, part := range map[string]string{"imported": "APP_GROUP", "Everyone": "BUILT_IN", "twins": "several groups", "nobody": `no group "nobody"`} {
		err := c.Grant(t.Context(), id, []string{name})
		assert.True(t, connector.Is(err, connector.KindInvalid), err)
		assert.ErrorContains(t, err, part)
	}

	org.Requests()
	require.NoError(t, c.Grant(t.Context(), id, []string{"staff"}))
	assert.Len(t, org.Requests(), 1, "which group it is was remembered")

	org.SetSwitches(oktatest.Switches{Rule: "ruled"})
	require.NoError(t, c.Revoke(t.Context(), id, []string{"ruled"}), "Okta accepts it")
	assert.Contains(t, has(), "ruled", "and the rule fills the group again, which the proof sees")
	org.SetSwitches(oktatest.Switches{})

	org.DropGroup("staff")
	err := c.Grant(t.Context(), id, []string{"staff"})
	assert.True(t, connector.Is(err, connector.KindUnavailable), "the group is gone, and not the person: %v", err)
	assert.True(t, connector.Is(c.Grant(t.Context(), id, []string{"staff"}), connector.KindInvalid), "looked up again")
}

func TestAdminRoles(t *testing.T) {
	org, url := serve(t, oktatest.Switches{}, "staff")
	off := open(t, connector.Settings{"url": url, "token": token})
	c := open(t, connector.Settings{"url": url, "token": token, "adminRoles": true})
	id := org.AddUser(oktatest.Seed{Login: "zoe@example.com"})
	org.AddRole(id, "USER_ADMIN", "User Administrator", "GROUP")
	org.AddRole(id, "CUSTOM", "Door keeper", "USER")

	assert.ErrorContains(t, off.Grant(t.Context(), id, []string{"role:HELP_DESK_ADMIN"}), "adminRoles")
	for range 2 {
		require.NoError(t, c.Grant(t.Context(), id, []string{"role:HELP_DESK_ADMIN"}))
	}
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, []string{"role:Door keeper", "role:HELP_DESK_ADMIN", "role:USER_ADMIN"}, account.Entitlements)
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, []string{"role:Door keeper", "role:HELP_DESK_ADMIN", "role:USER_ADMIN"}, account.Entitlements)
	}
	account, err = off.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Empty(t, account.Entitlements)

	for range 2 {
		require.NoError(t, c.Revoke(t.Context(), id, []string{"role:HELP_DESK_ADMIN"}))
	}
	assert.ErrorContains(t, c.Revoke(t.Context(), id, []string{"role:USER_ADMIN"}), "comes with a group")
	assert.ErrorContains(t, c.Revoke(t.Context(), id, []string{"role:Door keeper"}), "resource set")
	assert.ErrorContains(t, c.Grant(t.Context(), id, []string{"role:CUSTOM"}), "no standard admin role")
}

// An API services app signs for a token with its key, and gets a new one when the org ends it.
func TestAnAppOfItsOwn(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	text := vendortest.PEM(key)
	app := oktatest.App{ID: "0oa1", KeyID: "k1", Key: &key.PublicKey, Scopes: []string{"okta.users.manage", "okta.groups.manage"}}
	org := oktatest.New(oktatest.Options{App: app, Groups: []string{"staff"}}, oktatest.Switches{})
	server := httptest.NewServer(org)
	t.Cleanup(server.Close)
	settings := connector.Settings{"url": server.URL, "clientID": "0oa1", "keyID": "k1", "privateKey": secret.Of(text)}
	c := open(t, settings)
	who, err := c.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "OAuth client 0oa1", who)
	for _, finding := range c.Probe(t.Context()) {
		assert.Empty(t, finding.Problem)
	}
	org.EndTokens()
	_, err = c.Check(t.Context())
	require.NoError(t, err)

	settings["adminRoles"] = true
	_, err = open(t, settings).Check(t.Context())
	assert.True(t, connector.Is(err, connector.KindUnauthorized), "the app was not granted okta.roles.manage: %v", err)
	settings["scopes"] = []any{"okta.users.manage"}
	problems := map[string]bool{}
	for _, finding := range open(t, settings).Probe(t.Context()) {
		problems[finding.What] = finding.Problem != ""
	}
	assert.Equal(t, map[string]bool{"may read users": false, "may change users": false, "may read groups": true, "may change members of groups": true, "may change admin roles": true}, problems)
	settings["keyID"] = "k2"
	_, err = open(t, settings).Check(t.Context())
	assert.True(t, connector.Is(err, connector.KindUnauthorized), err)
}

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "https://example.okta.com", "token": "abc"}
	connectortest.Settings(t, okta.Kind, good, map[string]connectortest.Setting{
		"good":             {},
		"no credentials":   {Change: connector.Settings{"token": nil}, Want: "token"},
		"both":             {Change: connector.Settings{"clientID": "0oa1"}, Want: "clientID"},
		"API's path":       {Change: connector.Settings{"url": "https://example.okta.com/api/v1"}, Want: "/api/v1"},
		"login as ID":      {Change: connector.Settings{"externalID": "login"}, Want: "externalID"},
		"no attribute":     {Change: connector.Settings{"employeeNumber": "a b"}, Want: "employeeNumber"},
		"unknown disable":  {Change: connector.Settings{"disable": "delete"}, Want: "disable"},
		"unprintable":      {Change: connector.Settings{"token": "a b"}, Want: "token"},
		"key without ID":   {Change: connector.Settings{"token": nil, "clientID": "0oa1"}, Want: "privateKey"},
		"no key in PEM":    {Change: connector.Settings{"token": nil, "clientID": "0oa1", "keyID": "k", "privateKey": connectortest.SettingsSecret}, Want: "privateKey"},
		"plain text":       {Change: connector.Settings{"url": "http://example.okta.com"}, Want: "encrypted"},
		"no suffix":        {Change: connector.Settings{"usernameSuffix": "example.com"}, Want: "usernameSuffix"},
		"external ID ours": {Change: connector.Settings{"externalID": "tenureID"}},
	})
}

func TestForesight(t *testing.T) {
	f := okta.Kind.Foresees(connector.Settings{"url": "https://example.okta.com", "token": "abc"})
	assert.Empty(t, f.Attribute("title"))
	assert.NotEmpty(t, f.Attribute("login"))
	assert.NotEmpty(t, f.Attribute("employeeNumber"))
	assert.NotEmpty(t, f.Attribute("a b"))
	assert.NotEmpty(t, f.Doubt("tittle"))
	assert.Empty(t, f.Doubt("title"))
	assert.Empty(t, f.Entitlement("staff"))
	assert.NotEmpty(t, f.Entitlement("role:HELP_DESK_ADMIN"))
	f = okta.Kind.Foresees(connector.Settings{"url": "https://example.okta.com", "token": "abc", "adminRoles": true})
	assert.Empty(t, f.Entitlement("role:HELP_DESK_ADMIN"))
	assert.NotEmpty(t, f.Entitlement("role:DOOR_KEEPER"))
}
