package scim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
)

var (
	// errUncertain is the cause of an error that says that the app does not show the members
	// of groups, at the moment or at all.
	errUncertain = errors.New("memberships are uncertain")
	// errUnheeded is the error for a filter that the service ignores.
	errUnheeded = errors.New("the filter is not heeded")
)

// membership returns the names of the groups that a user is in. sent holds the names of the
// groups in the user's attribute, nil if it has none. A user without groups comes without the
// attribute (RFC 7643 section 2.5) or with an empty one, and so does every user of a service
// that does not send it.
type membership func(ctx context.Context, op, accountID string, sent []string) ([]string, error)

// unaskedFor is the membership for callers that do not need the groups.
func unaskedFor(_ context.Context, _, _ string, sent []string) ([]string, error) { return sent, nil }

// entitlements returns the names of the groups that a user is a member of, and of the user's
// values of roles and entitlements.
func (c *client) entitlements(ctx context.Context, op string, user resource, decide membership) ([]string, error) {
	names, err := c.groupNames(ctx, op, user, decide)
	if err != nil || c.traits.noValues {
		return names, err
	}
	return set.Sorted(append(names, valuesOf(user)...)), nil
}

func (c *client) groupNames(ctx context.Context, op string, user resource, decide membership) ([]string, error) {
	sent, _ := user.list("groups")
	switch {
	case c.traits.noGroups, len(sent) == 0 && c.hasNoGroups():
		return nil, nil
	case len(sent) == 0:
		return decide(ctx, op, user.text("id"), nil)
	}
	names := []string{}
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
	return decide(ctx, op, user.text("id"), set.Sorted(names))
}

// groupName returns the name of one of a user's groups. It looks up the name if the service
// does not send it along.
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
	if connector.Is(err, connector.KindNotFound) {
		return id, nil // the service sends names in place of IDs
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

// ask is the membership for one user. If the user came without groups, it looks groups up by
// their member and, where that proves nothing, reads the members of all groups.
func (c *client) ask(ctx context.Context, op, accountID string, sent []string) ([]string, error) {
	if sent != nil {
		c.seen.saw(c.now(), accountID, sent, onUser)
		return sent, nil
	}
	if c.seen.allTaken(c.now(), onUser) || !c.seen.expects(accountID) && c.usersShow(ctx, op, accountID) {
		return c.overlooked(ctx, op, accountID), nil
	}
	if c.knowsNoMemberFilter() {
		return c.amongAll(ctx, op, accountID)
	}
	noFilter := &c.service.learned.noMemberFilter
	names, err := c.byMember(ctx, op, accountID)
	switch {
	case errors.Is(err, errUnheeded), errors.Is(err, errEndless), refusedFilter(err), c.cannotFilterMembers(ctx, op, err):
		noFilter.met(c.now())
		return c.amongAll(ctx, op, accountID)
	case err != nil:
		_, err = c.lacksGroups(ctx, op, err)
		return nil, advised(err, withoutFilter["members.value"])
	case len(names) > 0:
		c.seen.saw(c.now(), accountID, names, byFilter)
		noFilter.refuted()
	case c.seen.allTaken(c.now(), byFilter):
	case c.seen.expects(accountID) || !c.filterFinds(ctx, op, accountID):
		return c.confirmNone(ctx, op, accountID)
	}
	return names, nil
}

// witnesses is how many accounts Tenure reads to see whether groups are still shown.
const witnesses = 2

// usersShow reports whether users come with their groups now: it reads another user who did
// before.
func (c *client) usersShow(ctx context.Context, op, accountID string) bool {
	return c.stillShows(onUser, accountID, func(other string) (bool, error) {
		user, _, err := c.get(ctx, op, other)
		sent, _ := user.list("groups")
		return len(sent) > 0, err
	})
}

// filterFinds reports whether groups can be looked up by their members now: it looks up those
// of another member.
func (c *client) filterFinds(ctx context.Context, op, accountID string) bool {
	return c.stillShows(byFilter, accountID, func(other string) (bool, error) {
		names, err := c.byMember(ctx, op, other)
		return len(names) > 0, err
	})
}

// stillShows reports whether the service still shows the groups of an account, other than
// besides, in a way in which it did before. That account may have left its groups meanwhile:
// then stillShows looks at another one.
func (c *client) stillShows(how way, besides string, look func(other string) (bool, error)) bool {
	for range witnesses {
		other, ok := c.seen.witness(how, besides)
		if !ok {
			return false
		}
		shows, err := look(other)
		switch {
		case shows && err == nil:
			return true
		case connector.Is(err, connector.KindNotFound):
			c.seen.forget(other)
		case err != nil:
			return false
		default:
			c.seen.doubt(other, how)
		}
	}
	return false
}

// overlooked looks up the groups of a user who came without groups and should be in none: the
// nodes of a cluster may differ. It returns none if the look-up fails, or if not all groups
// that it finds show the user: that proves nothing.
func (c *client) overlooked(ctx context.Context, op, accountID string) []string {
	if c.knowsNoMemberFilter() {
		return nil
	}
	names, shown, err := c.lookUpMember(ctx, op, accountID)
	if err != nil || !shown {
		return nil
	}
	c.seen.saw(c.now(), accountID, names, byFilter)
	return names
}

// askLoosely is the membership for Find. It returns no error if the groups are uncertain, and
// leaves that to Read: unknown groups must not keep an account from being found, and cut off.
func (c *client) askLoosely(ctx context.Context, op, accountID string, sent []string) ([]string, error) {
	if sent != nil {
		return sent, nil
	}
	if !c.knowsNoMemberFilter() {
		if names, err := c.byMember(ctx, op, accountID); err == nil {
			return names, nil
		}
	}
	names, err := c.ask(ctx, op, accountID, nil)
	if errors.Is(err, errUncertain) {
		return nil, nil
	}
	return names, err
}

func (c *client) knowsNoMemberFilter() bool {
	return c.traits.noMemberFilter || c.service.learned.noMemberFilter.holds(c.now())
}

// byMember looks groups up by a member. Some services show no members, or not all of them,
// and some heed no filter. If a group is found that does not show the account among its
// members, byMember believes that only if the filter finds no groups for nobody's ID.
func (c *client) byMember(ctx context.Context, op, accountID string) (names []string, err error) {
	names, shown, err := c.lookUpMember(ctx, op, accountID)
	if err != nil || shown {
		return names, err
	}
	switch others, _, err := c.lookUpMember(ctx, op, nobody); {
	case err != nil:
		return nil, err
	case len(others) > 0:
		return nil, errUnheeded
	}
	return names, nil
}

// lookUpMember looks up the groups of a member by its ID as shown. If that is a UUID in upper
// case and finds none, lookUpMember tries it in lower case. shown reports whether all groups
// that are found show the member.
func (c *client) lookUpMember(ctx context.Context, op, accountID string) (names []string, shown bool, err error) {
	shown = true
	for _, id := range slices.Compact([]string{accountID, idKey(accountID)}) {
		query := url.Values{"filter": {equals("members.value", id)}}
		for group, err := range c.each(ctx, request{op: op, collection: groups, query: query, few: true}) {
			if err != nil {
				return nil, false, err
			}
			members, _ := group.list("members")
			shown = shown && slices.ContainsFunc(members, func(m resource) bool { return sameID(m.value(), accountID) })
			names = append(names, group.text("displayName"))
		}
		if len(names) > 0 {
			break
		}
	}
	return set.Sorted(names), shown, nil
}

// confirmNone returns the groups of a user if the filter finds none, neither for the user nor
// for others: a service that does not know the filter may answer so. It reads all groups, and
// learns from them whether the filter works.
func (c *client) confirmNone(ctx context.Context, op, accountID string) ([]string, error) {
	learned := &c.service.learned
	all, err := c.walk(ctx, op)
	if err != nil {
		return nil, err
	}
	if names := all.of[idKey(accountID)]; len(names) > 0 {
		learned.noMemberFilter.met(c.now())
		c.seen.saw(c.now(), accountID, names, byWalk)
		return set.Sorted(slices.Clone(names)), nil
	}
	for other, theirs := range all.of { // one will do
		if names, err := c.byMember(ctx, op, other); err == nil {
			finds := slices.Contains(names, theirs[0])
			learned.noMemberFilter.settle(c.now(), !finds)
			if finds {
				c.seen.saw(c.now(), other, names, byFilter)
			}
		}
		break
	}
	return nil, c.blind(op, all)
}

// amongAll is the membership for one user of a service that cannot look groups up by a member:
// it reads all groups.
func (c *client) amongAll(ctx context.Context, op, accountID string) ([]string, error) {
	all, err := c.walk(ctx, op)
	if err != nil {
		return nil, err
	}
	if names := all.of[idKey(accountID)]; len(names) > 0 {
		c.seen.saw(c.now(), accountID, names, byWalk)
		return set.Sorted(slices.Clone(names)), nil
	}
	if all.told {
		return nil, c.blind(op, all)
	}
	names, err := c.untold(ctx, op, accountID)
	if errors.Is(err, errUncertain) && c.seen.allTaken(c.now(), byWalk) {
		return nil, nil
	}
	if err == nil && len(names) == 0 && (c.seen.expects(accountID) || !c.filterFinds(ctx, op, accountID)) {
		err = c.blind(op, all)
	}
	return names, err
}

// blind returns an error if groups show no member at all, although somebody was seen in one or
// put into one: the service may hide members. It returns nil if there is no such contradiction.
func (c *client) blind(op string, all walked) error {
	if len(all.of) > 0 || !c.seen.any() {
		return nil
	}
	return &connector.Error{
		Kind: connector.KindContradictory, Op: op, Cause: errUncertain,
		Message: "the app shows no member of any group, though somebody should be in one: have it show members to whom Tenure signs in as (where all groups are empty, put somebody into one), " +
			"or say groups: false if groups are not Tenure's",
	}
}

// cannotFilterMembers reports whether a look-up of groups by a member fails for any member,
// while groups can be read: some services answer with 403 or 500 if they do not support a
// filter.
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

// memberships returns the membership for many users. It reads all groups once, for the first
// user who comes without groups. A user whom they do not show is in no group if other users
// come with theirs, or if the groups show their members. Otherwise it looks up the groups of
// each user.
func (c *client) memberships(ctx context.Context, op string) membership {
	var all *walked
	usersShow := false
	return func(_ context.Context, _, accountID string, sent []string) ([]string, error) {
		if sent != nil {
			usersShow = true
			return sent, nil
		}
		if all == nil {
			seen, err := c.walk(ctx, op)
			if err != nil {
				return nil, err
			}
			all = &seen
		}
		if names := all.of[idKey(accountID)]; len(names) > 0 {
			return set.Sorted(slices.Clone(names)), nil
		}
		switch {
		case usersShow:
			return nil, nil
		case all.told || c.seen.allTaken(c.now(), byWalk):
			return nil, c.blind(op, *all)
		}
		return c.untold(ctx, op, accountID)
	}
}

// untold returns the groups of a user in a service where no group shows a member, neither in
// a list nor by itself. Perhaps no group has members; only a look-up by member can show
// that. If it also finds groups for an account that does not exist, there are no members:
// SCIMMY, for one, then finds the groups that have none.
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
