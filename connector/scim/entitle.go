package scim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/tenurehq/tenure/connector"
)

// entitle grants or revokes entitlements: groups one by one, since each is a resource of its
// own, and values of the user (roles, entitlements) all at once.
func (c *client) entitle(ctx context.Context, op, accountID string, names []string, one func(ctx context.Context, accountID, group string) error) error {
	groupNames, values := byKind(names)
	err := connector.Each(groupNames, func(name string) error { return one(ctx, accountID, name) })
	if connector.Is(err, connector.KindUnavailable, connector.KindRateLimited) {
		return err
	}
	for _, v := range valueds {
		if len(values[v]) == 0 {
			continue
		}
		if failed := c.changeValues(ctx, op, accountID, v, values[v]); err == nil {
			err = failed
		}
	}
	return err
}

// join makes an account a member of a group.
func (c *client) join(ctx context.Context, accountID, name string) error {
	if c.traits.noGroups {
		return connector.Invalid(connector.OpGrant, "group %q: the app has no groups by SCIM", name)
	}
	has := func(names []string) bool { return slices.Contains(names, name) }
	return c.asReferred(ctx, connector.OpGrant, accountID, has, func(id string) error { return c.joinAs(ctx, id, name) })
}

func (c *client) joinAs(ctx context.Context, accountID, name string) error {
	err := c.changeMembers(ctx, connector.OpGrant, name, membershipChange{accountID: accountID, adds: true})
	switch a := answerOf(err); {
	case err == nil:
		c.seen.gave(accountID, name)
	case a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotFound):
		// Services have different answers if there is no such account to add.
		if _, _, gone := c.get(ctx, connector.OpGrant, accountID); gone != nil {
			return gone
		}
	case a != nil && a.status == http.StatusConflict:
		// Some services answer so without a reason if the account is a member already.
		if account, failed := c.read(ctx, connector.OpGrant, accountID); failed == nil && slices.Contains(account.Entitlements, name) {
			return nil
		}
	}
	return about(name, connector.OpGrant, err)
}

// leave ends an account's membership of a group.
func (c *client) leave(ctx context.Context, accountID, name string) error {
	if c.traits.noGroups {
		return nil
	}
	hasNot := func(names []string) bool { return !slices.Contains(names, name) }
	return c.asReferred(ctx, connector.OpRevoke, accountID, hasNot, func(id string) error { return c.leaveAs(ctx, id, name) })
}

func (c *client) leaveAs(ctx context.Context, accountID, name string) error {
	shown, told := c.isShown(ctx, accountID, name)
	switch {
	case shown:
	case told && c.seen.wasTaken(c.now(), accountID, name):
		return nil // an earlier call did it: under a quota, do not pay for it again
	case connector.Given(ctx):
		c.seen.gave(accountID, name)
	}
	err := c.changeMembers(ctx, connector.OpRevoke, name, membershipChange{accountID: accountID})
	var unknown unknownGroupError
	switch a := answerOf(err); {
	case err == nil:
		return c.removed(ctx, accountID, name, shown)
	case errors.As(err, &unknown) && unknown.none:
		return &connector.Error{
			Kind: connector.KindContradictory, Op: connector.OpRevoke, Cause: errUncertain,
			Message: fmt.Sprintf("group %q: the app shows no group at all: have it show groups to whom Tenure signs in as, or say groups: false if groups are not Tenure's", name),
		}
	case errors.As(err, &unknown), a != nil && a.scimType == "noTarget":
		c.seen.took(c.now(), accountID, name)
		return nil
	case a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotFound || a.status == http.StatusNotImplemented):
		if _, _, gone := c.get(ctx, connector.OpRevoke, accountID); connector.Is(gone, connector.KindNotFound) {
			c.seen.forget(accountID)
			return nil
		}
		if a.status != http.StatusNotFound {
			return &connector.Error{
				Kind: connector.KindInvalid, Op: connector.OpRevoke, Cause: a,
				Message: fmt.Sprintf("group %q: %s: the app does not remove members like that: %s", name, a, c.otherRemoval()),
			}
		}
	}
	return about(name, connector.OpRevoke, err)
}

// otherRemoval names the settings for other ways to remove members. Tenure tries none of
// them by itself: a service that ignores the value would remove all members, and one that
// shows only some of them would lose the others by a PUT.
func (c *client) otherRemoval() string {
	if c.traits.noPathFilters {
		return "try removeMembers: path, or changeGroups: put"
	}
	return "try removeMembers: value, or changeGroups: put"
}

// isShown reports whether the app shows an account as a member of a group, and whether it
// could tell. A membership that was never shown cannot be seen to be gone.
func (c *client) isShown(ctx context.Context, accountID, name string) (shown, told bool) {
	if c.seen.shows(accountID, name) {
		return true, true
	}
	account, err := c.read(ctx, connector.OpRevoke, accountID)
	return slices.Contains(account.Entitlements, name), err == nil
}

// removed checks that a member is gone that the service says it has removed. Some services
// accept a path with a filter and do nothing. Others show no members, so that nobody sees a
// member who is still there. With shown, the member was seen before.
func (c *client) removed(ctx context.Context, accountID, name string, shown bool) error {
	learned := &c.service.learned
	if shown {
		c.seen.took(c.now(), accountID, name)
		if learned.removes.holds(c.now()) {
			return nil
		}
	}
	account, err := c.read(ctx, connector.OpRevoke, accountID)
	switch {
	case errors.Is(err, errUncertain) && !shown:
		return err
	case connector.Is(err, connector.KindNotFound):
		c.seen.forget(accountID)
		return nil
	case err != nil:
		return nil //nolint:nilerr // the caller reads the account, and meets the error
	case slices.Contains(account.Entitlements, name):
		learned.removes.refuted()
		return &connector.Error{
			Kind: connector.KindContradictory, Op: connector.OpRevoke,
			Message: fmt.Sprintf("group %q: the app says that it has removed the member, and shows it: if it goes on, %s", name, c.otherRemoval()),
		}
	case shown:
		learned.removes.met(c.now())
	}
	c.seen.took(c.now(), accountID, name)
	return nil
}

// asReferred changes a membership under the ID by which the service refers to the account:
// the ID as shown or, if it is a UUID, in lower case. done reports whether the names of the
// account's groups are as they should be.
func (c *client) asReferred(ctx context.Context, op, accountID string, done func(names []string) bool, do func(id string) error) error {
	lower := idKey(accountID)
	if lower == accountID {
		return do(accountID)
	}
	learned := &c.service.learned.lowerIDs
	ids := []string{accountID, lower}
	if learned.holds(c.now()) {
		slices.Reverse(ids)
	}
	var first error
	for i, id := range ids {
		err := do(id)
		if connector.Is(err, connector.KindUnavailable, connector.KindRateLimited) {
			return err
		}
		if i == 0 {
			first = err
		}
		account, failed := c.read(ctx, op, accountID)
		switch {
		case failed == nil && done(account.Entitlements):
			if i > 0 {
				learned.settle(c.now(), id == lower)
				return nil
			}
			return first
		case failed != nil && err == nil && (i > 0 || op == connector.OpGrant):
			return nil // the caller reads the account, and meets the error
		}
	}
	return first
}

// membershipChange adds an account to a group's members, or removes it.
type membershipChange struct {
	accountID string
	adds      bool
}

// operation returns the change as an operation of a PATCH.
func (m membershipChange) operation(t traits) operation {
	member := []resource{{"value": m.accountID}}
	switch {
	case m.adds:
		return operation{Op: "add", Path: "members", Value: member}
	case t.noPathFilters:
		return operation{Op: "remove", Path: "members", Value: member}
	}
	return operation{Op: "remove", Path: "members[" + equals("value", m.accountID) + "]"}
}

// changeMembers changes a group's members. If the group is not found under its remembered
// ID, it looks the group up again: it may have been deleted and created anew.
func (c *client) changeMembers(ctx context.Context, op, name string, change membershipChange) error {
	err := c.changeGroup(ctx, op, name, change)
	if a := answerOf(err); a != nil && a.status == http.StatusNotFound {
		c.groups.forget(name)
		err = c.changeGroup(ctx, op, name, change)
	}
	return err
}

func (c *client) changeGroup(ctx context.Context, op, name string, change membershipChange) error {
	id, err := c.groupID(ctx, op, name)
	if err != nil {
		return err
	}
	if c.traits.putGroups {
		return c.putGroup(ctx, op, id, change)
	}
	operations := []operation{change.operation(c.traits)}
	send := func(operations []operation) error {
		return again(ctx, func() error {
			_, err := c.service.do(ctx, request{op: op, method: http.MethodPatch, collection: groups, id: id, body: patch(operations...)}, nil)
			return err
		})
	}
	err = c.inForms(operations, false, send)
	a := answerOf(err)
	switch {
	case a != nil && a.scimType == "uniqueness" && change.adds:
		return nil // a member already
	case a != nil && (a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented && change.adds):
		return &connector.Error{
			Kind: connector.KindUnsupported, Op: op, Cause: errNoGroupPatch,
			Message: fmt.Sprintf("group %q: %s: the app does not take a PATCH of groups: if it shows all members of a group, say changeGroups: put, by which each change replaces the whole group", name, a),
		}
	}
	return err
}

// errNoGroupPatch is the cause of the error for a service without PATCH of groups. Tenure
// does not try a PUT by itself: it would undo concurrent changes, and remove the members
// that are not shown.
var errNoGroupPatch = errors.New("no PATCH of groups")

// putGroup changes a group's members by PUT of the whole group as it was just read.
func (c *client) putGroup(ctx context.Context, op, id string, change membershipChange) error {
	c.putting.Lock() // not every service has versions
	defer c.putting.Unlock()
	return again(ctx, func() error {
		var group resource
		etag, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: groups, id: id}, &group)
		if err != nil {
			return err
		}
		sent, told := group.list("members")
		if !told {
			sent = c.membersOnRequest(ctx, op, id)
		}
		others := slices.DeleteFunc(slices.Clone(sent), func(m resource) bool { return sameID(m.value(), change.accountID) })
		if len(others) < len(sent) == change.adds {
			return nil
		}
		if change.adds {
			others = append(others, resource{"value": change.accountID})
		}
		body := maps.Clone(group)
		delete(body, spelled(body, "meta"))
		delete(body, spelled(body, "members"))
		body["members"] = append([]resource{}, others...) // [] where there is none, not null
		_, err = c.service.do(ctx, request{op: op, method: http.MethodPut, collection: groups, id: id, ifMatch: group.etag(etag), body: body}, nil)
		return err
	})
}

// membersOnRequest returns the members of a group that came without any, as the service
// shows them if it is asked for the attribute.
func (c *client) membersOnRequest(ctx context.Context, op, id string) []resource {
	var group resource
	query := url.Values{"attributes": {"id,displayName,members"}}
	if _, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: groups, id: id, query: query}, &group); err != nil {
		return nil // the service knows no such parameter; by the setting, it shows all members
	}
	sent, _ := group.list("members")
	return sent
}

// about adds the name of the group to an error that will not go away by itself. A 404
// becomes KindInvalid: the account exists, as far as the caller could find out.
func about(name, op string, err error) error {
	a := answerOf(err)
	if a == nil || connector.Is(err, connector.KindUnavailable, connector.KindRateLimited) {
		return err
	}
	m := a.meaning(false)
	if m.kind == connector.KindNotFound {
		m = meaning{connector.KindInvalid, "it lists the group and does not find it: if it has no PATCH of groups, say changeGroups: put"}
	}
	return &connector.Error{Kind: m.kind, Op: op, Cause: a, Message: fmt.Sprintf("group %q: %s: %s", name, a, m.advice)}
}
