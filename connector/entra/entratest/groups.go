package entratest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// memberOf shows groups, and directory roles as Graph does.
func (t *Tenant) memberOf(w http.ResponseWriter, r *http.Request) {
	items := []Object{}
	for _, g := range sorted(t.groups) {
		if !t.members[g["id"].(string)][r.PathValue("id")] {
			continue
		}
		if t.switches.MembersUnseen {
			t.door.Spring("MembersUnseen")
			continue
		}
		shown := Object{"@odata.type": "#microsoft.graph.group", "id": g["id"]}
		if t.has("GroupMember.Read.All") {
			for _, name := range []string{"displayName", "groupTypes", "mailEnabled", "securityEnabled", "onPremisesSyncEnabled", "isAssignableToRole"} {
				shown[name] = g[name]
			}
		}
		items = append(items, shown)
	}
	for _, a := range t.grants {
		if a["principalId"] == r.PathValue("id") {
			items = append(items, Object{"@odata.type": "#microsoft.graph.directoryRole", "id": a["roleDefinitionId"], "displayName": nil})
		}
	}
	t.ofUser(w, r, items)
}

func (t *Tenant) listGroups(w http.ResponseWriter, r *http.Request) {
	found, failed := t.filtered(r.URL.Query(), sorted(t.groups), "displayName")
	if failed != nil {
		failed.write(w)
		return
	}
	items := []Object{}
	for _, g := range found {
		shown := Object{}
		for name := range strings.SplitSeq(r.URL.Query().Get("$select"), ",") {
			shown[name] = g[name]
		}
		items = append(items, shown)
	}
	t.page(w, r, items)
}

func (t *Tenant) listMembers(w http.ResponseWriter, r *http.Request) {
	if t.groups[r.PathValue("id")] == nil {
		errNotFound.write(w)
		return
	}
	items := []Object{}
	for _, u := range sorted(t.users) {
		if t.members[r.PathValue("id")][u["id"].(string)] {
			items = append(items, Object{"@odata.type": "#microsoft.graph.user", "id": u["id"]})
		}
	}
	t.page(w, r, items)
}

// closed returns why Graph does not change who is in a group (learn.microsoft.com/graph/api/
// resources/groups-overview).
func (t *Tenant) closed(g Object) *failure {
	types, _ := g["groupTypes"].([]any)
	switch {
	case g["isAssignableToRole"] == true && !t.has("RoleManagement.ReadWrite.Directory"),
		slices.Contains(types, any("DynamicMembership")):
		return errDenied
	case g["mailEnabled"] == true && !slices.Contains(types, any("Unified")):
		return bad("Cannot Update a mail-enabled security groups and or distribution list.")
	case g["onPremisesSyncEnabled"] == true:
		return bad("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	}
	return nil
}

func (t *Tenant) addMember(w http.ResponseWriter, r *http.Request) {
	given, failed := body(r)
	if failed != nil {
		failed.write(w)
		return
	}
	link, _ := given["@odata.id"].(string)
	user := link[strings.LastIndex(link, "/")+1:]
	group := r.PathValue("id")
	_, failed = t.target(user)
	switch {
	case t.groups[group] == nil || !strings.HasPrefix(link, t.url+"/v1.0/directoryObjects/"):
		failed = errNotFound
	case failed != nil:
	case t.members[group][user]:
		failed = bad("One or more added object references already exist for the following modified properties: 'members'.")
	default:
		failed = t.closed(t.groups[group])
	}
	if failed == nil {
		t.members[group][user] = true
		if t.switches.MemberAddedBut404 {
			t.door.Spring("MemberAddedBut404")
			vendortest.Made(w)
			failed = errNotFound
		}
	}
	if failed != nil {
		failed.write(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) removeMember(w http.ResponseWriter, r *http.Request) {
	group, user := r.PathValue("id"), r.PathValue("user")
	failed := errNotFound
	if t.members[group][user] {
		failed = t.closed(t.groups[group])
	}
	if failed != nil {
		failed.write(w)
		return
	}
	delete(t.members[group], user)
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) roleDefinitions(w http.ResponseWriter, r *http.Request) { t.page(w, r, t.roles) }

func (t *Tenant) roleAssignments(w http.ResponseWriter, r *http.Request) {
	found, failed := t.filtered(r.URL.Query(), t.grants, "principalId", "roleDefinitionId")
	if failed != nil {
		failed.write(w)
		return
	}
	if found == nil {
		found = []Object{}
	}
	t.page(w, r, found)
}

func (t *Tenant) assignRole(w http.ResponseWriter, r *http.Request) {
	given, failed := body(r)
	if failed != nil {
		failed.write(w)
		return
	}
	text := func(name string) string { s, _ := given[name].(string); return s }
	user, role, scope := text("principalId"), text("roleDefinitionId"), text("directoryScopeId")
	_, failed = t.target(user)
	switch {
	case len(given) != 3 || scope == "" || !slices.ContainsFunc(t.roles, func(r Object) bool { return r["id"] == role }):
		failed = bad("Invalid object identifier or scope.")
	case failed == nil && slices.ContainsFunc(t.grants, func(a Object) bool {
		return a["principalId"] == user && a["roleDefinitionId"] == role && a["directoryScopeId"] == scope
	}):
		failed = bad("A conflicting object with one or more of the specified property values is present in the directory.")
	}
	if failed != nil {
		failed.write(w)
		return
	}
	writeJSON(w, http.StatusCreated, t.assign(user, role, scope))
}

func (t *Tenant) unassignRole(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(t.grants, func(a Object) bool { return a["id"] == r.PathValue("id") })
	if i < 0 {
		errNotFound.write(w)
		return
	}
	t.grants = slices.Delete(t.grants, i, i+1)
	w.WriteHeader(http.StatusNoContent)
}

// states returns the states of a user's licences.
func states(u Object) []Object {
	raw, _ := u["licenseAssignmentStates"].([]any)
	list := []Object{}
	for _, s := range raw {
		list = append(list, s.(Object))
	}
	return list
}

// assigned returns a user's licences as assignedLicenses shows them: those that work.
func assigned(u Object) []Object {
	list := []Object{}
	for _, s := range states(u) {
		if s["state"] == "Active" {
			list = append(list, Object{"skuId": s["skuId"], "disabledPlans": s["disabledPlans"]})
		}
	}
	return list
}

func (t *Tenant) subscribedSkus(w http.ResponseWriter, r *http.Request) {
	items := []Object{}
	for _, s := range t.skus {
		shown := Object{"consumedUnits": t.used(s["skuId"])}
		maps.Copy(shown, s)
		items = append(items, shown)
	}
	if r.URL.RawQuery != "" {
		bad("The query specified in the URI is not valid.").write(w)
		return
	}
	writeJSON(w, http.StatusOK, Object{"value": items})
}

// used returns how many seats of a licence are used. A user who has it twice uses one.
func (t *Tenant) used(sku any) int {
	n := 0
	for _, u := range t.users {
		if slices.ContainsFunc(assigned(u), func(l Object) bool { return l["skuId"] == sku }) {
			n++
		}
	}
	return n
}

func (t *Tenant) assignLicense(w http.ResponseWriter, r *http.Request) {
	given, failed := body(r)
	if failed != nil {
		failed.write(w)
		return
	}
	u, failed := t.target(r.PathValue("id"))
	add, adds := given["addLicenses"].([]any)
	remove, removes := given["removeLicenses"].([]any)
	if failed == nil && (!adds || !removes) {
		failed = bad("A value without a type name was found and no expected type is available.")
	}
	for _, item := range add {
		if one, is := item.(Object); failed == nil && is {
			failed = t.license(u, one)
		}
	}
	for _, sku := range remove {
		if failed == nil {
			failed = t.unlicense(u, sku)
		}
	}
	if failed != nil {
		failed.write(w)
		return
	}
	writeJSON(w, http.StatusOK, Object{"@odata.context": t.url + "/v1.0/$metadata#users/$entity", "id": u["id"], "userPrincipalName": u["userPrincipalName"]})
}

func (t *Tenant) license(u, add Object) *failure {
	i := slices.IndexFunc(t.skus, func(s Object) bool { return s["skuId"] == add["skuId"] })
	own := func(s Object) bool { return s["skuId"] == add["skuId"] && s["assignedByGroup"] == nil }
	has := states(u)
	seats := 0
	if i >= 0 {
		seats = t.skus[i]["prepaidUnits"].(Object)["enabled"].(int)
	}
	switch {
	case i < 0:
		return bad("License %v does not correspond to a valid company License.", add["skuId"])
	case u["usageLocation"] == nil:
		return bad("License assignment cannot be done for user with invalid usage location.")
	case !slices.ContainsFunc(has, own) && t.used(add["skuId"]) >= seats:
		return bad("Subscription with SKU %v does not have any available licenses.", add["skuId"])
	}
	state, why := "Active", "None"
	if t.switches.LicenceError != "" {
		t.door.Spring("LicenceError")
		state, why = "Error", t.switches.LicenceError
	}
	has = append(slices.DeleteFunc(has, own), Object{
		"skuId": add["skuId"], "disabledPlans": add["disabledPlans"], "assignedByGroup": nil, "state": state, "error": why, "lastUpdatedDateTime": now(),
	})
	set(u, has)
	return nil
}

func set(u Object, has []Object) {
	list := []any{}
	for _, s := range has {
		list = append(list, s)
	}
	u["licenseAssignmentStates"] = list
}

func (t *Tenant) unlicense(u Object, sku any) *failure {
	has := states(u)
	i := slices.IndexFunc(has, func(s Object) bool { return s["skuId"] == sku && s["assignedByGroup"] == nil })
	if i < 0 {
		if slices.ContainsFunc(has, func(s Object) bool { return s["skuId"] == sku }) {
			return bad("User license is inherited from a group membership and it cannot be removed directly from the user.")
		}
		return bad("User does not have a corresponding license.")
	}
	set(u, slices.Delete(has, i, i+1))
	return nil
}
