package okta

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

// pageSize is how many users or groups Okta is asked for at once: the most that the reference
// recommends.
const pageSize = "200"

// client is the connector. Base answers the calls that it does not offer.
type client struct {
	connector.Base

	api            *rest.Client
	externalID     string // the profile attribute that holds the person ID
	employeeNumber string // the one that holds the employee number; may be empty
	suffix         string // of logins, after the username
	deactivates    bool   // the setting disable
	adminRoles     bool
	activationMail bool
	searchLag      time.Duration
	groups         rest.Memo[string, string] // IDs by name
	pauses         []time.Duration           // see settled
	pages          connector.Pages[map[string][]string]
}

// lastUse says what accounts show: lastLogin ("User" in the Okta Management API).
var lastUse = connector.LastUse{By: "a sign-in to Okta", Note: "Whoever has a session of Okta can use an app without another sign-in."}

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
		Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, List: true, Page: true, Probe: true, LastUse: lastUse,
		// "Users with the DEPROVISIONED status won't have their profiles updated", unless an
		// administrator has turned that on (Okta Management API, Deactivate a user). Who is
		// suspended is updated.
		EnableFirst: true, Frozen: c.deactivates,
	}
}

// Close implements connector.Connector.
func (c *client) Close() error { return nil }

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	_, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: "/users", Query: url.Values{"limit": {"1"}}}, nil)
	if err != nil {
		return "", err
	}
	return c.api.Credentials.Who(), nil
}

// user reads a user by the ID.
func (c *client) user(ctx context.Context, op, id string) (user, error) {
	var u user
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", id)}, &u); err != nil {
		return user{}, err
	}
	return u, u.whole(op, id)
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	u, err := c.user(ctx, connector.OpRead, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	return c.entitled(ctx, connector.OpRead, u)
}

// entitled returns the user as an account, with its entitlements unless the caller does not
// need them.
func (c *client) entitled(ctx context.Context, op string, u user) (connector.Account, error) {
	account := c.account(u)
	if connector.SparesEntitlements(ctx) {
		return account, nil
	}
	for page, err := range rest.Pages(ctx, c.api, rest.Request{Op: op, Path: rest.Path("users", u.ID, "groups")}, rest.NextLink[[]group](op)) {
		if err != nil {
			return connector.Account{}, err
		}
		for _, g := range page {
			if g.Type == writable {
				account.Entitlements = append(account.Entitlements, g.Profile.Name)
			}
		}
	}
	if c.adminRoles {
		roles, err := c.roles(ctx, op, u.ID)
		if err != nil {
			return connector.Account{}, err
		}
		for _, r := range roles {
			account.Entitlements = append(account.Entitlements, r.entitlement())
		}
	}
	account.Entitlements = set.Sorted(account.Entitlements)
	return account, nil
}

// Find implements connector.Connector. It gathers everybody whom a key may mean, each as
// Okta shows them now, and then compares.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return connector.FoundByID(c.found(ctx, keys.AccountID))
	}
	users, err := c.candidates(ctx, keys)
	if err != nil {
		return nil, err
	}
	whole := func(ctx context.Context, u user) (connector.Account, error) {
		return c.entitled(ctx, connector.OpFind, u)
	}
	by := func(attribute string, same func(a, b string) bool) func(context.Context, string) ([]connector.Account, error) {
		find := func(_ context.Context, value string) ([]user, error) {
			differs := func(u user) bool { return attribute == "" || !same(u.text(attribute), value) }
			return slices.DeleteFunc(slices.Clone(users), differs), nil
		}
		return connector.Whole(keys.PersonID, find, func(u user) string { return u.text(c.externalID) }, whole)
	}
	exactly := func(a, b string) bool { return a == b } // person IDs differ by case
	return connector.FirstMatches(ctx, keys.PersonID,
		connector.Look{By: connector.ByExternalID, Value: keys.PersonID, Find: by(c.externalID, exactly)},
		connector.Look{By: connector.ByEmployeeNumber, Value: keys.EmployeeNumber, Find: by(c.employeeNumber, exactly)},
		connector.Look{By: connector.ByUsername, Value: keys.Username, Find: func(ctx context.Context, username string) ([]connector.Account, error) {
			return by(login, strings.EqualFold)(ctx, c.login(username))
		}},
		connector.Look{By: connector.ByEmail, Value: keys.Email, Find: by("email", strings.EqualFold)},
	)
}

func (c *client) numbered(keys connector.Keys) bool {
	return keys.EmployeeNumber != "" && c.employeeNumber != ""
}

func (c *client) found(ctx context.Context, id string) (connector.Account, error) {
	u, err := c.user(ctx, connector.OpFind, id)
	if err != nil {
		return connector.Account{}, err
	}
	return c.entitled(ctx, connector.OpFind, u)
}

// candidates returns the users whom a key may mean, without repetition: those whom a search
// finds, those who changed too lately for searches, and the one with the login.
func (c *client) candidates(ctx context.Context, keys connector.Keys) ([]user, error) {
	const op = connector.OpFind
	var users []user
	seen := map[string]bool{}
	add := func(u user) {
		if !seen[u.ID] {
			seen[u.ID] = true
			users = append(users, u)
		}
	}
	if expression := c.searchFor(keys); expression != "" {
		hits, now, err := c.search(ctx, op, expression)
		if err != nil {
			return nil, err
		}
		recent := fmt.Sprintf("lastUpdated gt %q", now.Add(-c.searchLag).UTC().Format("2006-01-02T15:04:05.000Z"))
		for u, err := range c.users(ctx, op, url.Values{"filter": {recent}}) {
			if err != nil {
				return nil, err
			}
			add(u)
		}
		for _, id := range hits {
			if seen[id] {
				continue
			}
			switch u, err := c.user(ctx, op, id); {
			case connector.Is(err, connector.KindNotFound): // deleted since
			case err != nil:
				return nil, err
			default:
				add(u)
			}
		}
	}
	if keys.Username != "" {
		switch u, err := c.byLogin(ctx, op, c.login(keys.Username)); {
		case connector.Is(err, connector.KindNotFound):
		case err != nil:
			return nil, err
		default:
			add(u)
		}
	}
	return users, nil
}

// searchFor returns the search for the keys that only a search finds; "" if there are none.
func (c *client) searchFor(keys connector.Keys) string {
	var either []string
	equals := func(attribute, value string) {
		either = append(either, "profile."+attribute+" eq "+quote(value))
	}
	if keys.PersonID != "" {
		equals(c.externalID, keys.PersonID)
	}
	if c.numbered(keys) {
		equals(c.employeeNumber, keys.EmployeeNumber)
	}
	if keys.Email != "" {
		equals("email", keys.Email)
	}
	return strings.Join(either, " or ")
}

// quote returns a text as Okta's filters write it, which are those of SCIM.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// search returns the IDs of the users whom a search finds, and the time by Okta's clock.
func (c *client) search(ctx context.Context, op, expression string) (ids []string, now time.Time, err error) {
	now = time.Now()
	first := rest.Request{Op: op, Path: "/users", Query: url.Values{"search": {expression}, "limit": {pageSize}}}
	next := func(_ []user, header http.Header) (rest.Request, bool) {
		if at, err := http.ParseTime(header.Get("Date")); err == nil {
			now = at
		}
		link := rest.LinkNext(header)
		return rest.Request{Op: op, Link: link}, link != ""
	}
	for page, err := range rest.Pages(ctx, c.api, first, next) {
		if err != nil {
			return nil, now, err
		}
		for _, u := range page {
			if u.ID == "" {
				return nil, now, rest.Contradictory(op, "Okta lists a user without an ID")
			}
			ids = append(ids, u.ID)
		}
	}
	return ids, now, nil
}

// byLogin reads the user with a login. Okta also takes an ID, "me", or the part of a login
// before the @ for one, so the answer may be somebody else: Find compares. A login with a
// slash cannot stand in a path ("Retrieve a user" in the reference); its case has to be right
// then.
func (c *client) byLogin(ctx context.Context, op, name string) (user, error) {
	if !strings.Contains(name, "/") {
		var u user
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", name)}, &u); err != nil {
			return user{}, err
		}
		return u, u.whole(op, "")
	}
	for u, err := range c.users(ctx, op, url.Values{"filter": {"profile.login eq " + quote(name)}}) {
		return u, err
	}
	return user{}, &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "Okta has no user with this login"}
}

// users reads a list of users, page by page.
func (c *client) users(ctx context.Context, op string, query url.Values) iter.Seq2[user, error] {
	return rest.Items(ctx, c.api, usersPage(op, query), rest.NextLink[[]user](op), func(page []user) ([]user, error) { return whole(op, page) })
}

// usersPage returns the request for the first page of a list of users.
func usersPage(op string, query url.Values) rest.Request {
	query.Set("limit", pageSize)
	return rest.Request{Op: op, Path: "/users", Query: query}
}

// whole returns users, or an error if one of them is none.
func whole(op string, users []user) ([]user, error) {
	for _, u := range users {
		if err := u.whole(op, ""); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// everybody is a filter that leaves nobody out. Without one, Okta leaves out whoever is
// deactivated.
const everybody = `lastUpdated gt "1970-01-01T00:00:00.000Z"`

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. Okta's tokens stand for the last user of the page before
// ("Pagination" in the reference). Okta does not say how long one is good.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch reads a page of users.
func (c *client) fetch(ctx context.Context, op, token string, has map[string][]string) (connector.Page, error) {
	first := usersPage(op, url.Values{"filter": {everybody}})
	users, next, err := rest.Linked(ctx, c.api, first, token, rest.NextLink[[]user](op))
	if err == nil {
		users, err = whole(op, users)
	}
	listed := connector.Page{Next: next, Total: -1}
	for _, u := range users {
		account := c.account(u)
		account.Entitlements = slices.Sorted(slices.Values(has[u.ID]))
		listed.Accounts = append(listed.Accounts, account)
	}
	return listed, err
}
