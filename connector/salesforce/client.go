package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// client is a connector to one org.
type client struct {
	connector.Base

	api        *rest.Client
	data       string            // path of the REST API with its version
	externalID string            // field of User that holds the person ID
	suffix     string            // of usernames
	fields     []string          // of User, that policy can map
	defaults   map[string]string // attributes of new users

	ids     rest.Memo[string, string] // of profiles and roles by object and name
	targets rest.Memo[string, target] // by the names of entitlements
	pages   connector.Pages[struct{}]
}

// lastUse says what accounts show: LastLoginDate ("User" in the Object Reference).
var lastUse = connector.LastUse{By: "a login to Salesforce", Note: "An integration that refreshes its token does not log in."}

// Capabilities implements connector.Connector.
func (*client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true,
		Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: lastUse,
	}
}

// Close implements connector.Connector.
func (*client) Close() error { return nil }

// userID is the form of the ID of a user.
var userID = regexp.MustCompile(`^005[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$`)

// named maps attributes to the relation and the field that hold their names.
var named = map[string][2]string{"Profile": {"Profile", "Name"}, "UserRole": {"UserRole", "DeveloperName"}}

// selected returns the fields of User in a query.
func (c *client) selected() string {
	fields := []string{"Id", "Username", "IsActive", "CreatedDate", "LastLoginDate", c.externalID}
	for _, name := range c.fields {
		if relation, isNamed := named[name]; isNamed {
			name = relation[0] + "." + relation[1]
		}
		fields = append(fields, name)
	}
	return strings.Join(fields, ", ")
}

// users returns the users for whom a condition holds, without entitlements if the context
// spares them.
func (c *client) users(ctx context.Context, op, condition string) ([]connector.Account, error) {
	found, err := c.all(ctx, op, "SELECT "+c.selected()+" FROM User WHERE "+condition)
	if err != nil {
		return nil, err
	}
	return c.complete(ctx, op, found)
}

// complete turns rows of User into accounts: it asks who is frozen, and what they have.
func (c *client) complete(ctx context.Context, op string, found []record) ([]connector.Account, error) {
	var accounts []connector.Account
	var ids []string
	for _, row := range found {
		account, err := c.account(op, row)
		if err != nil {
			return nil, err
		}
		accounts, ids = append(accounts, account), append(ids, account.ID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	frozen, err := c.all(ctx, op, "SELECT UserId FROM UserLogin WHERE IsFrozen = true AND UserId IN "+quoteAll(ids))
	if err != nil {
		return nil, err
	}
	isFrozen := map[string]bool{}
	for _, row := range frozen {
		isFrozen[row.Text("UserId")] = true
	}
	held := map[string][]string{}
	if !connector.SparesEntitlements(ctx) {
		if held, err = c.held(ctx, op, ids); err != nil {
			return nil, err
		}
	}
	for i := range accounts {
		account := &accounts[i]
		account.Active = account.Active && !isFrozen[account.ID]
		account.Entitlements = held[account.ID]
	}
	return accounts, nil
}

// account returns the account that a row of User shows.
func (c *client) account(op string, row record) (connector.Account, error) {
	active, shown := row["IsActive"].(bool)
	account := connector.Account{
		ID: row.Text("Id"), Username: c.short(row.Text("Username")), ExternalID: row.Text(c.externalID), Active: active,
		Attributes: map[string]any{}, CreatedAt: instant(row.Text("CreatedDate")), LastUsedAt: instant(row.Text("LastLoginDate")),
	}
	if !shown || !userID.MatchString(account.ID) || account.Username == "" {
		return connector.Account{}, rest.Contradictory(op, "Salesforce shows a user without Id, Username or IsActive: check the rights of the user of the connection")
	}
	for _, name := range c.fields {
		value := row[name]
		if relation, isNamed := named[name]; isNamed {
			value = row.In(relation[0])[relation[1]]
		}
		if number, isNumber := value.(json.Number); isNumber {
			if whole, err := number.Int64(); err == nil {
				value = whole
			} else {
				value = number.String()
			}
		}
		if value != nil && value != "" {
			account.Attributes[name] = value
		}
	}
	return account, nil
}

// instant reads a time as Salesforce writes it (2026-11-30T08:00:00.000+0000); zero if there
// is none.
func instant(text string) time.Time {
	for _, form := range []string{"2006-01-02T15:04:05.999Z0700", time.RFC3339} {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// long returns a username as Salesforce has it, and short as Tenure does.
func (c *client) long(username string) string {
	if username == "" || strings.Contains(username, "@") {
		return username
	}
	return username + c.suffix
}

func (c *client) short(username string) string {
	if at := len(username) - len(c.suffix); c.suffix != "" && at > 0 && strings.EqualFold(username[at:], c.suffix) {
		return username[:at]
	}
	return username
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

// read returns an account. An ID that cannot be one of a user's is gone without a question.
func (c *client) read(ctx context.Context, op, id string) (connector.Account, error) {
	if !userID.MatchString(id) {
		return connector.Account{}, gone(op)
	}
	found, err := c.users(ctx, op, "Id = "+quote(id))
	switch {
	case err != nil:
		return connector.Account{}, err
	case len(found) == 0:
		return connector.Account{}, c.absent(ctx, op)
	case len(found) > 1 || !sameID(found[0].ID, id):
		return connector.Account{}, rest.Contradictory(op, "Salesforce shows another user than was asked for")
	}
	return found[0], nil
}

// sameID compares IDs, which have 15 characters, and 18 with their check digits.
func sameID(a, b string) bool { return a[:15] == b[:15] }

// absent returns the error for a user that a query did not show: it is gone, if the query
// would have shown it.
func (c *client) absent(ctx context.Context, op string) error {
	if err := c.seesAll(ctx, op); err != nil {
		return err
	}
	return gone(op)
}

// seesAll returns an error if Salesforce may hide users from us. Where the sharing of users is
// private, queries show only those whom the user of the connection may see, without an error.
func (c *client) seesAll(ctx context.Context, op string) error {
	granted, err := c.rights(ctx, op, "ViewAllUsers")
	if err != nil || granted["ViewAllUsers"] {
		return err
	}
	return &connector.Error{
		Kind: connector.KindForbidden, Op: op,
		Message: "the user of the connection lacks the right View All Users, so that Salesforce may hide people: give it, then retry",
	}
}

// rights returns which rights the user of the connection has, whether by its profile or by a
// permission set (object UserPermissionAccess).
func (c *client) rights(ctx context.Context, op string, names ...string) (map[string]bool, error) {
	found, err := c.all(ctx, op, "SELECT Permissions"+strings.Join(names, ", Permissions")+" FROM UserPermissionAccess LIMIT 1")
	if err != nil {
		return nil, err
	}
	granted := map[string]bool{}
	for _, row := range found {
		for _, name := range names {
			granted[name], _ = row["Permissions"+name].(bool)
		}
	}
	return granted, nil
}

// mostMatches bounds how many accounts one key may find.
const mostMatches = 50

// Find implements connector.Connector. Salesforce compares without regard to case, and a
// person ID is compared once more. One query looks for all keys. If it finds too many users,
// as where many share an address, each key is looked for by itself, the person ID first.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	const op = connector.OpFind
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, op, keys.AccountID))
	}
	looks := []look{
		{c.externalID, keys.PersonID}, {"EmployeeNumber", keys.EmployeeNumber}, {"Username", c.long(keys.Username)}, {"Email", keys.Email},
	}
	looks = slices.DeleteFunc(looks, func(l look) bool { // the field of the external ID holds person IDs
		return l.value == "" || strings.EqualFold(l.field, c.externalID) && l.value != keys.PersonID
	})
	rows, err := c.candidates(ctx, op, looks)
	if err != nil {
		return nil, err
	}
	by := func(field string) func(context.Context, string) ([]connector.Account, error) {
		return func(ctx context.Context, value string) ([]connector.Account, error) {
			one := look{field, value}
			if !slices.Contains(looks, one) {
				return nil, nil
			}
			rows := rows
			if len(rows) > mostMatches {
				var err error
				if rows, err = c.having(ctx, op, one, field != c.externalID && keys.PersonID != ""); err != nil {
					return nil, err
				}
			}
			return c.complete(ctx, op, slices.DeleteFunc(slices.Clone(rows), func(row record) bool { return !strings.EqualFold(row.Text(field), value) }))
		}
	}
	matches, err := connector.FirstMatches(ctx, keys.PersonID,
		connector.Look{By: connector.ByExternalID, Value: keys.PersonID, Find: func(ctx context.Context, personID string) ([]connector.Account, error) {
			found, err := by(c.externalID)(ctx, personID)
			return slices.DeleteFunc(found, func(a connector.Account) bool { return a.ExternalID != personID }), err
		}},
		connector.Look{By: connector.ByEmployeeNumber, Value: keys.EmployeeNumber, Find: by("EmployeeNumber")},
		connector.Look{By: connector.ByUsername, Value: c.long(keys.Username), Find: by("Username")},
		connector.Look{By: connector.ByEmail, Value: keys.Email, Find: by("Email")},
	)
	if err != nil || len(matches) > 0 || len(looks) == 0 {
		return matches, err
	}
	return nil, c.seesAll(ctx, op)
}

// look is a key to look for.
type look struct{ field, value string }

// candidates returns the users who have any of the keys, by one query: mostMatches of them, or
// one more if there are more.
func (c *client) candidates(ctx context.Context, op string, looks []look) ([]record, error) {
	if len(looks) == 0 {
		return nil, nil
	}
	conditions := make([]string, len(looks))
	for i, l := range looks {
		conditions[i] = l.condition()
	}
	return c.matching(ctx, op, strings.Join(conditions, " OR "), looks...)
}

// having returns the users who have one key; without those who have a person ID, if nobody else's
// account is looked for.
func (c *client) having(ctx context.Context, op string, one look, unowned bool) ([]record, error) {
	condition, whose := one.condition(), ""
	if unowned {
		condition += " AND " + c.externalID + " = null"
		whose = " without a person ID"
	}
	rows, err := c.matching(ctx, op, condition, one)
	if len(rows) > mostMatches {
		return nil, connector.Invalid(op, "Salesforce has more than %d users%s with one person's %s: give all but one of them another value, or the person ID of whose they are", mostMatches, whose, one.field)
	}
	return rows, err
}

// condition returns the look as a condition of SOQL.
func (l look) condition() string { return l.field + " = " + quote(l.value) }

// matching returns the first users for whom a condition holds that asks for any of the keys.
// Salesforce compares texts by more than their case: a user who has none of the keys to the
// letter is an error, since nobody may take them for absent.
func (c *client) matching(ctx context.Context, op, condition string, looks ...look) ([]record, error) {
	rows, err := c.all(ctx, op, fmt.Sprintf("SELECT %s FROM User WHERE %s LIMIT %d", c.selected(), condition, mostMatches+1))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if !slices.ContainsFunc(looks, func(l look) bool { return strings.EqualFold(row.Text(l.field), l.value) }) {
			return nil, rest.Contradictory(op, "Salesforce found a user by a key that the user does not have")
		}
	}
	return rows, nil
}

// usersAtOnce is how many users a page has, and one query about their assignments names:
// Salesforce takes URLs of about 16,000 characters, and each ID needs 27.
const usersAtOnce = 400

// List implements connector.Connector. It lists internal users: those of portals and sites
// are customers and partners.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. A token is the last ID of the page before, so that it is
// good for ever, and nobody is missed: a locator of Salesforce's expires, and OFFSET ends at 2,000
// rows.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch reads a page of users.
func (c *client) fetch(ctx context.Context, op, token string, _ struct{}) (connector.Page, error) {
	after := ""
	switch {
	case userID.MatchString(token):
		after = " AND Id > " + quote(token)
	case token != "":
		return connector.Page{}, connector.NoSuchPage(op)
	}
	const internal = " FROM User WHERE UserType IN ('Standard','CsnOnly')"
	found, err := c.all(ctx, op, fmt.Sprintf("SELECT %s%s%s ORDER BY Id LIMIT %d", c.selected(), internal, after, usersAtOnce))
	if err != nil {
		return connector.Page{}, err
	}
	listed := connector.Page{Total: -1}
	if listed.Accounts, err = c.complete(ctx, op, found); err == nil && len(found) == usersAtOnce {
		listed.Next = found[usersAtOnce-1].Text("Id")
	}
	return listed, err
}
