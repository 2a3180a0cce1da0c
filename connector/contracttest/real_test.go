//go:build real

package contracttest_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

// TestContractOfOktaFitsItsRecordings holds what Okta's own SDK and Okta said to each other to
// the contract that is made of the SDK: so much is the contract worth.
func TestContractOfOktaFitsItsRecordings(t *testing.T) {
	held := contracttest.Hold(t, contracttest.Okta(t), contracttest.Options{
		Known: []contracttest.Known{
			{Problem: "has no body, and needs one", Reason: "the recorder left the body out"},
			{OfAnswer: true, At: "/credentials/emails", Problem: "no member", Reason: "Okta shows it, and its document has it not"},
			{OfAnswer: true, At: "/*/credentials/emails", Problem: "no member", Reason: "Okta shows it, and its document has it not"},
			{
				Operation: "POST /api/v1/users/{id}/lifecycle/deactivate", OfAnswer: true, Status: 204,
				Reason: "12 of 55 deactivations were answered so, in 2020; the document lists 200",
			},
			{
				Operation: "POST /api/v1/users/{id}/lifecycle/expire_password_with_temp_password", OfAnswer: true, At: "/tempPassword",
				Reason: "Okta gives the password, and the document has the user only",
			},
			{At: "/credentials/provider/name", Reason: "the SDK sends back what is read-only, and Okta took it"},
		},
	})
	for _, folder := range []string{"test_users_it", "test_groups_it"} {
		files, err := filepath.Glob(filepath.Join(os.Getenv(contracttest.EnvContracts), "okta/cassettes", folder, "*.yaml"))
		require.NoError(t, err)
		for _, file := range files {
			cassette, err := contracttest.ReadCassette(file)
			require.NoError(t, err)
			for _, x := range cassette.Exchanges {
				ofUsers := regexp.MustCompile(`^/+api/v1/(users|groups)(/|$)`).MatchString(x.URL.Path)
				if ofUsers && x.AnswerHeader["P3p"] != nil {
					held.Check(x)
				}
			}
		}
	}
	assert.Greater(t, held.Exchanges(), 200)
}

// The other contracts can be read.
func TestContractsAreRead(t *testing.T) {
	for name, c := range map[string]*contracttest.Contract{
		"GitHub": contracttest.GitHub(t), "Google": contracttest.Google(t),
		"Graph": contracttest.Graph(t, []contracttest.Route{{Method: "GET", Path: "/users/{id}", Gives: "User"}}),
	} {
		t.Run(name, func(t *testing.T) { assert.NotEmpty(t, c.Document) })
	}
	at, err := url.Parse("/users/1?$select=id,accountEnabled,employeeID")
	require.NoError(t, err)
	graph := contracttest.Graph(t, []contracttest.Route{{Method: "GET", Path: "/users/{id}", Gives: "User"}})
	breaches := graph.Check(contracttest.Exchange{
		Method: "GET", URL: at, Status: 200, AnswerHeader: http.Header{"Content-Type": {"application/json"}},
		Answer: []byte(`{"id":"1","accountEnabled":"true","employeeID":"7","assignedLicenses":[{"skuID":"x"}],"passwordProfile":null}`),
	})
	words := make([]string, 0, len(breaches))
	for _, b := range breaches {
		words = append(words, b.String())
	}
	assert.Equal(t, []string{
		"GET /users/{id}: answer 200: /accountEnabled is string, and has to be boolean",
		"GET /users/{id}: answer 200: /accountEnabled is string, and has to be null",
		"GET /users/{id}: answer 200: /assignedLicenses/*/skuID is no member that the contract has",
		"GET /users/{id}: answer 200: /employeeID is no member that the contract has",
		"GET /users/{id}: request: ?$select is none of the values that the contract lists",
	}, words)
}
