package scimtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// projection holds which attributes a client wants (RFC 7644 section 3.9): only some, or
// all except some. It knows attributes and their sub-attributes.
type projection struct {
	only   []string
	except []string
}

func newProjection(attributes, excluded string) projection {
	return projection{only: names(attributes), except: names(excluded)}
}

func names(list string) []string {
	if list == "" {
		return nil
	}
	parts := strings.Split(strings.ToLower(list), ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// wants reports whether the client wants an attribute, in whole or in part. "id" and
// "schemas" are always sent.
func (p projection) wants(name string) bool {
	name = strings.ToLower(name)
	if name == "id" || name == "schemas" {
		return true
	}
	if p.only == nil {
		return !slices.Contains(p.except, name)
	}
	return slices.ContainsFunc(p.only, func(want string) bool {
		return want == name || strings.HasPrefix(want, name+".") || strings.HasPrefix(want, name+":")
	})
}

// trim returns a complex value without the sub-attributes that the client does not want.
func (p projection) trim(name string, value any) any {
	object, ok := value.(map[string]any)
	if !ok || slices.Contains(p.only, strings.ToLower(name)) {
		return value
	}
	trimmed := maps.Clone(object)
	maps.DeleteFunc(trimmed, func(sub string, _ any) bool {
		full := []string{strings.ToLower(name + "." + sub), strings.ToLower(name + ":" + sub)}
		wanted := p.only == nil || slices.Contains(p.only, full[0]) || slices.Contains(p.only, full[1])
		return !wanted || slices.Contains(p.except, full[0]) || slices.Contains(p.except, full[1])
	})
	return trimmed
}

// render returns the representation of a resource, with the present deviations.
func (s *Service) render(c *collection, r *record, base string, p projection) map[string]any {
	d := s.deviations()
	out := s.store.render(c, r, base, p)
	if d.MembersHidden || (d.MembersOnRequest || d.MembersAlone) && c == s.store.users {
		delete(out, "groups")
	}
	if d.EmptyGroups && c == s.store.users {
		out["groups"] = []any{}
	}
	if d.MembersHidden || d.MembersOnRequest && c == s.store.groups && !slices.Contains(p.only, "members") {
		delete(out, "members")
	}
	if meta, ok := out["meta"].(map[string]any); ok && d.NoVersions {
		delete(meta, "version")
	}
	if d.BareReferences {
		bare(out["groups"])
		bare(out["members"])
	}
	if d.TextBooleans {
		out = toText(deepCopy(out)).(map[string]any)
	}
	return out
}

// bare removes the type of references.
func bare(references any) {
	list, _ := references.([]any)
	for _, reference := range list {
		if r, ok := reference.(map[string]any); ok {
			delete(r, "type")
		}
	}
}

// render returns the representation of a resource. base is the URL of the service.
func (s *store) render(c *collection, r *record, base string, p projection) map[string]any {
	schemas := []string{c.kind.schema}
	if _, extended := r.attrs[enterpriseSchema]; extended {
		schemas = append(schemas, enterpriseSchema)
	}
	out := map[string]any{"schemas": schemas, "id": r.id}
	for name, value := range r.attrs {
		if p.wants(name) {
			out[name] = p.trim(name, value)
		}
	}
	if p.wants("meta") {
		out["meta"] = map[string]any{
			"resourceType": c.kind.name,
			"created":      r.created.UTC().Format(time.RFC3339Nano),
			"lastModified": r.modified.UTC().Format(time.RFC3339Nano),
			"location":     base + c.kind.endpoint + "/" + r.id,
			"version":      r.etag(),
		}
	}
	if c == s.users && p.wants("groups") && len(s.memberOf[r.id]) > 0 {
		out["groups"] = s.renderGroups(r, base)
	}
	if c == s.groups && p.wants("members") && len(r.members) > 0 {
		out["members"] = s.renderMembers(r, base)
	}
	return out
}

func (s *store) renderGroups(user *record, base string) []any {
	groups := s.groupsOf(user.id)
	list := make([]any, 0, len(groups))
	for _, group := range groups {
		list = append(list, map[string]any{
			"value": group.id, "display": group.text("displayName"), "type": "direct",
			"$ref": base + groupType.endpoint + "/" + group.id,
		})
	}
	return list
}

func (s *store) renderMembers(group *record, base string) []any {
	list := make([]any, 0, len(group.members))
	for _, id := range group.membersInOrder() {
		list = append(list, map[string]any{
			"value": id, "display": s.users.byID[id].text("userName"), "type": userType.name,
			"$ref": base + userType.endpoint + "/" + id,
		})
	}
	return list
}

func (r *record) etag() string { return fmt.Sprintf(`W/"%d"`, r.version) }
