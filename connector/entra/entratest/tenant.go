package entratest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// The credentials of the app registration, and what it signs in to.
const (
	TenantID     = "contoso.onmicrosoft.com"
	ClientID     = "11111111-2222-4333-8444-555555555555"
	ClientSecret = "the~secret-that-nobody-may-see"
	Domain       = "contoso.example"
)

// Object is an object of the directory, by the names of its properties.
type Object = map[string]any

// Tenant is the stand-in. Its zero value is of no use: see New.
type Tenant struct {
	Certificate []byte // DER; clients prove themselves by it too

	mux  *http.ServeMux
	door *vendortest.Door
	url  string

	mu       sync.Mutex
	domains  map[string]bool // that are verified
	users    map[string]Object
	deleted  map[string]Object
	before   map[string]stale // what reads of a user still show
	groups   map[string]Object
	members  map[string]map[string]bool // by group
	skus     []Object
	roles    []Object
	grants   []Object // role assignments
	methods  map[string][]Object
	devices  map[string]Object
	apps     map[string][]Object // app role assignments by user
	tokens   int
	switches Switches
	lateFor  time.Duration
	secret   string
	rights   map[string]bool
}

// stale is what reads still show of a user, and how often. A nil object is a user that is not
// found.
type stale struct {
	shown Object
	reads int
	since time.Time
}

// late reports whether reads still show that.
func (t *Tenant) late(s stale) bool {
	return s.reads > 0 && (t.lateFor == 0 || time.Since(s.since) < t.lateFor)
}

// New starts a tenant on a port of its own, behind these handlers. Stop it by the function that
// is returned. Its app registration has all rights. It has the roles and licences of a small
// company, and no users and groups.
func New(around ...func(http.Handler) http.Handler) (t *Tenant, stop func()) {
	t = &Tenant{
		mux: http.NewServeMux(), domains: map[string]bool{Domain: true}, users: map[string]Object{}, deleted: map[string]Object{}, before: map[string]stale{},
		groups: map[string]Object{}, members: map[string]map[string]bool{}, methods: map[string][]Object{}, devices: map[string]Object{},
		apps: map[string][]Object{}, secret: ClientSecret, rights: map[string]bool{},
	}
	for _, right := range Rights {
		t.rights[right] = true
	}
	for _, name := range []string{"User Administrator", "Global Administrator"} {
		t.roles = append(t.roles, Object{"id": uuid.NewString(), "displayName": name, "isBuiltIn": true})
	}
	t.AddSKU("SPE_E3", 10_000, "TEAMS1", "SWAY")
	t.AddSKU("EMS", 10_000)
	t.routes()
	t.door = vendortest.New(http.HandlerFunc(t.serve), vendortest.Options{Refuse: refuse, Class: class})
	var whole http.Handler = t
	for _, wrap := range around {
		whole = wrap(whole)
	}
	server := httptest.NewServer(whole)
	t.url = server.URL
	return t, server.Close
}

// URL returns the address of the tenant, for the settings url and loginURL.
func (t *Tenant) URL() string { return t.url }

// Settings returns the settings of the connector.
func (t *Tenant) Settings() map[string]any {
	return map[string]any{"tenant": TenantID, "clientID": ClientID, "clientSecret": ClientSecret, "url": t.url, "loginURL": t.url, "domain": Domain}
}

// AddDomain verifies another domain.
func (t *Tenant) AddDomain(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.domains[name] = true
}

// Users returns how many users have an employeeId, those in the recycle bin included.
func (t *Tenant) Users(employeeID string) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, all := range []map[string]Object{t.users, t.deleted} {
		for _, u := range all {
			if u["employeeId"] == employeeID {
				n++
			}
		}
	}
	return n
}

// Calls returns the requests to Graph so far, such as "GET /users/{id}", and forgets them.
func (t *Tenant) Calls() []string {
	var calls []string
	for _, call := range t.door.Calls() {
		calls = append(calls, call.Class)
	}
	return calls
}

// AddUser adds a user as an administrator does, with these properties, and returns its ID.
func (t *Tenant) AddUser(properties Object) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := Object{"id": uuid.NewString(), "accountEnabled": true, "displayName": "Somebody", "createdDateTime": now(), "userType": "Member"}
	maps.Copy(u, properties)
	t.users[u["id"].(string)] = u
	return u["id"].(string)
}

// SetUser changes properties of a user as an administrator does.
func (t *Tenant) SetUser(id string, properties Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.Copy(t.users[id], properties)
}

// User returns a user's properties, also if it is deleted.
func (t *Tenant) User(id string) Object {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u, there := t.users[id]; there {
		return maps.Clone(u)
	}
	return maps.Clone(t.deleted[id])
}

// AddGroup adds an assigned security group, changed by properties, and returns its ID.
func (t *Tenant) AddGroup(name string, properties Object) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := Object{"id": uuid.NewString(), "displayName": name, "groupTypes": []any{}, "mailEnabled": false, "securityEnabled": true}
	maps.Copy(g, properties)
	id := g["id"].(string)
	t.groups[id], t.members[id] = g, map[string]bool{}
	return id
}

// DeleteGroup deletes a group as an administrator does.
func (t *Tenant) DeleteGroup(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.groups, id)
	delete(t.members, id)
}

// SetMember puts a user into a group or takes it out, as an administrator does.
func (t *Tenant) SetMember(group, user string, is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.members[group][user] = true; !is {
		delete(t.members[group], user)
	}
}

// IsMember reports whether a user is in a group.
func (t *Tenant) IsMember(group, user string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.members[group][user]
}

// AddSKU adds a licence with a number of seats, and service plans.
func (t *Tenant) AddSKU(part string, seats int, plans ...string) (id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id = uuid.NewString()
	shown := []any{}
	for _, plan := range plans {
		shown = append(shown, Object{"servicePlanId": uuid.NewString(), "servicePlanName": plan, "appliesTo": "User", "provisioningStatus": "Success"})
	}
	t.skus = append(t.skus, Object{
		"skuId": id, "skuPartNumber": part, "appliesTo": "User", "capabilityStatus": "Enabled", "servicePlans": shown,
		"prepaidUnits": Object{"enabled": seats, "warning": 0, "suspended": 0, "lockedOut": 0},
	})
	return id
}

// SetLicences sets the states of a user's licences.
func (t *Tenant) SetLicences(user string, states ...Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []any{}
	for _, s := range states {
		list = append(list, s)
	}
	t.users[user]["licenseAssignmentStates"] = list
}

// Assign gives a user a role as an administrator does.
func (t *Tenant) Assign(user, role, scope string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.assign(user, role, scope)
}

func (t *Tenant) assign(user, role, scope string) Object {
	i := slices.IndexFunc(t.roles, func(r Object) bool { return r["displayName"] == role || r["id"] == role })
	a := Object{"id": uuid.NewString(), "roleDefinitionId": t.roles[i]["id"], "principalId": user, "directoryScopeId": scope}
	t.grants = append(t.grants, a)
	return a
}

// AddMethod gives a user an authentication method, such as "phone".
func (t *Tenant) AddMethod(user, kind string, isDefault bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.methods[user] = append(t.methods[user], Object{"id": uuid.NewString(), "@odata.type": "#microsoft.graph." + kind + "AuthenticationMethod", "default": isDefault})
}

// Methods returns how many authentication methods a user has besides the password.
func (t *Tenant) Methods(user string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.methods[user])
}

// AddDevice registers a device by a user, and returns its ID.
func (t *Tenant) AddDevice(user string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := uuid.NewString()
	t.devices[id] = Object{"@odata.type": "#microsoft.graph.device", "id": id, "accountEnabled": true, "owner": user}
	return id
}

// DeviceEnabled reports whether a device is enabled.
func (t *Tenant) DeviceEnabled(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.devices[id]["accountEnabled"] == true
}

// AddAppRole assigns an app to a user, or by a group if group is set.
func (t *Tenant) AddAppRole(user, group string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	principal, kind := user, "User"
	if group != "" {
		principal, kind = group, "Group"
	}
	t.apps[user] = append(t.apps[user], Object{"id": uuid.NewString(), "principalId": principal, "principalType": kind, "resourceDisplayName": "Wiki"})
}

// AppRoles returns how many apps a user has.
func (t *Tenant) AppRoles(user string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.apps[user])
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// failure is an error of Graph.
type failure struct {
	status  int
	code    string
	message string
	details []Object
}

var (
	errNotFound = &failure{404, "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried reference-property objects are not present.", nil}
	errDenied   = &failure{403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", nil}
)

func bad(format string, args ...any) *failure {
	return &failure{400, "Request_BadRequest", fmt.Sprintf(format, args...), nil}
}

func (f *failure) write(w http.ResponseWriter) {
	e := Object{"code": f.code, "message": f.message, "innerError": Object{"date": now(), "request-id": uuid.NewString()}}
	if f.details != nil {
		e["details"] = f.details
	}
	writeJSON(w, f.status, Object{"error": e})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// page writes a page of a list. Pages have 100 items unless $top says otherwise, and 999 at
// most.
func (t *Tenant) page(w http.ResponseWriter, r *http.Request, items []Object) {
	query := r.URL.Query()
	size := 100
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 || n > 999 {
			bad("Invalid page size specified: '%s'. Must be between 1 and 999 inclusive.", top).write(w)
			return
		}
		size = n
	}
	if most := t.switches.PageSize; most > 0 && most < size && most < len(items) {
		t.door.Spring("PageSize")
		size = most
	}
	skip, err := strconv.Atoi(cmp.Or(query.Get("$skiptoken"), "0"))
	if err != nil || skip < 0 {
		bad("The skip token is invalid or has expired.").write(w)
		return
	}
	items = items[min(skip, len(items)):]
	answer := Object{"@odata.context": t.url + "/v1.0/$metadata#collection", "value": items[:min(size, len(items))]}
	if len(items) > size {
		next := maps.Clone(query)
		next.Set("$skiptoken", strconv.Itoa(skip+size))
		host := t.url
		if t.switches.ForeignNextLink != "" {
			t.door.Spring("ForeignNextLink")
			host = t.switches.ForeignNextLink
		}
		answer["@odata.nextLink"] = host + r.URL.Path + "?" + next.Encode()
	}
	writeJSON(w, http.StatusOK, answer)
}

// sorted returns objects by their IDs.
func sorted(objects map[string]Object) []Object {
	return slices.SortedFunc(maps.Values(objects), func(a, b Object) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
}

// filtered returns the objects that a filter "PROPERTY eq 'TEXT'" lets through. Others are
// refused, as advanced queries are.
func (t *Tenant) filtered(query url.Values, objects []Object, properties ...string) ([]Object, *failure) {
	filter := query.Get("$filter")
	if filter == "" {
		return objects, nil
	}
	if t.switches.SilentFilter {
		t.door.Spring("SilentFilter")
		return objects, nil
	}
	property, literal, ok := strings.Cut(filter, " eq ")
	literal = strings.TrimSpace(literal)
	quoted := len(literal) >= 2 && strings.HasPrefix(literal, "'") && strings.HasSuffix(literal, "'")
	if !ok || !quoted || strings.Contains(strings.ReplaceAll(literal[1:len(literal)-1], "''", ""), "'") {
		return nil, bad("Invalid filter clause")
	}
	if !slices.Contains(properties, property) && !strings.HasPrefix(property, "extension_") {
		return nil, &failure{400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified for property '" + property + "'.", nil}
	}
	want := strings.ReplaceAll(literal[1:len(literal)-1], "''", "'")
	return slices.DeleteFunc(slices.Clone(objects), func(o Object) bool {
		text, _ := o[property].(string)
		return !strings.EqualFold(text, want)
	}), nil
}
