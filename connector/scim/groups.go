package scim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// unknownGroupError is the cause of the error for a group that the app does not have.
type unknownGroupError struct {
	name string
	none bool // the app shows no other group either
}

func (u unknownGroupError) Error() string { return fmt.Sprintf("the app has no group %q", u.name) }

// groupID returns the ID of the group with a displayName. It creates the group if that is
// missing and the settings allow it.
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
	learned := &c.service.learned
	found := namedGroups{}
	filtered := !learned.noNameFilter.holds(c.now())
	if filtered {
		var err error
		found, err = c.groupsNamed(ctx, op, name, url.Values{"filter": {equals("displayName", name)}})
		switch {
		case refusedFilter(err), errors.Is(err, errEndless):
			learned.noNameFilter.met(c.now())
			filtered = false
		case err != nil:
			return "", c.groupless(ctx, op, name, err)
		case found.any():
			learned.noNameFilter.refuted()
		}
	}
	if !found.any() { // a service that does not know the filter may find nothing
		all, err := c.groupsNamed(ctx, op, name, url.Values{})
		if err != nil {
			return "", c.groupless(ctx, op, name, err)
		}
		if filtered && all.any() {
			learned.noNameFilter.met(c.now()) // it accepted the filter, and found nothing
		}
		found = all
	}
	switch {
	case len(found.ids) == 1:
		c.groups.put(name, found.ids[0])
		return found.ids[0], nil
	case len(found.ids) > 1:
		return "", connector.Invalid(op, "the app has %d groups called %q: rename all but one", len(found.ids), name)
	case found.otherwise != "":
		return "", connector.Invalid(op, "the app spells the group %q: use %q in the configuration", name, found.otherwise)
	default:
		unknown := unknownGroupError{name: name, none: found.listed == 0}
		return "", &connector.Error{
			Kind: connector.KindInvalid, Op: op, Cause: unknown,
			Message: unknown.Error() + ": create it there first, or set createGroups",
		}
	}
}

// namedGroups holds the groups that have one name.
type namedGroups struct {
	ids       []string
	otherwise string // the spelling of a group whose name differs only in case
	listed    int    // how many groups the list had
}

func (n namedGroups) any() bool { return len(n.ids) > 0 || n.otherwise != "" }

// groupsNamed finds the groups of a name among those that a query lists.
func (c *client) groupsNamed(ctx context.Context, op, name string, query url.Values) (found namedGroups, err error) {
	for group, err := range c.each(ctx, request{op: op, collection: groups, query: c.withoutMembers(query), few: query.Has("filter")}) {
		if err != nil {
			return namedGroups{}, err
		}
		found.listed++
		switch spelled := group.text("displayName"); {
		case spelled == name:
			found.ids = append(found.ids, group.text("id"))
		case strings.EqualFold(spelled, name):
			found.otherwise = spelled
		}
	}
	return found, nil
}

// groupless returns the error for a failed look-up of a group. If the service has no groups,
// the error says so.
func (c *client) groupless(ctx context.Context, op, name string, err error) error {
	lacks, err := c.lacksGroups(ctx, op, err)
	if lacks {
		return connector.Invalid(op, "group %q: the app has no /Groups: say groups: false, and grant no groups there", name)
	}
	return err
}

// createGroup creates a group, unless another call has done so meanwhile: services need not
// keep group names unique.
func (c *client) createGroup(ctx context.Context, op, name string) (string, error) {
	c.creating.Lock()
	defer c.creating.Unlock()
	if id, ok := c.groups.id(name); ok {
		return id, nil
	}
	body := resource{"schemas": []string{groupSchema}, "displayName": name}
	if c.traits.groupsNeedExternalID {
		body["externalId"] = name
	}
	var group resource
	_, err := c.service.do(ctx, request{op: op, method: http.MethodPost, collection: groups, whole: true, body: body}, &group)
	if connector.Is(err, connector.KindExists) {
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

// withoutMembers asks for groups without their members, which may be thousands, if the
// service supports that.
func (c *client) withoutMembers(query url.Values) url.Values {
	if !c.traits.noExclusions && !c.service.learned.noExclusions.holds(c.now()) {
		query.Set("excludedAttributes", "members")
	}
	return query
}

// Entitlements implements connector.Connector: it lists the groups, and the other kinds
// that the service lists. SCIM itself has no list of roles.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
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

// groupTTL is how long a group's ID is remembered. A group that was renamed in the app
// counts under its old name for that long.
const groupTTL = time.Minute

// groupCache maps names of groups to their IDs, and back.
type groupCache struct {
	mu     sync.Mutex
	byName map[string]cached
	byID   map[string]cached
}

type cached struct {
	text  string
	until time.Time
}

func newGroupCache() *groupCache {
	return &groupCache{byName: map[string]cached{}, byID: map[string]cached{}}
}

func (g *groupCache) id(name string) (string, bool) { return g.get(g.byName, name) }

func (g *groupCache) name(id string) (string, bool) { return g.get(g.byID, id) }

func (g *groupCache) get(from map[string]cached, key string) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, ok := from[key]
	return entry.text, ok && time.Now().Before(entry.until)
}

func (g *groupCache) put(name, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	until := time.Now().Add(groupTTL)
	g.byName[name] = cached{id, until}
	g.byID[id] = cached{name, until}
}

func (g *groupCache) forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.byID, g.byName[name].text)
	delete(g.byName, name)
}

// hasNoGroups reports whether the service is known to have no /Groups.
func (c *client) hasNoGroups() bool {
	l := &c.service.learned
	return !l.hasGroups.Load() && l.noGroups.held(c.now(), groupless, apart)
}

// lacksGroups reports whether a request of /Groups failed because the service has no groups;
// otherwise it returns why it failed. A 404 may come from a proxy. Tenure believes it if the
// service's ResourceTypes list no groups, or if /Groups answers 404 again some time later
// and has never answered otherwise.
func (c *client) lacksGroups(ctx context.Context, op string, err error) (bool, error) {
	a := answerOf(err)
	if a == nil || a.status != http.StatusNotFound && a.status != http.StatusNotImplemented {
		return false, err
	}
	switch probe := c.service.probe(ctx, op, users); {
	case connector.Retryable(probe):
		return false, probe
	case probe != nil:
		return false, err // /Users fails as well, so that this is not about groups
	}
	l := &c.service.learned
	if !l.hasGroups.Load() {
		switch listed, told := c.listsGroupType(ctx, op); {
		case told && !listed:
			l.noGroups.confirmed(c.now(), apart)
		case !told:
			l.noGroups.met(c.now())
		}
	}
	if c.hasNoGroups() {
		return true, nil
	}
	return false, &connector.Error{
		Kind: connector.KindUnavailable, Op: op, Cause: errUncertain, RetryAfter: apart,
		Message: fmt.Sprintf("the app answered %d for /Groups, which may pass: it is asked again. If the app has no groups, say groups: false", a.status),
	}
}

// listsGroupType reports whether the service lists groups among its resource types (RFC
// 7644 section 4), and whether the list can be relied on: one without users cannot.
func (c *client) listsGroupType(ctx context.Context, op string) (listed, told bool) {
	var types struct{ Resources []resource }
	if _, err := c.service.do(ctx, request{op: op, method: http.MethodGet, collection: "ResourceTypes", whole: true}, &types); err != nil {
		return false, false
	}
	for _, kind := range types.Resources {
		endpoint := strings.Trim(kind.text("endpoint"), "/")
		told = told || strings.EqualFold(endpoint, users)
		listed = listed || strings.EqualFold(endpoint, groups)
	}
	return listed, told
}
