package salesforcetest

import (
	"slices"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Accounts returns all users. The person ID is the FederationIdentifier. Their groups are the
// public ones, and the permission sets with the prefix "role:".
func (o *Org) Accounts() []vendortest.Account {
	o.mu.Lock()
	defer o.mu.Unlock()
	frozen := map[any]bool{}
	for _, login := range o.tables["UserLogin"] {
		frozen[login["UserId"]] = login["IsFrozen"] == true
	}
	groups := map[any][]string{}
	for _, m := range o.tables["GroupMember"] {
		groups[m["UserOrGroupId"]] = append(groups[m["UserOrGroupId"]], o.find("Group", m["GroupId"].(string))["DeveloperName"].(string))
	}
	for _, m := range o.tables["PermissionSetAssignment"] {
		set, _ := m["PermissionSetId"].(string)
		if r := o.find("PermissionSet", set); r != nil && r["IsOwnedByProfile"] == false {
			groups[m["AssigneeId"]] = append(groups[m["AssigneeId"]], "role:"+r["Name"].(string))
		}
	}
	var all []vendortest.Account
	for _, u := range o.tables["User"] {
		a := vendortest.Account{ID: u["Id"].(string), Active: u["IsActive"] == true && !frozen[u["Id"]], Groups: groups[u["Id"]]}
		a.Sessions = len(o.where("AuthSession", "UsersId", a.ID)) + len(o.where("OauthToken", "UserId", a.ID))
		a.PersonID, _ = u["FederationIdentifier"].(string)
		a.Family, _ = u["LastName"].(string)
		a.Title, _ = u["Title"].(string)
		a.Manager, _ = u["ManagerId"].(string)
		slices.Sort(a.Groups)
		all = append(all, a)
	}
	return all
}
