package schemas

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Unknown lists the fields of a valid document that its schema does not name, by JSON
// pointer. It leaves out the fields of the document itself: that is an envelope, which
// others may extend.
func (s *Schema) Unknown(doc any) []string {
	envelope, _ := doc.(map[string]any)
	var found []string
	for _, name := range slices.Sorted(maps.Keys(envelope)) {
		if inner, ok := envelope[name].(map[string]any); ok {
			found = append(found, unknown(inner, subschemas(s.compiled, doc, name), name)...)
		}
	}
	return found
}

// unknown lists the unknown fields of one object, to which some schemas apply. If none of
// them names fields, there is nothing to compare with.
func unknown(object map[string]any, applied []*jsonschema.Schema, path ...string) []string {
	if !slices.ContainsFunc(applied, func(s *jsonschema.Schema) bool { return names(s, object) }) {
		return nil
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := append(slices.Clone(path), name)
		var below []*jsonschema.Schema
		for _, s := range applied {
			below = append(below, subschemas(s, object, name)...)
		}
		if len(below) == 0 {
			found = append(found, Pointer(at...))
			continue
		}
		if inner, ok := object[name].(map[string]any); ok {
			found = append(found, unknown(inner, below, at...)...)
		}
	}
	return found
}

// names reports whether a schema names the fields of an object.
func names(s *jsonschema.Schema, value any) bool {
	return slices.ContainsFunc(applying(s, value), func(s *jsonschema.Schema) bool {
		return s.Properties != nil || s.AdditionalProperties != nil
	})
}

// subschemas returns the schemas that apply to one field of a value.
func subschemas(s *jsonschema.Schema, value any, name string) []*jsonschema.Schema {
	var found []*jsonschema.Schema
	for _, s := range applying(s, value) {
		if p := s.Properties[name]; p != nil {
			found = append(found, p)
		} else if p, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
			found = append(found, p)
		}
	}
	return found
}

// applying returns a schema and the schemas that it applies to the same value.
func applying(s *jsonschema.Schema, value any) []*jsonschema.Schema {
	same := slices.Clone(s.AllOf)
	if s.Ref != nil {
		same = append(same, s.Ref)
	}
	if s.If != nil && s.Then != nil && s.If.Validate(value) == nil {
		same = append(same, s.Then)
	}
	found := make([]*jsonschema.Schema, 0, 1+len(same))
	found = append(found, s)
	for _, m := range same {
		found = append(found, applying(m, value)...)
	}
	return found
}
