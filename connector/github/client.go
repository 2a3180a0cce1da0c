package github

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

// client is a connector to one organisation.
type client struct {
	connector.Base

	api     *rest.Client
	org     string
	suffix  string            // of logins by the rule; empty if there is none
	saml    bool              // the organisation has SAML single sign-on
	logins  map[string]string // person ID -> login
	persons map[string]string // login in lower case -> person ID
	pages   connector.Pages[map[int64][]string]
}

var lastUse = connector.LastUse{Note: "GitHub does not tell when a member was last active."}

// Capabilities implements connector.Connector.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Disable: true, Entitlements: true, ListEntitlements: true, Sessions: c.saml, List: true, Page: true, Probe: true,
		LastUse: lastUse,
	}
}

// Close implements connector.Connector.
func (*client) Close() error { return nil }

// user is a user of GitHub.
type user struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

// membership is the membership of a user in the organisation.
type membership struct {
	State string `json:"state"` // active, or pending: an invitation that waits
	Role  string `json:"role"`  // admin or member
	User  user   `json:"user"`
}

// invitation is an invitation that waits.
type invitation struct {
	ID    int64  `json:"id"`
	Login string `json:"login"` // empty if it went to an address
	Role  string `json:"role"`
	Teams int    `json:"team_count"`
}

// team is a team of the organisation.
type team struct {
	Slug string `json:"slug"`
}

// in returns the path of something in the organisation.
func (c *client) in(segments ...string) string {
	return rest.Path(append([]string{"orgs", c.org}, segments...)...)
}

// pages yields the items of a list.
func pages[T any](ctx context.Context, c *client, op, path string, query url.Values) iter.Seq2[T, error] {
	return rest.Items(ctx, c.api, firstPage(op, path, query), rest.NextLink[[]T](op), func(page []T) ([]T, error) { return listed(op, page) })
}

// firstPage returns the request for the first page of a list.
func firstPage(op, path string, query url.Values) rest.Request {
	query = maps.Clone(query)
	query.Set("per_page", "100")
	return rest.Request{Op: op, Path: path, Query: query}
}

// listed returns what is on a page, or an error if it is none.
func listed[T any](op string, page []T) ([]T, error) {
	if page == nil {
		return nil, rest.Contradictory(op, "GitHub answered without a list")
	}
	return page, nil
}

// userID is the form of the ID of a user.
var userID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// owned returns the user with an ID, whatever their login is now. It reports false if GitHub
// says that there is none, and shows the organisation.
func (c *client) owned(ctx context.Context, op, id string) (user, bool, error) {
	if !userID.MatchString(id) {
		return user{}, false, nil
	}
	var found user
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("user", id)}, &found)
	switch {
	case rest.Has(err, notFound):
		return user{}, false, c.sees(ctx, op)
	case err != nil:
		return user{}, false, err
	case strconv.FormatInt(found.ID, 10) != id || !loginForm.MatchString(strings.ReplaceAll(found.Login, "_", "-")):
		return user{}, false, rest.Contradictory(op, "GitHub shows another user than was asked for")
	}
	return found, true, nil
}

// sees returns an error unless the credentials see who is in the organisation. Without the
// right to, GitHub answers as if people were not there.
func (c *client) sees(ctx context.Context, op string) error {
	var waiting []invitation
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: c.in("invitations"), Query: url.Values{"per_page": {"1"}}}, &waiting)
	return err
}

// member returns the membership of a login. It reports false if there is none.
func (c *client) member(ctx context.Context, op, login string) (membership, bool, error) {
	var found membership
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: c.in("memberships", login)}, &found)
	switch {
	case rest.Has(err, notFound):
		return membership{}, false, c.sees(ctx, op)
	case err != nil:
		return membership{}, false, err
	case found.State != "active" && found.State != "pending" || found.User.ID == 0 || !strings.EqualFold(found.User.Login, login):
		return membership{}, false, rest.Contradictory(op, "GitHub shows a membership that is not the one that was asked for")
	}
	return found, true, nil
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	_, account, err := c.read(ctx, connector.OpRead, accountID)
	return account, err
}

// read returns the login and the account of a user.
func (c *client) read(ctx context.Context, op, id string) (login string, account connector.Account, err error) {
	found, there, err := c.owned(ctx, op, id)
	if err != nil || !there {
		return "", connector.Account{}, orGone(op, err)
	}
	m, there, err := c.member(ctx, op, found.Login)
	if err != nil || !there {
		return "", connector.Account{}, orGone(op, err)
	}
	if m.User.ID != found.ID {
		return "", connector.Account{}, rest.Contradictory(op, "GitHub shows the membership of another user: the login has changed hands")
	}
	account, err = c.account(ctx, op, m)
	return found.Login, account, err
}

func orGone(op string, err error) error {
	if err == nil {
		return gone(op)
	}
	return err
}

// account returns the account of a membership.
func (c *client) account(ctx context.Context, op string, m membership) (connector.Account, error) {
	account := c.bare(m)
	if connector.SparesEntitlements(ctx) {
		return account, nil
	}
	teams, err := c.teamsOf(ctx, op, m)
	if err != nil {
		return connector.Account{}, err
	}
	return c.with(m, teams), nil
}

// with returns the account of a membership with its teams.
func (c *client) with(m membership, teams []string) connector.Account {
	account := c.bare(m)
	if account.Entitlements = set.Sorted(append(account.Entitlements, teams...)); len(account.Entitlements) == 0 {
		account.Entitlements = nil
	}
	return account
}

// bare returns the account of a membership without its teams.
func (c *client) bare(m membership) connector.Account {
	account := connector.Account{
		ID: strconv.FormatInt(m.User.ID, 10), Username: c.username(m.User.Login), ExternalID: c.persons[strings.ToLower(m.User.Login)],
		Active: true, Attributes: map[string]any{"state": m.State},
	}
	if m.Role == "admin" {
		account.Entitlements = []string{owner}
	}
	return account
}

// Find implements connector.Connector. It looks for the login that the configuration gives a
// person.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	const op = connector.OpFind
	if keys.AccountID != "" {
		_, account, err := c.read(ctx, op, keys.AccountID)
		return connector.FoundByID(account, err)
	}
	by, login := connector.ByExternalID, c.logins[keys.PersonID]
	if login == "" {
		by, login = connector.ByUsername, c.login("", keys.Username)
	}
	if !loginForm.MatchString(login) {
		return nil, nil // nobody on GitHub has it
	}
	if connector.Foreign(c.persons[strings.ToLower(login)], keys.PersonID) {
		return nil, nil
	}
	m, there, err := c.member(ctx, op, login)
	if err != nil || !there {
		return nil, err
	}
	account, err := c.account(ctx, op, m)
	if err != nil {
		return nil, err
	}
	return []connector.Match{{Account: account, By: by}}, nil
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	var found user
	if _, err := c.api.Do(ctx, rest.Request{Op: connector.OpCheck, Path: c.in()}, &found); err != nil {
		return "", err
	}
	if !strings.EqualFold(found.Login, c.org) {
		return "", rest.Contradictory(connector.OpCheck, "GitHub shows another organisation than was asked for")
	}
	return c.api.Credentials.Who() + " in the organisation " + c.org, nil
}

// Probe implements connector.Connector.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	const op = connector.OpProbe
	looks := []struct{ what, path string }{
		{"sees the members", "members"}, {"sees invitations that wait", "invitations"}, {"sees the teams", "teams"},
		{"sees outside collaborators", "outside_collaborators"},
	}
	if c.saml {
		looks = append(looks, struct{ what, path string }{"sees the authorisations of tokens and keys", "credential-authorizations"})
	}
	var findings []connector.Finding
	for _, look := range looks {
		finding := connector.Finding{What: look.what}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: c.in(look.path), Query: url.Values{"per_page": {"1"}}}, nil); err != nil {
			finding.Problem = err.Error()
		}
		findings = append(findings, finding)
	}
	finding := connector.Finding{What: "sees the teams of a member (GraphQL)"}
	if _, err := c.teamsByGraphQL(ctx, op, c.org); err != nil {
		finding.Problem = err.Error()
	}
	return append(findings, finding)
}

// List implements connector.Connector: owners, then members, and whoever is invited by login.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. GitHub numbers its pages: if a member of an earlier page
// leaves meanwhile, one that stays may be missing. So may be one whose role changes meanwhile.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// members returns a function that reads a page of the members with a role.
func (c *client) members(role string) func(context.Context, string, string, map[int64][]string) (connector.Page, error) {
	return func(ctx context.Context, op, token string, held map[int64][]string) (connector.Page, error) {
		first := firstPage(op, c.in("members"), url.Values{"role": {role}})
		found, next, err := rest.Linked(ctx, c.api, first, token, rest.NextLink[[]user](op))
		if err == nil {
			found, err = listed(op, found)
		}
		page := connector.Page{Next: next}
		for _, one := range found {
			page.Accounts = append(page.Accounts, c.with(membership{State: "active", Role: role, User: one}, held[one.ID]))
		}
		return page, err
	}
}

// invitations reads a page of those who are invited by login.
func (c *client) invitations(ctx context.Context, op, token string, _ map[int64][]string) (connector.Page, error) {
	first := firstPage(op, c.in("invitations"), url.Values{})
	found, next, err := rest.Linked(ctx, c.api, first, token, rest.NextLink[[]invitation](op))
	if err == nil {
		found, err = listed(op, found)
	}
	page := connector.Page{Next: next}
	for _, waiting := range found {
		if waiting.Login == "" {
			continue
		}
		m, teams, err := c.invited(ctx, op, waiting)
		if err != nil {
			return connector.Page{}, err
		}
		page.Accounts = append(page.Accounts, c.with(m, teams))
	}
	return page, err
}

// invited returns the membership that an invitation offers, and its teams.
func (c *client) invited(ctx context.Context, op string, waiting invitation) (membership, []string, error) {
	m := membership{State: "pending", Role: waiting.Role}
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", waiting.Login)}, &m.User); err != nil {
		return m, nil, err
	}
	teams, err := c.teamsOfInvitation(ctx, op, waiting)
	return m, teams, err
}

// remove sends a DELETE. It reports whether there was something to delete.
func (c *client) remove(ctx context.Context, op, path string) (bool, error) {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: path}, nil)
	if rest.Has(err, notFound) {
		return false, nil
	}
	return err == nil, err
}
