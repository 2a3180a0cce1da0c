package oktatest

import (
	"net/http"
	"slices"
	"strings"
)

type group struct {
	id, name, kind string
	members        map[string]bool
}

func (g *group) shown() map[string]any {
	return map[string]any{
		"id": g.id, "type": g.kind, "objectClass": []string{"okta:user_group"},
		"profile": map[string]any{"name": g.name, "description": nil},
	}
}

type role struct {
	id, kind, label, assignment string
}

func (s *Service) listGroups(r request) (answer, error) {
	filter, q := r.query.Get("filter"), r.query.Get("q")
	if r.query.Has("search") {
		return answer{}, validation("search", "the stand-in has none, since it lags")
	}
	kind, filtered := strings.CutPrefix(filter, `type eq "`)
	if filter != "" && !filtered {
		return answer{}, &failure{400, "E0000031", "Invalid search criteria.", nil}
	}
	var found []any
	for _, g := range s.groups {
		if (q == "" || strings.HasPrefix(strings.ToLower(g.name), strings.ToLower(q))) && (!filtered || g.kind+`"` == kind) {
			found = append(found, g.shown())
		}
	}
	if q != "" { // "You can't page a query"
		if len(found) > 300 {
			found = found[:300]
		}
		return answer{status: 200, body: append([]any{}, found...)}, nil
	}
	part, next, err := page(s, r, 10_000, found)
	return answer{status: 200, body: append([]any{}, part...), next: next}, err
}

func (s *Service) group(r request) (*group, error) {
	id := r.PathValue("id")
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.id == id })
	if i < 0 {
		return nil, notFound(id, "UserGroup")
	}
	return s.groups[i], nil
}

func (s *Service) membersOf(r request) (answer, error) {
	g, err := s.group(r)
	if err != nil {
		return answer{}, err
	}
	var found []any
	for _, id := range s.order {
		if u := s.users[id]; s.isMember(g, u) {
			found = append(found, shown(u, u.status, u.profile))
		}
	}
	part, next, err := page(s, r, 1000, found)
	return answer{status: 200, body: append([]any{}, part...), next: next}, err
}

// isMember reports whether a user is in a group: built-in ones and a rule's have everybody.
func (s *Service) isMember(g *group, u *user) bool {
	if g.name == s.switches.Rule {
		s.door.Spring("Rule")
		return true
	}
	return g.members[u.id] || g.kind == "BUILT_IN"
}

func (s *Service) member(r request) (answer, error) {
	g, err := s.group(r)
	if err != nil {
		return answer{}, err
	}
	u := s.users[r.PathValue("user")]
	switch {
	case u == nil:
		return answer{}, notFound(r.PathValue("user"), "User")
	case g.kind != "OKTA_GROUP":
		return answer{}, &failure{501, "E0000060", "Unsupported operation.", nil}
	case r.Method == http.MethodPut && u.status == "DEPROVISIONED":
		return answer{}, &failure{403, "E0000038", "This operation is not allowed in the user's current status.", nil}
	case r.Method == http.MethodPut:
		g.members[u.id] = true
	default:
		delete(g.members, u.id)
	}
	return answer{status: http.StatusNoContent}, nil
}

func (s *Service) groupsOfUser(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	var found []any
	for _, g := range s.groups {
		if s.isMember(g, u) {
			found = append(found, g.shown())
		}
	}
	part, next, err := page(s, r, 200, found)
	return answer{status: 200, body: append([]any{}, part...), next: next}, err
}

func (s *Service) listRoles(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	found := []any{}
	for _, one := range u.roles {
		found = append(found, map[string]any{"id": one.id, "label": one.label, "type": one.kind, "status": "ACTIVE", "assignmentType": one.assignment})
	}
	return answer{status: 200, body: found}, nil
}

func (s *Service) addRole(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	kind, _ := r.body["type"].(string)
	if kind == "" || kind == "CUSTOM" {
		return answer{}, validation("type", "type: not a standard role")
	}
	if slices.ContainsFunc(u.roles, func(one role) bool { return one.kind == kind }) {
		return answer{}, &failure{409, "E0000090", "The role specified is already assigned to the user.", nil}
	}
	u.roles = append(u.roles, role{s.id("ra1"), kind, kind, "USER"})
	return answer{status: http.StatusCreated, body: map[string]any{"type": kind}}, nil
}

func (s *Service) dropRole(r request) (answer, error) {
	u, err := s.one(r)
	if err != nil {
		return answer{}, err
	}
	before := len(u.roles)
	u.roles = slices.DeleteFunc(u.roles, func(one role) bool { return one.id == r.PathValue("role") })
	if len(u.roles) == before {
		return answer{}, notFound(r.PathValue("role"), "Role")
	}
	return answer{status: http.StatusNoContent}, nil
}

func (s *Service) listAdministrators(r request) (answer, error) {
	var found []any
	for _, id := range s.order {
		if u := s.users[id]; len(u.roles) > 0 {
			found = append(found, map[string]any{"id": u.id})
		}
	}
	part, next, err := page(s, r, 200, found)
	body := map[string]any{"value": append([]any{}, part...)}
	if next != "" {
		body["_links"] = map[string]any{"next": map[string]any{"href": "http://" + r.Host + "/api/v1/iam/assignees/users?limit=100&after=" + next}}
	}
	return answer{status: 200, body: body}, err
}

// AddRole gives a user an admin role: of the user's own (USER), or by a group (GROUP).
func (s *Service) AddRole(id, kind, label, assignment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	u.roles = append(u.roles, role{s.id("ra1"), kind, label, assignment})
}
