package entra

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

func (c *client) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	u, err := c.user(ctx, op, accountID, c.selected())
	if err != nil {
		return connector.Account{}, err
	}
	return c.whole(ctx, op, u)
}

// whole returns a user as an account, with its entitlements if the caller needs them.
func (c *client) whole(ctx context.Context, op string, u user) (connector.Account, error) {
	account, err := c.account(op, u)
	if err != nil || connector.SparesEntitlements(ctx) {
		return account, err
	}
	account.Entitlements, err = c.entitlementsOf(ctx, op, u)
	if connector.Is(err, connector.KindNotFound) { // the user was there a moment ago
		err = failed(op, connector.KindUnavailable, "Microsoft Graph shows the user, and does not know its memberships yet")
	}
	return account, err
}

// mostMatches bounds how many accounts are looked at for one person.
const mostMatches = 20

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, connector.OpFind, keys.AccountID))
	}
	owner := func(u user) string { return u.Text(c.externalID) }
	whole := func(ctx context.Context, u user) (connector.Account, error) { return c.whole(ctx, connector.OpFind, u) }
	by := func(property string) func(context.Context, string) ([]connector.Account, error) {
		find := func(ctx context.Context, value string) ([]user, error) {
			return c.findBy(ctx, property, value, keys.PersonID)
		}
		return connector.Whole(keys.PersonID, find, owner, whole)
	}
	return connector.FirstMatches(ctx, keys.PersonID,
		connector.Look{By: connector.ByExternalID, Value: keys.PersonID, Find: by(c.externalID)},
		connector.Look{By: connector.ByEmployeeNumber, Value: keys.EmployeeNumber, Find: by(c.employeeNumber)},
		connector.Look{By: connector.ByUsername, Value: c.principalName(keys.Username), Find: by("userPrincipalName")},
		connector.Look{By: connector.ByEmail, Value: keys.Email, Find: by("mail")},
	)
}

// findBy returns the users whose property has a value, without those who are known to be somebody
// else's than personID's; nobody, without a property. Graph
// compares texts without regard to case. Users who do not have the value show that it ignored
// the filter.
func (c *client) findBy(ctx context.Context, property, value, personID string) ([]user, error) {
	if property == "" || strings.HasPrefix(value, "@") {
		return nil, nil
	}
	query := c.selected()
	query.Set("$filter", property+" eq "+quote(value))
	var found []user
	for u, err := range each[user](ctx, c, rest.Request{Op: connector.OpFind, Path: "/users", Query: query}) {
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(u.Text(property), value) {
			return nil, rest.Contradictory(connector.OpFind, "Microsoft Graph ignored a filter, and answered with users that were not asked for")
		}
		if connector.Foreign(u.Text(c.externalID), personID) {
			continue
		}
		if found = append(found, u); len(found) > mostMatches {
			return nil, connector.Invalid(connector.OpFind, "more than %d users have one person's %s", mostMatches, property)
		}
	}
	if property == c.externalID { // person IDs differ by case
		found = slices.DeleteFunc(found, func(u user) bool { return u.Text(property) != value })
	}
	return found, nil
}

// List implements connector.Connector. It reads the groups' members first: there are fewer
// groups than users in most tenants, and neither can be had with the users.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. Microsoft documents neither how long a token is good nor
// what it does to a list that users are deleted from meanwhile.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch reads a page of users.
func (c *client) fetch(ctx context.Context, op, token string, held holdings) (connector.Page, error) {
	query := c.selected()
	query.Set("$top", mostOnPage)
	if c.lastSignIn {
		query.Set("$top", mostOnPageWithSignIn)
	}
	shown, next, err := rest.Linked(ctx, c.api, rest.Request{Op: op, Path: "/users", Query: query}, token, nextPage[user](op))
	if err != nil {
		return connector.Page{}, err
	}
	users, err := shown.items(op)
	listed := connector.Page{Next: next, Total: -1}
	for _, u := range users {
		account, err := c.account(op, u)
		if err == nil && !connector.SparesEntitlements(ctx) {
			account.Entitlements, err = c.names(ctx, op, u, held.groups[account.ID], held.roles[account.ID])
		}
		if err != nil {
			return connector.Page{}, err
		}
		listed.Accounts = append(listed.Accounts, account)
	}
	return listed, err
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	query := url.Values{"$top": {"1"}, "$select": {"id"}}
	var first page[user]
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: "/users", Query: query}, &first)
	if err == nil && first.Value == nil {
		err = rest.Contradictory(connector.OpCheck, "Microsoft Graph answered with something else than a list: check the url")
	}
	return c.api.Credentials.Who() + " of tenant " + c.tenant, err
}

// Create implements connector.Connector. What Graph answers to the creation counts: the user
// may not be shown yet.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	body, err := c.newUser(ctx, op, spec)
	if err != nil {
		return connector.Account{}, err
	}
	var made user
	if _, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: "/users", Body: body}, &made); err != nil {
		return connector.Account{}, unbound(err)
	}
	if made.Text("id") == "" {
		return connector.Account{}, rest.Contradictory(op, "Microsoft Graph accepted a new user, and answered without its ID")
	}
	if u, err := c.user(ctx, op, made.Text("id"), c.selected()); err == nil {
		return c.account(op, u)
	}
	maps.Copy(body, made) // what was sent counts where the answer does not show it
	body["manager"] = map[string]any{"id": spec.Attributes[manager]}
	return c.account(op, body)
}

// unbound returns the error of a creation. NotFound says that the manager is missing.
func unbound(err error) error {
	if connector.Is(err, connector.KindNotFound) {
		return failed(connector.OpCreate, connector.KindInvalid, "Microsoft Graph does not know what the new user refers to: check that the manager's account is there")
	}
	return err
}

// newUser returns the body of a creation (learn.microsoft.com/graph/api/user-post-users). It
// has what Graph requires, and a password that nobody knows.
func (c *client) newUser(ctx context.Context, op string, spec connector.Spec) (user, error) {
	attributes, err := c.encode(op, spec.Attributes)
	if err != nil {
		return nil, err
	}
	name, err := c.named(op, spec.Username)
	if err != nil {
		return nil, err
	}
	owner, err := c.owned(op, spec.PersonID)
	if err != nil {
		return nil, err
	}
	body := c.standIns(name)
	body[c.externalID] = owner
	maps.Copy(body, attributes)
	maps.DeleteFunc(body, func(_ string, value any) bool { return value == nil || value == "" })
	maps.Copy(body, user{"userPrincipalName": name, "accountEnabled": spec.Active, "passwordProfile": password()})
	if id, _ := spec.Attributes[manager].(string); id != "" {
		bound, err := c.ref(ctx, op, id)
		if err != nil {
			return nil, err
		}
		body["manager@odata.bind"] = bound["@odata.id"]
	}
	return body, nil
}

// standIns returns what stands in for properties that Entra ID lets nobody clear, if policy has
// no value for them; an empty text if nothing does (learn.microsoft.com/graph/api/resources/user).
func (c *client) standIns(principalName string) user {
	local, _, _ := strings.Cut(principalName, "@")
	return user{"displayName": c.username(principalName), "mailNickname": local, "usageLocation": c.usageLocation}
}

// fill sets the stand-ins for what a change would clear. What nothing stands in for stays as it
// is.
func (c *client) fill(ctx context.Context, op, accountID string, change user) error {
	cleared := func(name string) bool {
		value, given := change[name]
		return given && value == nil
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(c.standIns(""))), cleared) {
		return nil
	}
	u, err := c.brief(ctx, op, accountID)
	if err != nil {
		return err
	}
	for name, value := range c.standIns(u.Text("userPrincipalName")) {
		if cleared(name) {
			change[name] = value
		}
	}
	maps.DeleteFunc(change, func(name string, value any) bool { return value == "" })
	return nil
}

// Keeps implements connector.Connector: see fill.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	if value, always := c.standIns(c.principalName(account.Username))[name]; always && connector.SameValue(set, nil) {
		return value == "" || connector.SameValue(value, account.Attribute(name)), nil
	}
	return c.Base.Keeps(ctx, account, name, set)
}

// password returns a password profile that nobody knows. It has characters of three kinds, as
// Entra ID wants it.
func password() map[string]any {
	return map[string]any{"password": "aA0-" + rand.Text(), "forceChangePasswordNextSignIn": true}
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	u, err := c.brief(ctx, op, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(op, u.Text(c.externalID), personID, "Entra ID"); err != nil || !needed {
		return err
	}
	if _, err = c.owned(op, personID); err != nil {
		return err
	}
	return c.patch(ctx, op, accountID, user{c.externalID: personID})
}

// Relabel implements connector.Connector. The address and the mail alias stay as they are.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	u, err := c.brief(ctx, op, accountID)
	if err != nil {
		return err
	}
	owner, err := to.ExternalID(u.Text(c.externalID))
	if err != nil {
		return err
	}
	change := user{}
	if to.PersonID != "" {
		if change[c.externalID], err = c.owned(op, owner); err != nil {
			return err
		}
	}
	if to.Username != "" {
		if change["userPrincipalName"], err = c.named(op, to.Username); err != nil {
			return err
		}
	}
	return c.patch(ctx, op, accountID, change)
}

// Update implements connector.Connector. It sends what is wanted even if Graph shows it
// already, since Graph may show what was before an earlier change.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	const op = connector.OpUpdate
	change, err := c.encode(op, attributes)
	if err != nil {
		return err
	}
	if err = c.fill(ctx, op, accountID, change); err != nil {
		return err
	}
	if err = c.patch(ctx, op, accountID, change); err != nil {
		return err
	}
	boss, given := attributes[manager]
	if !given {
		return nil
	}
	r := rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", accountID, manager, "$ref"), Repeatable: true}
	if id, _ := boss.(string); id != "" {
		r.Method = http.MethodPut
		if r.Body, err = c.ref(ctx, op, id); err != nil {
			return err
		}
	}
	_, err = c.api.Do(ctx, r, nil)
	if r.Method == http.MethodDelete {
		err = c.absent(ctx, op, accountID, err)
	} else if connector.Is(err, connector.KindNotFound) {
		err = c.blame(ctx, op, accountID, failed(op, connector.KindInvalid, "Microsoft Graph does not know the manager's account"))
	}
	return c.explain(ctx, op, accountID, change, err)
}

// Disable implements connector.Connector. It sends nothing else with accountEnabled: one
// property that is refused would keep the account enabled.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return c.patch(ctx, connector.OpDisable, accountID, user{"accountEnabled": false})
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	return c.patch(ctx, connector.OpEnable, accountID, user{"accountEnabled": true})
}

// patch changes properties of a user (learn.microsoft.com/graph/api/user-update).
func (c *client) patch(ctx context.Context, op, accountID string, change user) error {
	if len(change) == 0 {
		_, err := c.brief(ctx, op, accountID)
		return err
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPatch, Path: rest.Path("users", accountID), Body: change, Repeatable: true}, nil)
	return c.explain(ctx, op, accountID, change, err)
}

// explain returns the error of a change that was refused for good, with the reason that Graph
// does not tell: the user comes from Active Directory. If Active Directory has made the change
// by now, there is no error.
func (c *client) explain(ctx context.Context, op, accountID string, change user, err error) error {
	if !connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
		return err
	}
	u, readErr := c.user(ctx, op, accountID, c.selected())
	if readErr != nil || !u.Is(synced) {
		return err
	}
	for name, value := range change {
		if !shows(u[name], value) {
			return c.elsewhere(op)
		}
	}
	return nil
}

// shows reports whether a property has the value that was sent.
func shows(have, sent any) bool {
	if parts, nested := sent.(map[string]any); nested {
		inner, _ := have.(map[string]any)
		for name, part := range parts {
			if !shows(inner[name], part) {
				return false
			}
		}
		return true
	}
	if items, several := have.([]any); several {
		var texts []string
		for _, item := range items {
			texts = append(texts, fmt.Sprint(item))
		}
		have = texts
	}
	return connector.SameValue(sent, have)
}

// elsewhere returns the error of a change to a user that comes from Active Directory. If
// Tenure changes that too, the change arrives by itself, and the error may go away.
func (c *client) elsewhere(op string) error {
	if c.syncedFrom == "" {
		return failed(op, connector.KindConflict, "the account comes from Active Directory (onPremisesSyncEnabled): change it there; if Tenure does that, name that app in the setting syncedFrom")
	}
	return &connector.Error{
		Kind: connector.KindUnavailable, Op: op, RetryAfter: syncInterval,
		Message: "the account comes from Active Directory: this change is made in the app " + c.syncedFrom + ", and has not arrived here yet",
	}
}

// absent returns nil if err says that what was to be taken is not there, while the account is.
func (c *client) absent(ctx context.Context, op, accountID string, err error) error {
	if !connector.Is(err, connector.KindNotFound) {
		return err
	}
	return c.blame(ctx, op, accountID, nil)
}

// blame returns err unless the account is missing.
func (c *client) blame(ctx context.Context, op, accountID string, err error) error {
	if _, missing := c.brief(ctx, op, accountID); missing != nil {
		return missing
	}
	return err
}
