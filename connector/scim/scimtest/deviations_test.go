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
