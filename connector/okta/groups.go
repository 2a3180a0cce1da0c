package okta

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

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

// groupsFor is how long it is remembered which group has a name.
const groupsFor = time.Minute

// groupCache remembers the IDs of writable groups by their names.
type groupCache struct {
	mu    sync.Mutex
	known map[string]knownGroup
	now   func() time.Time
}

type knownGroup struct {
	id string
	at time.Time
}

func newGroupCache() *groupCache { return &groupCache{known: map[string]knownGroup{}, now: time.Now} }

func (g *groupCache) get(name string) (id string, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, known := g.known[name]
	return found.id, known && g.now().Sub(found.at) < groupsFor
}

func (g *groupCache) put(name, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known[name] = knownGroup{id, g.now()}
}

func (g *groupCache) forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.known, name)
}

// groupNamed returns the ID of the group with a name; "" and why it cannot be granted if there
// is none, or none whose members can be changed.
func (c *client) groupNamed(ctx context.Context, op, name string) (id, problem string, err error) {
	if id, known := c.groups.get(name); known {
		return id, "", nil
	}
	// A query finds the groups whose names begin with the text, does not lag as searches do, and
	// cannot be paged ("List all groups" in the reference).
	const most = 300
	var found []group
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: "/groups", Query: url.Values{"q": {name}, "limit": {fmt.Sprint(most)}}}, &found); err != nil {
		return "", "", err
	}
	problem = fmt.Sprintf("there is no group %q", name)
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
		return "", problem, nil
	case 1:
		c.groups.put(name, ids[0])
		return ids[0], "", nil
	}
	return "", fmt.Sprintf("several groups have the name %q: rename all but one", name), nil
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpGrant
	return connector.Each(names, func(name string) error {
		if role, isRole := strings.CutPrefix(name, rolePrefix); isRole {
			return c.grantRole(ctx, accountID, role)
		}
		id, problem, err := c.groupNamed(ctx, op, name)
		switch {
		case err != nil:
			return err
		case problem != "":
			return connector.Invalid(op, "%s", problem)
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
		id, _, err := c.groupNamed(ctx, op, name)
		if err != nil || id == "" { // who is in no group of this name has lost it
			return err
		}
		return rest.Gone(c.member(ctx, op, http.MethodDelete, name, id, accountID))
	})
}

// member adds a user to a group, or removes them. Both may be repeated.
func (c *client) member(ctx context.Context, op, method, name, groupID, userID string) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: method, Path: rest.Path("groups", groupID, "users", userID)}, nil)
	if rest.Has(err, noGroup) {
		c.groups.forget(name)
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
	return func(yield func(group, error) bool) {
		first := rest.Request{Op: op, Path: "/groups", Query: url.Values{"filter": {`type eq "` + writable + `"`}, "limit": {pageSize}}}
		for page, err := range rest.Pages(ctx, c.api, first, rest.NextLink[[]group](op)) {
			if err != nil {
				yield(group{}, err)
				return
			}
			for _, g := range page {
				if g.Type == writable && !yield(g, nil) {
					return
				}
			}
		}
	}
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
