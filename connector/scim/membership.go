package scim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/tenurehq/tenure/connector"
)

// membership finds the groups of a user of which the service does not send them.
type membership func(ctx context.Context, op, accountID string) ([]string, error)

// unaskedFor is the membership where nobody needs to know it.
func unaskedFor(context.Context, string, string) ([]string, error) { return nil, nil }

// entitlements returns the names of the groups that a user is a member of, and of
// what the user has as values. A user without groups comes without the attribute
// (RFC 7643 section 2.5), and so does every user of a service that never sends it:
// shows remembers that there was one who came with it.
func (c *client) entitlements(ctx context.Context, op string, user resource, others membership, shows *atomic.Bool) ([]string, error) {
	names, err := c.groupNames(ctx, op, user, others, shows)
	if err != nil || c.traits.noValues {
		return names, err
	}
	return sorted(append(names, valuesOf(user)...)), nil
}

func (c *client) groupNames(ctx context.Context, op string, user resource, others membership, shows *atomic.Bool) ([]string, error) {
	sent, ok := user.list("groups")
	switch {
	case c.traits.noGroups, !ok && c.service.learned.noGroups.Load():
		return nil, nil
	case ok:
		shows.Store(true)
	case !shows.Load():
		return others(ctx, op, user.text("id"))
	}
	var names []string
	for _, group := range sent {
		if group.text("type") == "indirect" {
			continue
		}
		name, err := c.groupName(ctx, op, group)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return sorted(names), nil
}

// groupName returns the name of one of a user's groups. Not every service sends
// it along.
func (c *client) groupName(ctx context.Context, op string, group resource) (string, error) {
	if name := group.text("display"); name != "" {
		return name, nil
	}
	id := group.value()
	if name, ok := c.groups.name(id); ok {
		return name, nil
	}
	var whole resource
	_, err := c.service.do(ctx, request{
		op: op, method: http.MethodGet, collection: groups, id: id, query: c.withoutMembers(url.Values{}),
	}, &whole)
	if isKind(err, connector.KindNotFound) {
		return id, nil // a service that shows names where their IDs should be
	}
	if err != nil {
		return "", err
	}
	name := whole.text("displayName")
	if name == "" {
		return "", noSCIM(op)
	}
	c.groups.put(name, id)
	return name, nil
}

// ask is the membership for one user: it filters the groups by member, or, where
// the service cannot do that, goes through all of them.
func (c *client) ask(ctx context.Context, op, accountID string) ([]string, error) {
	if c.traits.noMemberFilter || c.service.learned.noMemberFilter.Load() {
		return c.memberships(ctx, op)(ctx, op, accountID)
	}
	var names, memberless []string
	ignored := false
	for group, err := range c.each(ctx, request{op: op, collection: groups, query: url.Values{
		"filter": {equals("members.value", accountID)},
	}}) {
		if refusedFilter(err) {
			return c.memberships(ctx, op)(ctx, op, accountID)
		}
		if c.missingGroups(ctx, op, err) {
			return nil, nil
		}
		if c.cannotFilterMembers(ctx, op, err) {
			return c.memberships(ctx, op)(ctx, op, accountID)
		}
		if err != nil {
			return nil, advised(err, "filterMembers: false")
		}
		name := group.text("displayName")
		switch members, _ := group.list("members"); {
		case slices.ContainsFunc(members, func(m resource) bool { return sameID(m.value(), accountID) }):
			names = append(names, name)
		case len(members) == 0:
			memberless = append(memberless, name)
		default:
			ignored = true
		}
	}
	// A group that comes without its members is believed to match, unless another
	// shows that the service does not heed the filter, or all such groups come whoever
	// is asked for.
	if len(memberless) == 0 || ignored {
		return sorted(names), nil
	}
	heeds, err := c.heedsMemberFilter(ctx, op)
	switch {
	case err != nil:
		return nil, advised(err, "filterMembers: false")
	case !heeds:
		return c.memberships(ctx, op)(ctx, op, accountID)
	}
	return sorted(append(names, memberless...)), nil
}

// heedsMemberFilter reports whether no group is found by the ID of nobody. SCIMMY, for
// one, finds those that have no members.
func (c *client) heedsMemberFilter(ctx context.Context, op string) (bool, error) {
	query := url.Values{"filter": {equals("members.value", nobody)}}
	list, err := c.service.page(ctx, request{op: op, collection: groups, query: query}, position{}, 1)
	return len(list.Resources) == 0, err
}

// cannotFilterMembers reports whether a look-up of groups by a member failed as it does
// for whoever is looked for, while groups are read without trouble: some services say
// by 403 or 500 what they cannot do. It is remembered: reading all groups is never wrong.
func (c *client) cannotFilterMembers(ctx context.Context, op string, err error) bool {
	broken := func(err error) bool {
		a := answerOf(err)
		return a != nil && !a.throttled && (a.status == http.StatusForbidden || a.status == http.StatusInternalServerError)
	}
	if !broken(err) {
		return false
	}
	query := url.Values{"filter": {equals("members.value", nobody)}}
	_, err = c.service.page(ctx, request{op: op, collection: groups, query: query}, position{}, 1)
	if !broken(err) || c.service.probe(ctx, op, groups) != nil {
		return false
	}
	c.service.learned.noMemberFilter.Store(true)
	return true
}

// memberships is the membership for many users: it goes through all groups when
// it is first asked, and answers from what it saw then.
func (c *client) memberships(ctx context.Context, op string) membership {
	var of map[string][]string
	return func(_ context.Context, _, accountID string) ([]string, error) {
		if of == nil {
			all, err := c.allMembers(ctx, op)
			if err != nil {
				return nil, err
			}
			of = all
		}
		return sorted(slices.Clone(of[idKey(accountID)])), nil
	}
}

// showing is how a service has to be asked so that its groups come with their members.
type showing int32

const (
	unasked   showing = iota // not known, or in lists, as RFC 7643 has it
	onRequest                // in lists that name the attribute
	alone                    // in the answer to a request of one group
)

// sampledGroups is how many groups are read by themselves to find out whether they have
// members that lists do not show.
const sampledGroups = 20

// allMembers are the names of the groups of everybody, by ID. Where no group comes with
// members, it is asked for them by name, and then for a few groups by themselves: some
// services show members only then. How is remembered.
func (c *client) allMembers(ctx context.Context, op string) (map[string][]string, error) {
	how := showing(c.service.learned.members.Load())
	all, shown, err := c.collect(ctx, op, how)
	if err != nil || shown || how != unasked || c.traits.membersHidden {
		return all, err
	}
	for _, other := range []showing{onRequest, alone} {
		asked, shown, err := c.collect(ctx, op, other)
		if isRetryable(err) {
			return nil, err
		}
		if err == nil && shown {
			c.service.learned.members.Store(int32(other))
			return asked, nil
		}
	}
	return all, nil
}

// collect reads all groups in one way, and reports whether any showed a member.
func (c *client) collect(ctx context.Context, op string, how showing) (all map[string][]string, shown bool, err error) {
	all = map[string][]string{}
	query := url.Values{}
	if how == onRequest {
		query.Set("attributes", "displayName,members")
	}
	known := showing(c.service.learned.members.Load()) == how
	seen := 0
	for group, err := range c.each(ctx, request{op: op, collection: groups, query: query}) {
		if c.missingGroups(ctx, op, err) {
			break
		}
		if err != nil {
			return nil, false, err
		}
		name := group.text("displayName")
		if how == alone {
			if seen++; seen > sampledGroups && !shown && !known {
				break
			}
			var whole resource
			_, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: groups, id: group.text("id")}, &whole)
			if isKind(err, connector.KindNotFound) {
				continue // deleted meanwhile
			}
			if err != nil {
				return nil, false, err
			}
			group = whole
		}
		ids, err := c.members(ctx, op, group)
		if err != nil {
			return nil, false, err
		}
		for _, id := range ids {
			shown = true
			all[idKey(id)] = append(all[idKey(id)], name)
		}
	}
	return all, shown, nil
}

// members returns the IDs of a group's members.
func (c *client) members(ctx context.Context, op string, group resource) (ids []string, err error) {
	if !c.traits.membersHidden {
		sent, _ := group.list("members")
		for _, member := range sent {
			ids = append(ids, member.value())
		}
		return ids, nil
	}
	filter := url.Values{"filter": {equals("groups.value", group.text("id"))}}
	for user, err := range c.each(ctx, request{op: op, collection: users, query: filter}) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, user.text("id"))
	}
	return ids, nil
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
