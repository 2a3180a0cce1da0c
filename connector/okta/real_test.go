//go:build real

package okta_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/contracttest"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
)

// TestContractOfOkta runs the suite, and holds what the connector sends and what the
// stand-in answers to what Okta's SDK says of Okta's API.
func TestContractOfOkta(t *testing.T) {
	held := contracttest.Hold(t, contracttest.Okta(t), contracttest.Options{Known: []contracttest.Known{{
		Operation: "POST /api/v1/users/{userId}/roles", OfAnswer: true, Status: http.StatusConflict,
		Reason: "Okta's list of error codes has E0000090 for a role that is assigned already; the contract does not list it",
	}}})
	org := oktatest.New(oktatest.Options{Token: token, Groups: []string{"staff"}}, oktatest.Switches{SearchLag: 60e9})
	server := httptest.NewServer(held.Handler(org))
	t.Cleanup(server.Close)
	settings := connector.Settings{"url": server.URL, "token": token, "adminRoles": true, "usernameSuffix": "@example.com"}
	tried := target(org, settings, [2]string{"staff", "role:HELP_DESK_ADMIN"})
	tried.Proof = held.Proof("")
	connectortest.Run(t, tried)
}

// recorded opens a connector to a server that gives the answers of a recording.
func recorded(t *testing.T, name string, settings connector.Settings, otherwise http.HandlerFunc) (connector.Connector, *contracttest.Replay) {
	t.Helper()
	options := contracttest.ReplayOptions{Ignore: []string{"sendEmail", "activate", "oauthTokens", "forgetDevices", "limit", "filter"}}
	if otherwise != nil {
		options.Otherwise = otherwise
	}
	replay := contracttest.OktaCassette(t, name).Replay(t, options)
	server := httptest.NewServer(replay)
	t.Cleanup(server.Close)
	settings["url"], settings["token"] = server.URL, token
	return connectortest.Replayed(t, okta.Kind, "what Okta's SDK for Python recorded (okta 3.4.6, 21 September 2026)", replay, named{open(t, settings)}), replay
}

func create(t *testing.T, c connector.Connector, active bool) connector.Account {
	t.Helper()
	made, err := c.Create(t.Context(), connector.Spec{Username: "john@example.com", Active: active})
	require.NoError(t, err)
	return made
}

// The tests below replay what Okta itself has answered.

func TestContractOfOktaReplaysALifecycle(t *testing.T) {
	c, replay := recorded(t, "test_users_it/TestUsersResource.test_comprehensive_user_lifecycle.yaml", connector.Settings{}, nil)
	made := create(t, c, true)
	assert.True(t, made.Active)
	assert.False(t, made.CreatedAt.IsZero())
	require.NoError(t, c.Disable(t.Context(), made.ID))
	require.NoError(t, c.Enable(t.Context(), made.ID), "it unsuspends, and reads ACTIVE")
	require.NoError(t, c.RevokeSessions(t.Context(), made.ID))
	assert.Equal(t, 6, replay.Played())
}

func TestContractOfOktaReplaysPagesAndDeletions(t *testing.T) {
	last := func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/api/v1/users", r.URL.Path)
		_, _ = fmt.Fprint(w, "[]") // the recording ends before the last page
	}
	c, replay := recorded(t, "test_users_it/TestUsersResource.test_user_pagination.yaml", connector.Settings{}, last)
	first, second := create(t, c, false), create(t, c, false)
	assert.False(t, first.Active)
	var listed []string
	for account, err := range c.List(connector.SparingEntitlements(t.Context())) {
		require.NoError(t, err)
		listed = append(listed, account.ID)
	}
	assert.Len(t, listed, 2)
	for _, id := range []string{first.ID, second.ID} {
		require.NoError(t, c.Delete(t.Context(), id), "the first DELETE deactivates, the second deletes")
	}
	_, err := c.Read(t.Context(), "00usfgmn9xhwtA6f74x6")
	assert.True(t, connector.Is(err, connector.KindNotFound), err)
	assert.Equal(t, 9, replay.Played())
}

func TestContractOfOktaReplaysRoles(t *testing.T) {
	c, replay := recorded(t, "test_users_it/TestUsersResource.test_assign_user_to_role.yaml", connector.Settings{"adminRoles": true}, nil)
	made := create(t, c, false)
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"role:USER_ADMIN"}))
	require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"role:USER_ADMIN"}))
	require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"role:USER_ADMIN"}), "nothing is left to take")
	assert.Equal(t, 5, replay.Played())
}

func TestContractOfOktaReplaysGroups(t *testing.T) {
	const group = "00gqrkqjqdg2c9XZT5d7" // of the recording
	lookup := func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/api/v1/groups", r.URL.Path)
		_, _ = fmt.Fprintf(w, `[{"id":%q,"type":"OKTA_GROUP","profile":{"name":"staff"}}]`, group)
	}
	c, replay := recorded(t, "test_users_it/TestUsersResource.test_list_user_groups.yaml", connector.Settings{}, lookup)
	made := create(t, c, false)
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
	require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"staff"}))
	assert.Equal(t, 3, replay.Played())

	c, replay = recorded(t, "test_groups_it/TestGroupsResource.test_search_group.yaml", connector.Settings{}, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodPut, r.Method)
		w.WriteHeader(http.StatusNoContent)
	})
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"Group-Target-Test"}))
	assert.Equal(t, 1, replay.Played(), "the group is looked up by its name")
}

func TestContractOfOktaReplaysLookUps(t *testing.T) {
	c, replay := recorded(t, "test_users_it/TestUsersResource.test_create_get_user.yaml", connector.Settings{}, nil)
	made := create(t, c, false)
	sparing := connector.SparingEntitlements(t.Context())
	account, err := c.Read(sparing, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, account)
	found, err := c.Find(sparing, connector.Keys{Username: "John.Doe-Get@example.com"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, made, found[0].Account)
	_, err = c.Read(sparing, made.ID)
	assert.True(t, connector.Is(err, connector.KindNotFound), "in the recording it is deleted by now")
	assert.Equal(t, 4, replay.Played())
}

// Every user and every error that Okta was recorded to answer is understood.
func TestContractOfOktaUnderstandsEveryRecordedAnswer(t *testing.T) {
	kinds := map[string]connector.ErrorKind{
		"E0000007": connector.KindNotFound, "E0000015": connector.KindForbidden, "E0000038": connector.KindUnavailable,
		"E0000032": connector.KindInvalid, "": connector.KindUnavailable, // a 404 without a code
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv(contracttest.EnvContracts), "okta/cassettes/test_users_it/*.yaml"))
	require.NoError(t, err)
	oneUser := regexp.MustCompile(`^/+api/v1/users(/00u\w+)?$`)
	users, refusals := 0, 0
	for _, file := range files {
		cassette, err := contracttest.ReadCassette(file)
		require.NoError(t, err)
		for _, x := range cassette.Exchanges {
			refused := x.Status >= 400
			if x.AnswerHeader["P3p"] == nil && x.Status != http.StatusNotFound {
				continue // written by hand; a 404 from elsewhere is one of the traps
			}
			isUser := oneUser.MatchString(x.URL.Path) && strings.HasPrefix(string(x.Answer), "{") && !refused
			if !isUser && (!refused || !strings.Contains(x.URL.Path, "/api/v1/users")) {
				continue
			}
			var said struct {
				ID   string
				Code string `json:"errorCode"`
			}
			require.NoError(t, json.Unmarshal(x.Answer, &said))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(x.Status)
				_, _ = w.Write(x.Answer)
			}))
			c := open(t, connector.Settings{"url": server.URL, "token": token})
			account, err := c.Read(connector.SparingEntitlements(t.Context()), said.ID)
			if isUser {
				require.NoError(t, err, file)
				assert.NotEmpty(t, account.Username)
				users++
			} else if want, known := kinds[said.Code]; assert.True(t, known, "%s: %s", file, said.Code) {
				assert.True(t, connector.Is(err, want), "%s: %v", file, err)
				refusals++
			}
			server.Close()
		}
	}
	assert.GreaterOrEqual(t, users, 40)
	assert.Greater(t, refusals, 5)
	t.Logf("%d users and %d refusals that Okta answered", users, refusals)
}
