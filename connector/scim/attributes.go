package scim

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// Schemas of RFC 7643 section 8.7 and messages of RFC 7644 section 8.2.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// attribute is the place of a mapped attribute in a SCIM user.
type attribute struct {
	schema string   // of an extension; empty for the core schema
	path   []string // one or two names
	shape  shape
}

// shape is how an attribute holds its value.
type shape int

const (
	single shape = iota // the value itself
	work                // a list: the attribute is its value of type "work"
	ref                 // an object whose "value" is a resource's ID
	raw                 // of any type, for attributes of unknown extension schemas
)

// attributes maps the names that doc.go lists to their places in a user.
var attributes = map[string]attribute{
	"displayName":          core("displayName"),
	"nickName":             core("nickName"),
	"title":                core("title"),
	"userType":             core("userType"),
	"profileUrl":           core("profileUrl"),
	"preferredLanguage":    core("preferredLanguage"),
	"locale":               core("locale"),
	"timezone":             core("timezone"),
	"name.formatted":       core("name", "formatted"),
	"name.givenName":       core("name", "givenName"),
	"name.middleName":      core("name", "middleName"),
	"name.familyName":      core("name", "familyName"),
	"name.honorificPrefix": core("name", "honorificPrefix"),
	"name.honorificSuffix": core("name", "honorificSuffix"),
	"emails":               {path: []string{"emails"}, shape: work},
	"phoneNumbers":         {path: []string{"phoneNumbers"}, shape: work},
	"employeeNumber":       enterprise("employeeNumber", single),
	"costCenter":           enterprise("costCenter", single),
	"organization":         enterprise("organization", single),
	"division":             enterprise("division", single),
	"department":           enterprise("department", single),
	"manager":              enterprise("manager", ref),
}

func core(path ...string) attribute { return attribute{path: path} }

func enterprise(name string, s shape) attribute {
	return attribute{schema: enterpriseSchema, path: []string{name}, shape: s}
}

// lookup returns the attribute that has a name in the configuration.
func lookup(op, name string) (attribute, error) {
	if known, ok := attributes[name]; ok {
		return known, nil
	}
	schema, attr, ok := cutSchema(name)
	if ok && schema == enterpriseSchema {
		if known, ok := attributes[attr]; ok && known.schema == schema {
			return known, nil
		}
	} else if ok && schema != userSchema {
		return attribute{schema: schema, path: []string{attr}, shape: raw}, nil
	}
	return attribute{}, connector.Invalid(op, "attribute %q is not known: use one of %s, or the full name of an extension's (urn:...:name)",
		name, strings.Join(slices.Sorted(maps.Keys(attributes)), ", "))
}

// cutSchema cuts "urn:a:b:2.0:User:name" into the schema and the name.
func cutSchema(name string) (schema, attr string, ok bool) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 || !strings.HasPrefix(strings.ToLower(name), "urn:") || i == len(name)-1 {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

// target returns the attribute as a path of a PATCH (RFC 7644 section 3.5.2).
func (a attribute) target() string {
	path := strings.Join(a.path, ".")
	if a.schema == "" {
		return path
	}
	return a.schema + ":" + path
}

// names returns the path to the attribute in a user.
func (a attribute) names() []string {
	if a.schema == "" {
		return a.path
	}
	return append([]string{a.schema}, a.path...)
}

// encode checks a mapped value and returns it in the form of SCIM. It returns nil for an
// empty value, which clears the attribute.
func (a attribute) encode(op, name string, value any) (any, error) {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case int64:
		if a.shape == raw {
			return v, nil
		}
		text = strconv.FormatInt(v, 10)
	case bool:
		if a.shape == raw {
			return v, nil
		}
		return nil, connector.Invalid(op, "attribute %q takes text, not true or false", name)
	case []string:
		if a.shape == raw && len(v) > 0 {
			return v, nil
		}
		if len(v) > 0 {
			return nil, connector.Invalid(op, "attribute %q takes one text, not a list", name)
		}
	default:
		return nil, connector.Invalid(op, "attribute %q must be a string, bool, int64 or list of strings, not %T", name, value)
	}
	if text == "" {
		return nil, nil
	}
	if a.shape == ref {
		return map[string]any{"value": text}, nil
	}
	return text, nil
}

// decode returns the attribute's value in a user, or nil if it has none.
func (a attribute) decode(user resource) any {
	if a.schema != "" {
		user, _ = user.at(a.schema).(map[string]any)
	}
	switch a.shape {
	case work:
		values, _ := user.list(a.path[0])
		if at := workIn(values); at >= 0 {
			return plain(values[at].at("value"))
		}
		return nil
	case ref:
		return plain(refersTo(user.at(a.path[0])))
	default:
		return plain(user.at(a.path...))
	}
}

// refersTo returns the ID of the resource that a value refers to. The value is an object;
// some services send the ID alone or a list, against RFC 7643.
func refersTo(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return resource(value).value()
	case []any:
		if len(value) > 0 {
			return refersTo(value[0])
		}
		return nil
	}
	return value
}

// Keeps implements connector.Connector. It ignores the case (caseExact is false unless a
// schema says otherwise, RFC 7643 section 2.2), except in the IDs of resources.
func (c *client) Keeps(_ context.Context, account connector.Account, name string, set any) (bool, error) {
	attr, err := lookup(connector.OpRead, name)
	if err != nil {
		return false, err
	}
	if attr.schema == enterpriseSchema {
		name = attr.path[0] // the name that decodeAttributes uses
	}
	shown := account.Attribute(name)
	switch {
	case attr.shape == ref:
		id, _ := shown.(string)
		wanted, _ := set.(string)
		return sameID(id, wanted), nil
	case slices.Contains(languages, name):
		return account.Shows(language(set), language(shown)), nil
	}
	return account.Shows(set, shown), nil
}

// languages lists the attributes whose values are language tags. Services use different
// separators between the subtags.
var languages = []string{"locale", "preferredLanguage"}

func language(value any) any {
	if tag, ok := value.(string); ok {
		return strings.ReplaceAll(tag, "_", "-")
	}
	return value
}

// workIn returns the index of the value that is mapped, or -1 if there is none. It is the one
// of type "work". Services that keep no types show it as the primary one or as the first;
// some show every value as "other".
func workIn(values []resource) int {
	kinds := 0
	for i, value := range values {
		kind := value.text("type")
		if strings.EqualFold(kind, "work") {
			return i
		}
		if kind != "" {
			kinds++
		}
	}
	primary := slices.IndexFunc(values, func(v resource) bool {
		kind := v.text("type")
		return (kind == "" || strings.EqualFold(kind, "other")) && v.at("primary") == true
	})
	if primary < 0 && kinds == 0 && len(values) > 0 {
		return 0
	}
	return primary
}

// withWork returns a list with its work value replaced or added, or removed if value is nil.
// The other values stay as they are, except that only the work value is primary.
func withWork(old []resource, value any) []resource {
	at := workIn(old)
	if value == nil {
		if at < 0 {
			return old
		}
		return slices.Delete(slices.Clone(old), at, at+1)
	}
	work := resource{"type": "work"}
	var list []resource
	for i, entry := range old {
		entry = maps.Clone(entry)
		delete(entry, "primary")
		if i == at {
			work = entry
		}
		list = append(list, entry)
	}
	if at < 0 {
		list = append(list, work)
	}
	work["value"], work["primary"] = value, true
	delete(work, "display") // it may describe the old value
	return list
}

// decodeAttributes returns every mapped attribute that a user has.
func decodeAttributes(user resource) map[string]any {
	decoded := map[string]any{}
	for name, attr := range attributes {
		if value := attr.decode(user); value != nil && value != "" {
			decoded[name] = value
		}
	}
	for schema, extension := range user {
		values, ok := extension.(map[string]any)
		if !ok || strings.EqualFold(schema, enterpriseSchema) || !strings.HasPrefix(strings.ToLower(schema), "urn:") {
			continue
		}
		for name, value := range values {
			if value := plain(value); value != nil && value != "" {
				decoded[schema+":"+name] = value
			}
		}
	}
	return decoded
}
