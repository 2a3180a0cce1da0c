package scim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/tenurehq/tenure/connector"
)

var (
	// errUncertain is the cause of an error that says that it cannot be told yet, or at
	// all, who is in a group.
	errUncertain = errors.New("memberships are uncertain")
	// errUnheeded is the error for a filter that the service does not heed.
	errUnheeded = errors.New("the filter is not heeded")
)

// membership finds the groups of a user of which the service does not send them.
type membership func(ctx context.Context, op, accountID string) ([]string, error)

// unaskedFor is the membership where nobody needs to know it.
func unaskedFor(context.Context, string, string) ([]string, error) { return nil, nil }

// entitlements returns the names of the groups that a user is a member of, and of
// what the user has as values. A user without groups comes without the attribute
// (RFC 7643 section 2.5), and so does every user of a service that never sends it:
// shows remembers that there was one who came with a group.
func (c *client) entitlements(ctx context.Context, op string, user resource, others membership, shows *atomic.Bool) ([]string, error) {
	names, err := c.groupNames(ctx, op, user, others, shows)
	if err != nil || c.traits.noValues {
		return names, err
	}
	return sorted(append(names, valuesOf(user)...)), nil
}

func (c *client) groupNames(ctx context.Context, op string, user resource, others membership, shows *atomic.Bool) ([]string, error) {
	sent, _ := user.list("groups")
	switch {
	case c.traits.noGroups, len(sent) == 0 && c.hasNoGroups():
		return nil, nil
	case len(sent) > 0:
		shows.Store(true)
	case !shows.Load(): // an empty list, too: some services send that of everybody
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
	if c.knowsNoMemberFilter() {
		return c.memberships(ctx, op)(ctx, op, accountID)
	}
	learned := &c.service.learned
	names, err := c.byMember(ctx, op, accountID)
	switch {
	case errors.Is(err, errUnheeded), refusedFilter(err), c.cannotFilterMembers(ctx, op, err):
		learned.noMemberFilter.met(c.now())
		return c.memberships(ctx, op)(ctx, op, accountID)
	case err != nil:
		_, err = c.lacksGroups(ctx, op, err)
		return nil, advised(err, "filterMembers: false")
	case len(names) > 0:
		learned.memberFilterFinds.Store(true)
		learned.noMemberFilter.refuted()
	case !learned.memberFilterFinds.Load():
		return c.confirmNone(ctx, op, accountID)
	}
	return names, nil
}

// askLoosely is the membership for a user who is looked for. What is not
// certain is left to whoever reads the account: that its groups are not known must keep
// nobody from being found, and cut off.
func (c *client) askLoosely(ctx context.Context, op, accountID string) ([]string, error) {
	if !c.knowsNoMemberFilter() && !c.service.learned.memberFilterFinds.Load() {
		if names, err := c.byMember(ctx, op, accountID); err == nil {
			return names, nil
		}
	}
	names, err := c.ask(ctx, op, accountID)
	if errors.Is(err, errUncertain) {
		return nil, nil
	}
	return names, err
}

func (c *client) knowsNoMemberFilter() bool {
	return c.traits.noMemberFilter || c.service.learned.noMemberFilter.holds(c.now())
}

// byMember looks groups up by a member. A group that is found and does not show the
// account among its members is believed to have it if nothing is found by the ID of
// nobody: some services show no members, or not all of them, and some heed no filter.
func (c *client) byMember(ctx context.Context, op, accountID string) (names []string, err error) {
	look := func(accountID string) (names []string, shown bool, err error) {
		query := url.Values{"filter": {equals("members.value", accountID)}}
		shown = true
		for group, err := range c.each(ctx, request{op: op, collection: groups, query: query}) {
			if err != nil {
				return nil, false, err
			}
			members, _ := group.list("members")
			shown = shown && slices.ContainsFunc(members, func(m resource) bool { return sameID(m.value(), accountID) })
			names = append(names, group.text("displayName"))
		}
		return names, shown, nil
	}
	names, shown, err := look(accountID)
	if err != nil || shown {
		return sorted(names), err
	}
	switch others, _, err := look(nobody); {
	case err != nil:
		return nil, err
	case len(others) > 0:
		return nil, errUnheeded
	}
	return sorted(names), nil
}

// confirmNone returns the groups of a user of whom none was found by a filter by which
// none was ever found: that may be how the service says that it does not know the filter.
// All groups are read, and what they show tells what to think of the filter.
func (c *client) confirmNone(ctx context.Context, op, accountID string) ([]string, error) {
	learned := &c.service.learned
	all, err := c.walk(ctx, op)
	if err != nil {
		return nil, err
	}
	if names := all.of[idKey(accountID)]; len(names) > 0 {
		learned.noMemberFilter.met(c.now())
		return sorted(slices.Clone(names)), nil
	}
	for other, theirs := range all.of { // one will do
		if names, err := c.byMember(ctx, op, other); err == nil {
			finds := slices.Contains(names, theirs[0])
			learned.memberFilterFinds.Store(finds)
			learned.noMemberFilter.settle(c.now(), !finds)
		}
		break
	}
	return nil, nil
}

// cannotFilterMembers reports whether a look-up of groups by a member failed as it does
// for whoever is looked for, while groups are read without trouble: some services say
// by 403 or 500 what they cannot do.
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
	return broken(err) && c.service.probe(ctx, op, groups) == nil
}

// memberships is the membership for many users: it goes through all groups when
// it is first asked, and answers from what it saw then. Where that tells nothing, it
// looks up each user's.
func (c *client) memberships(ctx context.Context, op string) membership {
	var all *walked
	return func(_ context.Context, _, accountID string) ([]string, error) {
		if all == nil {
			seen, err := c.walk(ctx, op)
			if err != nil {
				return nil, err
			}
			all = &seen
		}
		if all.told {
			return sorted(slices.Clone(all.of[idKey(accountID)])), nil
		}
		return c.untold(ctx, op, accountID)
	}
}

// untold returns the groups of a user of a service of which no group shows a member, in a
// list or by itself. That may be since none has any; but only a look-up can tell. One that
// finds the same groups for nobody tells that there are no members: SCIMMY, for one, finds
// the groups that have none.
func (c *client) untold(ctx context.Context, op, accountID string) ([]string, error) {
	if !c.traits.noMemberFilter {
		names, err := c.byMember(ctx, op, accountID)
		if errors.Is(err, errUnheeded) {
			return nil, nil
		}
		if !refusedFilter(err) && !c.cannotFilterMembers(ctx, op, err) {
			return names, err
		}
	}
	return nil, &connector.Error{
		Kind: connector.KindInvalid, Op: op, Cause: errUncertain,
		Message: "the app shows no member of any group and cannot be asked who is in one: let it show members (where no group has any, put somebody into one), " +
			"or say groups: false if groups are not Tenure's",
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
