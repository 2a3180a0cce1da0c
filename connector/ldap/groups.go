package ldap

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
	"github.com/tenurehq/tenure/internal/set"
)

// memberAttributes holds the attribute that lists a group's members, by object class: the
// first two list DNs (RFC 4519 sections 3.5 and 3.6), the last usernames (RFC 2307).
var memberAttributes = map[string]string{
	"groupOfNames":       "member",
	"groupOfUniqueNames": "uniqueMember",
	"posixGroup":         "memberUid",
}

// Result codes of RFC 4511 that a change of a membership may meet although nothing is wrong.
const (
	noSuchAttribute        = 16 // no member
	attributeOrValueExists = 20 // a member already
	objectClassViolation   = 65 // the last member, which the class requires
)

// nameAttribute names the attribute that holds a group's name.
const nameAttribute = "cn"

// groups describes the groups that people can be members of. Groups hold usernames if
// byName is set, else DNs. Nil stands for no groups.
type groups struct {
	dir                              *directory.Client
	base, class, member, placeholder string
	byName                           bool
}

func (g *groups) holdDNs() bool { return g != nil && !g.byName }

func (g *groups) search(ctx context.Context, op, filter string, attributes ...string) iter.Seq2[*directory.Entry, error] {
	return func(yield func(*directory.Entry, error) bool) {
		for group, err := range g.dir.Search(ctx, op, directory.Query{
			Base: g.base, Scope: directory.Subtree, Filter: directory.And(directory.Equal("objectClass", g.class), filter), Attributes: attributes,
		}) {
			if connector.Is(err, connector.KindNotFound) {
				err = connector.Invalid(op, "the directory does not have, or show, the DN of setting groups: check it, and that the bind DN may read it")
			}
			if !yield(group, err) || err != nil {
				return
			}
		}
	}
}

// with returns the groups that have a member.
func (g *groups) with(ctx context.Context, op, member string) ([]*directory.Entry, error) {
	if g == nil {
		return nil, nil
	}
	var found []*directory.Entry
	for group, err := range g.search(ctx, op, directory.Equal(g.member, member), nameAttribute) {
		if err != nil {
			return nil, err
		}
		found = append(found, group)
	}
	return found, nil
}

// names returns the names of the groups that have a member, sorted.
func (g *groups) names(ctx context.Context, op, member string) ([]string, error) {
	found, err := g.with(ctx, op, member)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, group := range found {
		names = append(names, group.Text(nameAttribute))
	}
	return set.Sorted(names), nil
}

// memberships maps members to the names of their groups.
type memberships struct {
	names map[string][]string
	spell func(member string) string
}

// all reads all groups and returns their memberships.
func (g *groups) all(ctx context.Context, op string) (memberships, error) {
	m := memberships{names: map[string][]string{}, spell: directory.Canonical}
	if g == nil {
		return m, nil
	}
	if g.byName {
		m.spell = func(member string) string { return member }
	}
	for group, err := range g.search(ctx, op, "", nameAttribute, g.member) {
		if err != nil {
			return m, err
		}
		for _, member := range group.Texts(g.member) {
			key := m.spell(member)
			m.names[key] = append(m.names[key], group.Text(nameAttribute))
		}
	}
	return m, nil
}

func (m memberships) of(member string) []string {
	return set.Sorted(slices.Clone(m.names[m.spell(member)]))
}

// addTo adds a member to groups.
func (g *groups) addTo(ctx context.Context, op string, found []*directory.Entry, member string) error {
	for _, group := range found {
		err := g.dir.Modify(ctx, op, group.DN, directory.Change{How: directory.Add, Attribute: g.member, Values: []string{member}})
		if err != nil && !directory.Is(err, attributeOrValueExists) {
			return about(op, group, err)
		}
	}
	return nil
}

// removeFrom removes a member from groups.
func (g *groups) removeFrom(ctx context.Context, op string, found []*directory.Entry, member string) error {
	for _, group := range found {
		remove := directory.Change{How: directory.Delete, Attribute: g.member, Values: []string{member}}
		err := g.dir.Modify(ctx, op, group.DN, remove)
		if directory.Is(err, objectClassViolation) {
			err = g.dir.Modify(ctx, op, group.DN, directory.Change{How: directory.Add, Attribute: g.member, Values: []string{g.instead(group)}}, remove)
		}
		if err != nil && !directory.Is(err, noSuchAttribute) && !connector.Is(err, connector.KindNotFound) {
			return about(op, group, err)
		}
	}
	return nil
}

// instead returns the placeholder to put into a group that would have no member.
func (g *groups) instead(group *directory.Entry) string {
	if g.placeholder != "" {
		return g.placeholder
	}
	return group.DN
}

// removeAll removes a member from all groups.
func (g *groups) removeAll(ctx context.Context, op, member string) error {
	found, err := g.with(ctx, op, member)
	if err != nil {
		return err
	}
	return g.removeFrom(ctx, op, found, member)
}

// about adds the name of the group to an error that will not go away by itself.
func about(op string, group *directory.Entry, err error) error {
	result := directory.ResultOf(err)
	if result == nil || connector.Is(err, connector.KindUnavailable) {
		return err
	}
	kind, advice := connector.KindInvalid, "check what the server's schema and overlays ask of its members"
	if connector.Is(err, connector.KindForbidden) {
		kind, advice = connector.KindForbidden, "allow the bind DN to write its members"
	}
	return &connector.Error{
		Kind: kind, Op: op, Cause: result,
		Message: fmt.Sprintf("group %q: %s: %s", group.Text(nameAttribute), result, advice),
	}
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpGrant
	entry, err := c.changing(ctx, op, accountID)
	if err != nil {
		return err
	}
	return c.groups.each(ctx, op, names, func(group *directory.Entry) error {
		return c.groups.addTo(ctx, op, []*directory.Entry{group}, c.member(entry))
	})
}

// Revoke implements connector.Connector. It succeeds if the group or the account does not
// exist. If it cannot complete a broken-off move, it still revokes the entry's memberships.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpRevoke
	entry, err := c.entry(ctx, op, accountID)
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	unended := c.endMoves(ctx, op, entry)
	err = c.groups.each(ctx, op, names, func(group *directory.Entry) error {
		return c.groups.removeFrom(ctx, op, []*directory.Entry{group}, c.member(entry))
	})
	return cmp.Or(err, unended)
}

// each finds groups by name and calls do for each. An error that will not go away does not
// stop it. An error that may go away does.
func (g *groups) each(ctx context.Context, op string, names []string, do func(group *directory.Entry) error) error {
	if len(names) == 0 {
		return nil
	}
	var wanted []string
	for _, name := range names {
		wanted = append(wanted, directory.Equal(nameAttribute, name))
	}
	var found []*directory.Entry
	for group, err := range g.search(ctx, op, directory.Or(wanted...), nameAttribute) {
		if err != nil {
			return err
		}
		found = append(found, group)
	}
	return connector.Each(names, func(name string) error {
		group, err := called(op, name, found)
		if err == nil && group != nil {
			err = do(group)
		}
		return err
	})
}

// called returns the group whose name is exactly name. It returns nil if there is none and
// op is Revoke.
func called(op, name string, found []*directory.Entry) (*directory.Entry, error) {
	var exact []*directory.Entry
	var otherwise string
	for _, group := range found {
		switch spelled := group.Text(nameAttribute); {
		case spelled == name:
			exact = append(exact, group)
		case strings.EqualFold(spelled, name):
			otherwise = spelled
		}
	}
	switch {
	case len(exact) == 1:
		return exact[0], nil
	case len(exact) > 1:
		return nil, connector.Invalid(op, "the directory has %d groups called %q below the DN of setting groups: rename all but one", len(exact), name)
	case otherwise != "":
		return nil, connector.Invalid(op, "the directory spells the group %q: use %q in the configuration", name, otherwise)
	case op == connector.OpRevoke:
		return nil, nil
	}
	return nil, connector.Invalid(op, "the directory has no group %q below the DN of setting groups: make it there first", name)
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		seen := map[string]bool{}
		for group, err := range c.groups.search(ctx, connector.OpListEntitlements, "", nameAttribute) {
			if err != nil {
				yield(connector.Entitlement{}, err)
				return
			}
			name := group.Text(nameAttribute)
			if seen[name] {
				continue
			}
			seen[name] = true
			if !yield(connector.Entitlement{Name: name, Kind: connector.Group}, nil) {
				return
			}
		}
	}
}
