package atlassian

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

const (
	pageSize = 100
	bin      = 14 * 24 * time.Hour // "Delete account" in the reference

	// settling is how long changes take to be shown: organisation roles take up to 30 seconds,
	// and removals are put into a queue, says the reference.
	settling = time.Minute
)

// client is a connector to one directory of an organisation.
type client struct {
	connector.Base

	api        *rest.Client
	org        string
	named      string // the directory that the setting names; empty: the only one
	domain     string
	managed    bool
	invitedTo  []string
	invitation string
	inviting   chan struct{}               // held while somebody is invited: see Create
	only       rest.Memo[struct{}, string] // the ID of the directory, if it has no name
	pages      connector.Pages[struct{}]
}

// user is a user of a directory ("Search for users in an organization").
type user struct {
	ID         string    `json:"accountId"`
	Type       string    `json:"accountType"`
	Status     string    `json:"status"`
	Account    string    `json:"accountStatus"`
	Membership string    `json:"membershipStatus"`
	Claim      string    `json:"claimStatus"`
	Deleting   bool      `json:"forDeletion"`
	Added      time.Time `json:"addedToOrg"`
	Email      string    `json:"email"`
	Roles      []string  `json:"platformRoles"`
	Groups     []group   `json:"groups"`
}

// group is a group of a directory.
type group struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Synced bool   `json:"externalSynced"` // by an identity provider
}

// The statuses that matter here.
const (
	inactive     = "inactive"      // of the account
	closed       = "closed"        // of the account
	suspended    = "suspended"     // of the membership
	noMembership = "no_membership" // of the membership
	deleting     = "for_deletion"  // of both
	claimed      = "managed"       // of the claim
)

// whole returns the error for an answer that is no user, or another one than was asked for.
func (u user) whole(op, id string) error {
	if u.ID == "" || u.Account == "" || u.Membership == "" || id != "" && u.ID != id {
		return rest.Contradictory(op, "Atlassian answered with success, and not with the user that was asked for")
	}
	return nil
}

// binned reports whether the account is going to be deleted, and can still be restored.
func (u user) binned() bool { return u.Status == deleting || u.Deleting }

// manages reports whether the organisation may change the account itself.
func (c *client) manages(u user) bool { return c.managed && u.Claim == claimed }

// gone reports whether there is no account any more, as far as this app goes.
func (c *client) gone(u user) bool {
	return u.Account == closed || u.binned() || u.Membership == noMembership && !c.manages(u)
}

// on reports whether somebody can sign in. A managed account that is not in the directory can.
func (u user) on() bool {
	return u.Account != inactive && u.Account != closed && u.Membership != suspended
}

// account returns the user as an account.
func (c *client) account(u user) connector.Account {
	account := connector.Account{ID: u.ID, Username: c.username(u.Email), Active: u.on(), CreatedAt: u.Added}
	for _, g := range u.Groups {
		account.Entitlements = append(account.Entitlements, g.Name)
	}
	for _, role := range u.Roles {
		account.Entitlements = append(account.Entitlements, rolePrefix+strings.TrimPrefix(role, vendorPrefix))
	}
	account.Entitlements = set.Sorted(account.Entitlements)
	return account
}

// addressForm is the form of addresses that are looked for and invited.
var addressForm = regexp.MustCompile(`^[A-Za-z0-9._'-]{1,64}@[A-Za-z0-9.-]{1,190}$`)

// address returns the address of a username.
func (c *client) address(username string) string {
	if strings.Contains(username, "@") {
		return username
	}
	return username + "@" + c.domain
}

// username returns the username of an address: see the setting domain.
func (c *client) username(address string) string {
	if local, domain, _ := strings.Cut(address, "@"); strings.EqualFold(domain, c.domain) {
		return local
	}
	return address
}

// lastUse says why accounts show nothing: last activity is a call for each account ("Get user's
// last active dates"), and counts visits to products.
var lastUse = connector.LastUse{Note: "Atlassian tells the last activity by a call for each account, which Tenure does not make."}

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	can := connector.Capabilities{
		Create: len(c.invitedTo) > 0, Disable: true, Reversible: true,
		Entitlements: true, ListEntitlements: true, List: true, Page: true, Probe: true, Settling: settling, LastUse: lastUse,
	}
	if c.managed {
		can.Sessions, can.Delete, can.RecycleBin, can.Restore = true, true, bin, true
	}
	return can
}

// Close implements connector.Connector.
func (*client) Close() error { return nil }

// inOrg returns the path of something in the organisation.
func (c *client) inOrg(version string, segments ...string) string {
	return rest.Path(append([]string{"admin", version, "orgs", c.org}, segments...)...)
}

// in returns the path of something in the directory.
func (c *client) in(ctx context.Context, op string, segments ...string) (string, error) {
	directory, err := c.directoryID(ctx, op)
	return c.inOrg("v2", append([]string{"directories", directory}, segments...)...), err
}

// directoryID returns the directory that the setting names, or the organisation's only one.
func (c *client) directoryID(ctx context.Context, op string) (string, error) {
	if c.named != "" {
		return c.named, nil
	}
	return c.only.Get(struct{}{}, func() (string, error) {
		var answer page[struct {
			ID string `json:"directoryId"`
		}]
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: c.inOrg("v2", "directories")}, &answer); err != nil {
			return "", err
		}
		switch {
		case len(answer.Data) != 1 || answer.Links.Next != "":
			return "", connector.Invalid(op, "the organisation has %d directories, or more: name one by the setting directory", len(answer.Data))
		case !idForm.MatchString(answer.Data[0].ID):
			return "", rest.Contradictory(op, "Atlassian shows a directory without an ID")
		}
		return answer.Data[0].ID, nil
	})
}

// page is a page of a list.
type page[T any] struct {
	Data  []T `json:"data"`
	Links struct {
		Next string `json:"next"` // a cursor, and no address
	} `json:"links"`
}

// search searches the users or the groups of the directory, page by page.
func search[T any](ctx context.Context, c *client, op, what string, filter map[string]any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		path, err := c.in(ctx, op, what, "search")
		if err != nil {
			yield(none, err)
			return
		}
		next := func(p page[T], _ http.Header) (rest.Request, bool) {
			return pageOf(op, path, filter, p.Links.Next), p.Links.Next != ""
		}
		for item, err := range rest.Items(ctx, c.api, pageOf(op, path, filter, ""), next, func(p page[T]) ([]T, error) { return p.items(op) }) {
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// pageOf returns the request for a page of a search.
func pageOf(op, path string, filter map[string]any, cursor string) rest.Request {
	body := map[string]any{"limit": pageSize}
	maps.Copy(body, filter)
	if cursor != "" {
		body["cursor"] = cursor
	}
	return rest.Request{Op: op, Method: http.MethodPost, Path: path, Body: body}
}

// items returns what is on the page.
func (p page[T]) items(op string) ([]T, error) {
	if p.Data == nil {
		return nil, rest.Contradictory(op, "Atlassian answered without a list")
	}
	return p.Data, nil
}

// whole adds to a filter that each user comes with the groups and roles that it holds.
func whole(filter map[string]any) map[string]any {
	filter["expand"] = []string{"groups", "platformRoles"}
	return filter
}

// users searches users. Each has the groups and roles that it holds.
func (c *client) users(ctx context.Context, op string, filter map[string]any) iter.Seq2[user, error] {
	return func(yield func(user, error) bool) {
		for u, err := range search[user](ctx, c, op, "users", whole(filter)) {
			if err == nil {
				err = u.whole(op, "")
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

// details returns a user without the groups. It reports false if Atlassian knows none.
func (c *client) details(ctx context.Context, op, id string) (user, bool, error) {
	path, err := c.in(ctx, op, "users", id)
	if err != nil {
		return user{}, false, err
	}
	var answer struct {
		Data user `json:"data"`
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Path: path}, &answer)
	switch {
	case rest.Has(err, unknownResource):
		return user{}, false, nil
	case err != nil:
		return user{}, false, err
	}
	return answer.Data, true, answer.Data.whole(op, id)
}

// any returns a user, also one that is gone. That there is none takes two answers: a search
// that finds nobody, in a directory that is shown, and the error for a user who is unknown.
func (c *client) any(ctx context.Context, op, id string) (user, error) {
	for u, err := range c.users(ctx, op, map[string]any{"accountIds": []string{id}}) {
		if err != nil || u.ID == id {
			return u, err
		}
	}
	u, there, err := c.details(ctx, op, id)
	switch {
	case err != nil:
		return user{}, err
	case !there:
		return user{}, notFound(op)
	case c.gone(u):
		return u, nil
	}
	return user{}, rest.Contradictory(op, "Atlassian knows the user, and its search does not show them yet")
}

func notFound(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "the directory has no such user, or the account is being deleted"}
}

// user returns a user who is there.
func (c *client) user(ctx context.Context, op, id string) (user, error) {
	u, err := c.any(ctx, op, id)
	if err == nil && c.gone(u) {
		return user{}, notFound(op)
	}
	return u, err
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	u, err := c.user(ctx, connector.OpRead, accountID)
	if err != nil {
		return connector.Account{}, err
	}
	return c.account(u), nil
}

// having returns the users who have an address, also those that are gone.
func (c *client) having(ctx context.Context, op, address string) ([]user, error) {
	found, err := rest.Collect(c.users(ctx, op, map[string]any{"emails": []string{address}}))
	return slices.DeleteFunc(found, func(u user) bool { return !strings.EqualFold(u.Email, address) }), err
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	const op = connector.OpFind
	if keys.AccountID != "" {
		u, err := c.user(ctx, op, keys.AccountID)
		return connector.FoundByID(c.account(u), err)
	}
	if keys.Username != "" {
		keys.Username = c.address(keys.Username)
	}
	find := func(ctx context.Context, address string) (accounts []connector.Account, err error) {
		if !addressForm.MatchString(address) {
			return nil, nil // nobody has it
		}
		found, err := c.having(ctx, op, address)
		for _, u := range found {
			if !c.gone(u) {
				accounts = append(accounts, c.account(u))
			}
		}
		return accounts, err
	}
	return connector.FirstMatches(ctx, keys.PersonID,
		connector.Look{By: connector.ByUsername, Value: keys.Username, Find: find},
		connector.Look{By: connector.ByEmail, Value: keys.Email, Find: find})
}

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. Atlassian documents neither how long a cursor is good nor
// what it does to a list that users are deleted from meanwhile.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch reads a page of users.
func (c *client) fetch(ctx context.Context, op, cursor string, _ struct{}) (connector.Page, error) {
	path, err := c.in(ctx, op, "users", "search")
	if err != nil {
		return connector.Page{}, err
	}
	var shown page[user]
	if _, err := c.api.Do(ctx, pageOf(op, path, whole(map[string]any{}), cursor), &shown); err != nil {
		return connector.Page{}, err
	}
	users, err := shown.items(op)
	listed := connector.Page{Next: shown.Links.Next, Total: -1}
	for _, u := range users {
		if err := u.whole(op, ""); err != nil {
			return connector.Page{}, err
		}
		if person := u.Type == "" || u.Type == "atlassian"; person && !c.gone(u) { // others are apps, and customers of a help centre
			listed.Accounts = append(listed.Accounts, c.account(u))
		}
	}
	return listed, err
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	var answer struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if _, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: c.inOrg("v1")}, &answer); err != nil {
		return "", err
	}
	if answer.Data.ID != c.org {
		return "", rest.Contradictory(connector.OpCheck, "Atlassian shows another organisation than was asked for")
	}
	return "API key of the organisation " + c.org, nil
}

// Probe implements connector.Connector. It asks what may be done to one of the managed
// accounts ("Get user management permissions").
func (c *client) Probe(ctx context.Context) []connector.Finding {
	const op = connector.OpProbe
	first := func(what string, filter map[string]any) (string, connector.Finding) {
		finding := connector.Finding{What: "sees the " + what + " of the directory"}
		for u, err := range search[user](ctx, c, op, what, filter) {
			if err != nil {
				finding.Problem = err.Error()
			}
			return u.ID, finding
		}
		return "", finding
	}
	_, groups := first("groups", map[string]any{})
	if !c.managed {
		_, users := first("users", map[string]any{})
		return []connector.Finding{users, groups}
	}
	id, users := first("users", map[string]any{"claimStatus": claimed})
	findings := []connector.Finding{users, groups}
	manages := connector.Finding{What: "may manage accounts"}
	if id == "" {
		manages.Problem = "the directory shows no managed account: verify the domain in Atlassian Administration, or set managed to false"
		return append(findings, manages)
	}
	var allowed map[string]struct {
		Allowed *bool `json:"allowed"`
	}
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", id, "manage")}, &allowed); err != nil {
		manages.Problem = err.Error()
		return append(findings, manages)
	}
	for _, right := range []struct{ name, what string }{
		{"lifecycle.enablement", "may deactivate accounts"}, {"lifecycle.delete", "may delete accounts"}, {"apiToken.delete", "may delete API tokens"},
	} {
		finding := connector.Finding{What: right.what}
		if is := allowed[right.name].Allowed; is == nil || !*is {
			finding.Problem = "Atlassian does not allow " + right.name + " for the first managed account: use a key without scopes, and the kind scim for accounts that an identity provider provisions"
		}
		findings = append(findings, finding)
	}
	return findings
}
