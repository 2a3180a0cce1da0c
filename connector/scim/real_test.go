//go:build real

package scim_test

import (
	"context"
	"crypto/rand"
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
	conforms(t, realService{
		name: "SCIMMY 1.3.5", url: fromEnv(t, "TENURE_REAL_SCIM_URL"), token: fromEnv(t, "TENURE_REAL_SCIM_TOKEN"),
		attributes: [2]string{"title", "department"},
		deviations: map[connectortest.Deviation]string{
			connectortest.PagesShift:         byIndex,
			connectortest.QuotesUnsearchable: `its filter parser ends a string at \"`,
			connectortest.MembersUnchecked:   "it stores the members of a group as they are sent",
		},
	})
}

// TestConformanceOfSCIM2Server runs the suite on scim2-server, which others wrote in another
// language. `make test-real` starts it.
func TestConformanceOfSCIM2Server(t *testing.T) {
	conforms(t, realService{
		name: "scim2-server 0.8.3", url: fromEnv(t, "TENURE_REAL_SCIM2_URL"), token: fromEnv(t, "TENURE_REAL_SCIM_TOKEN"),
		attributes: [2]string{"title", "department"},
		deviations: map[connectortest.Deviation]string{
			connectortest.PagesShift:       byIndex,
			connectortest.MembersUnchecked: "it stores the members of a group as they are sent",
		},
	})
}

// realService is a SCIM service that is not ours.
type realService struct {
	name, url, token string
	settings         connector.Settings
	attributes       [2]string
	deviations       map[connectortest.Deviation]string
}

// conforms runs the suite on a service.
func conforms(t *testing.T, service realService) {
	groups := [2]string{"staff", "engineers"}
	for _, name := range groups {
		createGroup(t, service.url, service.token, name)
	}
	connectortest.Run(t, connectortest.Target{
		Kind:  scim.Kind,
		Proof: connector.Proof{Level: connector.ServerNotOurs, On: service.name, Part: "profile generic"},
		Open: func(t *testing.T) connector.Connector {
			settings := merged(connector.Settings{"url": service.url, "token": service.token}, service.settings)
			c, err := scim.Kind.Open(t.Context(), connector.Env{App: "real"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: generic,
		Entitlements: groups,
		Attributes:   service.attributes,
		Secrets:      []string{service.token, service.url},
		Deviations:   service.deviations,
	})
}

// TestFormsOnSCIMMY changes accounts in each form that services accept.
func TestFormsOnSCIMMY(t *testing.T) {
	url, secret := fromEnv(t, "TENURE_REAL_SCIM_URL"), fromEnv(t, "TENURE_REAL_SCIM_TOKEN")
	createGroup(t, url, secret, "staff")
	for _, form := range []string{"path", "object", "put"} {
		t.Run(form, func(t *testing.T) {
			changed(t, open(t, connector.Settings{"url": url, "token": secret, "changeUsers": form, "combinedLookups": true}))
		})
	}
}

// changed creates an account and changes everything in it.
func changed(t *testing.T, c connector.Connector) {
	person := "p-" + strings.ToLower(rand.Text())
	want, err := c.Create(t.Context(), connector.Spec{
		Username: person, Active: true, Attributes: map[string]any{"title": "Engineer", "department": "R&D", "emails": person + "@example.com"},
	})
	require.NoError(t, err)
	is := func() {
		t.Helper()
		now, err := c.Find(t.Context(), connector.Keys{PersonID: person, Username: person})
		require.NoError(t, err)
		require.Len(t, now, 1)
		require.Equal(t, want, now[0].Account)
	}
	is()
	require.NoError(t, c.Adopt(t.Context(), want.ID, person))
	want.ExternalID = person
	is()
	require.NoError(t, c.Update(t.Context(), want.ID, map[string]any{
		"title": "", "department": "Sales", "name.givenName": "Zoë", "emails": "new@example.com",
	}))
	delete(want.Attributes, "title")
	want.Attributes["department"], want.Attributes["name.givenName"] = "Sales", "Zoë"
	want.Attributes["emails"] = "new@example.com"
	now, err := c.Read(t.Context(), want.ID)
	require.NoError(t, err)
	delete(now.Attributes, "name.formatted") // the service makes it
	require.Equal(t, want, now)

	entitler := c
	has := func(names ...string) {
		t.Helper()
		now, err := c.Read(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, names, now.Entitlements)
	}
	require.NoError(t, entitler.Grant(t.Context(), want.ID, []string{"staff", "role:reader", "role:writer", "entitlement:E3"}))
	has("entitlement:E3", "role:reader", "role:writer", "staff")
	require.NoError(t, entitler.Revoke(t.Context(), want.ID, []string{"role:reader", "entitlement:E3"}))
	has("role:writer", "staff")
	for active, turn := range map[bool]func(context.Context, string) error{
		false: c.Disable, true: c.Enable,
	} {
		require.NoError(t, turn(t.Context(), want.ID))
		now, err := c.Read(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, active, now.Active)
	}
	has("role:writer", "staff")
}

// fromEnv returns an environment variable that scripts/test-real sets.
func fromEnv(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
	return value
}

// createGroup creates a group as the service's administrator would. The group may exist
// already.
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

// TestConformanceOfKeycloak runs the suite on the SCIM API of Keycloak, which is a preview. Its
// token is from its own token service. `make test-real` starts it.
func TestConformanceOfKeycloak(t *testing.T) {
	realm := fromEnv(t, "TENURE_REAL_KEYCLOAK_URL")
	connectortest.Run(t, connectortest.Target{
		Kind:  scim.Kind,
		Proof: connector.Proof{Level: connector.ServerNotOurs, On: "Keycloak 26.7.3", Part: "profile generic"},
		Open: func(t *testing.T) connector.Connector {
			c, err := scim.Kind.Open(t.Context(), connector.Env{App: "keycloak"}, connector.Settings{
				"url": realm + "/scim/v2", "tokenURL": realm + "/protocol/openid-connect/token",
				"clientID": "tenure", "clientSecret": fromEnv(t, "TENURE_REAL_KEYCLOAK_SECRET"),
			})
			require.NoError(t, err)
			return c
		},
		Capabilities: generic,
		Entitlements: [2]string{"staff", "engineers"},
		Attributes:   [2]string{"title", "userType"},
		Deviations:   map[connectortest.Deviation]string{connectortest.PagesShift: byIndex},
		Secrets:      []string{fromEnv(t, "TENURE_REAL_KEYCLOAK_SECRET"), realm},
	})
}
