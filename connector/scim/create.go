package scim

import (
	"maps"
	"slices"

	"github.com/tenurehq/tenure/connector"
)

// newUser is the body of a POST that makes an account.
func newUser(spec connector.Spec) (resource, error) {
	schemas := []string{userSchema}
	user := resource{"userName": spec.Username, "active": spec.Active}
	if spec.PersonID != "" {
		user["externalId"] = spec.PersonID
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Attributes)) {
		attr, err := lookup(connector.OpCreate, name)
		if err != nil {
			return nil, err
		}
		value, err := attr.encode(connector.OpCreate, name, spec.Attributes[name])
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if attr.shape == work {
			value = withWork(nil, value)
		}
		if attr.schema != "" && !slices.Contains(schemas, attr.schema) {
			schemas = append(schemas, attr.schema)
		}
		user.put(value, attr.names()...)
	}
	user["schemas"] = schemas
	return user, nil
}

// put sets the value at a path, making the objects on the way.
func (r resource) put(value any, path ...string) {
	inner := map[string]any(r)
	for _, name := range path[:len(path)-1] {
		name = spelled(inner, name)
		next, ok := inner[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			inner[name] = next
		}
		inner = next
	}
	inner[spelled(inner, path[len(path)-1])] = value
}
