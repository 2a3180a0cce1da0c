//go:build real

package scim_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/scim"
)

// TestConformanceOfSCIMMY runs the suite on SCIMMY, a SCIM service that is not
// ours. `make test-real` starts it.
func TestConformanceOfSCIMMY(t *testing.T) {
	url, secret := fromEnv(t, "TENURE_REAL_SCIM_URL"), fromEnv(t, "TENURE_REAL_SCIM_TOKEN")
	groups := [2]string{"staff", "engineers"}
	for _, name := range groups {
		createGroup(t, url, secret, name)
	}
	connectortest.Run(t, connectortest.Target{
		Kind: scim.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := scim.Kind.Open(t.Context(), connector.Env{App: "scimmy"}, connector.Settings{"url": url, "token": secret})
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Disable: true, Reversible: true,
			Delete: true, Entitlements: true, ListEntitlements: true, List: true, Probe: true,
		},
		Entitlements: groups,
		Attributes:   [2]string{"title", "department"},
		Secrets:      []string{secret, url},
		Deviations: map[connectortest.Deviation]string{
			connectortest.QuotesUnsearchable: `its filter parser ends a string at \"`,
			connectortest.MembersUnchecked:   "it stores the members of a group as they are sent",
		},
	})
}

// fromEnv is what scripts/test-real says of a server.
func fromEnv(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
	return value
}

// createGroup makes a group, as the service's administrator would; that it is
// there already is as good.
func createGroup(t *testing.T, url, secret, name string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": name,
	})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/Groups", strings.NewReader(string(body)))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Contains(t, []int{http.StatusCreated, http.StatusConflict}, response.StatusCode, "creating a group")
}
