package contracttest_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

func TestDiscovery(t *testing.T) {
	document, err := os.ReadFile("testdata/discovery.json")
	require.NoError(t, err)
	c, err := contracttest.ReadDiscovery("pots", document)
	require.NoError(t, err)
	const refused = `{"error":{"code":404,"message":"Resource Not Found: userKey","errors":[{"domain":"global","reason":"notFound","message":"no"}]}}`
	for name, x := range map[string]struct {
		method, url, body string
		status            int
		answer            string
		want              []string
	}{
		"good":             {"POST", "/pots/v1/pots?fields=id", `{"name":"a","size":1,"parts":[{"any":1}],"lid":{"knob":true},"labels":{"a":"b"}}`, 200, `{"id":"1","name":"a"}`, nil},
		"an update":        {"PUT", "/pots/v1/pots/a%2Fb", `{"size":1}`, 200, `{"id":"1"}`, nil},
		"a deletion":       {"DELETE", "/pots/v1/pots/1", "", 204, "", nil},
		"a list":           {"GET", "/pots/v1/pots?max=2&order=name", "", 200, `{"pots":[{"id":"1"}]}`, nil},
		"a flat path":      {"GET", "/pots/v1/shelves/top/lids", "", 200, `{"knob":true}`, nil},
		"an error":         {"DELETE", "/pots/v1/pots/1", "", 404, refused, nil},
		"a server's fault": {"DELETE", "/pots/v1/pots/1", "", 503, "", nil},
		"what is wrong": {
			"POST", "/pots/v1/pots", `{"id":"1","size":"1","lid":{"nob":true}}`, 200, `{"nam":"a","lid":[]}`,
			[]string{
				"POST /pots/v1/pots: answer 200: /lid is array, and has to be object",
				"POST /pots/v1/pots: answer 200: /nam is no member that the contract has",
				"POST /pots/v1/pots: request: /id is no member that the contract has",
				"POST /pots/v1/pots: request: /lid/nob is no member that the contract has",
				"POST /pots/v1/pots: request: /size is string, and has to be integer",
				"POST /pots/v1/pots: request: lacks name",
			},
		},
		"parameters": {
			"GET", "/pots/v1/pots?max=two&order=size&page=1", "", 403, `{"error":"no"}`,
			[]string{
				"GET /pots/v1/pots: answer 403: /error is string, and has to be object",
				"GET /pots/v1/pots: request: ?max is string, and has to be integer",
				"GET /pots/v1/pots: request: ?order is none of the values that the contract lists",
				"GET /pots/v1/pots: request: ?page is no parameter of this operation",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ElementsMatch(t, x.want, breaches(t, c, x.method, x.url, x.body, x.status, x.answer))
		})
	}
	_, err = contracttest.ReadDiscovery("other", []byte(`{}`))
	require.ErrorContains(t, err, "other is no discovery document")
}
