package github_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/github"
	"github.com/tenurehq/tenure/connector/github/githubtest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

func with(settings connector.Settings, changes connector.Settings) connector.Settings {
	all := connector.Settings{}
	for _, from := range []connector.Settings{settings, changes} {
		for name, value := range from {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
	}
	return all
}

func failure(t *testing.T, err error, kind connector.ErrorKind) *connector.Error {
	t.Helper()
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, kind, failed.Kind, err.Error())
	return failed
}

func invite(t *testing.T, c connector.Connector, username, person string) connector.Account {
	t.Helper()
	account, err := c.Create(t.Context(), connector.Spec{Username: username, PersonID: person, Active: true})
	require.NoError(t, err)
	return account
}

func idOf(t *testing.T, account connector.Account) int64 {
	t.Helper()
	id, err := strconv.ParseInt(account.ID, 10, 64)
	require.NoError(t, err)
	return id
}

// TestALeaversInvitationIsCancelled shows that an invitation counts as access.
func TestALeaversInvitationIsCancelled(t *testing.T) {
	app, settings := serve(t, nil)
	app.SetSwitches(githubtest.Switches{Pending: true})
	c := open(t, settings)
	account := invite(t, c, "jane", "p-1")
	assert.True(t, account.Active, "its owner can accept it")
	assert.Equal(t, "pending", account.Attributes["state"])
	require.NoError(t, c.Grant(t.Context(), account.ID, []string{"staff"}))
	shown, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"staff"}, shown.Entitlements)

	require.NoError(t, c.Disable(t.Context(), account.ID))
	state, _, _ := app.State(idOf(t, account))
	assert.Empty(t, state)

	again := invite(t, c, "jane", "p-1")
	assert.Equal(t, account.ID, again.ID, "the account is its owner's, and the same one")
	app.Accept(idOf(t, again))
	shown, err = c.Read(t.Context(), again.ID)
	require.NoError(t, err)
	assert.Equal(t, "active", shown.Attributes["state"])
}

// TestALeaverKeepsNothing removes a member whom GitHub would leave with other access.
func TestALeaverKeepsNothing(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	account := invite(t, c, "jane", "p-1")
	id := idOf(t, account)
	app.SetOutside(id)
	require.NoError(t, c.Disable(t.Context(), account.ID))
	require.NoError(t, c.RevokeSessions(t.Context(), account.ID), "after the member has been removed")
	state, outside, authorisations := app.State(id)
	assert.Empty(t, state)
	assert.False(t, outside)
	assert.Zero(t, authorisations)

	account = invite(t, c, "kim", "p-2")
	app.SetEnterprise(idOf(t, account))
	failed := failure(t, c.Disable(t.Context(), account.ID), connector.KindInvalid)
	assert.True(t, failed.Unfinished)
	assert.Contains(t, failed.Message, "enterprise teams")
	shown, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	assert.True(t, shown.Active)

	account = invite(t, c, "lou", "p-3")
	app.SetSwitches(githubtest.Switches{LastOwner: true})
	failed = failure(t, c.Disable(t.Context(), account.ID), connector.KindForbidden)
	assert.Contains(t, failed.Message, "last owner")
}

func TestLimitsAreNoMissingRights(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	account := invite(t, c, "jane", "p-1")
	for name, test := range map[string]struct {
		switches githubtest.Switches
		told     time.Duration
		want     time.Duration
	}{
		"secondary":                  {githubtest.Switches{}, 0, time.Minute},
		"secondary as 429":           {githubtest.Switches{As: 429}, 0, time.Minute},
		"secondary with retry-after": {githubtest.Switches{}, 90 * time.Second, 90 * time.Second},
		"primary":                    {githubtest.Switches{Primary: true}, 20 * time.Minute, 20 * time.Minute},
		"primary as 429":             {githubtest.Switches{Primary: true, As: 429}, 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			app.SetSwitches(test.switches)
			app.Door().SetFaults(vendortest.Faults{Limited: true, Wait: test.told})
			_, err := c.Read(t.Context(), account.ID)
			assert.InDelta(t, test.want, failure(t, err, connector.KindRateLimited).RetryAfter, float64(2*time.Second))
			failure(t, c.Disable(t.Context(), account.ID), connector.KindRateLimited)
		})
	}
	app.Door().SetFaults(vendortest.Faults{})
	app.SetSwitches(githubtest.Switches{QueryLimit: true})
	_, err := c.Read(t.Context(), account.ID)
	failure(t, err, connector.KindRateLimited)
	app.SetSwitches(githubtest.Switches{Invitations: true})
	_, err = c.Create(t.Context(), connector.Spec{Username: "kim", Active: true})
	assert.Equal(t, time.Hour, failure(t, err, connector.KindRateLimited).RetryAfter)
	app.SetSwitches(githubtest.Switches{NoSeat: true})
	_, err = c.Create(t.Context(), connector.Spec{Username: "kim", Active: true})
	assert.Contains(t, failure(t, err, connector.KindInvalid).Message, "no seat left")
}

// TestNobodyIsGoneUnlessGitHubShowsTheOrganisation hides it, as from a token without rights.
func TestNobodyIsGoneUnlessGitHubShowsTheOrganisation(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	account := invite(t, c, "jane", "p-1")
	app.SetSwitches(githubtest.Switches{Hidden: true})
	_, err := c.Read(t.Context(), account.ID)
	failure(t, err, connector.KindForbidden)
	_, err = c.Find(t.Context(), connector.Keys{Username: "nobody"})
	failure(t, err, connector.KindForbidden)
	failure(t, c.Disable(t.Context(), account.ID), connector.KindForbidden)
	failure(t, c.Revoke(t.Context(), account.ID, []string{"staff"}), connector.KindForbidden)
	app.Delete(idOf(t, account))
	_, err = c.Read(t.Context(), account.ID)
	failure(t, err, connector.KindForbidden)
	app.SetSwitches(githubtest.Switches{})
	_, err = c.Read(t.Context(), account.ID)
	failure(t, err, connector.KindNotFound)
	require.NoError(t, c.Disable(t.Context(), account.ID))
	app.Door().SetFaults(vendortest.Faults{Proxy: true})
	_, err = c.Read(t.Context(), account.ID)
	failure(t, err, connector.KindUnavailable)
	failure(t, c.Disable(t.Context(), account.ID), connector.KindUnavailable)
	failure(t, c.RevokeSessions(t.Context(), account.ID), connector.KindUnavailable)
}

func TestTeams(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	account := invite(t, c, "jane", "p-1")
	id := idOf(t, account)
	require.NoError(t, c.Grant(t.Context(), account.ID, []string{"staff", "engineers"}))
	shown, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"engineers", "staff"}, shown.Entitlements, "on two pages")
	app.Maintain("staff", id)
	require.NoError(t, c.Grant(t.Context(), account.ID, []string{"staff"}))
	assert.Equal(t, "maintainer", app.RoleIn("staff", id), "a maintainer stays one")

	app.Sync("staff")
	assert.Contains(t, failure(t, c.Revoke(t.Context(), account.ID, []string{"staff", "engineers"}), connector.KindForbidden).Message, "synchronised")
	assert.Empty(t, app.RoleIn("engineers", id), "one that is refused does not keep the others")
	kim := invite(t, c, "kim", "p-2")
	assert.Contains(t, failure(t, c.Grant(t.Context(), kim.ID, []string{"staff"}), connector.KindForbidden).Message, "synchronised")

	require.NoError(t, c.Disable(t.Context(), kim.ID))
	failure(t, c.Grant(t.Context(), kim.ID, []string{"engineers"}), connector.KindNotFound)
	state, _, _ := app.State(idOf(t, kim))
	assert.Empty(t, state, "nobody is invited by way of a team")
}

// TestLogins shows whom the configuration names, and that a new login is the same account.
func TestLogins(t *testing.T) {
	app, settings := serve(t, func(o *githubtest.Options) { o.Anybody = false })
	id := app.AddUser("octocat")
	app.AddUser("jane")
	settings = with(settings, connector.Settings{"loginSuffix": nil, "logins": map[string]any{"p-1": "octocat", "p-2": "nobody"}})
	c := open(t, settings)
	account := invite(t, c, "jane", "p-1")
	assert.Equal(t, connector.Account{ID: strconv.FormatInt(id, 10), Username: "octocat", ExternalID: "p-1", Active: true, Attributes: map[string]any{"state": "active"}}, account)
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: "p-1", Username: "jane"})
	require.NoError(t, err)
	assert.Equal(t, []connector.Match{{Account: account, By: connector.ByExternalID}}, matches)
	matches, err = c.Find(t.Context(), connector.Keys{PersonID: "p-9", Username: "octocat"})
	require.NoError(t, err)
	assert.Empty(t, matches, "without a rule, a username is no login: a stranger may have it")

	for person, want := range map[string]string{"p-2": "no user of the person's login", "p-3": "ask them"} {
		_, err = c.Create(t.Context(), connector.Spec{Username: "jane", PersonID: person, Active: true})
		assert.Contains(t, failure(t, err, connector.KindInvalid).Message, want)
	}
	app.Rename(id, "tentacat")
	shown, err := c.Read(t.Context(), account.ID)
	require.NoError(t, err)
	assert.Equal(t, "tentacat", shown.Username)
	require.NoError(t, c.Disable(t.Context(), account.ID))
	state, _, _ := app.State(id)
	assert.Empty(t, state)
}

func TestInvitationsOfOthersAndPagesElsewhere(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	for range 120 {
		app.AddMember("member-" + strconv.FormatInt(time.Now().UnixNano(), 36))
	}
	list := func() (n int, err error) {
		for _, err = range c.List(t.Context()) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	n, err := list()
	require.NoError(t, err)
	assert.Equal(t, 121, n)
	app.SetSwitches(githubtest.Switches{Elsewhere: true})
	_, err = list()
	assert.Contains(t, failure(t, err, connector.KindContradictory).Message, "another host")
}

func TestApp(t *testing.T) {
	app, settings := serve(t, nil)
	settings = with(settings, connector.Settings{"token": nil, "appID": "Iv23acme", "installationID": "77", "privateKey": vendortest.PEM(vendortest.Key())})
	c := open(t, settings)
	identity, err := c.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "OAuth client Iv23acme in the organisation acme", identity)
	app.SetToken("expired")
	_, err = c.Check(t.Context())
	require.NoError(t, err, "a token that has expired is replaced")
	for name, change := range map[string]connector.Settings{"app": {"appID": "another"}, "installation": {"installationID": "78"}} {
		_, err = open(t, with(settings, change)).Check(t.Context())
		failed := failure(t, err, connector.KindUnauthorized)
		assert.NotContains(t, failed.Message, "ghs_", name)
	}
}

func TestSettings(t *testing.T) {
	good := connector.Settings{"org": "acme", "token": connectortest.SettingsSecret}
	connectortest.Settings(t, github.Kind, good, map[string]connectortest.Setting{
		"good":           {},
		"no token":       {Change: connector.Settings{"token": nil}, Want: `setting "token" is missing`},
		"both":           {Change: connector.Settings{"appID": "1", "installationID": "7", "privateKey": vendortest.PEM(vendortest.Key())}, Want: "cannot be together with appID"},
		"app alone":      {Change: connector.Settings{"token": nil, "appID": "1"}, Want: `setting "installationID" is missing`},
		"no key":         {Change: connector.Settings{"token": nil, "appID": "1", "installationID": "7", "privateKey": "x"}, Want: "must hold an unencrypted private key"},
		"org":            {Change: connector.Settings{"org": "https://github.com/acme"}, Want: "without a URL"},
		"suffix":         {Change: connector.Settings{"loginSuffix": "@acme"}, Want: "letters, digits and dashes"},
		"login":          {Change: connector.Settings{"logins": map[string]any{"p-1": "two words"}}, Want: "a text that is no login"},
		"twice":          {Change: connector.Settings{"logins": map[string]any{"p-1": "x", "p-2": "X"}}, Want: "the same login to two people"},
		"data residency": {Change: connector.Settings{"url": "https://api.acme.ghe.com"}},
	})
}

func TestForesee(t *testing.T) {
	foresight := github.Kind.Foresees(connector.Settings{"org": "acme", "token": "x"})
	assert.NotEmpty(t, foresight.Attribute("name"))
	for name, good := range map[string]bool{"staff": true, "role:owner": true, "role:boss": false, "licence:seat": false, "Staff Team": false} {
		assert.Equal(t, good, foresight.Entitlement(name) == "", name)
	}
}

// TestRequests pins how many requests each call makes.
func TestRequests(t *testing.T) {
	app, settings := serve(t, nil)
	c := open(t, settings)
	calls := func(do func() error) int {
		t.Helper()
		count := func() (n int) {
			for _, times := range app.Calls() {
				n += times
			}
			return n
		}
		before := count()
		require.NoError(t, do())
		return count() - before
	}
	ctx := t.Context()
	var account connector.Account
	assert.Equal(t, 4, calls(func() (err error) {
		account, err = c.Create(ctx, connector.Spec{Username: "jane", Active: true})
		return err
	}))
	assert.Equal(t, 3, calls(func() error { _, err := c.Read(ctx, account.ID); return err }))
	assert.Equal(t, 4, calls(func() error { return c.Grant(ctx, account.ID, []string{"staff"}) }))
	assert.Equal(t, 4, calls(func() error { return c.Revoke(ctx, account.ID, []string{"staff"}) }))
	assert.Equal(t, 3, calls(func() error { return c.Disable(ctx, account.ID) }))
	assert.Equal(t, 3, calls(func() error { return c.RevokeSessions(ctx, account.ID) }))
}
