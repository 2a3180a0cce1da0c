package google

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

// user is a user as the Directory API shows it. It is kept whole, since lists such as
// externalIds are written whole: what Tenure does not know must stay.
type user = rest.Object

// off reports whether nobody can sign in: the user is suspended or archived.
func off(u user) bool { return u.Is("suspended") || u.Is("archived") }

// full is the projection with all that the kind reads. The default one leaves out custom
// schemas (users.get, "projection").
var full = url.Values{"projection": {"full"}}

// maxUsername is the length of an address's local part (RFC 5321 section 4.5.3.1.1).
const maxUsername = 64

// username returns the username of a primary address.
func (c *client) username(email string) string {
	if local, domain, ok := strings.Cut(email, "@"); ok && strings.EqualFold(domain, c.domain) {
		return local
	}
	return email
}

// address returns the primary address of a username.
func (c *client) address(username string) string {
	if strings.Contains(username, "@") {
		return username
	}
	return username + "@" + c.domain
}

// get reads a user by the immutable ID. Google takes addresses in its place, of which an ID
// must be told.
func (c *client) get(ctx context.Context, op, accountID string) (user, error) {
	var u user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: users(accountID), Query: full}, &u); err != nil {
		return nil, err
	}
	switch u.Text("id") {
	case accountID:
		return u, nil
	case "":
		return nil, rest.Contradictory(op, "Google answered without an account: check that the url leads to its API")
	}
	return nil, &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "Google knows no account of this ID"}
}

// account returns the account that a user is, with entitlements if the caller needs them. groups
// are those that the user is known to be in; nil: Google has to be asked.
func (c *client) account(ctx context.Context, op string, u user, groups []string) (connector.Account, error) {
	account := c.shown(u)
	if connector.SparesEntitlements(ctx) {
		return account, nil
	}
	var err error
	account.Entitlements, err = c.entitlementsOf(ctx, op, u, groups)
	return account, err
}

// shown returns the account without its entitlements.
func (c *client) shown(u user) connector.Account {
	return connector.Account{
		ID: u.Text("id"), Username: c.username(u.Text("primaryEmail")), ExternalID: c.externalID(u), Active: !off(u),
		Attributes: c.attributes(u), CreatedAt: u.Time("creationTime"), LastUsedAt: u.Time("lastLoginTime"),
	}
}

// externalID returns the person ID that the user has; empty if none.
func (c *client) externalID(u user) string {
	value, _ := c.places.person.read(u).(string)
	return value
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

// read asks for the groups first if the caller expects some: a new membership shows later than
// anything else, and without it the user is of no use.
func (c *client) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	groups, err := c.expectedGroups(ctx, op, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	return c.account(ctx, op, u, groups)
}

// Find implements connector.Connector. A search lags, and an address does not: so an
// account that is found by its address and carries the person's ID counts as found by that.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	const op = connector.OpFind
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, op, keys.AccountID))
	}
	whole := func(ctx context.Context, u user) (connector.Account, error) { return c.account(ctx, op, u, nil) }
	by := func(find func(context.Context, string) ([]user, error)) func(context.Context, string) ([]connector.Account, error) {
		return connector.Whole(keys.PersonID, find, c.externalID, whole)
	}
	email := keys.Email
	if keys.Username != "" && strings.EqualFold(email, c.address(keys.Username)) {
		email = "" // that address is looked for already
	}
	return connector.FirstMatches(ctx, keys.PersonID,
		connector.Look{By: connector.ByExternalID, Value: keys.PersonID, Find: by(c.searcher(c.places.person))},
		connector.Look{By: connector.ByEmployeeNumber, Value: keys.EmployeeNumber, Find: by(c.searcher(c.places.named[employeeNumber]))},
		connector.Look{By: connector.ByUsername, Value: keys.Username, Find: by(c.byAddress)},
		connector.Look{By: connector.ByEmail, Value: email, Find: by(c.byAddress)},
	)
}

// searcher returns a search for users with one of their external IDs ("Search for users":
// externalId finds an ID of any type). Most changes are found within an hour, all within 36.
func (c *client) searcher(where place) func(context.Context, string) ([]user, error) {
	return func(ctx context.Context, value string) ([]user, error) {
		if where.list == "" {
			return nil, nil
		}
		quoted := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
		query := url.Values{"customer": {c.customer}, "projection": {"full"}, "maxResults": {"500"}, "query": {"externalId=" + quoted}}
		found, err := rest.Collect(list[user](ctx, c.api, connector.OpFind, directory+"/users", "users", query))
		return slices.DeleteFunc(found, func(u user) bool { return where.read(u) != value }), err
	}
}

// byAddress returns the user whose primary address this is. Google also answers an address
// that is an alias: such a user has another key.
func (c *client) byAddress(ctx context.Context, username string) ([]user, error) {
	address := c.address(username)
	var u user
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpFind, Path: users(address), Query: full}, &u)
	switch {
	case connector.Is(err, connector.KindNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case u.Text("id") == "":
		return nil, rest.Contradictory(connector.OpFind, "Google answered without an account: check that the url leads to its API")
	case !strings.EqualFold(u.Text("primaryEmail"), address):
		return nil, nil
	}
	return []user{u}, nil
}

// List implements connector.Connector. It reads the members of each group first, which takes
// fewer requests than the groups of each user.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. Google documents neither how long a token is good nor
// what it does to a list that users are deleted from meanwhile.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch reads a page of users.
func (c *client) fetch(ctx context.Context, op, token string, have map[string][]string) (connector.Page, error) {
	query := url.Values{"customer": {c.customer}, "projection": {"full"}, "maxResults": {"500"}}
	var shown page
	if _, err := c.api.Do(ctx, pageOf(op, directory+"/users", query, token), &shown); err != nil {
		return connector.Page{}, err
	}
	found, err := itemsOf[user](op, shown, "users")
	listed := connector.Page{Next: shown.next(), Total: -1}
	for _, u := range found {
		account := c.shown(u)
		account.Entitlements = set.Sorted(slices.Concat(have[u.Text("id")], have[strings.ToLower(u.Text("primaryEmail"))]))
		listed.Accounts = append(listed.Accounts, account)
	}
	return listed, err
}
