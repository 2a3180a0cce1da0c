package entratest

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// writable lists the properties of a user that can be written, with the type of their values
// and the length of texts (learn.microsoft.com/graph/api/resources/user); 0 is any length.
var writable = map[string]struct {
	kind   string
	length int
}{
	"accountEnabled": {"bool", 0}, "ageGroup": {"text", 0}, "businessPhones": {"one", 0}, "city": {"text", 128}, "companyName": {"text", 64},
	"consentProvidedForMinor": {"text", 0}, "country": {"text", 128}, "department": {"text", 64}, "displayName": {"text", 256},
	"employeeHireDate": {"time", 0}, "employeeId": {"text", 16}, "employeeOrgData": {"costCenter division", 0}, "employeeType": {"text", 0},
	"faxNumber": {"text", 0}, "givenName": {"text", 64}, "jobTitle": {"text", 128}, "mail": {"text", 0}, "mailNickname": {"text", 64},
	"mobilePhone": {"text", 64}, "officeLocation": {"text", 128},
	"onPremisesExtensionAttributes": {"extensionAttribute1 extensionAttribute2 extensionAttribute3 extensionAttribute4 extensionAttribute5 " +
		"extensionAttribute6 extensionAttribute7 extensionAttribute8 extensionAttribute9 extensionAttribute10 extensionAttribute11 " +
		"extensionAttribute12 extensionAttribute13 extensionAttribute14 extensionAttribute15", 0},
	"otherMails": {"many", 0}, "passwordProfile": {"password forceChangePasswordNextSignIn", 0}, "postalCode": {"text", 40},
	"preferredDataLocation": {"text", 0}, "preferredLanguage": {"text", 0}, "state": {"text", 128}, "streetAddress": {"text", 1024},
	"surname": {"text", 64}, "usageLocation": {"text", 2}, "userPrincipalName": {"text", 113},
	"extension_0123456789abcdef0123456789abcdef_personId": {"text", 256},
}

// readable lists what can be selected besides what can be written.
var readable = []string{"id", "createdDateTime", "onPremisesSyncEnabled", "userType", "assignedLicenses", "licenseAssignmentStates", "signInActivity"}

// defaults lists what is shown if nothing is selected.
var defaults = []string{
	"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName",
}

func (t *Tenant) routes() {
	handle := func(pattern, right string, do func(w http.ResponseWriter, r *http.Request)) {
		method, path, _ := strings.Cut(pattern, " ")
		t.mux.HandleFunc(method+" /v1.0"+path, func(w http.ResponseWriter, r *http.Request) {
			if !t.has(right) {
				errDenied.write(w)
				return
			}
			do(w, r)
		})
	}
	handle("GET /users", "User.Read.All", t.listUsers)
	handle("POST /users", "User.ReadWrite.All", t.createUser)
	handle("GET /users/{id}", "User.Read.All", t.getUser)
	handle("PATCH /users/{id}", "User.ReadWrite.All", t.patchUser)
	handle("DELETE /users/{id}", "User.ReadWrite.All", t.deleteUser)
	handle("PUT /users/{id}/manager/$ref", "User.ReadWrite.All", t.setManager)
	handle("DELETE /users/{id}/manager/$ref", "User.ReadWrite.All", t.removeManager)
	handle("POST /users/{id}/revokeSignInSessions", "User.RevokeSessions.All", t.revokeSessions)
	handle("POST /directory/deletedItems/{id}/restore", "User.ReadWrite.All", t.restore)
	handle("GET /users/{id}/memberOf", "User.Read.All", t.memberOf)
	handle("GET /users/{id}/registeredDevices", "User.Read.All", t.registeredDevices)
	handle("PATCH /devices/{id}", "Device.ReadWrite.All", t.patchDevice)
	handle("GET /users/{id}/authentication/methods", "UserAuthenticationMethod.ReadWrite.All", t.listMethods)
	handle("DELETE /users/{id}/authentication/{kind}/{method}", "UserAuthenticationMethod.ReadWrite.All", t.deleteMethod)
	handle("GET /users/{id}/appRoleAssignments", "AppRoleAssignment.ReadWrite.All", t.listAppRoles)
	handle("DELETE /users/{id}/appRoleAssignments/{app}", "AppRoleAssignment.ReadWrite.All", t.deleteAppRole)
	handle("POST /users/{id}/assignLicense", "LicenseAssignment.ReadWrite.All", t.assignLicense)
	handle("GET /subscribedSkus", "LicenseAssignment.Read.All", t.subscribedSkus)
	handle("GET /groups", "GroupMember.Read.All", t.listGroups)
	handle("GET /groups/{id}/members", "GroupMember.Read.All", t.listMembers)
	handle("POST /groups/{id}/members/$ref", "GroupMember.ReadWrite.All", t.addMember)
	handle("DELETE /groups/{id}/members/{user}/$ref", "GroupMember.ReadWrite.All", t.removeMember)
	handle("GET /roleManagement/directory/roleDefinitions", "RoleManagement.ReadWrite.Directory", t.roleDefinitions)
	handle("GET /roleManagement/directory/roleAssignments", "RoleManagement.ReadWrite.Directory", t.roleAssignments)
	handle("POST /roleManagement/directory/roleAssignments", "RoleManagement.ReadWrite.Directory", t.assignRole)
	handle("DELETE /roleManagement/directory/roleAssignments/{id}", "RoleManagement.ReadWrite.Directory", t.unassignRole)
}

// has reports whether the app registration has a right.
func (t *Tenant) has(right string) bool { return t.rights[right] }

// read returns a user as reads show it.
func (t *Tenant) read(id string) (Object, *failure) {
	u, there := t.users[id]
	if late := t.before[id]; t.late(late) {
		t.door.Spring(map[bool]string{true: "NotFoundReads", false: "StaleReads"}[late.shown == nil])
		if late.reads--; late.reads > 0 {
			t.before[id] = late
		} else {
			delete(t.before, id)
		}
		u, there = late.shown, late.shown != nil
	}
	if !there {
		return nil, errNotFound
	}
	return u, nil
}

// changed makes reads show for a while what was before.
func (t *Tenant) changed(id string, was Object) {
	if !t.late(t.before[id]) && t.switches.StaleReads > 0 {
		t.before[id] = stale{was, t.switches.StaleReads, time.Now()}
	}
}

// shown returns the part of a user that is selected.
func (t *Tenant) shown(r *http.Request, u Object) (Object, *failure) {
	names, query := defaults, r.URL.Query()
	if selected := query.Get("$select"); selected != "" {
		names = strings.Split(selected, ",")
	}
	answer := Object{}
	for _, name := range names {
		_, known := writable[name]
		if !known && !slices.Contains(readable, name) {
			return nil, bad("Could not find a property named '%s' on type 'microsoft.graph.user'.", name)
		}
		if name == "signInActivity" && !t.has("AuditLog.Read.All") {
			return nil, &failure{403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license", nil}
		}
		if name != "passwordProfile" {
			answer[name] = property(u, name)
		}
	}
	if _, selected := answer["assignedLicenses"]; selected {
		answer["assignedLicenses"] = assigned(u)
	}
	if query.Get("$expand") == "manager($select=id)" {
		if id, _ := u["manager"].(string); id != "" {
			answer["manager"] = Object{"@odata.type": "#microsoft.graph.user", "id": id}
		}
	} else if query.Has("$expand") {
		return nil, bad("Parsing OData Select and Expand failed")
	}
	return answer, nil
}

// property returns what is shown of a property. Lists are never null.
func property(u Object, name string) any {
	if kind := writable[name].kind; u[name] == nil && (kind == "one" || kind == "many") {
		return []any{}
	}
	return u[name]
}

func (t *Tenant) listUsers(w http.ResponseWriter, r *http.Request) {
	found, failed := t.filtered(r.URL.Query(), sorted(t.users), "userPrincipalName", "employeeId", "mail", "id")
	if failed != nil {
		failed.write(w)
		return
	}
	if _, failed := t.shown(r, Object{}); failed != nil {
		failed.write(w)
		return
	}
	items := []Object{}
	for _, u := range found {
		u, failed := t.read(u["id"].(string))
		if failed != nil {
			continue
		}
		shown, failed := t.shown(r, u)
		if failed != nil {
			failed.write(w)
			return
		}
		items = append(items, shown)
	}
	if r.URL.Query().Get("$filter") != "" && t.switches.StaleReads > 0 && !t.switches.SilentFilter {
		items, _ = t.filtered(r.URL.Query(), items, "userPrincipalName", "employeeId", "mail", "id")
	}
	t.page(w, r, items)
}

func (t *Tenant) getUser(w http.ResponseWriter, r *http.Request) {
	u, failed := t.read(r.PathValue("id"))
	if failed == nil {
		u, failed = t.shown(r, u)
	}
	if failed != nil {
		failed.write(w)
		return
	}
	writeJSON(w, http.StatusOK, u)
}

// body reads the body of a request.
func body(r *http.Request) (Object, *failure) {
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); media != "application/json" {
		return nil, &failure{415, "RequestBodyRead", "A Content-Type of application/json is required.", nil}
	}
	var given Object
	if json.NewDecoder(r.Body).Decode(&given) != nil {
		return nil, bad("Unable to read JSON request payload.")
	}
	return given, nil
}

// accentless matches what may come before the "@" of a userPrincipalName.
var accentless = regexp.MustCompile(`^[A-Za-z0-9'.\-_!#^~]{1,64}$`)

// check returns why properties cannot be written.
func (t *Tenant) check(id string, given Object) *failure {
	for name, value := range given {
		p, known := writable[name]
		if !known {
			return bad("One or more property values specified are invalid. Unknown property '%s'.", name)
		}
		if !fits(p.kind, value) {
			return bad("Cannot convert a value to target type. Property '%s'.", name)
		}
		text, _ := value.(string)
		invalid := value == "" || p.length > 0 && len([]rune(text)) > p.length
		if value == nil && slices.Contains([]string{"displayName", "usageLocation", "mailNickname", "accountEnabled", "userPrincipalName"}, name) {
			invalid = true
		}
		if local, domain, _ := strings.Cut(text, "@"); name == "userPrincipalName" && (!accentless.MatchString(local) || !t.domains[domain]) {
			invalid = true
		}
		if invalid {
			return &failure{400, "Request_BadRequest", "Invalid value specified for property '" + name + "' of resource 'User'.", []Object{{"target": name, "code": "InvalidValue"}}}
		}
		if (name == "userPrincipalName" || name == "mail") && t.taken(id, name, text) {
			return &failure{400, "Request_BadRequest", "Another object with the same value for property " + name + " already exists.", []Object{{"target": name, "code": "ObjectConflict"}}}
		}
	}
	return nil
}

func (t *Tenant) taken(id, property, value string) bool {
	for other, u := range t.users {
		if text, _ := u[property].(string); other != id && strings.EqualFold(text, value) && value != "" {
			return true
		}
	}
	return false
}

func fits(kind string, value any) bool {
	items, isList := value.([]any)
	parts, isObject := value.(Object)
	_, isText := value.(string)
	switch kind {
	case "bool":
		_, is := value.(bool)
		return is
	case "one":
		return isList && len(items) <= 1
	case "many":
		return isList
	case "text":
		return isText || value == nil
	case "time":
		text, _ := value.(string)
		_, err := time.Parse(time.RFC3339, text)
		return value == nil || err == nil
	}
	for name := range parts {
		if !slices.Contains(strings.Fields(kind), name) {
			return false
		}
	}
	return isObject
}

func (t *Tenant) createUser(w http.ResponseWriter, r *http.Request) {
	given, failed := body(r)
	if failed != nil {
		failed.write(w)
		return
	}
	bound, binds := given["manager@odata.bind"].(string)
	delete(given, "manager@odata.bind")
	for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"} {
		if _, there := given[name]; !there {
			bad("A value is required for property '%s' of resource 'User'.", name).write(w)
			return
		}
	}
	if failed = t.check("", given); failed == nil {
		failed = strong(given["passwordProfile"])
	}
	boss := bound[strings.LastIndex(bound, "/")+1:]
	if _, there := t.users[boss]; binds && (!there || !strings.HasPrefix(bound, t.url+"/v1.0/")) {
		failed = errNotFound
	}
	if failed != nil {
		failed.write(w)
		return
	}
	u := Object{"id": uuid.NewString(), "createdDateTime": now(), "userType": "Member"}
	t.apply(u, given)
	if binds {
		u["manager"] = boss
	}
	id := u["id"].(string)
	t.users[id] = u
	if t.switches.NotFoundReads > 0 {
		t.before[id] = stale{nil, t.switches.NotFoundReads, time.Now()}
	}
	answer := Object{"@odata.context": t.url + "/v1.0/$metadata#users/$entity"}
	for _, name := range defaults {
		answer[name] = property(u, name)
	}
	writeJSON(w, http.StatusCreated, answer)
}

// strong returns why a new password is refused.
func strong(profile any) *failure {
	given, _ := profile.(Object)
	if text, _ := given["password"].(string); len(text) < 8 || strings.ToLower(text) == text {
		return bad("The specified password does not comply with password complexity requirements.")
	}
	return nil
}

// apply sets properties. Those of nested ones that are not given stay.
func (t *Tenant) apply(u, given Object) {
	for name, value := range given {
		inner, nested := value.(Object)
		switch {
		case t.door.Forgets(name):
		case nested:
			merged, _ := u[name].(Object)
			merged = maps.Clone(merged)
			if merged == nil {
				merged = Object{}
			}
			maps.Copy(merged, inner)
			u[name] = merged
		default:
			u[name] = value
		}
	}
}

// target returns the user that a change is about, or why it cannot be changed.
func (t *Tenant) target(id string) (Object, *failure) {
	u, there := t.users[id]
	if late := t.before[id]; t.late(late) && late.shown == nil {
		there = false
	}
	if !there {
		return nil, errNotFound
	}
	return u, nil
}

// isAdmin reports whether a user has a directory role: then an app needs one that is as high
// (learn.microsoft.com/graph/api/resources/users).
func (t *Tenant) isAdmin(id string) bool {
	return slices.ContainsFunc(t.grants, func(a Object) bool { return a["principalId"] == id })
}

func (t *Tenant) patchUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	given, failed := body(r)
	if failed != nil {
		failed.write(w)
		return
	}
	_, password := given["passwordProfile"]
	_, switched := given["accountEnabled"]
	u, failed := t.target(id)
	_, location := given["usageLocation"]
	switch {
	case password && (!t.has("User-PasswordProfile.ReadWrite.All") || !t.has("role:User Administrator")):
		failed = errDenied
	case failed != nil:
	case u["onPremisesSyncEnabled"] == true && (len(given) > 1 || !location):
		failed = bad("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	case (password || switched) && t.isAdmin(id) && !t.has("role:Privileged"):
		failed = errDenied
	default:
		failed = t.check(id, given)
	}
	if failed == nil && password {
		failed = strong(given["passwordProfile"])
	}
	if failed != nil {
		failed.write(w)
		return
	}
	was := maps.Clone(u)
	t.apply(u, given)
	t.changed(id, was)
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) deleteUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	u, failed := t.target(id)
	if failed == nil && t.isAdmin(id) && !t.has("role:Privileged") {
		failed = errDenied
	}
	if failed != nil {
		failed.write(w)
		return
	}
	delete(t.users, id)
	t.deleted[id] = u
	t.changed(id, u)
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) restore(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	u, there := t.deleted[id]
	upn, _ := u["userPrincipalName"].(string)
	switch {
	case !there:
		errNotFound.write(w)
		return
	case t.taken(id, "userPrincipalName", upn):
		(&failure{400, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.", []Object{{"target": "userPrincipalName", "code": "ObjectConflict"}}}).write(w)
		return
	}
	delete(t.deleted, id)
	delete(t.before, id)
	t.users[id] = u
	writeJSON(w, http.StatusOK, Object{"@odata.type": "#microsoft.graph.user", "id": id})
}

func (t *Tenant) setManager(w http.ResponseWriter, r *http.Request) {
	given, failed := body(r)
	if failed != nil {
		failed.write(w)
		return
	}
	link, _ := given["@odata.id"].(string)
	boss := link[strings.LastIndex(link, "/")+1:]
	u, failed := t.target(r.PathValue("id"))
	if _, there := t.users[boss]; failed == nil && (!there || !strings.HasPrefix(link, t.url+"/v1.0/")) {
		failed = errNotFound
	}
	if failed != nil {
		failed.write(w)
		return
	}
	u["manager"] = boss
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) removeManager(w http.ResponseWriter, r *http.Request) {
	u, failed := t.target(r.PathValue("id"))
	if failed == nil && u["manager"] == nil {
		failed = errNotFound
	}
	if failed != nil {
		failed.write(w)
		return
	}
	delete(u, "manager")
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) revokeSessions(w http.ResponseWriter, r *http.Request) {
	u, failed := t.target(r.PathValue("id"))
	if failed != nil {
		failed.write(w)
		return
	}
	u["signInSessionsValidFromDateTime"] = now()
	writeJSON(w, http.StatusOK, Object{"@odata.context": t.url + "/v1.0/$metadata#Edm.Boolean", "value": true})
}

// ofUser answers with a list that a user has.
func (t *Tenant) ofUser(w http.ResponseWriter, r *http.Request, items []Object) {
	if _, failed := t.read(r.PathValue("id")); failed != nil {
		failed.write(w)
		return
	}
	if items == nil {
		items = []Object{}
	}
	t.page(w, r, items)
}

func (t *Tenant) registeredDevices(w http.ResponseWriter, r *http.Request) {
	t.ofUser(w, r, slices.DeleteFunc(sorted(t.devices), func(d Object) bool { return d["owner"] != r.PathValue("id") }))
}

func (t *Tenant) patchDevice(w http.ResponseWriter, r *http.Request) {
	given, failed := body(r)
	device, there := t.devices[r.PathValue("id")]
	switch {
	case !t.has("role:Cloud Device Administrator"):
		failed = errDenied
	case failed == nil && !there:
		failed = errNotFound
	}
	if failed != nil {
		failed.write(w)
		return
	}
	device["accountEnabled"] = given["accountEnabled"]
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) listMethods(w http.ResponseWriter, r *http.Request) {
	password := Object{"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "28c10230-6103-485e-b985-444c60001490"}
	t.ofUser(w, r, append([]Object{password}, t.methods[r.PathValue("id")]...))
}

// kinds maps the collections of authentication methods to their types.
var kinds = map[string]string{
	"phoneMethods": "phone", "microsoftAuthenticatorMethods": "microsoftAuthenticator", "fido2Methods": "fido2",
	"softwareOathMethods": "softwareOath", "emailMethods": "email", "temporaryAccessPassMethods": "temporaryAccessPass",
	"windowsHelloForBusinessMethods": "windowsHelloForBusiness",
}

func (t *Tenant) deleteMethod(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	i := slices.IndexFunc(t.methods[id], func(m Object) bool {
		return m["id"] == r.PathValue("method") && m["@odata.type"] == "#microsoft.graph."+kinds[r.PathValue("kind")]+"AuthenticationMethod"
	})
	switch {
	case i < 0:
		errNotFound.write(w)
		return
	case t.methods[id][i]["default"] == true && len(t.methods[id]) > 1:
		bad("The default authentication method cannot be deleted while there are others.").write(w)
		return
	}
	t.methods[id] = slices.Delete(t.methods[id], i, i+1)
	w.WriteHeader(http.StatusNoContent)
}

func (t *Tenant) listAppRoles(w http.ResponseWriter, r *http.Request) {
	t.ofUser(w, r, t.apps[r.PathValue("id")])
}

func (t *Tenant) deleteAppRole(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	i := slices.IndexFunc(t.apps[id], func(a Object) bool { return a["id"] == r.PathValue("app") && a["principalId"] == id })
	if i < 0 {
		errNotFound.write(w)
		return
	}
	t.apps[id] = slices.Delete(t.apps[id], i, i+1)
	w.WriteHeader(http.StatusNoContent)
}
