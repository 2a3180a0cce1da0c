package scim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// entitle gives an account entitlements, or takes them: groups one by one, as
// each is a resource of its own, and what is a value of the user's at once.
func (c *client) entitle(ctx context.Context, op, accountID string, names []string, one func(ctx context.Context, accountID, group string) error) error {
	groupNames, values := byKind(names)
	err := each(groupNames, func(name string) error { return one(ctx, accountID, name) })
	if isKind(err, connector.KindUnavailable) || isKind(err, connector.KindRateLimited) {
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
		return invalid(connector.OpGrant, fmt.Sprintf("group %q: the app has no groups by SCIM", name))
	}
	has := func(names []string) bool { return slices.Contains(names, name) }
	return c.asReferred(ctx, connector.OpGrant, accountID, has, func(id string) error { return c.joinAs(ctx, id, name) })
}

func (c *client) joinAs(ctx context.Context, accountID, name string) error {
	err := c.changeMembers(ctx, connector.OpGrant, name, membershipChange{accountID: accountID, adds: true})
	switch a := answerOf(err); {
	case a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotFound):
		// Services say differently that there is no such account to add.
		if _, _, gone := c.get(ctx, connector.OpGrant, accountID); gone != nil {
			return gone
		}
	case a != nil && a.status == http.StatusConflict:
		// Some say so of a member, without a reason.
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
	err := c.changeMembers(ctx, connector.OpRevoke, name, membershipChange{accountID: accountID})
	var unknown unknownGroupError
	switch a := answerOf(err); {
	case err == nil:
		return c.removed(ctx, accountID, name)
	case errors.As(err, &unknown), a != nil && a.scimType == "noTarget":
		return nil
	case a != nil && (a.status == http.StatusBadRequest || a.status == http.StatusNotFound || a.status == http.StatusNotImplemented):
		if _, _, gone := c.get(ctx, connector.OpRevoke, accountID); isKind(gone, connector.KindNotFound) {
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

// otherRemoval names the settings by which members may be removed in another way. None
// is tried unasked: a service that takes the value for nothing removes all members, and
// one that shows a part of them only would lose the others by a PUT.
func (c *client) otherRemoval() string {
	if c.traits.noPathFilters {
		return "try removeMembers: path, or changeGroups: put"
	}
	return "try removeMembers: value, or changeGroups: put"
}

// removed looks whether a member is gone that the service says it has removed, until one
// has been seen to be: some take a path with a filter and do nothing.
func (c *client) removed(ctx context.Context, accountID, name string) error {
	if c.service.learned.removes.Load() {
		return nil
	}
	account, err := c.read(ctx, connector.OpRevoke, accountID)
	if err != nil {
		return nil //nolint:nilerr // whoever called looks for themselves, and meets it
	}
	if slices.Contains(account.Entitlements, name) {
		return &connector.Error{
			Kind: connector.KindContradictory, Op: connector.OpRevoke,
			Message: fmt.Sprintf("group %q: the app says that it has removed the member, and shows it: if it goes on, %s", name, c.otherRemoval()),
		}
	}
	c.service.learned.removes.Store(true)
	return nil
}

// asReferred changes a membership under the ID by which the service refers to the
// account: as it shows it or, of a UUID, in lower case. done reports whether the names of
// an account's groups are as they should be.
func (c *client) asReferred(ctx context.Context, op, accountID string, done func(names []string) bool, do func(id string) error) error {
	lower := idKey(accountID)
	switch {
	case lower == accountID:
		return do(accountID)
	case c.service.learned.lowerIDs.Load():
		return do(lower)
	}
	err := do(accountID)
	if isKind(err, connector.KindUnavailable) || isKind(err, connector.KindRateLimited) {
		return err
	}
	if account, failed := c.read(ctx, op, accountID); failed != nil || done(account.Entitlements) {
		return err
	}
	if do(lower) != nil {
		return err
	}
	account, failed := c.read(ctx, op, accountID)
	if failed == nil && done(account.Entitlements) {
		c.service.learned.lowerIDs.Store(true)
		return nil
	}
	return err
}

// each calls do for every name. One that fails for good does not keep the others
// from being done; one that may succeed later does, since the app needs a rest.
func each(names []string, do func(name string) error) error {
	var first error
	for _, name := range names {
		err := do(name)
		if isKind(err, connector.KindUnavailable) || isKind(err, connector.KindRateLimited) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// membershipChange adds an account to a group's members, or removes it.
type membershipChange struct {
	accountID string
	adds      bool
}

// operation is the change as one of a PATCH.
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

// changeMembers changes a group's members. A group that is not where it was is
// looked up once more: it may have been deleted and made anew.
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
	if c.traits.putGroups || c.service.learned.noGroupPatch.Load() {
		return c.putGroup(ctx, op, id, change)
	}
	operations := []operation{change.operation(c.traits)}
	send := func(operations []operation) error {
		return again(ctx, func() error {
			_, err := c.service.do(ctx, request{op: op, method: http.MethodPatch, collection: groups, id: id, body: patch(operations...)}, nil)
			return err
		})
	}
	learned := &c.service.learned
	if learned.capitalOps.Load() {
		operations = capitalised(operations)
	}
	err = send(operations)
	if refusedFilter(err) && !learned.capitalOps.Load() && send(capitalised(operations)) == nil {
		learned.capitalOps.Store(true)
		return nil
	}
	a := answerOf(err)
	if a != nil && a.scimType == "uniqueness" && change.adds {
		return nil // a member already
	}
	if a == nil || a.status != http.StatusMethodNotAllowed {
		return err
	}
	if err = c.putGroup(ctx, op, id, change); err == nil {
		c.service.learned.noGroupPatch.Store(true)
	}
	return err
}

// putGroup changes a group's members by PUT of the whole group as it was just read. A
// service that does not show members would lose them.
func (c *client) putGroup(ctx context.Context, op, id string, change membershipChange) error {
	c.putting.Lock() // not every service has versions
	defer c.putting.Unlock()
	return again(ctx, func() error {
		var group resource
		etag, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: groups, id: id}, &group)
		if err != nil {
			return err
		}
		sent, shown := group.list("members")
		if !shown && !c.traits.putGroups && !c.showsMembers(ctx, op) {
			return invalid(op, "the app has no PATCH of groups and shows no members, which a PUT would remove: if its groups have none, say changeGroups: put")
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

// showsMembers reports whether there is a group that comes with members: one without the
// attribute has none, then.
func (c *client) showsMembers(ctx context.Context, op string) bool {
	for group, err := range c.each(ctx, request{op: op, collection: groups}) {
		if err != nil {
			return false
		}
		if _, shown := group.list("members"); shown {
			return true
		}
	}
	return false
}

// about says which group an answer that will not change is about. A 404 is made
// KindInvalid: the account is there, as far as the caller could find out.
func about(name, op string, err error) error {
	a := answerOf(err)
	if a == nil || isKind(err, connector.KindUnavailable) || isKind(err, connector.KindRateLimited) {
		return err
	}
	m := a.meaning(false)
	if m.kind == connector.KindNotFound {
		m = meaning{connector.KindInvalid, "it lists the group and does not find it"}
	}
	return &connector.Error{Kind: m.kind, Op: op, Cause: a, Message: fmt.Sprintf("group %q: %s: %s", name, a, m.advice)}
}

// unknownGroupError is the cause of the error for a group that the app does not have.
type unknownGroupError struct{ name string }

func (u unknownGroupError) Error() string { return fmt.Sprintf("the app has no group %q", u.name) }

// groupID finds a group by its displayName, or makes it if it may.
func (c *client) groupID(ctx context.Context, op, name string) (string, error) {
	if id, ok := c.groups.id(name); ok {
		return id, nil
	}
	id, err := c.findGroup(ctx, op, name)
	var unknown unknownGroupError
	if errors.As(err, &unknown) && c.createGroups && op == connector.OpGrant {
		return c.createGroup(ctx, op, name)
	}
	return id, err
}

func (c *client) findGroup(ctx context.Context, op, name string) (string, error) {
	var ids []string
	var otherwise string
	query := c.withoutMembers(url.Values{})
	filtered := !c.service.learned.noNameFilter.Load()
	if filtered {
		query.Set("filter", equals("displayName", name))
	}
	for group, err := range c.each(ctx, request{op: op, collection: groups, query: query}) {
		if filtered && refusedFilter(err) {
			c.service.learned.noNameFilter.Store(true)
			return c.findGroup(ctx, op, name)
		}
		if c.missingGroups(ctx, op, err) {
			return "", invalid(op, fmt.Sprintf("group %q: the app has no /Groups: say groups: false, and grant no groups there", name))
		}
		if err != nil {
			return "", err
		}
		switch spelled := group.text("displayName"); {
		case spelled == name:
			ids = append(ids, group.text("id"))
		case strings.EqualFold(spelled, name):
			otherwise = spelled
		}
	}
	switch {
	case len(ids) == 1:
		c.groups.put(name, ids[0])
		return ids[0], nil
	case len(ids) > 1:
		return "", invalid(op, fmt.Sprintf("the app has %d groups called %q: rename all but one", len(ids), name))
	case otherwise != "":
		return "", invalid(op, fmt.Sprintf("the app spells the group %q: use %q in the configuration", name, otherwise))
	default:
		unknown := unknownGroupError{name}
		return "", &connector.Error{
			Kind: connector.KindInvalid, Op: op, Cause: unknown,
			Message: unknown.Error() + ": create it there first, or set createGroups",
		}
	}
}

// missingGroups reports whether a request of /Groups failed because the service has
// none, which it remembers.
func (c *client) missingGroups(ctx context.Context, op string, err error) bool {
	a := answerOf(err)
	if a == nil || a.status != http.StatusNotFound && a.status != http.StatusNotImplemented {
		return false
	}
	if c.service.learned.noGroups.Load() || c.service.probe(ctx, op, users) == nil {
		c.service.learned.noGroups.Store(true)
		return true
	}
	return false
}

// createGroup makes a group, unless somebody else did so since it was looked for:
// services need not keep group names unique.
func (c *client) createGroup(ctx context.Context, op, name string) (string, error) {
	c.creating.Lock()
	defer c.creating.Unlock()
	if id, ok := c.groups.id(name); ok {
		return id, nil
	}
	var group resource
	_, err := c.service.do(ctx, request{op: op, method: http.MethodPost, collection: groups, whole: true, body: resource{
		"schemas": []string{groupSchema}, "displayName": name,
	}}, &group)
	if isKind(err, connector.KindExists) {
		return c.findGroup(ctx, op, name)
	}
	if err != nil {
		return "", err
	}
	id := group.text("id")
	if id == "" {
		return "", noSCIM(op)
	}
	c.groups.put(name, id)
	return id, nil
}

// withoutMembers asks for groups without their members, which may be thousands,
// where the service lets one.
func (c *client) withoutMembers(query url.Values) url.Values {
	if !c.traits.noExclusions && !c.service.learned.noExclusions.Load() {
		query.Set("excludedAttributes", "members")
	}
	return query
}

// offered lists what can be granted.
func (c *client) offered(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		if !c.traits.noGroups {
			for group, err := range c.each(ctx, request{
				op: connector.OpListEntitlements, collection: groups, query: c.withoutMembers(url.Values{}),
			}) {
				if !yield(connector.Entitlement{Name: group.text("displayName"), Kind: connector.Group}, err) || err != nil {
					return
				}
			}
		}
		for _, v := range valueds {
			endpoint := c.traits.valueLists[v.prefix]
			if endpoint == "" {
				continue
			}
			for value, err := range c.each(ctx, request{op: connector.OpListEntitlements, collection: endpoint}) {
				if !yield(connector.Entitlement{Name: v.prefix + ":" + value.text("id"), Kind: v.kind}, err) || err != nil {
					return
				}
			}
		}
	}
}
