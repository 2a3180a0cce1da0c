//go:build real

package okta_test

import (
	"crypto/rand"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/okta"
)

// TestSmokeOnEmulate takes one account through its life on the emulator of Okta in emulate
// (Vercel), which is not ours. `make test-real` starts it.
func TestSmokeOnEmulate(t *testing.T) {
	url := os.Getenv("TENURE_REAL_EMULATE_OKTA_URL")
	require.NotEmpty(t, url, "TENURE_REAL_EMULATE_OKTA_URL is not set: run `scripts/test-real emulate`, which starts the emulators and sets it")
	// Of the attributes that could hold the person ID, the emulator keeps displayName only.
	raw := open(t, connector.Settings{"url": url, "token": "any", "externalID": "displayName"})
	username := "zoe." + strings.ToLower(rand.Text()[:8]) + "@example.com"
	person := "p-" + username

	status := func(method, path string) int {
		request, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v1"+path, nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "SSWS any")
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	c := connectortest.Smoke{Kind: okta.Kind, On: "emulate 0.12.2", Shortfalls: []connectortest.Shortfall{
		{
			What: "any token is taken", Why: "Okta answers 401 with E0000011; so wrong credentials cannot be tried",
			Holds: func(*testing.T) bool { return status(http.MethodGet, "/users?limit=1") == http.StatusOK },
		},
		{
			What: "filters and searches are not understood: the one lists everybody, the other nobody",
			Why:  "Okta gives those whom the expression fits; so an account is found by its login only, or because everybody is looked at",
			Holds: func(t *testing.T) bool {
				count := 0
				for range raw.List(t.Context()) {
					count++
				}
				return count > 0 && status(http.MethodGet, `/users?filter=nonsense`) == http.StatusOK
			},
		},
		{
			What: "most of a profile is dropped without a word", Why: "Okta keeps what its schema has and refuses the rest; so no more than names can be changed",
			Holds: func(t *testing.T) bool {
				login := "dropped." + username
				account, err := raw.Create(t.Context(), connector.Spec{Username: login, PersonID: "d-" + person, Attributes: map[string]any{
					"firstName": "Zoë", "lastName": "Example", "email": login, "title": "Engineer",
				}})
				require.NoError(t, err)
				require.NoError(t, raw.Delete(t.Context(), account.ID))
				return account.Attributes["title"] == nil
			},
		},
		{
			What: "a login that is taken is refused without saying so",
			Why:  "Okta names the login in errorCauses; so what is known as an account that exists is an invalid value here",
			Holds: func(t *testing.T) bool {
				_, err := raw.Create(t.Context(), connector.Spec{Username: "admin@example.com", Attributes: map[string]any{
					"firstName": "Zoë", "lastName": "Example", "email": "admin@example.com",
				}})
				return connector.Is(err, connector.KindInvalid)
			},
		},
		{
			What: "there are no sessions to end", Why: "Okta answers 204 to DELETE /users/{id}/sessions; so ending them cannot be tried",
			Holds: func(*testing.T) bool {
				return status(http.MethodDelete, "/users/admin@example.com/sessions") == http.StatusNotFound
			},
		},
		{
			What: "there are no factors to reset", Why: "Okta has POST /users/{id}/lifecycle/reset_factors; so resetting credentials cannot be tried",
			Holds: func(*testing.T) bool {
				return status(http.MethodPost, "/users/admin@example.com/lifecycle/reset_factors") == http.StatusNotFound
			},
		},
	}}.Open(t, raw)

	_, err := c.Check(t.Context())
	require.NoError(t, err)
	created, err := c.Create(t.Context(), connector.Spec{Username: username, PersonID: person, Active: true, Attributes: map[string]any{
		"firstName": "Zoë", "lastName": "Example", "email": username,
	}})
	require.NoError(t, err)
	is := func(active bool, name string, groups ...string) {
		t.Helper()
		account, err := c.Read(t.Context(), created.ID)
		require.NoError(t, err)
		assert.Equal(t, active, account.Active)
		assert.Equal(t, name, account.Attributes["lastName"])
		assert.Equal(t, groups, account.Entitlements)
	}
	is(true, "Example")
	_, err = c.Create(t.Context(), connector.Spec{Username: username, PersonID: "another", Attributes: map[string]any{
		"firstName": "Yan", "lastName": "Other", "email": username,
	}})
	assert.True(t, connector.Is(err, connector.KindInvalid), "the emulator does not say that it is about the login: %v", err)
	for _, keys := range []connector.Keys{{Username: username}, {PersonID: person}} {
		matches, err := c.Find(t.Context(), keys)
		require.NoError(t, err)
		require.Len(t, matches, 1, "%+v", keys)
		assert.Equal(t, created.ID, matches[0].Account.ID)
	}
	names := []string{}
	for entitlement, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		names = append(names, entitlement.Name)
	}
	assert.Subset(t, names, []string{"staff", "engineers"})
	assert.NotContains(t, names, "Everyone", "is Okta's own")

	require.NoError(t, c.Grant(t.Context(), created.ID, []string{"staff", "engineers"}))
	is(true, "Example", "engineers", "staff")
	require.NoError(t, c.Revoke(t.Context(), created.ID, []string{"engineers"}))
	is(true, "Example", "staff")
	require.NoError(t, c.Update(t.Context(), created.ID, map[string]any{"lastName": "Other"}))
	is(true, "Other", "staff")
	require.NoError(t, c.Relabel(t.Context(), created.ID, connector.Label{Username: "new." + username}))
	require.NoError(t, c.Disable(t.Context(), created.ID))
	is(false, "Other", "staff")
	require.NoError(t, c.Enable(t.Context(), created.ID))
	is(true, "Other", "staff")
	require.NoError(t, c.Adopt(t.Context(), created.ID, person))

	listed := []string{}
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		listed = append(listed, account.ID)
	}
	assert.True(t, slices.Contains(listed, created.ID))
	require.NoError(t, c.Delete(t.Context(), created.ID))
	_, err = c.Read(t.Context(), created.ID)
	assert.True(t, connector.Is(err, connector.KindNotFound), "%v", err)
	require.NoError(t, c.Delete(t.Context(), created.ID), "again")
}
