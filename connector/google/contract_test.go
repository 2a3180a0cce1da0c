//go:build real

package google_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/contracttest"
	"github.com/tenurehq/tenure/connector/google/googletest"
)

// TestContractOfGoogle holds the connector and its stand-in to Google's discovery documents.
// `make test-real` fetches them.
func TestContractOfGoogle(t *testing.T) {
	app, err := googletest.New("staff@example.com", "engineers@example.com")
	require.NoError(t, err)
	app.AddLicence(starter, 5000)
	app.AddLicence(plus, 1)
	held := contracttest.Hold(t, contracttest.Google(t), contracttest.Options{Beside: []string{"/token"}})
	server := httptest.NewServer(held.Handler(app))
	t.Cleanup(server.Close)
	settings := connector.Settings{
		"key": app.Key(), "admin": googletest.Admin, "domain": googletest.Domain, "url": server.URL, "licensingURL": server.URL,
		"tokenURL": server.URL + "/token", "licensingInterval": "1us", "groupRoles": true, "roles": true,
		"licences": []any{starter, plus}, "handOver": []any{"drive", "calendar", "lookerStudio"},
	}
	tried := target(app, settings, [2]string{"engineers@example.com:OWNER", "role:Helpdesk"})
	tried.Proof = held.Proof("")
	connectortest.Run(t, tried)

	settings["aliases"] = true
	c := open(t, settings)
	everything := map[string]any{
		"givenName": "Zoe", "familyName": "Ek", "displayName": "Zoe Ek", "orgUnitPath": "/Staff", "recoveryEmail": "zoe@example.org", "recoveryPhone": "+461",
		"includeInGlobalAddressList": true, "title": "Prof", "department": "R&D", "costCenter": "7", "company": "Ek", "employeeType": "staff",
		"workPhone": "+462", "mobilePhone": "+463", "workAddress": "1 Street", "building": "B", "floor": "2", "manager": "boss@example.com",
		"aliases": []string{"zee@example.com"}, "customSchemas.HR.team": "Blue",
	}
	made := create(t, c, "zoe", "p-zoe", everything)
	for _, names := range [][]string{{"licence:" + starter}, {"licence:" + plus}} {
		require.NoError(t, c.Grant(t.Context(), made.ID, names))
	}
	for name := range everything {
		if name != "givenName" && name != "familyName" && name != "orgUnitPath" && name != "includeInGlobalAddressList" {
			require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{name: ""}), name)
		}
	}
	app.SignIn(made.ID)
	app.Change(made.ID, map[string]any{"isEnrolledIn2Sv": true})
	require.NoError(t, connector.Reset(t.Context(), c, made.ID))
	require.NoError(t, c.Relabel(t.Context(), made.ID, connector.Label{Username: "zoe.ek"}))
	require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"licence:" + plus}))
	require.NoError(t, c.Delete(t.Context(), made.ID))
	require.NoError(t, c.Restore(t.Context(), made.ID))
}
