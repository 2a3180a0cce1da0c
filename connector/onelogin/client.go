package onelogin

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

const (
	pageSize  = "50" // the most that OneLogin's lists give ("List Users")
	suspended = 2    // a status
	active    = 1    // a status
	approved  = 1    // a state
	rolesFor  = time.Minute
)

// statuses says with which statuses somebody can sign in, or will be able to without anything
// that an administrator does: a lock ends by itself, and who has a link sets a password ("User
// Resource" in the reference). A status that nobody knows counts as on.
var statuses = map[int]bool{
	0:         false, // unactivated
	active:    true,
	suspended: false,
	3:         true, // locked
	4:         true, // password expired
	5:         true, // awaiting a password reset
	7:         true, // password pending
	8:         true, // security questions required
}

// states says the same of states. An unlicensed user has access when a licence is free.
var states = map[int]bool{
	0:        false, // unapproved
	approved: true,
	2:        false, // rejected
	3:        true,  // unlicensed
}

// isOn reports whether a user counts as on: the status and the state have to allow it.
func isOn(status, state int) bool {
	byStatus, known := statuses[status]
	byState, knownState := states[state]
	return (byStatus || !known) && (byState || !knownState)
}

// client is the connector. Base answers the calls that it does not offer.
type client struct {
	connector.Base

	api   *rest.Client
	names rest.Memo[struct{}, map[json.Number]string] // of roles, by ID
	pages connector.Pages[map[string][]string]
}

// user is a user as OneLogin shows it.
type user = rest.Object

// whole returns the error for an answer that is no user, or another one than was asked for.
func whole(u user, op, id string) error {
	if u.Text("id") == "" || u["status"] == nil || u["state"] == nil || id != "" && u.Text("id") != id {
		return rest.Contradictory(op, "OneLogin answered with success, and not with the user that was asked for")
	}
	return nil
}

// accountOf returns the user as an account, without its entitlements.
func accountOf(u user) connector.Account {
	account := connector.Account{
		ID: u.Text("id"), Username: u.Text("username"), ExternalID: u.Text("external_id"), Active: isOn(u.Int("status", -1), u.Int("state", -1)),
		Attributes: map[string]any{}, CreatedAt: u.Time("created_at"), LastUsedAt: u.Time("last_login"),
	}
	show := func(name string, value any) {
		if number, ok := value.(json.Number); ok {
			value, _ = number.Int64()
		}
		if value != nil && value != "" {
			account.Attributes[name] = value
		}
	}
	for _, name := range attributes {
		show(name, u[name])
	}
	fields, _ := u["custom_attributes"].(map[string]any)
	for name, value := range fields {
		show(custom+name, value)
	}
	return account
}

// lastUse says what accounts show: last_login ("User Resource" in the reference).
var lastUse = connector.LastUse{By: "a sign-in to OneLogin"}

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: lastUse,
	}
}

// Close implements connector.Connector.
func (c *client) Close() error { return nil }

var one = url.Values{"limit": {"1"}}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	if _, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: "/api/2/users", Query: one}, nil); err != nil {
		return "", err
	}
	return c.api.Credentials.Who(), nil
}

// Probe implements connector.Connector.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	var findings []connector.Finding
	for _, probe := range []struct {
		what    string
		request rest.Request
	}{
		{"may read users", rest.Request{Path: "/api/2/users", Query: one}},
		{"may read roles", rest.Request{Path: "/api/2/roles", Query: one}},
		{"may change users", rest.Request{Method: http.MethodPut, Path: "/api/1/users/0/logout"}},
	} {
		finding := connector.Finding{What: probe.what}
		probe.request.Op = connector.OpProbe
		if _, err := c.api.Do(ctx, probe.request, nil); err != nil && !rest.Has(err, notFound) {
			finding.Problem = err.Error() + "; it needs API credentials with the scope Manage users"
		}
		findings = append(findings, finding)
	}
	return findings
}

func (c *client) user(ctx context.Context, op, id string) (user, error) {
	var u user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: "/api/2" + rest.Path("users", id)}, &u); err != nil {
		return nil, err
	}
	return u, whole(u, op, id)
}

func (c *client) read(ctx context.Context, op, id string) (connector.Account, error) {
	u, err := c.user(ctx, op, id)
	if err != nil {
		return connector.Account{}, err
	}
	account := accountOf(u)
	if connector.SparesEntitlements(ctx) {
		return account, nil
	}
	ids, _ := u["role_ids"].([]any)
	for _, id := range ids {
		number, _ := id.(json.Number)
		name, err := c.roleName(ctx, op, number)
		if err != nil {
			return connector.Account{}, err
		}
		account.Entitlements = append(account.Entitlements, name)
	}
	slices.Sort(account.Entitlements)
	return account, nil
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

// Find implements connector.Connector. OneLogin's filters take wildcards and have a case of
// their own, so what they find is compared.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	const op = connector.OpFind
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, op, keys.AccountID))
	}
	by := func(field string, same func(a, b string) bool) func(context.Context, string) ([]connector.Account, error) {
		find := func(ctx context.Context, value string) ([]user, error) {
			users, err := rest.Collect(list[user](ctx, c, op, "/api/2/users", url.Values{field: {value}}))
			return slices.DeleteFunc(users, func(u user) bool { return !same(u.Text(field), value) }), err
		}
		return connector.Whole(keys.PersonID, find,
			func(u user) string { return u.Text("external_id") },
			func(ctx context.Context, u user) (connector.Account, error) { return c.read(ctx, op, u.Text("id")) })
	}
	exactly := func(a, b string) bool { return a == b } // person IDs differ by case
	return connector.FirstMatches(ctx, keys.PersonID,
		connector.Look{By: connector.ByExternalID, Value: keys.PersonID, Find: by("external_id", exactly)},
		connector.Look{By: connector.ByUsername, Value: keys.Username, Find: by("username", strings.EqualFold)},
		connector.Look{By: connector.ByEmail, Value: keys.Email, Find: by("email", strings.EqualFold)},
	)
}

// list reads a list page by page.
func list[T any](ctx context.Context, c *client, op, path string, query url.Values) iter.Seq2[T, error] {
	next := func(_ []T, header http.Header) (rest.Request, bool) {
		cursor := header.Get(nextPage)
		return pageOf(op, path, query, cursor), cursor != ""
	}
	return rest.Items(ctx, c.api, pageOf(op, path, query, ""), next, func(page []T) ([]T, error) { return page, nil })
}

// nextPage is the header with the cursor of the next page ("Using Query Parameters" in the
// reference).
const nextPage = "After-Cursor"

// pageOf returns the request for a page of a list.
func pageOf(op, path string, query url.Values, cursor string) rest.Request {
	query = maps.Clone(query)
	query.Set("limit", pageSize)
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return rest.Request{Op: op, Path: path, Query: query}
}

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. OneLogin documents neither how long a cursor is good nor
// what it does to a list that users are deleted from meanwhile.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// held returns the names of the roles of all users, by the user's ID. Lists of users have no
// roles, so those come from the lists of each role's users.
func (c *client) held(ctx context.Context, op string) (map[string][]string, error) {
	has := map[string][]string{}
	for r, err := range list[role](ctx, c, op, "/api/2/roles", url.Values{}) {
		if err != nil {
			return nil, err
		}
		for u, err := range list[user](ctx, c, op, "/api/2"+rest.Path("roles", r.ID.String(), "users"), url.Values{}) {
			if err != nil {
				return nil, err
			}
			has[u.Text("id")] = append(has[u.Text("id")], r.Name)
		}
	}
	return has, nil
}

// fetch reads a page of users.
func (c *client) fetch(ctx context.Context, op, cursor string, has map[string][]string) (connector.Page, error) {
	var users []user
	header, err := c.api.Do(ctx, pageOf(op, "/api/2/users", url.Values{}, cursor), &users)
	if err != nil {
		return connector.Page{}, err
	}
	listed := connector.Page{Next: header.Get(nextPage), Total: -1}
	for _, u := range users {
		if err := whole(u, op, ""); err != nil {
			return connector.Page{}, err
		}
		account := accountOf(u)
		account.Entitlements = slices.Sorted(slices.Values(has[account.ID]))
		listed.Accounts = append(listed.Accounts, account)
	}
	return listed, nil
}

// role is a role as OneLogin shows it.
type role struct {
	ID   json.Number `json:"id"`
	Name string      `json:"name"`
}

// roles returns the names of all roles, by ID.
func (c *client) roles(ctx context.Context, op string, fresh bool) (map[json.Number]string, error) {
	if fresh {
		c.names.Forget(struct{}{})
	}
	return c.names.Get(struct{}{}, func() (map[json.Number]string, error) {
		names := map[json.Number]string{}
		for r, err := range list[role](ctx, c, op, "/api/2/roles", url.Values{}) {
			if err != nil {
				return nil, err
			}
			names[r.ID] = r.Name
		}
		return names, nil
	})
}

func (c *client) roleName(ctx context.Context, op string, id json.Number) (string, error) {
	for _, fresh := range []bool{false, true} {
		names, err := c.roles(ctx, op, fresh)
		if err != nil {
			return "", err
		}
		if name, known := names[id]; known {
			return name, nil
		}
	}
	return "", rest.Contradictory(op, "OneLogin shows a role that its list of roles does not have")
}

// roleIDs returns the IDs of roles by their names, and an error for the names that no role, or
// more than one, has.
func (c *client) roleIDs(ctx context.Context, op string, names []string) (ids []json.Number, unknown, err error) {
	known, err := c.roles(ctx, op, false)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		var found []json.Number
		for id, is := range known {
			if is == name {
				found = append(found, id)
			}
		}
		if len(found) != 1 {
			unknown = connector.Invalid(op, "%d roles have the name %q, and there has to be one", len(found), name)
			continue
		}
		ids = append(ids, found[0])
	}
	return ids, unknown, nil
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	ids, unknown, err := c.roleIDs(ctx, connector.OpGrant, names)
	if err == nil {
		err = c.setRoles(ctx, connector.OpGrant, accountID, "add_roles", ids)
	}
	if err != nil {
		return err
	}
	return unknown
}

// Revoke implements connector.Connector.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	ids, _, err := c.roleIDs(ctx, connector.OpRevoke, names)
	if err != nil {
		return err
	}
	return rest.Gone(c.setRoles(ctx, connector.OpRevoke, accountID, "remove_roles", ids))
}

func (c *client) setRoles(ctx context.Context, op, id, how string, ids []json.Number) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: "/api/1" + rest.Path("users", id, how), Body: map[string]any{"role_id_array": ids}}, nil)
	return err
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		for r, err := range list[role](ctx, c, connector.OpListEntitlements, "/api/2/roles", url.Values{}) {
			if !yield(connector.Entitlement{Name: r.Name, Kind: connector.Role}, err) || err != nil {
				return
			}
		}
	}
}

// Create implements connector.Connector.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	body, err := fields(op, spec.Attributes)
	if err != nil {
		return connector.Account{}, err
	}
	for name, value := range body {
		if value == nil {
			delete(body, name)
		}
	}
	body["username"], body["state"], body["status"] = spec.Username, approved, 0
	if _, mapped := body["email"]; !mapped && strings.Contains(spec.Username, "@") {
		body["email"] = spec.Username
	}
	if spec.PersonID != "" {
		body["external_id"] = spec.PersonID
	}
	if spec.Active {
		body["status"] = active
	}
	var made user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: "/api/2/users", Body: body}, &made); err != nil {
		return connector.Account{}, err
	}
	if err := whole(made, op, ""); err != nil {
		return connector.Account{ID: made.Text("id")}, err
	}
	return accountOf(made), nil
}

// fields returns attributes as OneLogin takes them: null clears one.
func fields(op string, attributes map[string]any) (map[string]any, error) {
	body, customs := map[string]any{}, map[string]any{}
	for name, value := range attributes {
		if problem := unknown(name); problem != "" {
			return nil, connector.Invalid(op, "attribute %q %s", name, problem)
		}
		if texts, ok := value.([]string); ok && len(texts) > 0 {
			return nil, connector.Invalid(op, "attribute %q is a list, and OneLogin has texts and numbers only", name)
		}
		if connector.SameValue(value, nil) {
			value = nil
		}
		if field, ok := strings.CutPrefix(name, custom); ok {
			customs[field] = value
		} else {
			body[name] = value
		}
	}
	if len(customs) > 0 {
		body["custom_attributes"] = customs
	}
	return body, nil
}

// set changes fields of a user, and nothing else of it ("Update User" in the reference).
func (c *client) set(ctx context.Context, op, id string, body map[string]any) error {
	if len(body) == 0 {
		return nil
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: "/api/2" + rest.Path("users", id), Body: body}, nil)
	return err
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	body, err := fields(connector.OpUpdate, attributes)
	if err != nil {
		return err
	}
	return c.set(ctx, connector.OpUpdate, accountID, body)
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(op, u.Text("external_id"), personID, "OneLogin"); err != nil || !needed {
		return err
	}
	return c.set(ctx, op, accountID, map[string]any{"external_id": personID})
}

// Relabel implements connector.Connector.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	id, err := to.ExternalID(u.Text("external_id"))
	if err != nil {
		return err
	}
	body := map[string]any{}
	if id != u.Text("external_id") {
		body["external_id"] = id
	}
	if to.Username != "" && to.Username != u.Text("username") {
		body["username"] = to.Username
	}
	return c.set(ctx, op, accountID, body)
}

// Disable implements connector.Connector. Whatever the status was, suspended is off.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return c.set(ctx, connector.OpDisable, accountID, map[string]any{"status": suspended})
}

// Enable implements connector.Connector. It leaves a user who counts as on as they are.
func (c *client) Enable(ctx context.Context, accountID string) error {
	u, err := c.user(ctx, connector.OpEnable, accountID)
	if err != nil || isOn(u.Int("status", -1), u.Int("state", -1)) {
		return err
	}
	return c.set(ctx, connector.OpEnable, accountID, map[string]any{"status": active, "state": approved})
}

// RevokeSessions implements connector.Connector.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpRevokeSessions, Method: http.MethodPut, Path: "/api/1" + rest.Path("users", accountID, "logout")}, nil)
	return err
}

// Delete implements connector.Connector.
func (c *client) Delete(ctx context.Context, accountID string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpDelete, Method: http.MethodDelete, Path: "/api/2" + rest.Path("users", accountID)}, nil)
	return rest.Gone(err)
}
