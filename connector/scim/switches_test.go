package scim_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// TestTheDemoAppsSwitches takes an account through its life while the demo app answers as
// real services do.
func TestTheDemoAppsSwitches(t *testing.T) {
	for name, c := range map[string]struct {
		switches string // of /admin/deviations
		faults   scimtest.Faults
		settings connector.Settings
	}{
		"none":                       {switches: `{}`},
		"transient 409":              {switches: `{}`, faults: scimtest.Faults{ConflictEvery: 2}},
		"hidden members":             {switches: `{"membersOnRequest":true}`},
		"required e-mails":           {switches: `{"required":["emails"]}`},
		"Replace":                    {switches: `{"capitalOps":true}`},
		"False":                      {switches: `{"textBooleans":true}`},
		"Replace and False":          {switches: `{"capitalOps":true,"textBooleans":true}`},
		"members removed by value":   {switches: `{"noPathFilters":true}`, settings: connector.Settings{"removeMembers": "value"}},
		"PATCH is not allowed":       {switches: `{"patchNotAllowed":true}`, settings: connector.Settings{"changeGroups": "put"}},
		"everything that hides":      {switches: `{"membersOnRequest":true,"textBooleans":true,"required":["emails"]}`, faults: scimtest.Faults{ConflictEvery: 3}},
		"an inactive user is listed": {switches: `{"pageMax":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			app, url := serve(t, "staff", "engineers")
			for _, other := range []string{"bob", "cleo", "dan"} {
				app.AddUser(scimtest.User{UserName: other, ExternalID: "p-" + other, Active: true})
			}
			app.AddUser(scimtest.User{UserName: "zoe", ExternalID: "p-zoe", Active: true, Groups: []string{"engineers", "staff"}})
			admin(t, url, c.switches)
			app.SetFaults(c.faults)
			settings := connector.Settings{"url": url, "token": token}
			maps.Copy(settings, c.settings)
			live(t, open(t, settings), holds(t, app), false, "zoe")
			for _, user := range app.Users() {
				if user.UserName == "zoe" {
					assert.Equal(t, []string{"engineers", "staff"}, user.Groups, "nobody else lost theirs")
				}
			}
		})
	}
}

// The error names a required attribute that is not mapped.
func TestAMandatoryAttributeIsNamed(t *testing.T) {
	app, url := serve(t)
	app.SetDeviations(scimtest.Deviations{Required: []string{"emails"}})
	_, err := open(t, connector.Settings{"url": url, "token": token}).Create(t.Context(),
		connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.ErrorContains(t, err, `the app requires the attribute "emails"`)
}

// admin sets the demo app's switches as its users do.
func admin(t *testing.T, url, switches string) {
	t.Helper()
	at := url[:len(url)-len(scimtest.BasePath)] + "/admin/deviations"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at, bytes.NewReader([]byte(switches)))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var set scimtest.Deviations
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&set))
}
