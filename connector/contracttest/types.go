package contracttest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ReadTypes reads a TypeScript declaration file of interfaces and unions of literals, in which
// Microsoft publishes the types of Graph. name says which it is. Such a file names members and
// their types. It knows of no paths and parameters, and of nothing that has to be there: routes
// says where which type goes.
func ReadTypes(name, declarations string, routes []Route) (*Contract, error) {
	types, err := readTypes(declarations)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	types["Error"] = graphError()
	paths := map[string]any{}
	for _, route := range routes {
		item, ok := paths[route.Path].(map[string]any)
		if !ok {
			item = map[string]any{}
			paths[route.Path] = item
		}
		declared, err := route.operation(types)
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: %w", name, route.Method, route.Path, err)
		}
		item[strings.ToLower(route.Method)] = declared
	}
	return fromOpenAPI(name, paths, types)
}

// Route is an operation of which the types are known and the rest is ours, taken from the
// vendor's page of that operation.
type Route struct {
	Method, Path string
	// Sends and Gives are types: "User", "User[]" for a page of them, or an object whose members
	// are types, "{addLicenses: AssignedLicense[], removeLicenses: string[]}". Each member of
	// such an object is required unless its name ends in "?". Empty if there is no body.
	Sends, Gives string
	// Query lists the parameters besides $select and $expand, which hold members of Gives.
	Query []string
	// Status is that of success; empty for any.
	Status string
}

func (r Route) operation(types map[string]any) (map[string]any, error) {
	answer := map[string]any{}
	if r.Gives != "" {
		given, err := bodyOf(r.Gives, types)
		if err != nil {
			return nil, err
		}
		answer["content"] = inJSON(given)
	}
	status := r.Status
	if status == "" {
		status = "2XX"
	}
	operation := map[string]any{
		"parameters": r.parameters(types),
		"responses":  map[string]any{status: answer, "4XX": map[string]any{"content": inJSON(refTo("Error"))}},
	}
	if r.Sends != "" {
		sent, err := bodyOf(r.Sends, types)
		if err != nil {
			return nil, err
		}
		operation["requestBody"] = map[string]any{"required": true, "content": inJSON(sent)}
	}
	return operation, nil
}

func (r Route) parameters(types map[string]any) []any {
	list := []any{}
	for _, name := range r.Query {
		list = append(list, map[string]any{"in": "query", "name": name, "schema": map[string]any{}})
	}
	if members := membersOf(strings.TrimSuffix(r.Gives, "[]"), types); len(members) > 0 {
		one := map[string]any{"type": "string", "enum": members}
		list = append(list,
			map[string]any{"in": "query", "name": "$select", "schema": map[string]any{"type": "array", "items": one}},
			map[string]any{"in": "query", "name": "$expand", "schema": map[string]any{"type": "string"}})
	}
	return list
}

// membersOf returns the names of a type's members and of those that it extends.
func membersOf(name string, types map[string]any) []string {
	declared, _ := types[name].(map[string]any)
	parts, _ := declared["allOf"].([]any)
	var names []string
	for _, part := range parts {
		of, _ := part.(map[string]any)
		names = append(names, slices.Collect(maps.Keys(object(of, "properties")))...)
		if base, ok := strings.CutPrefix(text(of, "$ref"), "#/components/schemas/"); ok {
			names = append(names, membersOf(base, types)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// bodyOf returns the schema of a body that Route names.
func bodyOf(declared string, types map[string]any) (map[string]any, error) {
	if item, ok := strings.CutSuffix(declared, "[]"); ok {
		one, err := bodyOf(item, types)
		if err != nil {
			return nil, err
		}
		// A page, see https://learn.microsoft.com/en-us/graph/paging.
		return annotated(objectOf(map[string]any{"value": map[string]any{"type": "array", "items": one}}, "value")), nil
	}
	inner, ok := strings.CutPrefix(declared, "{")
	if !ok {
		if types[declared] == nil {
			return nil, fmt.Errorf("there is no type %s", declared)
		}
		return refTo(declared), nil
	}
	properties, required := map[string]any{}, []string{}
	for member := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(member), ": ")
		name, optional := strings.CutSuffix(name, "?")
		properties[name] = typeOf(kind)
		if !optional {
			required = append(required, name)
		}
	}
	return annotated(objectOf(properties, required...)), nil
}

var (
	interfaceLine = regexp.MustCompile(`^ *export interface (\w+)(?: extends ([\w.]+))? \{(\})?$`)
	unionLine     = regexp.MustCompile(`(?s)^ *export type (\w+) =(.*);$`)
	memberLine    = regexp.MustCompile(`(?s)^ *["']?([\w@.]+)["']?\??: *(.*);$`)
	literal       = regexp.MustCompile(`"([^"]*)"`)
	comment       = regexp.MustCompile(`(?m)^ *(//.*|/?\*.*)$`)
)

// readTypes returns the exported types of a declaration file as schemas of OpenAPI, by name
// without the namespace. Where two have the same name, the first stands.
func readTypes(declarations string) (map[string]any, error) {
	types := map[string]any{}
	var name, base string
	var members map[string]any
	var statement strings.Builder
	for line := range strings.Lines(comment.ReplaceAllString(declarations, "")) {
		line = strings.TrimRight(line, "\r\n ")
		if head := interfaceLine.FindStringSubmatch(line); head != nil {
			name, base, members = head[1], head[2], map[string]any{}
			if head[3] == "" {
				continue
			}
		}
		if closing := strings.TrimSpace(line); closing == "}" || strings.HasSuffix(line, "{}") && name != "" {
			if name != "" && types[name] == nil {
				types[name] = extending(base, members)
			}
			name = ""
			continue
		}
		statement.WriteString(line + " ")
		whole := strings.TrimSpace(statement.String())
		if !strings.HasSuffix(whole, ";") && !strings.HasSuffix(whole, "{") && whole != "" {
			continue // it goes on in the next line
		}
		statement.Reset()
		if union := unionLine.FindStringSubmatch(whole); union != nil && types[union[1]] == nil {
			types[union[1]] = unionOf(union[2])
		} else if member := memberLine.FindStringSubmatch(whole); member != nil && name != "" {
			members[member[1]] = typeOf(member[2])
		}
	}
	if len(types) == 0 {
		return nil, fmt.Errorf("there are no types")
	}
	for _, known := range types {
		resolve(known, types)
	}
	return types, nil
}

// extending returns the schema of an interface.
func extending(base string, members map[string]any) map[string]any {
	own := annotated(map[string]any{"type": "object", "properties": members})
	if base == "" {
		return map[string]any{"allOf": []any{own}}
	}
	return map[string]any{"allOf": []any{refTo(base[strings.LastIndexByte(base, '.')+1:]), own}}
}

// annotated lets an object have annotations beside its members ("@odata.type",
// "manager@odata.bind"), see https://docs.oasis-open.org/odata/odata-json-format/v4.01/.
func annotated(schema map[string]any) map[string]any {
	schema["patternProperties"] = map[string]any{"@": map[string]any{}}
	return schema
}

// unionOf returns the schema of a union: of literals, or of anything.
func unionOf(of string) map[string]any {
	values := []string{}
	for _, match := range literal.FindAllStringSubmatch(of, -1) {
		values = append(values, match[1])
	}
	if len(values) == 0 {
		return map[string]any{}
	}
	return map[string]any{"type": "string", "enum": values}
}

// typeOf returns the schema of a type.
func typeOf(declared string) map[string]any {
	declared = strings.TrimSpace(declared)
	if inner, ok := strings.CutPrefix(declared, "NullableOption<"); ok {
		schema := typeOf(strings.TrimSuffix(inner, ">"))
		return map[string]any{"nullable": true, "allOf": []any{schema}}
	}
	if item, ok := strings.CutSuffix(declared, "[]"); ok {
		return map[string]any{"type": "array", "items": typeOf(strings.Trim(item, "()"))}
	}
	switch declared {
	case "string", "number", "boolean":
		return map[string]any{"type": declared}
	case "null":
		return map[string]any{"nullable": true, "enum": []any{}}
	}
	if regexp.MustCompile(`^[\w.]+$`).MatchString(declared) && declared != "any" {
		return refTo(declared[strings.LastIndexByte(declared, '.')+1:])
	}
	return unionOf(declared)
}

// resolve replaces references to types that there are not with schemas that take anything.
func resolve(schema any, types map[string]any) {
	switch s := schema.(type) {
	case map[string]any:
		if name, ok := strings.CutPrefix(text(s, "$ref"), "#/components/schemas/"); ok && types[name] == nil {
			delete(s, "$ref")
		}
		for _, inner := range s {
			resolve(inner, types)
		}
	case []any:
		for _, inner := range s {
			resolve(inner, types)
		}
	}
}

// graphError is the form of Graph's errors, see
// https://learn.microsoft.com/en-us/graph/errors#json-representation.
func graphError() map[string]any {
	word := map[string]any{"type": "string"}
	return objectOf(map[string]any{"error": objectOf(map[string]any{
		"code": word, "message": word, "target": word, "innerError": map[string]any{"type": "object"},
		"details": map[string]any{"type": "array", "items": objectOf(map[string]any{"code": word, "message": word, "target": word})},
	}, "code", "message")}, "error")
}
