package scim

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// valued is a kind of entitlement that is not a group, but a value of one of the user's own
// attributes (RFC 7643 section 4.1.2).
type valued struct {
	prefix string // of its names, without the colon
	attr   string
	kind   connector.EntitlementKind
}

// valueds lists these kinds.
var valueds = []valued{
	{"role", "roles", connector.Role},
	{"entitlement", "entitlements", connector.Licence},
}

// valuedOf cuts "role:admin" into its kind and its value.
func valuedOf(name string) (v valued, value string, ok bool) {
	prefix, value, _ := strings.Cut(name, ":")
	i := slices.IndexFunc(valueds, func(v valued) bool { return v.prefix == prefix })
	if i < 0 || value == "" {
		return valued{}, "", false
	}
	return valueds[i], value, true
}

// byKind separates names into names of groups and values of each other kind.
func byKind(names []string) (groupNames []string, values map[valued][]string) {
	values = map[valued][]string{}
	for _, name := range names {
		if v, value, ok := valuedOf(name); ok {
			values[v] = append(values[v], value)
			continue
		}
		groupNames = append(groupNames, name)
	}
	return groupNames, values
}

// valuesOf returns the names of a user's entitlements that are not groups.
func valuesOf(user resource) (names []string) {
	for _, v := range valueds {
		list, _ := user.list(v.attr)
		for _, entry := range list {
			if value := entry.text("value"); value != "" {
				names = append(names, v.prefix+":"+value)
			}
		}
	}
	return names
}

// changeValues grants or revokes values of one kind, all in one request. If the app refuses
// that, it sends one request for each, so that an unknown value does not hold up the others.
func (c *client) changeValues(ctx context.Context, op, accountID string, v valued, values []string) error {
	switch {
	case c.traits.noValues && op == connector.OpRevoke:
		return nil
	case c.traits.noValues:
		return connector.Invalid(op, "%s %q: the app's accounts have none of that kind", v.prefix, values[0])
	case c.traits.oneValue && op == connector.OpGrant && len(values) > 1:
		return connector.Invalid(op, "an account of this app has one %s, and is to get %q", v.prefix, values)
	}
	err := again(ctx, func() error { return c.setValues(ctx, op, accountID, v, values) })
	if len(values) > 1 && connector.Is(err, connector.KindInvalid) {
		return connector.Each(values, func(value string) error { return c.changeValues(ctx, op, accountID, v, []string{value}) })
	}
	if a := answerOf(err); a != nil && connector.Is(err, connector.KindInvalid) {
		return &connector.Error{
			Kind: connector.KindInvalid, Op: op, Cause: a,
			Message: fmt.Sprintf("%s %q: %s: the app does not take it", v.prefix, values[0], a),
		}
	}
	if op == connector.OpRevoke && connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

func (c *client) setValues(ctx context.Context, op, accountID string, v valued, values []string) error {
	user, etag, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	old, _ := user.list(v.attr)
	list := slices.DeleteFunc(slices.Clone(old), func(entry resource) bool {
		return slices.Contains(values, entry.text("value"))
	})
	if op == connector.OpGrant {
		if len(old)-len(list) == len(values) {
			return nil // the user has them all
		}
		if c.traits.oneValue {
			list = nil
		}
		for _, value := range values {
			list = append(list, c.traits.value(v, value))
		}
	} else if len(list) == len(old) {
		return nil // the user has none of them
	}
	change := edit{attr: core(v.attr)}
	if len(list) > 0 {
		change.value = list
	}
	return c.change(ctx, request{op: op, id: accountID, ifMatch: etag}, change)
}

// value returns one value of roles or entitlements in the form that the service accepts.
func (t traits) value(v valued, value string) resource {
	entry := resource{"value": value}
	if kind := t.valueTypes[v.prefix]; kind != "" {
		entry["type"] = kind
	}
	return entry
}
