package scim

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tenurehq/tenure/connector"
)

// walked holds the members that all groups of a service show.
type walked struct {
	of   map[string][]string // the names of each account's groups, by idKey of the account
	told bool                // a group that shows no members has none: the service does show members
}

// shownGroup is a group as the service sent it, in a list or by itself.
type shownGroup struct {
	id, name string
	members  []string // their IDs
	told     bool     // it came with the attribute members
}

// walk reads all groups. If a list shows no members of a group, it reads the group by itself:
// some services show members only then, or only if asked for the attribute. It omits no
// group, so that it finds everything that the service shows.
func (c *client) walk(ctx context.Context, op string) (walked, error) {
	all := walked{of: map[string][]string{}, told: true}
	listed, query, err := c.listedGroups(ctx, op)
	if lacks, err := c.lacksGroups(ctx, op, err); lacks || err != nil {
		return all, err
	}
	if c.traits.membersHidden {
		return all, c.membersByUsers(ctx, op, listed, all.of)
	}
	inLists, byThemselves, silent := anyTold(listed), false, 0
	for _, group := range listed {
		if !group.told {
			group, err = c.alone(ctx, op, group, query)
			if connector.Is(err, connector.KindNotFound) {
				continue // deleted meanwhile
			}
			if err != nil {
				return all, err
			}
			byThemselves = byThemselves || group.told
		}
		if !group.told {
			silent++
		}
		for _, id := range group.members {
			all.of[idKey(id)] = append(all.of[idKey(id)], group.name)
		}
	}
	if inLists || byThemselves {
		c.service.learned.membersAlone.settle(c.now(), !inLists)
	}
	all.told = silent == 0 || inLists || byThemselves
	if len(all.of) > 0 {
		c.seen.only(all.of)
	}
	return all, nil
}

// alone reads a group that a list showed without members. If somebody should be in the group
// and it shows nobody, alone reads it twice: the nodes of a cluster may differ.
func (c *client) alone(ctx context.Context, op string, group shownGroup, query url.Values) (shownGroup, error) {
	asks := 1
	if c.seen.expectsIn(group.name) {
		asks = 2
	}
	for ; asks > 0 && !group.told; asks-- {
		whole := resource{}
		if _, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: groups, id: group.id, query: query}, &whole); err != nil {
			return group, err
		}
		group = shown(whole)
	}
	return group, nil
}

// listedGroups lists all groups, with their members if a list shows them. query holds the
// parameters by which the service shows members.
func (c *client) listedGroups(ctx context.Context, op string) (listed []shownGroup, query url.Values, err error) {
	learned := &c.service.learned
	list := func(query url.Values) (listed []shownGroup, err error) {
		for group, err := range c.each(ctx, request{op: op, collection: groups, query: query}) {
			if err != nil {
				return nil, err
			}
			listed = append(listed, shown(group))
		}
		return listed, nil
	}
	asking := url.Values{"attributes": {"id,displayName,members"}}
	if learned.membersOnRequest.holds(c.now()) {
		if listed, err = list(asking); err == nil || connector.Retryable(err) {
			return listed, asking, err
		}
		learned.membersOnRequest.refuted() // it refuses them now
	}
	listed, err = list(nil)
	switch {
	case err != nil, len(listed) == 0, c.traits.membersHidden, c.traits.noAttributes, learned.membersAlone.holds(c.now()):
		return listed, nil, err
	case anyTold(listed):
		learned.membersOnRequest.refuted()
		return listed, nil, nil
	}
	asked, err := list(asking)
	switch {
	case connector.Retryable(err):
		return nil, nil, err
	case err == nil && anyTold(asked):
		learned.membersOnRequest.met(c.now())
		return asked, asking, nil
	}
	return listed, nil, nil
}

func shown(group resource) shownGroup {
	sent, told := group.list("members")
	s := shownGroup{id: group.text("id"), name: group.text("displayName"), told: told}
	for _, member := range sent {
		s.members = append(s.members, member.value())
	}
	return s
}

func anyTold(listed []shownGroup) bool {
	for _, group := range listed {
		if group.told {
			return true
		}
	}
	return false
}

// membersByUsers finds the members of groups that never show them, by looking up the users
// of each group.
func (c *client) membersByUsers(ctx context.Context, op string, listed []shownGroup, of map[string][]string) error {
	for _, group := range listed {
		filter := url.Values{"filter": {equals("groups.value", group.id)}}
		for user, err := range c.each(ctx, request{op: op, collection: users, query: filter}) {
			if err != nil {
				return err
			}
			id := idKey(user.text("id"))
			of[id] = append(of[id], group.name)
		}
	}
	return nil
}
