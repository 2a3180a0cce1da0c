//go:build real

package entra_test

import (
	"testing"

	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/contracttest"
	"github.com/tenurehq/tenure/connector/entra/entratest"
)

// routes lists the operations that the connector uses, from the pages that the code names.
var routes = []contracttest.Route{
	{Method: "GET", Path: "/users", Gives: "User[]", Query: []string{"$filter", "$top", "$skiptoken"}, Status: "200"},
	{Method: "POST", Path: "/users", Sends: "User", Gives: "User", Status: "201"},
	{Method: "GET", Path: "/users/{id}", Gives: "User", Status: "200"},
	{Method: "PATCH", Path: "/users/{id}", Sends: "User", Status: "204"},
	{Method: "DELETE", Path: "/users/{id}", Status: "204"},
	{Method: "PUT", Path: "/users/{id}/manager/$ref", Sends: "{@odata.id: string}", Status: "204"},
	{Method: "DELETE", Path: "/users/{id}/manager/$ref", Status: "204"},
	{Method: "POST", Path: "/users/{id}/revokeSignInSessions", Gives: "{value: boolean}", Status: "200"},
	{Method: "POST", Path: "/users/{id}/assignLicense", Sends: "{addLicenses: AssignedLicense[], removeLicenses: string[]}", Gives: "User", Status: "200"},
	{Method: "POST", Path: "/directory/deletedItems/{id}/restore", Gives: "User", Status: "200"},
	{Method: "GET", Path: "/users/{id}/memberOf", Gives: "Group[]", Query: []string{"$top", "$skiptoken"}, Status: "200"},
	{Method: "GET", Path: "/users/{id}/authentication/methods", Gives: "AuthenticationMethod[]", Status: "200"},
	{Method: "DELETE", Path: "/users/{id}/authentication/phoneMethods/{method}", Status: "204"},
	{Method: "GET", Path: "/groups", Gives: "Group[]", Query: []string{"$filter", "$top", "$skiptoken"}, Status: "200"},
	{Method: "GET", Path: "/groups/{id}/members", Gives: "User[]", Query: []string{"$top", "$skiptoken"}, Status: "200"},
	{Method: "POST", Path: "/groups/{id}/members/$ref", Sends: "{@odata.id: string}", Status: "204"},
	{Method: "DELETE", Path: "/groups/{id}/members/{user}/$ref", Status: "204"},
	{Method: "GET", Path: "/subscribedSkus", Gives: "SubscribedSku[]", Status: "200"},
	{Method: "GET", Path: "/roleManagement/directory/roleDefinitions", Gives: "UnifiedRoleDefinition[]", Status: "200"},
	{Method: "GET", Path: "/roleManagement/directory/roleAssignments", Gives: "UnifiedRoleAssignment[]", Query: []string{"$filter"}, Status: "200"},
	{Method: "POST", Path: "/roleManagement/directory/roleAssignments", Sends: "UnifiedRoleAssignment", Gives: "UnifiedRoleAssignment", Status: "201"},
	{Method: "DELETE", Path: "/roleManagement/directory/roleAssignments/{id}", Status: "204"},
}

// TestContractOfGraph holds what the connector sends and what the stand-in answers to the
// types of Microsoft Graph.
func TestContractOfGraph(t *testing.T) {
	held := contracttest.Hold(t, contracttest.Graph(t, routes), contracttest.Options{
		Base: "/v1.0", Beside: []string{"/" + entratest.TenantID + "/oauth2/v2.0/token"},
	})
	tenant, stop := entratest.New(held.Handler)
	t.Cleanup(stop)
	tenant.AddGroup("staff", nil)
	for _, pair := range [][]string{{"staff", "role:User Administrator"}, {"licence:EMS", "staff"}} {
		t.Run(pair[0], func(t *testing.T) {
			tried := target(tenant, pair...)
			tried.Proof = held.Proof("")
			connectortest.Run(t, tried)
		})
	}
	c := open(t, tenant, nil)
	boss := create(t, c, nil)
	made := create(t, c, map[string]any{"manager": boss.ID, "employeeOrgData.costCenter": "1", "employeeHireDate": "2026-11-30"})
	for _, id := range []string{"", boss.ID} {
		if err := c.Update(t.Context(), made.ID, map[string]any{"manager": id}); err != nil {
			t.Fatal(err)
		}
	}
}
