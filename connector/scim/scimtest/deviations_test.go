package scimtest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// The service also refuses what a vendor refuses and connector/scim never sends.
func TestMembersAsAWSHasThem(t *testing.T) {
	c := serve(t, scimtest.Options{Groups: []string{"staff"}, Deviations: scimtest.Vendors["aws-identity-center"]})
	group := c.app.AddGroup("staff")
	first, second := c.app.AddUser(scimtest.User{UserName: "a", Active: true}), c.app.AddUser(scimtest.User{UserName: "b", Active: true})
	change := func(status int, operation string) {
		t.Helper()
		c.do("PATCH", "/Groups/"+group, fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`, operation), status)
	}
	both := fmt.Sprintf(`[{"value":%q},{"value":%q}]`, first, second)
	change(204, `{"op":"add","path":"members","value":`+both+`}`)
	change(400, `{"op":"replace","path":"members","value":`+both+`}`)
	change(400, `{"op":"remove","path":"members"}`)
	change(400, fmt.Sprintf(`{"op":"remove","path":"members[value eq %q]"}`, first))
	assert.Equal(t, []string{"staff"}, c.app.Users()[0].Groups)
	change(204, fmt.Sprintf(`{"op":"remove","path":"members","value":[{"value":%q}]}`, first))
	assert.Empty(t, c.app.Users()[0].Groups)
	assert.Equal(t, []string{"staff"}, c.app.Users()[1].Groups)

	many := fmt.Sprintf(`{"value":%q}`, first)
	for range 100 {
		many += fmt.Sprintf(`,{"value":%q}`, first)
	}
	change(400, `{"op":"add","path":"members","value":[`+many+`]}`)
	c.do("GET", "/Users?startIndex=1", "", 400)
	c.do("GET", "/Users?filter=title%20eq%20%22x%22", "", 400)
	c.do("GET", "/Users?filter=userName%20sw%20%22x%22", "", 400)
	c.do("GET", "/Groups?excludedAttributes=members", "", 400)
}

// The stand-ins of GitHub need and know what GitHub's contract says.
func TestUsersAsGitHubHasThem(t *testing.T) {
	const schemas = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	const names, emails = `"name":{"givenName":"A","familyName":"B"}`, `"emails":[{"value":"a@example.com","type":"work","primary":true}]`
	for name, c := range map[string]struct {
		vendor, members string
		status          int
	}{
		"whole":                   {"github-org", names + "," + emails, 201},
		"no address":              {"github-org", names, 400},
		"a name that is missing":  {"github-org", `"name":{"givenName":"A"},` + emails, 400},
		"another attribute":       {"github-org", `"title":"Engineer",` + names + "," + emails, 400},
		"whole, of an enterprise": {"github-emu", `"displayName":"A",` + emails, 201},
		"no display name":         {"github-emu", emails, 400},
		"no address either":       {"github-emu", `"displayName":"A"`, 400},
		"a role":                  {"github-emu", `"displayName":"A","roles":[{"value":"enterprise_owner"}],` + emails, 201},
		"a role that is unknown":  {"github-emu", `"displayName":"A","roles":[{"value":"king"}],` + emails, 400},
	} {
		t.Run(name, func(t *testing.T) {
			app := serve(t, scimtest.Options{Deviations: scimtest.Vendors[c.vendor]})
			made, _ := app.do("POST", "/Users", fmt.Sprintf(`{%s,"userName":"a","externalId":"1",%s}`, schemas, c.members), c.status)
			assert.NotContains(t, fmt.Sprint(made["meta"]), "version")
		})
	}
	app := serve(t, scimtest.Options{Deviations: scimtest.Vendors["github-emu"]})
	gone, _ := app.do("GET", "/Users/none", "", 404)
	assert.Equal(t, "Not Found", gone["message"], "as GitHub's REST API says it")
	app.do("GET", "/Groups?attributes=members", "", 400)
	const group = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"staff"%s}`
	app.do("POST", "/Groups", fmt.Sprintf(group, ""), 400)
	app.do("POST", "/Groups", fmt.Sprintf(group, `,"externalId":"staff"`), 201)
}
