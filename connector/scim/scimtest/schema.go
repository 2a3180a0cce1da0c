package scimtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Schemas of RFC 7643 section 8.7 and messages of RFC 7644 section 8.2.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	listSchema       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorSchema      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// attribute describes an attribute as RFC 7643 section 7 does. /Schemas serves it in
// this form.
type attribute struct {
	Name       string      `json:"name"`
	Type       string      `json:"type"` // string, boolean, complex, reference, dateTime
	Multi      bool        `json:"multiValued"`
	Required   bool        `json:"required"`
	CaseExact  bool        `json:"caseExact"`
	Mutability string      `json:"mutability"` // readWrite, readOnly
	Returned   string      `json:"returned"`
	Uniqueness string      `json:"uniqueness"` // none, server
	Sub        []attribute `json:"subAttributes,omitempty"`
}

func attr(name, kind string) attribute {
	return attribute{Name: name, Type: kind, Mutability: "readWrite", Returned: "default", Uniqueness: "none"}
}

func texts(names ...string) []attribute {
	attrs := make([]attribute, 0, len(names))
	for _, name := range names {
		attrs = append(attrs, attr(name, "string"))
	}
	return attrs
}

func compound(name string, multi bool, sub ...attribute) attribute {
	a := attr(name, "complex")
	a.Multi, a.Sub = multi, sub
	return a
}

func unique(a attribute) attribute { a.Required, a.Uniqueness = true, "server"; return a }

func exact(a attribute) attribute { a.CaseExact = true; return a }

func readOnly(a attribute) attribute {
	a.Mutability = "readOnly"
	a.Sub = slices.Clone(a.Sub)
	for i := range a.Sub {
		a.Sub[i] = readOnly(a.Sub[i])
	}
	return a
}

// plural returns an attribute that is a list of values, each with a type (RFC 7643
// section 2.4).
func plural(name string) attribute {
	return compound(name, true, append(texts("value", "display", "type"), attr("primary", "boolean"))...)
}

// common lists the attributes that every resource has.
var common = []attribute{
	readOnly(exact(unique(attr("id", "string")))),
	exact(attr("externalId", "string")),
	readOnly(compound("meta", false, exact(attr("resourceType", "string")), attr("created", "dateTime"),
		attr("lastModified", "dateTime"), exact(attr("location", "reference")), exact(attr("version", "string")))),
}

var userAttributes = slices.Concat(
	[]attribute{unique(attr("userName", "string"))},
	[]attribute{compound("name", false, texts("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")...)},
	texts("displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone"),
	[]attribute{
		attr("profileUrl", "reference"), attr("active", "boolean"), plural("emails"), plural("phoneNumbers"),
		plural("roles"), plural("entitlements"),
		readOnly(compound("groups", true, exact(attr("value", "string")), attr("$ref", "reference"), attr("display", "string"), attr("type", "string"))),
	},
)

var enterpriseAttributes = append(
	texts("employeeNumber", "costCenter", "organization", "division", "department"),
	compound("manager", false, exact(attr("value", "string")), attr("$ref", "reference"), readOnly(attr("displayName", "string"))),
)

var groupAttributes = []attribute{
	required(attr("displayName", "string")),
	compound("members", true, exact(attr("value", "string")), attr("$ref", "reference"), attr("display", "string"), attr("type", "string")),
}

func required(a attribute) attribute { a.Required = true; return a }

// resourceType is one of the two kinds of resource that the service has.
type resourceType struct {
	name     string // "User"
	endpoint string // "/Users"
	schema   string
	// attributes lists all attributes that a resource can have. An extension is a
	// complex attribute whose name is the schema.
	attributes []attribute
}

var (
	userType = resourceType{"User", "/Users", userSchema,
		slices.Concat(common, userAttributes, []attribute{compound(enterpriseSchema, false, enterpriseAttributes...)})}
	groupType = resourceType{"Group", "/Groups", groupSchema, slices.Concat(common, groupAttributes)}
)

// find returns the attribute of that name. Names ignore case (RFC 7643 section 2.1).
func find(attrs []attribute, name string) (attribute, bool) {
	i := slices.IndexFunc(attrs, func(a attribute) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return attribute{}, false
	}
	return attrs[i], true
}

// canonical checks an object that a client sent against the schema, and returns
// it with the schema's spelling of names. It leaves out unassigned attributes (null,
// empty list). It refuses read-only attributes if strict is set, and else leaves them
// out.
func canonical(attrs []attribute, sent map[string]any, strict bool) (map[string]any, error) {
	clean := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		a, known := find(attrs, name)
		switch {
		case !known:
			return nil, badRequest("invalidSyntax", "attribute %s is not known", name)
		case a.Mutability == "readOnly" && strict:
			return nil, badRequest("mutability", "attribute %s is read-only", name)
		case a.Mutability == "readOnly":
			continue
		}
		if _, twice := clean[a.Name]; twice {
			return nil, badRequest("invalidSyntax", "attribute %s is there twice", name)
		}
		value, err := a.check(sent[name], strict)
		if err != nil {
			return nil, err
		}
		if !unassigned(value) {
			clean[a.Name] = value
		}
	}
	return clean, nil
}

// check checks the whole value of an attribute.
func (a attribute) check(value any, strict bool) (any, error) {
	if value == nil || !a.Multi {
		return a.checkOne(value, strict)
	}
	list, ok := value.([]any)
	if !ok {
		return nil, badRequest("invalidValue", "attribute %s takes a list, not %v", a.Name, value)
	}
	clean := make([]any, 0, len(list))
	primaries := 0
	for _, item := range list {
		item, err := a.checkOne(item, strict)
		if err != nil {
			return nil, err
		}
		if unassigned(item) {
			continue
		}
		if isPrimary(item) {
			primaries++
		}
		clean = append(clean, item)
	}
	if primaries > 1 {
		return nil, badRequest("invalidValue", "attribute %s has more than one primary value", a.Name)
	}
	return clean, nil
}

// checkOne checks one value of an attribute.
func (a attribute) checkOne(value any, strict bool) (any, error) {
	if value == nil {
		return nil, nil
	}
	ok := false
	switch a.Type {
	case "boolean":
		_, ok = value.(bool)
	case "complex":
		if object, isObject := value.(map[string]any); isObject {
			return canonical(a.Sub, object, strict)
		}
	default:
		_, ok = value.(string)
	}
	if !ok {
		return nil, badRequest("invalidValue", "attribute %s takes a %s, not %T %v", a.Name, a.Type, value, value)
	}
	return value, nil
}

// complete returns an error if a resource lacks an attribute that its type requires.
func (t resourceType) complete(attrs map[string]any) error {
	for _, a := range t.attributes {
		text, _ := attrs[a.Name].(string)
		if a.Required && a.Mutability != "readOnly" && strings.TrimSpace(text) == "" {
			return badRequest("invalidValue", "attribute %s is required", a.Name)
		}
	}
	return nil
}

// unassigned reports whether a value counts as none (RFC 7643 section 2.5).
func unassigned(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}

func isPrimary(value any) bool {
	object, _ := value.(map[string]any)
	return object["primary"] == true
}

func badRequest(scimType, format string, args ...any) *failure {
	return &failure{status: 400, scimType: scimType, detail: fmt.Sprintf(format, args...)}
}
