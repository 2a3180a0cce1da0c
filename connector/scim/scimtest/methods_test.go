package scimtest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// A 405 names the methods that the resource supports (RFC 9110 section 15.5.6).
func TestNotAllowedSaysWhatIs(t *testing.T) {
	c := serve(t, scimtest.Options{Deviations: scimtest.Deviations{NoDelete: true}})
	id := c.app.AddUser(scimtest.User{UserName: "anna", Active: true})
	group := c.app.AddGroup("staff")
	for _, r := range []struct{ method, path, allow string }{
		{"PUT", "/Users", "GET, HEAD, POST"},
		{"DELETE", "/Groups", "GET, HEAD, POST"},
		{"POST", "/Users/" + id, "GET, HEAD, PATCH, PUT"},
		{"DELETE", "/Users/" + id, "GET, HEAD, PATCH, PUT"},
		{"POST", "/Groups/" + group, "DELETE, GET, HEAD, PATCH, PUT"},
		{"POST", "/ServiceProviderConfig", "GET, HEAD"},
		{"DELETE", "/Schemas", "GET, HEAD"},
	} {
		answer, header := c.do(r.method, r.path, "", http.StatusMethodNotAllowed)
		assert.Equal(t, "405", answer["status"], r.path)
		assert.Equal(t, r.allow, header.Get("Allow"), "%s %s", r.method, r.path)
	}
	c.app.SetDeviations(scimtest.Deviations{PatchNotAllowed: true})
	_, header := c.do("PATCH", "/Groups/"+group, "", http.StatusMethodNotAllowed)
	assert.Equal(t, "DELETE, GET, HEAD, PUT", header.Get("Allow"))
}

// A search can be a POST of /.search (RFC 7644 section 3.4.3), over one type or all.
func TestSearchByPOST(t *testing.T) {
	c := serve(t, scimtest.Options{Groups: []string{"staff", "a group"}})
	for _, name := range []string{"anna", "bob", "cleo"} {
		c.app.AddUser(scimtest.User{UserName: name, DisplayName: "is " + name, Active: true, Groups: []string{"staff"}})
	}
	search := func(path, query string) (total any, names []string) {
		t.Helper()
		list, _ := c.do("POST", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`+query+`}`, http.StatusOK)
		for _, resource := range list["Resources"].([]any) {
			r := resource.(map[string]any)
			name, _ := r["userName"].(string)
			if name == "" {
				name, _ = r["displayName"].(string)
			}
			names = append(names, name)
		}
		return list["totalResults"], names
	}
	for _, s := range []struct {
		path, query string
		total       int
		names       []string
	}{
		{"/Users/.search", ``, 3, []string{"anna", "bob", "cleo"}},
		{"/Users/.search", `,"filter":"userName eq \"bob\""`, 1, []string{"bob"}},
		{"/Users/.search", `,"startIndex":2,"count":1`, 3, []string{"bob"}},
		{"/Groups/.search", `,"filter":"displayName sw \"s\""`, 1, []string{"staff"}},
		{"/.search", ``, 5, []string{"anna", "bob", "cleo", "staff", "a group"}},
		{"/.search", `,"startIndex":3,"count":2`, 5, []string{"cleo", "staff"}},
		{"/.search", `,"startIndex":5`, 5, []string{"a group"}},
		{"/.search", `,"filter":"userName sw \"a\""`, 1, []string{"anna"}},
		{"/.search", `,"filter":"displayName co \"a\""`, 3, []string{"anna", "staff", "a group"}},
		{"/.search", `,"count":0`, 5, nil},
	} {
		total, names := search(s.path, s.query)
		assert.EqualValues(t, s.total, total, s.query)
		assert.Equal(t, s.names, names, s.query)
	}
	list, _ := c.do("POST", "/Groups/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"attributes":["displayName"]}`, http.StatusOK)
	assert.NotContains(t, list["Resources"].([]any)[0], "members")
	c.fails("POST", "/Users/.search", `{"filter":"userName eq \"bob\""}`, http.StatusBadRequest, "invalidSyntax")
	c.fails("POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"x"}`, http.StatusBadRequest, "invalidFilter")

	c.app.SetFaults(scimtest.Faults{FailAfterApply: 1, ConflictEvery: 1})
	c.do("POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`, http.StatusOK) // it changes nothing
	require.Equal(t, 1, c.app.Faults().FailAfterApply)
}
