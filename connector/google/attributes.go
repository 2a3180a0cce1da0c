package google

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

const (
	employeeNumber = "employeeNumber"
	managerName    = "manager"
	aliasesName    = "aliases"
	customPrefix   = "customSchemas."
)

// place says where a user has an attribute: in a member of the user; in a member of an
// object; or in a member of one entry of a list, the one of a type or the primary one.
type place struct {
	object string // the object that has the member; empty for the user itself
	list   string // the list that has the entry
	kind   string // the type of the entry; empty for the primary one
	member string
	flag   bool // it is true or false
}

// externalIDTypes are the types of external IDs that Google knows. Any other is a custom one
// (users reference, "externalIds.type").
var externalIDTypes = []string{"account", "custom", "customer", "login_id", "network", "organization"}

// known maps the attributes to where they are: the reference of the resource "users", and
// schemas User... of the discovery document admin.directory_v1.
var known = map[string]place{
	"givenName":                  {object: "name", member: "givenName"},
	"familyName":                 {object: "name", member: "familyName"},
	"displayName":                {object: "name", member: "displayName"},
	"orgUnitPath":                {member: "orgUnitPath"},
	"recoveryEmail":              {member: "recoveryEmail"},
	"recoveryPhone":              {member: "recoveryPhone"},
	"includeInGlobalAddressList": {member: "includeInGlobalAddressList", flag: true},
	"title":                      {list: "organizations", member: "title"},
	"department":                 {list: "organizations", member: "department"},
	"costCenter":                 {list: "organizations", member: "costCenter"},
	"company":                    {list: "organizations", member: "name"},
	"employeeType":               {list: "organizations", member: "description"},
	"workPhone":                  {list: "phones", kind: "work", member: "value"},
	"mobilePhone":                {list: "phones", kind: "mobile", member: "value"},
	"workAddress":                {list: "addresses", kind: "work", member: "formatted"},
	"building":                   {list: "locations", kind: "desk", member: "buildingId"},
	"floor":                      {list: "locations", kind: "desk", member: "floorName"},
	managerName:                  {list: "relations", kind: "manager", member: "value"},
	employeeNumber:               {list: "externalIds", kind: defaultIDType, member: "value"},
}

func attributeNames() []string {
	return slices.Sorted(maps.Keys(known))
}

// places says where the users of one app have what Tenure knows of.
type places struct {
	named  map[string]place
	person place // the external ID
}

// placesOf returns the places if the person ID is an external ID of the given type. The
// employee number is an attribute unless it is the person ID itself.
func placesOf(idType string) places {
	p := places{named: maps.Clone(known), person: place{list: "externalIds", kind: idType, member: "value"}}
	if idType == defaultIDType {
		delete(p.named, employeeNumber)
	}
	return p
}

// of returns where an attribute is, and false if there is none of that name.
func (p places) of(name string) (place, bool) {
	if where, known := p.named[name]; known {
		return where, true
	}
	schema, field, ok := strings.Cut(strings.TrimPrefix(name, customPrefix), ".")
	ok = ok && strings.HasPrefix(name, customPrefix) && schema != "" && field != "" && !strings.Contains(field, ".")
	return place{object: customPrefix + schema, member: field}, ok
}

// attributes returns what the user shows of the attributes.
func (c *client) attributes(u user) map[string]any {
	shown := map[string]any{}
	for name, where := range c.places.named {
		if value := where.read(u); value != nil {
			shown[name] = value
		}
	}
	schemas, _ := u["customSchemas"].(map[string]any)
	for schema, fields := range schemas {
		fields, _ := fields.(map[string]any)
		for field := range fields {
			name := customPrefix + schema + "." + field
			if where, ok := c.places.of(name); ok {
				if value := where.read(u); value != nil {
					shown[name] = value
				}
			}
		}
	}
	if aliases := slices.Sorted(slices.Values(u.Texts("aliases"))); c.aliases && len(aliases) > 0 {
		shown[aliasesName] = aliases
	}
	return shown
}

// holder returns the object with the attribute's member; nil if there is none.
func (p place) holder(u user) map[string]any {
	switch {
	case p.list != "":
		entries := u.Objects(p.list)
		if i := p.index(entries); i >= 0 {
			return entries[i]
		}
		return nil
	case strings.HasPrefix(p.object, customPrefix):
		schemas, _ := u["customSchemas"].(map[string]any)
		fields, _ := schemas[strings.TrimPrefix(p.object, customPrefix)].(map[string]any)
		return fields
	case p.object != "":
		object, _ := u[p.object].(map[string]any)
		return object
	}
	return u
}

// index returns which of the entries the attribute is in; -1 if there is none.
func (p place) index(entries []rest.Object) int {
	if p.kind != "" {
		return slices.IndexFunc(entries, func(entry rest.Object) bool {
			kind := entry["type"]
			if kind == "custom" {
				kind = entry["customType"]
			}
			return kind == p.kind
		})
	}
	primary := slices.IndexFunc(entries, func(entry rest.Object) bool { return entry["primary"] == true })
	if primary < 0 && len(entries) > 0 {
		return 0
	}
	return primary
}

// read returns the attribute's value: a text, true or false; nil if there is none.
func (p place) read(u user) any {
	switch value := p.holder(u)[p.member].(type) {
	case string:
		if value != "" && !p.flag {
			return value
		}
	case bool:
		return value
	case interface{ String() string }: // a number
		return value.String()
	}
	return nil
}

// write sets the attribute in changed, the members of the user that are sent. An empty value
// clears it. Objects and lists are sent whole, with what u has in them. What u has already is
// not sent.
func (p place) write(u, changed user, value any) {
	merged := maps.Clone(u)
	maps.Copy(merged, changed)
	if value == "" {
		value = nil
	}
	if p.read(merged) == value {
		return
	}
	switch {
	case p.list != "":
		changed[p.list] = p.listWith(merged, value)
	case strings.HasPrefix(p.object, customPrefix):
		schemas, _ := merged["customSchemas"].(map[string]any)
		schemas = cloned(schemas)
		schema := strings.TrimPrefix(p.object, customPrefix)
		fields, _ := schemas[schema].(map[string]any)
		schemas[schema] = with(fields, p.member, value)
		changed["customSchemas"] = schemas
	case value == nil && p.object != "": // a text, which an empty one clears
		object, _ := merged[p.object].(map[string]any)
		changed[p.object] = with(object, p.member, "")
	case value == nil:
		changed[p.member] = ""
	case p.object != "":
		object, _ := merged[p.object].(map[string]any)
		changed[p.object] = with(object, p.member, value)
	default:
		changed[p.member] = value
	}
}

func cloned(object map[string]any) map[string]any {
	if object == nil {
		return map[string]any{}
	}
	return maps.Clone(object)
}

// with returns a copy of an object in which one member has another value. A null clears it.
func with(object map[string]any, member string, value any) map[string]any {
	object = cloned(object)
	object[member] = value
	return object
}

// listWith returns the user's list with the value in the attribute's entry. An entry that
// says nothing more is left out, and nil stands for a list without entries, which a PUT
// clears ("fields set to null will be cleared", users.update).
func (p place) listWith(u user, value any) any {
	entries := u.Objects(p.list)
	i := p.index(entries)
	if i < 0 {
		entries, i = append(entries, p.entry()), len(entries)
	}
	entry := with(entries[i], p.member, value)
	if value == nil {
		delete(entry, p.member)
	}
	entries = slices.Clone(entries)
	entries[i] = entry
	if said := slices.DeleteFunc(slices.Sorted(maps.Keys(entry)), func(member string) bool {
		return member == "type" || member == "customType" || member == "primary" || member == "area"
	}); len(said) == 0 {
		entries = slices.Delete(entries, i, i+1)
	}
	if len(entries) == 0 {
		return nil
	}
	list := make([]any, len(entries))
	for i, entry := range entries {
		list[i] = map[string]any(entry)
	}
	return list
}

// entry returns a new entry for the attribute.
func (p place) entry() map[string]any {
	switch {
	case p.kind == "":
		return map[string]any{"primary": true, "type": "work"}
	case p.list == "externalIds" && !slices.Contains(externalIDTypes, p.kind):
		return map[string]any{"type": "custom", "customType": p.kind}
	case p.list == "locations":
		return map[string]any{"type": p.kind, "area": "desk"}
	}
	return map[string]any{"type": p.kind}
}

// set writes attributes into changed, the members of the user that are sent.
func (c *client) set(ctx context.Context, op string, u, changed user, attributes map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if name == aliasesName && c.aliases {
			continue // aliases have methods of their own
		}
		where, known := c.places.of(name)
		if !known {
			return connector.Invalid(op, "there is no attribute %s: see the attributes of this kind in docs/connectors.md", name)
		}
		value, err := c.value(ctx, op, name, where, attributes[name])
		if err != nil {
			return err
		}
		where.write(u, changed, value)
	}
	return nil
}

// value returns the value that is sent for an attribute.
func (c *client) value(ctx context.Context, op, name string, where place, value any) (any, error) {
	switch v := value.(type) {
	case bool:
		if where.flag {
			return v, nil
		}
	case string:
		switch {
		case where.flag && (v == "true" || v == "false"):
			return v == "true", nil
		case where.flag && v != "":
		case name == managerName:
			return c.managerAddress(ctx, op, v)
		default:
			return v, nil
		}
	}
	if where.flag {
		return nil, connector.Invalid(op, "the attribute %s must be true or false", name)
	}
	return nil, connector.Invalid(op, "the attribute %s must be a text", name)
}

// managerAddress returns the address of a manager, whom policy names by the account's ID
// (manager.account) or by the address. Google shows the address.
func (c *client) managerAddress(ctx context.Context, op, manager string) (string, error) {
	if manager == "" || strings.Contains(manager, "@") {
		return manager, nil
	}
	u, err := c.get(ctx, op, manager)
	if connector.Is(err, connector.KindNotFound) {
		return "", connector.Invalid(op, "the manager has no account here yet: the attribute manager is set once there is one")
	}
	return u.Text("primaryEmail"), err
}

// Keeps implements connector.Connector. A manager is set by the account's ID, and shown by
// the address. Aliases have no case.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	if manager, ok := set.(string); ok && name == managerName {
		address, err := c.managerAddress(ctx, connector.OpRead, manager)
		if connector.Is(err, connector.KindInvalid) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		set = address
	}
	return account.Shows(set, account.Attribute(name)), nil
}
