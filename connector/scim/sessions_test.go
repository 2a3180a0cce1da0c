package scim_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

const sessionsToken = "xoxp-that-nobody-may-see"

// slackAPI is Slack's method admin.users.session.reset. It ends the sessions of the users
// of a SCIM service, and answers failures with status 200.
func slackAPI(t *testing.T, app *scimtest.Service, answer *string) (url string, ended *[]string) {
	t.Helper()
	ended = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := `{"ok":false,"error":"user_not_found"}`
		for _, user := range app.Users() {
			if user.ID == r.PostFormValue("user_id") {
				*ended = append(*ended, user.UserName)
				said = `{"ok":true}`
			}
		}
		if r.Header.Get("Authorization") != "Bearer "+sessionsToken {
			said = `{"ok":false,"error":"invalid_auth"}`
		}
		if *answer != "" {
			said = *answer
		}
		_, _ = w.Write([]byte(said))
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api/admin.users.session.reset", ended
}

func TestSlackEndsSessions(t *testing.T) {
	app, url := standIn(t, "slack")
	answer := ""
	method, ended := slackAPI(t, app, &answer)
	settings := connector.Settings{"url": url, "token": token, "profile": "slack", "sessionsURL": method, "sessionsToken": sessionsToken}
	can := vendors["slack"].can
	can.Sessions = true
	tried := target(app, settings, can, "staff", "engineers")
	tried.KeyAttributes = nil
	tried.Secrets = append(tried.Secrets, sessionsToken, method)
	tried.Faults = connectortest.Faults{} // those of the SCIM service are not Slack's Web API's
	connectortest.Run(t, tried)

	*ended = nil
	c := open(t, settings)
	account, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	require.NoError(t, c.RevokeSessions(t.Context(), account.ID))
	assert.Equal(t, []string{"anna"}, *ended)

	for said, kind := range map[string]connector.ErrorKind{
		`{"ok":false,"error":"cannot_reset_primary_owner"}`: connector.KindForbidden,
		`{"ok":false,"error":"feature_not_enabled"}`:        connector.KindInvalid,
		`{"ok":false,"error":"token_revoked"}`:              connector.KindUnauthorized,
		`{"ok":false,"error":"ratelimited"}`:                connector.KindRateLimited,
		`{"ok":false,"error":"user_session_reset_failed"}`:  connector.KindUnavailable,
		`{"ok":false,"error":"anna ` + sessionsToken + `"}`: connector.KindUnavailable,
		`{"ok":false}`:         connector.KindUnavailable,
		`<html>sign in</html>`: connector.KindContradictory,
	} {
		answer = said
		failed := failure(t, c.RevokeSessions(t.Context(), account.ID))
		assert.Equal(t, kind, failed.Kind, said)
		assert.NotContains(t, failed.Error(), "anna")
	}
}

func TestSessionsAreOfSlackOnly(t *testing.T) {
	for name, settings := range map[string]connector.Settings{
		"another profile": {"url": "https://a.example", "token": "x", "sessionsURL": "https://slack.com/api/admin.users.session.reset"},
		"a token, no URL": {"url": "https://a.example", "token": "x", "profile": "slack", "sessionsToken": "y"},
		"unencrypted":     {"url": "https://a.example", "token": "x", "profile": "slack", "sessionsURL": "http://slack.com/api"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scim.Kind.Open(t.Context(), connector.Env{App: "chat"}, settings)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "sessions")
		})
	}
}
