package activedirectory

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/directory"
)

// anyGroup is the filter for groups that are entitlements. It leaves out those that Active
// Directory created itself: everybody is in Domain Users, by primaryGroupID.
const anyGroup = "(&(objectCategory=group)(!(isCriticalSystemObject=TRUE)))"

// memberships returns the names of the groups that an account is in, sorted. It searches
// the groups: the account's memberOf comes in parts if it is long.
func (c *client) memberships(ctx context.Context, op, dn string) ([]string, error) {
	found, err := c.search(ctx, op, c.groups, directory.And(anyGroup, directory.Equal("member", dn)), c.groupName)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, group := range found {
		names = append(names, group.Text(c.groupName))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// named returns the groups that have one of the names and match the filter, by name.
func (c *client) named(ctx context.Context, op string, names []string, filter string) (map[string][]*directory.Entry, error) {
	byName := make([]string, len(names))
	for i, name := range names {
		byName[i] = directory.Equal(c.groupName, name)
	}
	found, err := c.search(ctx, op, c.groups, directory.And(anyGroup, directory.Or(byName...), filter), c.groupName, "adminCount", "objectGUID")
	if err != nil {
		return nil, err
	}
	all := map[string][]*directory.Entry{}
	for _, group := range found {
		name := group.Text(c.groupName)
		all[name] = append(all[name], group)
	}
	return all, nil
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	if _, err := c.changeable(ctx, connector.OpGrant, accountID); err != nil {
		return err
	}
	found, err := c.named(ctx, connector.OpGrant, names, "")
	if err != nil {
		return err
	}
	var refused []string
	for _, name := range names {
		if why := ungrantable(found[name]); why != "" {
			refused = append(refused, `group "`+name+`" `+why)
			continue
		}
		err := c.setMember(ctx, connector.OpGrant, found[name][0], directory.Add, accountID)
		if !directory.Is(err, ldap.LDAPResultEntryAlreadyExists, ldap.LDAPResultAttributeOrValueExists) && err != nil {
			return c.dangling(ctx, connector.OpGrant, accountID, err)
		}
	}
	if len(refused) > 0 {
		return failed(connector.OpGrant, connector.KindInvalid, strings.Join(refused, "; "), nil)
	}
	return nil
}

// ungrantable returns why a group cannot be granted, or "". found holds the groups of its
// name.
func ungrantable(found []*directory.Entry) string {
	switch {
	case len(found) == 0:
		return "is not there: make it below the groups setting, or correct the policy (names are case sensitive)"
	case len(found) > 1:
		return "is there several times: rename all but one, or set groupName to sAMAccountName"
	case found[0].Text("adminCount") == "1":
		return "is protected by AdminSDHolder: its members become administrators, whose accounts Tenure does not change"
	}
	return ""
}

// Revoke implements connector.Connector.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	entry, err := c.changeable(ctx, connector.OpRevoke, accountID)
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := c.named(ctx, connector.OpRevoke, names, directory.Equal("member", entry.DN))
	if err != nil {
		return err
	}
	for _, all := range found {
		for _, group := range all {
			err := c.setMember(ctx, connector.OpRevoke, group, directory.Delete, accountID)
			if err != nil && !notMember(err) {
				return refine(err)
			}
		}
	}
	return nil
}

// notMember reports whether an account cannot be removed from a group because it is no
// member, or because the account or the group is gone.
func notMember(err error) bool {
	return directory.Is(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultNoSuchObject) ||
		win32(directory.ResultOf(err), memberNotInGroup, memberNotInAlias)
}

func (c *client) setMember(ctx context.Context, op string, group *directory.Entry, how directory.How, accountID string) error {
	return c.directory.Modify(ctx, op, byGUID(guidText(group.Text("objectGUID"))),
		directory.Change{How: how, Attribute: "member", Values: []string{byGUID(accountID)}})
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		seen := map[string]bool{}
		for group, err := range c.directory.Search(ctx, connector.OpListEntitlements, directory.Query{
			Base: c.groups, Scope: directory.Subtree, Filter: directory.And(anyGroup, "(!(adminCount=1))"), Attributes: []string{c.groupName},
		}) {
			if err != nil {
				yield(connector.Entitlement{}, c.misplaced(connector.OpListEntitlements, err))
				return
			}
			name := group.Text(c.groupName)
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			if !yield(connector.Entitlement{Name: name, Kind: connector.Group}, nil) {
				return
			}
		}
	}
}
