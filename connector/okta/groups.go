package okta

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// writable is the type of the groups whose members Okta lets the API change ("Assign a user
// to a group" in the reference).
const writable = "OKTA_GROUP"

// group is a group as Okta shows it.
type group struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Profile struct {
		Name string `json:"name"`
	} `json:"profile"`
}

// unknownGroupError says why there is no group of a name whose members can be changed.
type unknownGroupError string

func (u unknownGroupError) Error() string { return string(u) }

// groupNamed returns the ID of the group with a name, or an unknownGroupError.
func (c *client) groupNamed(ctx context.Context, op, name string) (string, error) {
	return c.groups.Get(name, func() (string, error) {
		// A query finds the groups whose names begin with the text, does not lag as searches do,
		// and cannot be paged ("List all groups" in the reference).
		const most = 300
		var found []group
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: "/groups", Query: url.Values{"q": {name}, "limit": {fmt.Sprint(most)}}}, &found); err != nil {
			return "", err
		}
		problem := fmt.Sprintf("there is no group %q", name)
		if len(found) >= most {
			problem = fmt.Sprintf("more than %d groups have names that begin with %q, so that it cannot be looked up: rename it", most, name)
		}
		var ids []string
		for _, g := range found {
			switch {
			case g.Profile.Name != name:
			case g.Type == writable:
				ids = append(ids, g.ID)
			default:
				problem = fmt.Sprintf("group %q is of type %s, whose members only Okta or the app that it comes from can change: grant a group of type %s", name, g.Type, writable)
			}
		}
		switch len(ids) {
		case 0:
			return "", unknownGroupError(problem)
		case 1:
			return ids[0], nil
		}
		return "", unknownGroupError(fmt.Sprintf("several groups have the name %q: rename all but one", name))
	})
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpGrant
	return connector.Each(names, func(name string) error {
		if role, isRole := strings.CutPrefix(name, rolePrefix); isRole {
			return c.grantRole(ctx, accountID, role)
		}
		id, err := c.groupNamed(ctx, op, name)
		if unknown := unknownGroupError(""); errors.As(err, &unknown) {
			return connector.Invalid(op, "%s", unknown)
		}
		if err != nil {
			return err
		}
		return c.member(ctx, op, http.MethodPut, name, id, accountID)
	})
}

// Revoke implements connector.Connector.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpRevoke
	return connector.Each(names, func(name string) error {
		if role, isRole := strings.CutPrefix(name, rolePrefix); isRole {
			return rest.Gone(c.revokeRole(ctx, accountID, role))
		}
		id, err := c.groupNamed(ctx, op, name)
		if unknown := unknownGroupError(""); errors.As(err, &unknown) {
			return nil // who is in no group of this name has lost it
		}
		if err != nil {
			return err
		}
		return rest.Gone(c.member(ctx, op, http.MethodDelete, name, id, accountID))
	})
}

// member adds a user to a group, or removes them. Both may be repeated.
func (c *client) member(ctx context.Context, op, method, name, groupID, userID string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: method, Path: rest.Path("groups", groupID, "users", userID)}, nil)
	if rest.Has(err, noGroup) {
		c.groups.Forget(name)
	}
	return err
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		for g, err := range c.writableGroups(ctx, connector.OpListEntitlements) {
			if err != nil {
				yield(connector.Entitlement{}, err)
				return
			}
			if !yield(connector.Entitlement{Name: g.Profile.Name, Kind: connector.Group}, nil) {
				return
			}
		}
		if !c.adminRoles {
			return
		}
		for _, role := range roleTypes {
			if !yield(connector.Entitlement{Name: rolePrefix + role, Kind: connector.Role}, nil) {
				return
			}
		}
	}
}

// writableGroups lists the groups that can be granted.
func (c *client) writableGroups(ctx context.Context, op string) iter.Seq2[group, error] {
	first := rest.Request{Op: op, Path: "/groups", Query: url.Values{"filter": {`type eq "` + writable + `"`}, "limit": {pageSize}}}
	return rest.Items(ctx, c.api, first, rest.NextLink[[]group](op), func(page []group) ([]group, error) {
		return slices.DeleteFunc(page, func(g group) bool { return g.Type != writable }), nil
	})
}

// everyEntitlement returns the entitlements of everybody, by the ID of the user. It reads the
// members of each group, which takes fewer requests than the groups of each user.
func (c *client) everyEntitlement(ctx context.Context, op string) (map[string][]string, error) {
	has := map[string][]string{}
	add := func(id, name string) {
		if !slices.Contains(has[id], name) {
			has[id] = append(has[id], name)
		}
	}
	for g, err := range c.writableGroups(ctx, op) {
		if err != nil {
			return nil, err
		}
		members := rest.Request{Op: op, Path: rest.Path("groups", g.ID, "users"), Query: url.Values{"limit": {pageSize}}}
		for page, err := range rest.Pages(ctx, c.api, members, rest.NextLink[[]user](op)) {
			if err != nil {
				return nil, err
			}
			for _, u := range page {
				add(u.ID, g.Profile.Name)
			}
		}
	}
	if !c.adminRoles {
		return has, nil
	}
	ids, err := c.administrators(ctx, op)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		roles, err := c.roles(ctx, op, id)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			add(id, r.entitlement())
		}
	}
	return has, nil
}
