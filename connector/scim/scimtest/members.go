package scimtest

import (
	"maps"
	"strings"
)

// Members are kept apart from a group's other attributes, as a set: adding one to
// a group of thousands must not cost thousands.

// memberIDs returns the user IDs in a checked list of members.
func memberIDs(value any) ([]string, error) {
	list, _ := value.([]any)
	ids := make([]string, 0, len(list))
	for _, item := range list {
		member, _ := item.(map[string]any)
		id, _ := member["value"].(string)
		if kind, given := member["type"].(string); id == "" || given && kind != userType.name {
			return nil, badRequest("invalidValue", "a member needs the id of a user as its value")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *store) areUsers(ids []string) error {
	for _, id := range ids {
		if s.users.byID[id] == nil {
			return badRequest("invalidValue", "member %s is no user", id)
		}
	}
	return nil
}

// memberChanges holds functions, each of which undoes a change that was made.
type memberChanges []func()

func (m memberChanges) undo() {
	for i := len(m) - 1; i >= 0; i-- {
		m[i]()
	}
}

// patched applies a PATCH. It changes a copy of the attributes, which it returns, and the
// members themselves: the caller undoes those changes if the PATCH fails.
func (s *store) patched(c *collection, r *record, operations []operation) (map[string]any, memberChanges, error) {
	attrs := deepCopy(r.attrs)
	var done memberChanges
	for _, o := range operations {
		rest, changes, err := s.patchMembers(c, r, o)
		done = append(done, changes...)
		if err == nil && rest != nil {
			err = rest.apply(c.kind, attrs)
		}
		if err != nil {
			return nil, done, err
		}
	}
	return attrs, done, c.kind.complete(attrs)
}

// patchMembers applies the part of an operation that is about a group's members. It
// returns the rest of the operation, or nil if there is none.
func (s *store) patchMembers(c *collection, r *record, o operation) (rest *operation, done memberChanges, err error) {
	if c != s.groups {
		return &o, nil, nil
	}
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	if o.Path == "" {
		value, ok := o.Value.(map[string]any)
		members, given := value["members"]
		if !ok || !given {
			return &o, nil, nil
		}
		others := maps.Clone(value)
		delete(others, "members")
		done, err = s.setMembers(r, o.Op, members)
		return &operation{Op: o.Op, Value: others}, done, err
	}
	to, err := parseTarget(o.Path, c.kind)
	if err != nil || to.path[0].Name != "members" {
		return &o, nil, err
	}
	switch {
	case o.Op == "remove" && to.sub == nil && len(to.path) == 1:
		return nil, s.removeMembers(r, to.filter), nil
	case to.filter == nil && len(to.path) == 1:
		done, err = s.setMembers(r, o.Op, o.Value)
		return nil, done, err
	default:
		return nil, nil, badRequest("mutability", "a member cannot be changed: remove it and add another")
	}
}

// setMembers adds members or, if op is "replace", makes them the only ones.
func (s *store) setMembers(r *record, op string, value any) (done memberChanges, err error) {
	members, _ := find(groupAttributes, "members")
	if _, isList := value.([]any); !isList {
		value = []any{value}
	}
	checked, err := members.check(value, true)
	if err != nil {
		return nil, err
	}
	ids, err := memberIDs(checked)
	if err != nil {
		return nil, err
	}
	if err := s.areUsers(ids); err != nil {
		return nil, err
	}
	if op == "replace" {
		done = s.removeMembers(r, nil)
	}
	for _, id := range ids {
		if r.addMember(s, id) {
			done = append(done, func() { r.removeMember(s, id) })
		}
	}
	return done, nil
}

// removeMembers removes the members that match; a nil filter matches all.
func (s *store) removeMembers(r *record, filter expression) (done memberChanges) {
	for _, id := range s.matchingMembers(r, filter) {
		if r.removeMember(s, id) {
			done = append(done, func() { r.addMember(s, id) })
		}
	}
	return done
}

func (s *store) matchingMembers(r *record, filter expression) []string {
	if filter == nil {
		return r.membersInOrder()
	}
	if e, ok := filter.(comparison); ok && e.operator == "eq" && strings.EqualFold(e.path.key(), "value") {
		id, _ := e.value.(string)
		return []string{id}
	}
	var ids []string
	for _, id := range r.membersInOrder() {
		member := map[string]any{"value": id, "display": s.users.byID[id].text("userName"), "type": userType.name}
		if filter.matches(member) {
			ids = append(ids, id)
		}
	}
	return ids
}

// deepCopy copies an object and all objects and lists in it.
func deepCopy(object map[string]any) map[string]any {
	c := make(map[string]any, len(object))
	for name, value := range object {
		c[name] = deepCopyValue(value)
	}
	return c
}

func deepCopyValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return deepCopy(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = deepCopyValue(item)
		}
		return list
	default:
		return value
	}
}
