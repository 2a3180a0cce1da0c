package scim_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// TestRequestsOfAJoiner counts the requests that a new person takes from an app's quota: look
// for an account, create it, put it into two groups, read it back. SCIM needs no fewer: each
// of the groups is a resource of its own.
func TestRequestsOfAJoiner(t *testing.T) {
	app, url := serve(t, "staff", "engineers")
	for _, other := range []string{"bob", "cleo"} {
		app.AddUser(scimtest.User{UserName: other, Active: true})
	}
	requests := func(c connector.Connector, person string) map[string]int {
		t.Helper()
		before := app.Stats().ByKind
		found, err := c.Find(t.Context(), connector.Keys{PersonID: "p-" + person, Username: person})
		require.NoError(t, err)
		require.Empty(t, found)
		account, err := c.Create(t.Context(), connector.Spec{
			PersonID: "p-" + person, Username: person, Active: true, Attributes: map[string]any{"title": "Engineer"},
		})
		require.NoError(t, err)
		require.NoError(t, c.Grant(t.Context(), account.ID, []string{"staff", "engineers"}))
		account, err = c.Read(t.Context(), account.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"engineers", "staff"}, account.Entitlements)

		made := app.Stats().ByKind
		maps.DeleteFunc(made, func(kind string, n int) bool { made[kind] = n - before[kind]; return made[kind] == 0 })
		return made
	}

	c := open(t, connector.Settings{"url": url, "token": token})
	assert.Equal(t, map[string]int{
		"GET other":    1, // ServiceProviderConfig
		"GET Users":    4, // by externalId, by userName, what a total of 0 means, and the read-back
		"POST Users":   1,
		"GET Groups":   2, // by name
		"PATCH Groups": 2,
	}, requests(c, "first"), "the first one since the process began")
	least := map[string]int{"GET Users": 3, "POST Users": 1, "PATCH Groups": 2}
	assert.Equal(t, least, requests(c, "second"))
	assert.Equal(t, least, requests(c, "third"))

	combined := open(t, connector.Settings{"url": url, "token": token, "combinedLookups": true})
	requests(combined, "fourth")
	least["GET Users"] = 2
	assert.Equal(t, least, requests(combined, "fifth"))
}

// Granting or revoking a role takes one request more than reading the account. If there is
// nothing to change, it takes no further request.
func TestRequestsOfARole(t *testing.T) {
	app, url := serve(t)
	id := app.AddUser(scimtest.User{UserName: "anna", Active: true})
	c := open(t, connector.Settings{"url": url, "token": token, "changeUsers": "path"})
	entitler := c
	for _, step := range []struct {
		do      func() error
		patches int
	}{
		{func() error { return entitler.Grant(t.Context(), id, []string{"role:a", "role:b", "role:c"}) }, 1},
		{func() error { return entitler.Grant(t.Context(), id, []string{"role:c", "role:a"}) }, 0},
		{func() error { return entitler.Revoke(t.Context(), id, []string{"role:a", "role:b"}) }, 1},
		{func() error { return entitler.Revoke(t.Context(), id, []string{"role:a"}) }, 0},
	} {
		before := app.Stats().ByKind["PATCH Users"]
		require.NoError(t, step.do())
		assert.Equal(t, step.patches, app.Stats().ByKind["PATCH Users"]-before)
	}
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, []string{"role:c"}, account.Entitlements)
}
