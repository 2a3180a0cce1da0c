package contracttest_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/contracttest"
)

func TestTypes(t *testing.T) {
	declarations, err := os.ReadFile("testdata/types.d.ts")
	require.NoError(t, err)
	c, err := contracttest.ReadTypes("pots", string(declarations), []contracttest.Route{
		{Method: "POST", Path: "/pots", Sends: "Pot", Gives: "Pot", Status: "201"},
		{Method: "GET", Path: "/pots", Gives: "Pot[]", Query: []string{"$filter"}},
		{Method: "POST", Path: "/pots/{id}/assign", Sends: "{add: Lid[], remove?: string[]}"},
		{Method: "GET", Path: "/cups/{id}", Gives: "Cup"},
	})
	require.NoError(t, err)
	for name, x := range map[string]struct {
		method, url, body string
		status            int
		answer            string
		want              []string
	}{
		"good": {
			"POST", "/pots", `{"size":1,"shape":"tall","shapes":["round"],"long":"b","lid":{"knob":true},"labels":["x"],"other":{"any":1},"veryLongNameOfAMember":[{"knob":false}],"lid@odata.bind":"x"}`,
			201, `{"@odata.context":"x","id":"1","size":null,"lid":null,"shapes":null,"long":null}`, nil,
		},
		"a page":    {"GET", "/pots?$filter=x&$select=id,size", "", 200, `{"value":[{"id":"1"}],"@odata.nextLink":"x"}`, nil},
		"an action": {"POST", "/pots/1/assign", `{"add":[{"knob":true}]}`, 204, "", nil},
		"a namespace": {
			"GET", "/cups/1", "", 200, `{"id":"1","handle":{"nob":true}}`,
			[]string{"GET /cups/{id}: answer 200: /handle/nob is no member that the contract has"},
		},
		"an error": {"GET", "/cups/1", "", 404, `{"error":{"code":"Request_ResourceNotFound","message":"no"}}`, nil},
		"what is wrong": {
			"POST", "/pots", `{"siz":1,"shape":"flat","glazed":"yes","lid":{"nob":true},"labels":null}`, 200, ``,
			[]string{
				"POST /pots: answer 200: is a status that the contract does not list",
				"POST /pots: request: /glazed is string, and has to be boolean",
				"POST /pots: request: /labels is null, and has to be array",
				"POST /pots: request: /lid/nob is no member that the contract has",
				"POST /pots: request: /shape is none of the values that the contract lists",
				"POST /pots: request: /siz is no member that the contract has",
			},
		},
		"a member that is selected and does not exist": {
			"GET", "/pots?$select=id,siz", "", 200, `{"value":[]}`,
			[]string{"GET /pots: request: ?$select is none of the values that the contract lists"},
		},
		"an action's members": {
			"POST", "/pots/1/assign", `{"ad":[]}`, 204, "",
			[]string{"POST /pots/{id}/assign: request: /ad is no member that the contract has", "POST /pots/{id}/assign: request: lacks add"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ElementsMatch(t, x.want, breaches(t, c, x.method, x.url, x.body, x.status, x.answer))
		})
	}
	_, err = contracttest.ReadTypes("none", "", nil)
	require.ErrorContains(t, err, "none: there are no types")
	_, err = contracttest.ReadTypes("pots", string(declarations), []contracttest.Route{{Method: "GET", Path: "/x", Gives: "Xylophone"}})
	require.ErrorContains(t, err, "pots: GET /x: there is no type Xylophone")
}
