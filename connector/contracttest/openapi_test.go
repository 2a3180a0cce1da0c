package contracttest_test

import (
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

// breaches returns what a contract has against an exchange of JSON, in words.
func breaches(t *testing.T, c *contracttest.Contract, method, address, body string, status int, answer string) []string {
	t.Helper()
	at, err := url.Parse(address)
	require.NoError(t, err)
	media := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	list := []string{}
	for _, b := range c.Check(contracttest.Exchange{
		Method: method, URL: at, Header: media, Body: []byte(body), Status: status, AnswerHeader: media, Answer: []byte(answer),
	}) {
		list = append(list, b.String())
	}
	return list
}

func pots(t *testing.T) *contracttest.Contract {
	t.Helper()
	document, err := os.ReadFile("testdata/openapi.json")
	require.NoError(t, err)
	c, err := contracttest.ReadOpenAPI("teapots", document)
	require.NoError(t, err)
	return c
}

const aPot = `{"id":"1","name":"brown","size":2,"made":"2026-11-30T00:00:00Z"}`

func TestOpenAPI(t *testing.T) {
	c := pots(t)
	for name, x := range map[string]struct {
		method, url, body string
		status            int
		answer            string
		want              []string
	}{
		"a good creation": {"POST", "/pots", `{"name":"brown","size":2,"pin":"x","lid":null,"glaze":null,"labels":{"any":"thing"},"parts":[{"spout":"s"},{"handle":"h"}]}`, 201, aPot, nil},
		"no answer came":  {"POST", "/pots", `{"name":"brown","size":2}`, 0, "", nil},
		"a good list":     {"GET", "/pots?shape=tall&limit=100", "", 200, `[{"id":"1","name":"a","size":1}]`, nil},
		"unknown members": {
			"POST", "/pots", `{"name":"brown","size":2,"siz":2,"lid":{"nob":true},"parts":[{"spoutt":"s"}]}`, 201, aPot,
			[]string{
				"POST /pots: request: /lid/nob is no member that the contract has",
				"POST /pots: request: /parts/*/spoutt is no member that the contract has",
				"POST /pots: request: /siz is no member that the contract has",
			},
		},
		"an unknown member beside what is missing": {
			"POST", "/pots", `{"nom":"brown","size":2}`, 201, aPot,
			[]string{"POST /pots: request: /nom is no member that the contract has", "POST /pots: request: lacks name"},
		},
		"what is read-only is not sent": {
			"POST", "/pots", `{"id":"1","name":"brown","size":2}`, 201, aPot,
			[]string{"POST /pots: request: /id is no member that the contract has"},
		},
		"what is write-only is not shown": {
			"POST", "/pots", `{"name":"brown","size":2}`, 201, `{"id":"1","name":"brown","size":2,"made":"2026-11-30T00:00:00Z","pin":"x"}`,
			[]string{"POST /pots: answer 201: /pin is no member that the contract has"},
		},
		"types, bounds and forms": {
			"POST", "/pots", `{"name":"brown","size":0,"lid":"on","glaze":"none","labels":{"n":1}}`, 201, `{"id":1,"name":"brown","size":2,"made":"today"}`,
			[]string{
				"POST /pots: answer 201: /id is number, and has to be string",
				"POST /pots: answer 201: /made is no date-time",
				"POST /pots: request: /glaze is none of the values that the contract lists",
				"POST /pots: request: /labels/n is number, and has to be string",
				"POST /pots: request: /lid is string, and has to be null",
				"POST /pots: request: /lid is string, and has to be object",
				"POST /pots: request: /size exclusiveMinimum: got 0, want 0",
			},
		},
		"a body is missing":           {"POST", "/pots", "", 0, "", []string{"POST /pots: request: has no body, and needs one"}},
		"a body too many":             {"DELETE", "/pots/1", `{}`, 204, "", []string{"DELETE /pots/{id}: request: has a body, and the contract knows of none"}},
		"no JSON":                     {"POST", "/pots", `{`, 0, "", []string{"POST /pots: request: is no JSON"}},
		"a status that is not listed": {"DELETE", "/pots/1", "", 200, "", []string{"DELETE /pots/{id}: answer 200: is a status that the contract does not list"}},
		"a not found that is unlisted": {
			"DELETE", "/pots/1", "", 404, "{}", []string{"DELETE /pots/{id}: answer 404: is a status that the contract does not list"},
		},
		"a fault of the server":         {"DELETE", "/pots/1", "", 503, "<html>", nil},
		"the path with fewer variables": {"DELETE", "/pots/best", "", 202, "", nil},
		"an answer to an error": {
			"GET", "/pots?shape=tall", "", 404, `{"kode":"x"}`,
			[]string{
				"GET /pots: answer 404: /kode is no member that the contract has",
				"GET /pots: answer 404: Content-Type is application/json, which the contract does not list",
				"GET /pots: answer 404: lacks code",
			},
		},
		"parameters": {
			"GET", "/pots?limit=101&page=2", "", 200, `[]`,
			[]string{
				"GET /pots: request: ?limit maximum: got 101, want 100",
				"GET /pots: request: ?page is no parameter of this operation",
				"GET /pots: request: ?shape is a parameter that has to be there",
			},
		},
		"another value of a parameter": {"GET", "/pots?shape=flat", "", 200, `[]`, []string{"GET /pots: request: ?shape is none of the values that the contract lists"}},
		"no such path":                 {"GET", "/cups", "", 200, `[]`, []string{"GET /cups: request: the contract has no such operation"}},
		"no such method":               {"PUT", "/pots", "", 200, `[]`, []string{"PUT /pots: request: the contract has no such operation"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ElementsMatch(t, x.want, breaches(t, c, x.method, x.url, x.body, x.status, x.answer))
		})
	}
}

func TestOnlyOpenAPI3IsRead(t *testing.T) {
	_, err := contracttest.ReadOpenAPI("old", []byte(`{"swagger":"2.0"}`))
	require.ErrorContains(t, err, "old is no document of OpenAPI 3.0")
}
