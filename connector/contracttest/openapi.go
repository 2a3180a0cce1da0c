package contracttest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ReadOpenAPI reads an OpenAPI 3.0 document in JSON. name says which document it is.
func ReadOpenAPI(name string, document []byte) (*Contract, error) {
	c := &Contract{Document: name}
	for of := range c.sides {
		// Each side has a document of its own: what is read-only is missing from requests,
		// what is write-only from answers.
		parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		if err != nil {
			return nil, err
		}
		root, _ := parsed.(map[string]any)
		if version := text(root, "openapi"); !strings.HasPrefix(version, "3.0") {
			return nil, fmt.Errorf("%s is no document of OpenAPI 3.0", name)
		}
		api := openAPI{root: root, of: of}
		operations := api.operations()
		if of == ofRequest {
			c.operations = operations
		}
		api.components()
		if c.sides[of], err = newSide(root); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// openAPI turns an OpenAPI document into one of JSON Schema, in place, for one side.
type openAPI struct {
	root map[string]any
	of   int
}

var methods = []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodHead, http.MethodPatch}

// operations returns the operations of the document, and turns their schemas.
func (d openAPI) operations() []*operation {
	var list []*operation
	paths := object(d.root, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := object(paths, path)
		for _, method := range methods {
			if declared := object(item, strings.ToLower(method)); declared != nil {
				list = append(list, d.operation(method, path, item, declared))
			}
		}
	}
	return list
}

func (d openAPI) operation(method, path string, item, declared map[string]any) *operation {
	o := &operation{
		method: method, path: strings.Split(strings.Trim(path, "/"), "/"),
		query: map[string]string{}, request: map[string]string{}, answers: map[string]map[string]string{},
	}
	at := []string{"paths", path, strings.ToLower(method)}
	d.parameters(o, []string{"paths", path}, item)
	d.parameters(o, at, declared)
	if body, location := d.follow(declared["requestBody"], append(slices.Clone(at), "requestBody")); body != nil {
		o.needsBody, _ = body["required"].(bool)
		o.request = d.content(body, location)
	}
	for status, answer := range object(declared, "responses") {
		body, location := d.follow(answer, append(slices.Clone(at), "responses", status))
		o.answers[strings.ToUpper(status)] = d.content(body, location)
		if status == "default" {
			o.answers["default"] = o.answers["DEFAULT"]
		}
	}
	return o
}

// parameters adds the parameters of the query that are declared at a place.
func (d openAPI) parameters(o *operation, at []string, declared map[string]any) {
	list, _ := declared["parameters"].([]any)
	for i, entry := range list {
		parameter, location := d.follow(entry, append(slices.Clone(at), "parameters", fmt.Sprint(i)))
		if text(parameter, "in") != "query" {
			continue
		}
		name := text(parameter, "name")
		o.query[name] = ""
		if schema := object(parameter, "schema"); schema != nil {
			d.turn(schema)
			o.query[name] = pointer(append(location, "schema")...)
		}
		if required, _ := parameter["required"].(bool); required {
			o.needsQuery = append(o.needsQuery, name)
		}
	}
}

// content returns the schemas of a body by media type.
func (d openAPI) content(body map[string]any, at []string) map[string]string {
	media := map[string]string{}
	for kind, entry := range object(body, "content") {
		media[kind] = ""
		declared, _ := entry.(map[string]any)
		if schema := object(declared, "schema"); schema != nil {
			d.turn(schema)
			media[kind] = pointer(append(slices.Clone(at), "content", kind, "schema")...)
		}
	}
	return media
}

// follow returns the object that value is or refers to, and where that is.
func (d openAPI) follow(value any, at []string) (map[string]any, []string) {
	o, _ := value.(map[string]any)
	ref := text(o, "$ref")
	if ref == "" {
		return o, at
	}
	at = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	o = d.root
	for i, name := range at {
		at[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		o = object(o, at[i])
	}
	return o, at
}

// components turns the schemas that others refer to.
func (d openAPI) components() {
	schemas := object(object(d.root, "components"), "schemas")
	for name := range schemas {
		d.turn(object(schemas, name))
	}
}

// turn makes a schema of OpenAPI 3.0 one of JSON Schema 2020-12.
// It may be called again for one that it has turned: several operations may share a body.
func (d openAPI) turn(schema map[string]any) {
	if schema == nil {
		return
	}
	if ref := text(schema, "$ref"); ref != "" {
		clear(schema) // what stands beside a reference is ignored
		schema["$ref"] = ref
		return
	}
	d.members(schema)
	for _, keyword := range []string{"items", "additionalProperties", "not"} {
		d.turn(object(schema, keyword))
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		branches, _ := schema[keyword].([]any)
		for _, branch := range branches {
			if inner, ok := branch.(map[string]any); ok {
				d.turn(inner)
			}
		}
	}
	if branches := schema["oneOf"]; branches != nil && schema["anyOf"] == nil {
		// The vendors' alternatives overlap: more than one may fit.
		schema["anyOf"] = branches
		delete(schema, "oneOf")
	}
	turnNumbers(schema)
	turnPattern(schema)
	turnNullable(schema)
}

// members turns the properties of a schema, and takes those away that this side does not have.
func (d openAPI) members(schema map[string]any) {
	required, _ := schema["required"].([]any)
	properties := object(schema, "properties")
	for name := range properties {
		member := object(properties, name)
		readOnly, _ := member["readOnly"].(bool)
		writeOnly, _ := member["writeOnly"].(bool)
		if readOnly && d.of == ofRequest || writeOnly && d.of == ofAnswer {
			delete(properties, name)
			required = slices.DeleteFunc(required, func(other any) bool { return other == name })
			continue
		}
		d.turn(member)
	}
	if schema["required"] != nil {
		schema["required"] = append([]any{}, required...)
	}
}

// turnNumbers turns a bound that is a boolean in OpenAPI 3.0 into one that is a number.
func turnNumbers(schema map[string]any) {
	for exclusive, bound := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if is, ok := schema[exclusive].(bool); ok {
			delete(schema, exclusive)
			if is {
				schema[exclusive] = schema[bound]
				delete(schema, bound)
			}
		}
	}
}

// turnPattern drops a pattern that Go's regular expressions cannot express.
func turnPattern(schema map[string]any) {
	if pattern := text(schema, "pattern"); pattern != "" {
		if _, err := regexp.Compile(pattern); err != nil {
			delete(schema, "pattern")
		}
	}
}

// turnNullable makes null a type.
func turnNullable(schema map[string]any) {
	nullable, _ := schema["nullable"].(bool)
	delete(schema, "nullable")
	if !nullable {
		return
	}
	if values, ok := schema["enum"].([]any); ok && !slices.Contains(values, nil) {
		schema["enum"] = append(values, nil)
	}
	if kind := text(schema, "type"); kind != "" {
		schema["type"] = []any{kind, "null"}
		return
	}
	inner := maps.Clone(schema)
	clear(schema)
	schema["anyOf"] = []any{inner, map[string]any{"type": "null"}}
}

// object returns the object of that name in another; nil if there is none.
func object(in map[string]any, name string) map[string]any {
	o, _ := in[name].(map[string]any)
	return o
}

// text returns the text of that name in an object; "" if there is none.
func text(in map[string]any, name string) string {
	s, _ := in[name].(string)
	return s
}
