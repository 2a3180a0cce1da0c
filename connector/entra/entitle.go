package entra

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

// The prefixes of entitlements that are no groups.
const (
	rolePrefix    = "role:"
	licencePrefix = "licence:"
)

// group is a group as Graph shows it (learn.microsoft.com/graph/api/resources/group).
type group struct {
	Type       string   `json:"@odata.type"`
	ID         string   `json:"id"`
	Name       string   `json:"displayName"`
	Types      []string `json:"groupTypes"`
	Mail       bool     `json:"mailEnabled"`
	Synced     bool     `json:"onPremisesSyncEnabled"`
	Assignable bool     `json:"isAssignableToRole"`
}

const groupFields = "id,displayName,groupTypes,mailEnabled,onPremisesSyncEnabled,isAssignableToRole"

// problem returns why nobody can be put into the group or taken out of it by Graph (learn.
// microsoft.com/graph/api/resources/groups-overview); "" if that is possible.
func (g group) problem() string {
	switch {
	case slices.Contains(g.Types, "DynamicMembership"):
		return "has members by a rule (dynamic membership): map the attributes that the rule looks at"
	case g.Mail && !slices.Contains(g.Types, "Unified"):
		return "is a distribution list or mail-enabled security group, which only Exchange changes: use a security or Microsoft 365 group"
	case g.Synced:
		return "comes from Active Directory: grant it in the app that is Active Directory"
	}
	return ""
}

// entitlementsOf returns the names of what a user has.
func (c *client) entitlementsOf(ctx context.Context, op string, u user) ([]string, error) {
	groups, err := c.groupsOf(ctx, op, u.Text("id"))
	if err != nil {
		return nil, err
	}
	assigned, err := c.assignments(ctx, op, u.Text("id"))
	if err != nil {
		return nil, err
	}
	return c.names(ctx, op, u, groups, assigned)
}

// names returns the names of what a user has, sorted.
func (c *client) names(ctx context.Context, op string, u user, groups []group, assigned []assignment) ([]string, error) {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	if len(assigned) > 0 {
		roles, err := c.definitions(ctx, op)
		if err != nil {
			return nil, err
		}
		for _, a := range assigned {
			names = append(names, a.name(roles))
		}
	}
	licences, err := c.licencesOf(ctx, op, u, groups)
	names = append(names, licences...)
	return set.Sorted(names), err
}

// groupsOf returns the groups of which a user is a direct member. Graph shows objects of a
// type that the app may not read without their names.
func (c *client) groupsOf(ctx context.Context, op, accountID string) ([]group, error) {
	var groups []group
	for g, err := range each[group](ctx, c, rest.Request{Op: op, Path: rest.Path("users", accountID, "memberOf"), Query: url.Values{"$top": {mostOnPage}}}) {
		switch {
		case err != nil:
			return nil, err
		case g.Type != "#microsoft.graph.group":
		case g.Name == "":
			return nil, failed(op, connector.KindForbidden, "Microsoft Graph shows groups without their names: the app registration lacks the right GroupMember.Read.All")
		default:
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// holdings holds the groups and role assignments of all users, by their IDs.
type holdings struct {
	groups map[string][]group
	roles  map[string][]assignment
}

func (c *client) holdings(ctx context.Context, op string) (holdings, error) {
	held := holdings{map[string][]group{}, map[string][]assignment{}}
	for g, err := range c.everyGroup(ctx, op) {
		if err != nil {
			return held, err
		}
		query := url.Values{"$select": {"id"}, "$top": {mostOnPage}}
		for member, err := range each[user](ctx, c, rest.Request{Op: op, Path: rest.Path("groups", g.ID, "members"), Query: query}) {
			if connector.Is(err, connector.KindNotFound) {
				break // the group was deleted meanwhile
			}
			if err != nil {
				return held, err
			}
			held.groups[member.Text("id")] = append(held.groups[member.Text("id")], g)
		}
	}
	assigned, err := c.assignments(ctx, op, "")
	for _, a := range assigned {
		held.roles[a.Principal] = append(held.roles[a.Principal], a)
	}
	return held, err
}

func (c *client) everyGroup(ctx context.Context, op string) iter.Seq2[group, error] {
	query := url.Values{"$select": {groupFields}, "$top": {mostOnPage}}
	return each[group](ctx, c, rest.Request{Op: op, Path: "/groups", Query: query})
}

// Entitlements implements connector.Connector. It leaves out groups that cannot be granted,
// also those that share their name.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		groups, err := rest.Collect(c.everyGroup(ctx, connector.OpListEntitlements))
		if err != nil {
			yield(connector.Entitlement{}, err)
			return
		}
		times := map[string]int{}
		for _, g := range groups {
			times[strings.ToLower(g.Name)]++
		}
		for _, g := range groups {
			prefix, _ := split(g.Name)
			if prefix != "" || g.problem() != "" || times[strings.ToLower(g.Name)] > 1 {
				continue
			}
			if !yield(connector.Entitlement{Name: g.Name, Kind: connector.Group}, nil) {
				return
			}
		}
		c.others(ctx, yield)
	}
}

// others yields the roles and licences that can be granted.
func (c *client) others(ctx context.Context, yield func(connector.Entitlement, error) bool) {
	roles, err := c.definitions(ctx, connector.OpListEntitlements)
	if err != nil {
		yield(connector.Entitlement{}, err)
		return
	}
	for _, r := range roles {
		if !yield(connector.Entitlement{Name: rolePrefix + r.Name, Kind: connector.Role}, nil) {
			return
		}
	}
	c.skus.Forget("") // seats change
	skus, err := c.subscriptions(ctx, connector.OpListEntitlements)
	if err != nil {
		yield(connector.Entitlement{}, err)
		return
	}
	for _, s := range skus {
		if s.AppliesTo == "User" && !yield(s.entitlement(), nil) {
			return
		}
	}
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	return c.eachKind(names, map[string]func(string) error{
		"":            func(name string) error { return c.join(ctx, accountID, name) },
		rolePrefix:    func(name string) error { return c.assign(ctx, accountID, name) },
		licencePrefix: func(name string) error { return c.license(ctx, accountID, name) },
	}, "", rolePrefix, licencePrefix)
}

// Revoke implements connector.Connector. It looks for groups by their names too: Graph may not
// show a membership yet.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	shown := sync.OnceValues(func() ([]group, error) {
		groups, err := c.groupsOf(ctx, connector.OpRevoke, accountID)
		return groups, rest.Gone(err)
	})
	return c.eachKind(names, map[string]func(string) error{
		"":            func(name string) error { return c.leave(ctx, accountID, name, shown) },
		rolePrefix:    func(name string) error { return c.unassign(ctx, accountID, name) },
		licencePrefix: func(name string) error { return c.unlicense(ctx, accountID, name) },
	}, licencePrefix, rolePrefix, "")
}

// eachKind calls a function for each name, without its prefix, one kind after another.
func (c *client) eachKind(names []string, do map[string]func(string) error, order ...string) error {
	return connector.Each(order, func(prefix string) error {
		return connector.Each(names, func(name string) error {
			kind, rest := split(name)
			if kind != prefix {
				return nil
			}
			return do[prefix](rest)
		})
	})
}

// split returns the prefix of an entitlement, and what follows it.
func split(name string) (prefix, rest string) {
	for _, prefix := range []string{rolePrefix, licencePrefix} {
		if rest, is := strings.CutPrefix(name, prefix); is {
			return prefix, rest
		}
	}
	return "", name
}

// groupsNamed finds the groups of a name. Graph compares without regard to case.
func (c *client) groupsNamed(ctx context.Context, op, name string) ([]group, error) {
	query := url.Values{"$filter": {"displayName eq " + quote(name)}, "$select": {groupFields}}
	groups, err := rest.Collect(each[group](ctx, c, rest.Request{Op: op, Path: "/groups", Query: query}))
	if err == nil && slices.ContainsFunc(groups, func(g group) bool { return !strings.EqualFold(g.Name, name) }) {
		return nil, rest.Contradictory(op, "Microsoft Graph ignored a filter, and answered with groups that were not asked for")
	}
	return groups, err
}

// theGroup returns the one group of a name, if people can be put into it.
func (c *client) theGroup(ctx context.Context, op, name string) (group, error) {
	return c.groups.Get(name, func() (group, error) {
		groups, err := c.groupsNamed(ctx, op, name)
		switch {
		case err != nil:
			return group{}, err
		case len(groups) == 0:
			return group{}, connector.Invalid(op, "there is no group %q", name)
		case len(groups) > 1:
			return group{}, connector.Invalid(op, "there are %d groups %q: give each a name of its own", len(groups), name)
		case groups[0].problem() != "":
			return group{}, connector.Invalid(op, "the group %q %s", name, groups[0].problem())
		}
		return groups[0], nil
	})
}

// join puts a user into a group (learn.microsoft.com/graph/api/group-post-members).
func (c *client) join(ctx context.Context, accountID, name string) error {
	const op = connector.OpGrant
	g, err := c.theGroup(ctx, op, name)
	if err != nil {
		return err
	}
	body, err := c.ref(ctx, op, accountID)
	if err != nil {
		return err
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("groups", g.ID, "members", "$ref"), Body: body, Repeatable: true}, nil)
	switch {
	case rest.Has(err, codeMember):
		return nil
	case connector.Is(err, connector.KindNotFound): // the user, the group, or neither: Graph may have done it
		c.groups.Forget(name)
		return c.blame(ctx, op, accountID, failed(op, connector.KindUnavailable, fmt.Sprintf("Microsoft Graph does not know the group %q or the user for the moment", name)))
	}
	return ofGroup(op, g, err)
}

// leave takes a user out of every group of a name (learn.microsoft.com/graph/api/
// group-delete-members).
func (c *client) leave(ctx context.Context, accountID, name string, shown func() ([]group, error)) error {
	const op = connector.OpRevoke
	groups, err := shown()
	if err != nil {
		return err
	}
	groups = slices.DeleteFunc(slices.Clone(groups), func(g group) bool { return !strings.EqualFold(g.Name, name) })
	if len(groups) == 0 {
		if groups, err = c.groupsNamed(ctx, op, name); err != nil {
			return err
		}
	}
	var first error
	for _, g := range groups {
		_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("groups", g.ID, "members", accountID, "$ref"), Repeatable: true}, nil)
		if rest.Has(err, codeNoMember) {
			err = nil
		}
		if err = ofGroup(op, g, rest.Gone(err)); first == nil {
			first = err
		}
	}
	return first
}

// ofGroup returns the error of a change of a group's members, with what the group says about it.
func ofGroup(op string, g group, err error) error {
	switch {
	case connector.Is(err, connector.KindForbidden) && g.Assignable:
		return failed(op, connector.KindForbidden, fmt.Sprintf("the group %q can be assigned to roles: the app registration needs the right RoleManagement.ReadWrite.Directory to change its members", g.Name))
	case connector.Is(err, connector.KindInvalid, connector.KindForbidden) && g.problem() != "":
		return connector.Invalid(op, "the group %q %s", g.Name, g.problem())
	}
	return err
}
