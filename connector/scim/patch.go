package scim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// operation is one operation of a PATCH.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

func patch(operations ...operation) any {
	return struct {
		Schemas    []string    `json:"schemas"`
		Operations []operation `json:"Operations"`
	}{[]string{patchSchema}, operations}
}

// edit is one attribute's new value, as SCIM has it; nil clears the attribute.
type edit struct {
	attr  attribute
	value any
}

// edits are those that set the given attributes. current reads the account, and
// is asked only if a list has to be changed, which is replaced as a whole: a path
// with a filter fails in an account that has no such value yet.
func edits(given map[string]any, current func() (resource, error)) ([]edit, error) {
	var all []edit
	for _, name := range slices.Sorted(maps.Keys(given)) {
		attr, err := lookup(connector.OpUpdate, name)
		if err != nil {
			return nil, err
		}
		value, err := attr.encode(connector.OpUpdate, name, given[name])
		if err != nil {
			return nil, err
		}
		if attr.shape == work {
			user, err := current()
			if err != nil {
				return nil, err
			}
			old, _ := user.list(attr.path[0])
			list := withWork(old, value)
			value = list
			if len(list) == 0 {
				value = nil
			}
		}
		all = append(all, edit{attr, value})
	}
	return all, nil
}

// operations are edits as the operations of a PATCH. Two things are named by their
// path in either form: what is cleared, since there is no other way to say it, and
// a list, since services such as SCIMMY add the lists of an object to what is there
// when they are to replace it.
func (f form) operations(all []edit) []operation {
	var list []operation
	object := resource{}
	for _, e := range all {
		_, isList := e.value.([]resource)
		switch {
		case e.value == nil:
			list = append(list, operation{Op: "remove", Path: e.attr.target()})
		case f == byObject && !isList:
			e.apply(object)
		default:
			list = append(list, operation{Op: "replace", Path: e.attr.target(), Value: e.value})
		}
	}
	if len(object) > 0 {
		list = append(list, operation{Op: "replace", Value: object})
	}
	return list
}

// withoutRemove is a PATCH that replaces by null what another one removes, and whether
// that removes anything.
func withoutRemove(operations []operation) (nulled []operation, removes bool) {
	nulled = slices.Clone(operations)
	for i, o := range nulled {
		if strings.EqualFold(o.Op, "remove") {
			nulled[i], removes = operation{Op: "replace", Path: o.Path, Value: json.RawMessage("null")}, true
		}
	}
	return nulled, removes
}

// capitalised is a PATCH with the operations' names as some services want them: "Add".
func capitalised(operations []operation) []operation {
	capitals := slices.Clone(operations)
	for i := range capitals {
		capitals[i].Op = strings.ToUpper(capitals[i].Op[:1]) + capitals[i].Op[1:]
	}
	return capitals
}

// apply makes the edit in a user.
func (e edit) apply(user resource) {
	if e.value != nil {
		user.put(e.value, e.attr.names()...)
		return
	}
	names := e.attr.names()
	last := len(names) - 1
	inner := map[string]any(user)
	if last > 0 {
		inner, _ = user.at(names[:last]...).(map[string]any)
	}
	delete(inner, spelled(inner, names[last]))
}

// replaced is the body of a PUT: the user as it was sent, less what only the
// service writes, with the edits made.
func replaced(user resource, all []edit) resource {
	body := resource{}
	maps.Copy(body, user)
	delete(body, spelled(body, "meta"))
	delete(body, spelled(body, "groups"))
	schemas, _ := body.at("schemas").([]any)
	schemas = slices.Clone(schemas)
	for _, e := range all {
		e.apply(body)
		if e.value != nil && e.attr.schema != "" && !slices.Contains(schemas, any(e.attr.schema)) {
			schemas = append(schemas, e.attr.schema)
		}
	}
	body.put(schemas, "schemas")
	return body
}
