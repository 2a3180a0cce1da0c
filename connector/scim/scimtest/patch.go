package scimtest

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// patchRequest is the body of a PATCH (RFC 7644 section 3.5.2).
type patchRequest struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// target is a parsed PATCH path: an attribute, a filter on its values, and a
// sub-attribute of the values that match.
type target struct {
	path   path
	filter expression // nil without one
	sub    *attribute // only after a filter
}

func parseTarget(text string, t resourceType) (target, error) {
	p := &parser{rest: text, attrs: t.attributes, schema: t.schema}
	var to target
	var err error
	if to.path, err = p.attributePath("invalidPath"); err != nil {
		return to, err
	}
	if p.symbol("[") {
		if !to.path.last().Multi {
			return to, badRequest("invalidPath", "attribute %s is no list", to.path.last().Name)
		}
		if to.filter, err = p.nested("]", to.path.last().Sub); err != nil {
			return to, err
		}
		if name, ok := strings.CutPrefix(p.rest, "."); ok {
			sub, known := find(to.path.last().Sub, name)
			if !known {
				return to, badRequest("invalidPath", "attribute %s is not known", name)
			}
			to.sub, p.rest = &sub, ""
		}
	}
	if p.rest != "" {
		return to, badRequest("invalidPath", "%q was not expected", p.rest)
	}
	for _, a := range to.path {
		if a.Mutability == "readOnly" {
			return to, badRequest("mutability", "attribute %s is read-only", a.Name)
		}
	}
	return to, nil
}

func (o operation) check() error {
	switch {
	case o.Op != "add" && o.Op != "replace" && o.Op != "remove":
		return badRequest("invalidSyntax", "operation %q is not known", o.Op)
	case o.Op == "remove" && o.Path == "":
		return badRequest("noTarget", "remove needs a path")
	case o.Op == "remove" && o.Value != nil:
		return badRequest("invalidSyntax", "remove takes no value: name the values by a filter in the path")
	case o.Op != "remove" && o.Value == nil:
		return badRequest("invalidValue", "%s needs a value", o.Op)
	}
	return nil
}

// apply carries the operation out on attrs, the canonical attributes of a resource.
func (o operation) apply(t resourceType, attrs map[string]any) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.Path == "" {
		return o.merge(t.attributes, attrs)
	}
	to, err := parseTarget(o.Path, t)
	if err != nil {
		return err
	}
	return o.applyAt(to.path, to, attrs)
}

// merge carries out an operation without a path: its value is an object of attributes.
func (o operation) merge(attributes []attribute, attrs map[string]any) error {
	sent, ok := o.Value.(map[string]any)
	if !ok {
		return badRequest("invalidValue", "without a path, the value must be an object")
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		a, known := find(attributes, name)
		switch {
		case name == "schemas":
			continue
		case !known:
			return badRequest("invalidPath", "attribute %s is not known", name)
		case a.Mutability == "readOnly":
			return badRequest("mutability", "attribute %s is read-only", name)
		}
		part := operation{Op: o.Op, Value: sent[name]}
		if err := part.set(a, attrs, nil); err != nil {
			return err
		}
	}
	return nil
}

// applyAt follows the rest of the path, and carries the operation out on its last
// attribute.
func (o operation) applyAt(rest path, to target, object map[string]any) error {
	a := rest[0]
	if len(rest) == 1 {
		return o.set(a, object, &to)
	}
	if a.Multi {
		return o.setInEach(a, rest[1], object, func(any) bool { return true })
	}
	inner, ok := object[a.Name].(map[string]any)
	if !ok {
		inner = map[string]any{}
	}
	if err := o.applyAt(rest[1:], to, inner); err != nil {
		return err
	}
	assign(object, a, inner)
	return nil
}

// set carries the operation out on one attribute of an object. to is nil if there
// was no path.
func (o operation) set(a attribute, object map[string]any, to *target) error {
	if to != nil && to.filter != nil {
		return o.setFiltered(a, object, *to)
	}
	if o.Op == "remove" {
		delete(object, a.Name)
		return nil
	}
	if _, isList := o.Value.([]any); a.Multi && !isList {
		o.Value = []any{o.Value}
	}
	value, err := a.check(o.Value, true)
	if err != nil {
		return err
	}
	switch {
	case a.Multi && o.Op == "add":
		old, _ := object[a.Name].([]any)
		added, _ := value.([]any)
		value = union(old, added)
	case !a.Multi && a.Type == "complex":
		old, _ := object[a.Name].(map[string]any)
		merged := maps.Clone(old)
		if merged == nil {
			merged = map[string]any{}
		}
		sent, _ := value.(map[string]any)
		maps.Copy(merged, sent)
		value = merged
	}
	assign(object, a, value)
	return nil
}

// setFiltered carries the operation out on those values of a list that match.
func (o operation) setFiltered(a attribute, object map[string]any, to target) error {
	matches := func(item any) bool {
		value, ok := item.(map[string]any)
		return ok && to.filter.matches(value)
	}
	list, _ := object[a.Name].([]any)
	switch {
	case to.sub != nil:
		return o.setInEach(a, *to.sub, object, matches)
	case o.Op == "remove":
		assign(object, a, slices.DeleteFunc(slices.Clone(list), matches))
		return nil
	}
	sent, err := a.checkOne(o.Value, true)
	if err != nil {
		return err
	}
	return eachMatch(a, object, matches, func(value map[string]any) error {
		fields, _ := sent.(map[string]any)
		maps.Copy(value, fields)
		return nil
	})
}

// setInEach sets or removes one attribute in each matching value of a list.
func (o operation) setInEach(a, sub attribute, object map[string]any, matches func(any) bool) error {
	return eachMatch(a, object, matches, func(value map[string]any) error {
		return o.set(sub, value, nil)
	})
}

// eachMatch changes each matching value of a list. It returns an error if none matches.
// If a value becomes primary, the others stop being so.
func eachMatch(a attribute, object map[string]any, matches func(any) bool, change func(map[string]any) error) error {
	old, _ := object[a.Name].([]any)
	list := make([]any, 0, len(old))
	changed, primary := 0, -1
	for i, item := range old {
		value, _ := item.(map[string]any)
		if matches(item) {
			value = maps.Clone(value)
			if err := change(value); err != nil {
				return err
			}
			changed++
			if isPrimary(value) {
				primary = i
			}
		}
		if len(value) > 0 {
			list = append(list, value)
		}
	}
	if changed == 0 {
		return badRequest("noTarget", "attribute %s has no such value", a.Name)
	}
	if primary >= 0 {
		demote(list, func(i int) bool { return i == primary })
	}
	assign(object, a, list)
	return nil
}

// union adds values to a list, each one once.
func union(old, added []any) []any {
	list := slices.Clone(old)
	for _, value := range added {
		if !slices.ContainsFunc(list, func(item any) bool { return reflect.DeepEqual(item, value) }) {
			list = append(list, value)
		}
	}
	if slices.ContainsFunc(added, isPrimary) {
		demote(list, func(i int) bool { return i >= len(old) })
	}
	return list
}

// demote takes "primary" from the values for which keep returns false.
func demote(list []any, keep func(i int) bool) {
	for i, item := range list {
		if value, ok := item.(map[string]any); ok && isPrimary(value) && !keep(i) {
			value = maps.Clone(value)
			delete(value, "primary")
			list[i] = value
		}
	}
}

// assign sets an attribute, or removes it if the value is empty.
func assign(object map[string]any, a attribute, value any) {
	if unassigned(value) {
		delete(object, a.Name)
		return
	}
	object[a.Name] = value
}
