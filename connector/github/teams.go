package github

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

const (
	owner = "role:owner"
	seat  = "licence:seat"
)

// teamsOf returns the slugs of the teams of a member, or those that an invitation offers.
func (c *client) teamsOf(ctx context.Context, op string, m membership) ([]string, error) {
	if m.State == "active" {
		return c.teamsByGraphQL(ctx, op, m.User.Login)
	}
	for waiting, err := range pages[invitation](ctx, c, op, c.in("invitations"), url.Values{}) {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(waiting.Login, m.User.Login) {
			return c.teamsOfInvitation(ctx, op, waiting)
		}
	}
	return nil, nil // it was accepted or cancelled meanwhile
}

func (c *client) teamsOfInvitation(ctx context.Context, op string, waiting invitation) ([]string, error) {
	if waiting.Teams == 0 {
		return nil, nil
	}
	var slugs []string
	for one, err := range pages[team](ctx, c, op, c.in("invitations", strconv.FormatInt(waiting.ID, 10), "teams"), url.Values{}) {
		if err != nil {
			return nil, err
		}
		slugs = append(slugs, one.Slug)
	}
	return slugs, nil
}

// teamsQuery asks for the teams of one user, which REST can only answer team by team.
const teamsQuery = `query($org: String!, $login: String!, $after: String) { organization(login: $org) { teams(first: 100, userLogins: [$login], after: $after) { nodes { slug } pageInfo { hasNextPage endCursor } } } }`

// teamsByGraphQL returns the slugs of the teams of a member.
func (c *client) teamsByGraphQL(ctx context.Context, op, login string) ([]string, error) {
	var slugs []string
	var after *string
	for {
		var answer struct {
			Errors []struct {
				Type string `json:"type"`
			} `json:"errors"`
			Data struct {
				Organization *struct {
					Teams struct {
						Nodes []team `json:"nodes"`
						Page  *struct {
							More bool   `json:"hasNextPage"`
							End  string `json:"endCursor"`
						} `json:"pageInfo"`
					} `json:"teams"`
				} `json:"organization"`
			} `json:"data"`
		}
		body := map[string]any{"query": teamsQuery, "variables": map[string]any{"org": c.org, "login": login, "after": after}}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: "/graphql", Body: body}, &answer); err != nil {
			return nil, err
		}
		if len(answer.Errors) > 0 {
			return nil, refusedQuery(op, answer.Errors[0].Type)
		}
		if answer.Data.Organization == nil || answer.Data.Organization.Teams.Page == nil {
			return nil, rest.Contradictory(op, "GitHub answered without the organisation's teams")
		}
		teams := answer.Data.Organization.Teams
		for _, one := range teams.Nodes {
			slugs = append(slugs, one.Slug)
		}
		if !teams.Page.More {
			return slugs, nil
		}
		if after != nil && *after == teams.Page.End {
			return nil, rest.Contradictory(op, "GitHub's pages do not end")
		}
		after = &teams.Page.End
	}
}

// refusedQuery returns the error for a query that GitHub refuses, with status 200.
func refusedQuery(op, kind string) error {
	switch kind {
	case "RATE_LIMITED":
		return &connector.Error{Kind: connector.KindRateLimited, Op: op, Message: "GitHub refused a query: the points of this hour are used up: lower the app's rate"}
	case "FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND":
		return &connector.Error{Kind: connector.KindForbidden, Op: op, Message: "GitHub refused a query: the credentials may not read the organisation's teams by GraphQL"}
	}
	return rest.Contradictory(op, "GitHub answered a query by an error")
}

// allTeams returns the slugs of the teams of each member, by the user's ID.
func (c *client) allTeams(ctx context.Context, op string) (map[int64][]string, error) {
	held := map[int64][]string{}
	for one, err := range pages[team](ctx, c, op, c.in("teams"), url.Values{}) {
		if err != nil {
			return nil, err
		}
		for found, err := range pages[user](ctx, c, op, c.in("teams", one.Slug, "members"), url.Values{}) {
			if err != nil {
				return nil, err
			}
			held[found.ID] = append(held[found.ID], one.Slug)
		}
	}
	return held, nil
}

// Grant implements connector.Connector. It leaves teams alone that the user is in, since setting
// a membership again would make a maintainer of the team a plain member. A team's membership is
// never set for somebody outside the organisation, since that would invite them.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpGrant
	if len(names) == 0 {
		return nil
	}
	login, account, err := c.read(ctx, op, accountID)
	if err != nil {
		return err
	}
	return connector.Each(names, func(name string) error {
		if slices.Contains(account.Entitlements, name) {
			return nil
		}
		if name == owner {
			return c.setRole(ctx, op, login, "admin")
		}
		if !slugForm.MatchString(name) {
			return connector.Invalid(op, "GitHub has no entitlement %q: known are the slugs of teams, and %s", name, owner)
		}
		path := c.in("teams", name, "memberships", login)
		_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: path, Body: map[string]any{"role": "member"}}, nil)
		if rest.Has(err, notFound) {
			return connector.Invalid(op, "GitHub has no team %q, or the credentials may not see it", name)
		}
		return err
	})
}

func (c *client) setRole(ctx context.Context, op, login, role string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPut, Path: c.in("memberships", login), Body: map[string]any{"role": role}}, nil)
	return err
}

// Revoke implements connector.Connector. It takes teams that the user may have been given also
// if GitHub does not show them.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpRevoke
	if len(names) == 0 {
		return nil
	}
	login, account, err := c.read(ctx, op, accountID)
	if err != nil {
		return rest.Gone(err)
	}
	return connector.Each(names, func(name string) error {
		shown := slices.Contains(account.Entitlements, name)
		switch {
		case name == owner && shown:
			return c.setRole(ctx, op, login, "member")
		case name == owner || !slugForm.MatchString(name) || !shown && !connector.Given(ctx):
			return nil
		}
		_, err := c.remove(ctx, op, c.in("teams", name, "memberships", login))
		return err
	})
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	const op = connector.OpListEntitlements
	return func(yield func(connector.Entitlement, error) bool) {
		for one, err := range pages[team](ctx, c, op, c.in("teams"), url.Values{}) {
			if !yield(connector.Entitlement{Name: one.Slug, Kind: connector.Group}, err) || err != nil {
				return
			}
		}
		var org struct {
			Plan *struct {
				Seats  int `json:"seats"`
				Filled int `json:"filled_seats"`
			} `json:"plan"`
		}
		_, err := c.api.Do(ctx, rest.Request{Op: op, Path: c.in()}, &org)
		if err != nil {
			yield(connector.Entitlement{}, err)
			return
		}
		if !yield(connector.Entitlement{Name: owner, Kind: connector.Role}, nil) || org.Plan == nil {
			return
		}
		yield(connector.Entitlement{Name: seat, Kind: connector.Licence, Seats: connector.Seats{Total: org.Plan.Seats, Used: org.Plan.Filled}}, nil)
	}
}
