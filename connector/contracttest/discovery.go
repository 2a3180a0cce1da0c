package contracttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ReadDiscovery reads discovery documents of Google's APIs. name says which they are. The
// documents say nothing of errors: those are held to the form that Google's pages describe
// (https://developers.google.com/workspace/admin/directory/v1/limits, section "Handling API
// errors"; https://cloud.google.com/apis/design/errors#http_mapping).
func ReadDiscovery(name string, documents ...[]byte) (*Contract, error) {
	paths, schemas := map[string]any{}, map[string]any{}
	for _, document := range documents {
		var d discovery
		if err := json.Unmarshal(document, &d); err != nil {
			return nil, err
		}
		if d.DiscoveryVersion != "v1" {
			return nil, fmt.Errorf("%s is no discovery document of version 1", name)
		}
		d.prefix = d.ID + " " // several documents have schemas of the same name
		for schema, declared := range d.Schemas {
			schemas[d.prefix+schema] = d.schema(declared)
		}
		d.add(paths, d.Resources)
	}
	schemas["Error"] = googleError()
	return fromOpenAPI(name, paths, schemas)
}

// fromOpenAPI returns the contract of an OpenAPI document that was made of another.
func fromOpenAPI(name string, paths, schemas map[string]any) (*Contract, error) {
	document, err := json.Marshal(map[string]any{
		"openapi": "3.0.3", "paths": paths, "components": map[string]any{"schemas": schemas},
	})
	if err != nil {
		return nil, err
	}
	return ReadOpenAPI(name, document)
}

// discovery is the part of a discovery document that is needed, see
// https://developers.google.com/discovery/v1/reference/apis.
type discovery struct {
	DiscoveryVersion, ID, ServicePath string
	Parameters                        map[string]discoveryParameter
	Schemas                           map[string]map[string]any
	Resources                         map[string]discoveryResource

	prefix string
}

type discoveryResource struct {
	Methods   map[string]discoveryMethod
	Resources map[string]discoveryResource
}

type discoveryMethod struct {
	ID, HTTPMethod, FlatPath, Path string
	Parameters                     map[string]discoveryParameter
	Request, Response              *struct {
		Ref string `json:"$ref"`
	}
}

type discoveryParameter struct {
	Location, Type string
	Enum           []string
	Required       bool
}

// add adds the methods of resources to the paths of an OpenAPI document.
func (d discovery) add(paths map[string]any, resources map[string]discoveryResource) {
	for _, resource := range resources {
		for _, method := range resource.Methods {
			path := "/" + d.ServicePath + method.Path
			if method.FlatPath != "" {
				path = "/" + d.ServicePath + method.FlatPath
			}
			item, ok := paths[path].(map[string]any)
			if !ok {
				item = map[string]any{}
				paths[path] = item
			}
			item[strings.ToLower(method.HTTPMethod)] = d.operation(method)
		}
		d.add(paths, resource.Resources)
	}
}

func (d discovery) operation(method discoveryMethod) map[string]any {
	answer := map[string]any{}
	if method.Response != nil {
		answer["content"] = inJSON(d.ref(method.Response.Ref))
	}
	operation := map[string]any{
		"parameters": d.parameters(method),
		"responses":  map[string]any{"2XX": answer, "4XX": map[string]any{"content": inJSON(refTo("Error"))}},
	}
	if method.Request != nil {
		wanted := map[string]any{"allOf": []any{d.ref(method.Request.Ref), map[string]any{"required": d.required(method)}}}
		operation["requestBody"] = map[string]any{"required": true, "content": inJSON(wanted)}
	}
	return operation
}

// required returns the members of a request that its schema says this method needs.
func (d discovery) required(method discoveryMethod) []string {
	names := []string{}
	for name, declared := range object(d.Schemas[method.Request.Ref], "properties") {
		member, _ := declared.(map[string]any)
		needing, _ := object(member, "annotations")["required"].([]any)
		if slices.Contains(needing, any(method.ID)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d discovery) parameters(method discoveryMethod) []any {
	list := []any{}
	for _, declared := range []map[string]discoveryParameter{d.Parameters, method.Parameters} {
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			p := declared[name]
			schema := map[string]any{"type": p.Type}
			if p.Enum != nil {
				schema["enum"] = p.Enum
			}
			list = append(list, map[string]any{"in": p.Location, "name": name, "required": p.Required, "schema": schema})
		}
	}
	return list
}

// schema returns a schema of the document as one of OpenAPI.
func (d discovery) schema(declared map[string]any) map[string]any {
	if ref := text(declared, "$ref"); ref != "" {
		return d.ref(ref)
	}
	schema := map[string]any{}
	for _, keyword := range []string{"type", "format", "enum", "readOnly", "pattern"} {
		if value, ok := declared[keyword]; ok && value != "any" {
			schema[keyword] = value
		}
	}
	for _, keyword := range []string{"items", "additionalProperties"} {
		if inner := object(declared, keyword); inner != nil {
			schema[keyword] = d.schema(inner)
		}
	}
	if members := object(declared, "properties"); members != nil {
		properties := map[string]any{}
		for name := range members {
			properties[name] = d.schema(object(members, name))
		}
		schema["properties"] = properties
	}
	return schema
}

func (d discovery) ref(name string) map[string]any { return refTo(d.prefix + name) }

func refTo(name string) map[string]any { return map[string]any{"$ref": "#/components/schemas/" + name} }

// inJSON returns the content of a body that is JSON.
func inJSON(schema map[string]any) map[string]any {
	return map[string]any{"application/json": map[string]any{"schema": schema}}
}

func googleError() map[string]any {
	word := map[string]any{"type": "string"}
	return objectOf(map[string]any{"error": objectOf(map[string]any{
		"code": map[string]any{"type": "integer"}, "message": word, "status": word,
		"errors": map[string]any{"type": "array", "items": objectOf(map[string]any{
			"domain": word, "reason": word, "message": word, "location": word, "locationType": word, "extendedHelp": word,
		}, "reason", "message")},
		"details": map[string]any{"type": "array", "items": map[string]any{"type": "object"}},
	}, "code", "message")}, "error")
}

func objectOf(properties map[string]any, required ...string) map[string]any {
	return map[string]any{"type": "object", "properties": properties, "required": append([]string{}, required...)}
}
