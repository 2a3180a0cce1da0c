//go:build real

package github_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/github"
)

// TestSmokeOnEmulate tries on the emulator of GitHub in emulate (Vercel), which is not ours,
// the little that it has of what the connector needs. `make test-real` starts it.
func TestSmokeOnEmulate(t *testing.T) {
	url, secret := os.Getenv("TENURE_REAL_EMULATE_GITHUB_URL"), os.Getenv("TENURE_REAL_EMULATE_TOKEN")
	require.NotEmpty(t, url, "TENURE_REAL_EMULATE_GITHUB_URL is not set: run `scripts/test-real emulate`, which starts the emulators and sets it")
	settings := connector.Settings{"url": url, "org": "acme", "token": secret, "loginSuffix": "-acme"}
	raw := open(t, settings)
	lacks := func(method, path string) func(t *testing.T) bool {
		return func(t *testing.T) bool {
			request, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(`{}`))
			require.NoError(t, err)
			request.Header.Set("Authorization", "Bearer "+secret)
			request.Header.Set("Content-Type", "application/json")
			answer, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			return answer.StatusCode == http.StatusNotFound
		}
	}
	c := connectortest.Smoke{Kind: github.Kind, On: "emulate 0.12.2", Shortfalls: []connectortest.Shortfall{
		{
			What: "users are not found by their IDs", Why: "the connector reads every account by its ID (GET /user/{id}), so nothing that reads one can be tried",
			Holds: lacks(http.MethodGet, "/user/2"),
		},
		{
			What: "there are no invitations", Why: "GitHub invites whoever is to be a member, and lists who has not accepted; so neither creating nor listing can be tried",
			Holds: lacks(http.MethodGet, "/orgs/acme/invitations"),
		},
		{
			What: "a membership cannot be ended", Why: "GitHub takes DELETE /orgs/{org}/memberships/{username}; so disabling cannot be tried",
			Holds: lacks(http.MethodDelete, "/orgs/acme/memberships/owner"),
		},
		{
			What: "there is no GraphQL", Why: "the connector asks for the teams of a member by it",
			Holds: lacks(http.MethodPost, "/graphql"),
		},
	}}.Open(t, raw)

	who, err := c.Check(t.Context())
	require.NoError(t, err)
	assert.Contains(t, who, "acme")
	_, err = open(t, connector.Settings{"url": url, "org": "another", "token": secret}).Check(t.Context())
	require.Error(t, err)
	names := []string{}
	for entitlement, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		names = append(names, entitlement.Name)
	}
	assert.Contains(t, names, "role:owner")
	assert.Contains(t, names, "members", "the emulator makes this team for an organisation's members")
	seen := map[string]bool{}
	for _, finding := range c.Probe(t.Context()) {
		seen[finding.What] = finding.Problem == ""
	}
	assert.True(t, seen["sees the members"])
	assert.True(t, seen["sees the teams"])
	assert.False(t, seen["sees invitations that wait"], "what is not there is said not to be seen")

	// What is not there is no proof that somebody has no account.
	_, err = c.Find(t.Context(), connector.Keys{Username: "nobody"})
	assert.Error(t, err, "without invitations nobody can be said to have no access")
}
