package scim

import (
	"maps"
	"slices"

	"github.com/tenurehq/tenure/connector"
)

// operation is one operation of a PATCH.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

func patch(operations ...operation) any {
	return struct {
		Schemas    []string    `json:"schemas"`
		Operations []operation `json:"Operations"`
	}{[]string{patchSchema}, operations}
}

// changes are the operations that set the given attributes. current reads the
// account, and is asked only if a list has to be changed, which is replaced as a
// whole: a path with a filter fails in an account that has no such value yet.
func changes(given map[string]any, current func() (resource, error)) ([]operation, error) {
	var operations []operation
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
		if value == nil {
			operations = append(operations, operation{Op: "remove", Path: attr.target()})
			continue
		}
		operations = append(operations, operation{Op: "replace", Path: attr.target(), Value: value})
	}
	return operations, nil
}
