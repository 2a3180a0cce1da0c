package contracttest

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// unknown returns the members of a value that no schema of these has. A contract leaves its
// objects open, so that a validation takes them. Where a schema offers alternatives, a member
// of any of them is known. An object of which no schema names a member may have any.
func unknown(schemas []*jsonschema.Schema, value any, at string) []Breach {
	schemas = expand(schemas)
	var breaches []Breach
	switch v := value.(type) {
	case []any:
		var items []*jsonschema.Schema
		for _, s := range schemas {
			if s.Items2020 != nil {
				items = append(items, s.Items2020)
			}
		}
		for _, item := range v {
			breaches = append(breaches, unknown(items, item, at+"/*")...)
		}
	case map[string]any:
		named := slices.ContainsFunc(schemas, func(s *jsonschema.Schema) bool { return len(s.Properties) > 0 })
		for _, name := range slices.Sorted(maps.Keys(v)) {
			of, known := member(schemas, name)
			if named && !known {
				breaches = append(breaches, Breach{At: at + "/" + name, Problem: "is no member that the contract has"})
			}
			breaches = append(breaches, unknown(of, v[name], at+"/"+name)...)
		}
	}
	return breaches
}

// member returns the schemas of a member, and whether one of schemas knows it.
func member(schemas []*jsonschema.Schema, name string) (of []*jsonschema.Schema, known bool) {
	for _, s := range schemas {
		if property := s.Properties[name]; property != nil {
			of, known = append(of, property), true
		}
		for pattern, property := range s.PatternProperties {
			if pattern.MatchString(name) {
				of, known = append(of, property), true
			}
		}
	}
	if known {
		return of, true
	}
	for _, s := range schemas {
		switch other := s.AdditionalProperties.(type) {
		case bool:
			known = known || other
		case *jsonschema.Schema:
			of, known = append(of, other), true
		}
	}
	return of, known
}

// expand returns schemas and all that they refer to or are composed of.
func expand(schemas []*jsonschema.Schema) []*jsonschema.Schema {
	var all []*jsonschema.Schema
	seen := map[*jsonschema.Schema]bool{}
	var add func(*jsonschema.Schema)
	add = func(s *jsonschema.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		all = append(all, s)
		add(s.Ref)
		for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
			add(part)
		}
	}
	for _, s := range schemas {
		add(s)
	}
	return all
}
