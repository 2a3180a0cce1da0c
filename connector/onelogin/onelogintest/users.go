package onelogintest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// known lists the fields of a user that can be set.
var known = []string{
	"username", "email", "firstname", "lastname", "title", "department", "company", "comment", "group_id", "phone", "state", "status",
	"manager_ad_id", "manager_user_id", "samaccountname", "userprincipalname", "external_id", "preferred_locale_code", "custom_attributes",
}

func (s *Service) one(r request) (*user, error) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	if u := s.users[id]; u != nil {
		return u, nil
	}
	return nil, missing
}

// page returns a part of a list, and sets the header with the cursor of the next one.
func page(s *Service, r request, all []any) (int, any, error) {
	size := 50
	if limit, err := strconv.Atoi(r.query.Get("limit")); err == nil {
		size = min(size, limit)
	}
	if most := s.switches.PageSize; most > 0 && most < len(all) {
		s.door.Spring("PageSize")
		size = min(size, s.switches.PageSize)
	}
	from, err := strconv.Atoi(strings.TrimPrefix(cmp.Or(r.query.Get("cursor"), "page=0"), "page="))
	if err != nil || from < 0 {
		return 0, nil, invalid("cursor is not valid")
	}
	until := min(from+size, len(all))
	if until < len(all) {
		r.w.Header().Set("After-Cursor", "page="+strconv.Itoa(until))
	}
	return http.StatusOK, append([]any{}, all[min(from, until):until]...), nil
}

// list filters without regard to case, and takes * for anything.
func (s *Service) list(r request) (int, any, error) {
	var found []any
	for _, id := range s.order {
		fits := true
		for _, name := range []string{"external_id", "username", "email"} {
			if want := r.query.Get(name); want != "" {
				has, _ := s.users[id].fields[name].(string)
				if same := strings.EqualFold(has, want); !same && s.switches.Foreign {
					s.door.Spring("Foreign")
				} else {
					fits = fits && same
				}
			}
		}
		if fits {
			found = append(found, s.users[id].fields)
		}
	}
	return page(s, r, found)
}

// set changes fields, if the user may have them.
func (s *Service) set(before map[string]any, changes map[string]any) (map[string]any, error) {
	after := maps.Clone(before)
	for name, value := range changes {
		switch {
		case !slices.Contains(known, name):
			return nil, invalid("unknown field")
		case s.door.Forgets(name):
		case name == "custom_attributes":
			fields := map[string]any{}
			old, _ := before[name].(map[string]any)
			maps.Copy(fields, old)
			given, _ := value.(map[string]any)
			maps.Copy(fields, given)
			after[name] = fields
		default:
			after[name] = value
		}
	}
	for _, name := range []string{"username", "email"} {
		text, _ := after[name].(string)
		if text == "" {
			return nil, invalid(name + " can't be blank")
		}
		for id, other := range s.users {
			theirs, _ := other.fields[name].(string)
			if id != before["id"] && strings.EqualFold(theirs, text) {
				return nil, invalid(name + " has already been taken")
			}
		}
	}
	return after, nil
}

func (s *Service) create(r request) (int, any, error) {
	fields, err := s.set(map[string]any{"status": 7, "state": 1}, r.fields)
	if err != nil {
		return 0, nil, err
	}
	if s.switches.PasswordPending && fields["status"] == float64(1) {
		s.door.Spring("PasswordPending")
		fields["status"] = 7
	}
	id := s.add(fields)
	return http.StatusCreated, s.shown(id), nil
}

// shown returns a user with their roles, as lists do not.
func (s *Service) shown(id int) map[string]any {
	u := s.users[id]
	fields, roles := maps.Clone(u.fields), slices.Clone(u.roles)
	if mapped := slices.Index(s.roles, s.switches.Mapping) + 1; mapped > 0 && !slices.Contains(roles, mapped) {
		s.door.Spring("Mapping")
		roles = append(roles, mapped)
	}
	fields["role_ids"] = append([]int{}, roles...)
	return fields
}

func (s *Service) get(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.shown(u.fields["id"].(int)), nil
}

func (s *Service) update(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil {
		return 0, nil, err
	}
	fields, err := s.set(u.fields, r.fields)
	if err != nil {
		return 0, nil, err
	}
	u.fields = fields
	return http.StatusOK, s.shown(fields["id"].(int)), nil
}

func (s *Service) remove(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil {
		return 0, nil, err
	}
	id := u.fields["id"].(int)
	delete(s.users, id)
	s.order = slices.DeleteFunc(s.order, func(other int) bool { return other == id })
	return http.StatusNoContent, nil, nil
}

func (s *Service) listRoles(r request) (int, any, error) {
	var all []any
	for i, name := range s.roles {
		all = append(all, map[string]any{"id": i + 1, "name": name})
	}
	return page(s, r, all)
}

func (s *Service) usersOfRole(r request) (int, any, error) {
	role, _ := strconv.Atoi(r.PathValue("id"))
	var all []any
	for _, id := range s.order {
		if slices.Contains(s.users[id].roles, role) {
			all = append(all, map[string]any{"id": id, "name": "somebody"})
		}
	}
	return page(s, r, all)
}

func (s *Service) logout(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil {
		return 0, nil, err
	}
	u.sessions = false
	return http.StatusOK, nil, nil
}

func (s *Service) addRoles(r request) (int, any, error) {
	u, err := s.one(r)
	if err != nil {
		return 0, nil, err
	}
	ids, _ := r.fields["role_id_array"].([]any)
	if len(ids) == 0 || len(r.fields) != 1 {
		return 0, nil, &failure{400, "BadRequestError", "role_id_array is missing"}
	}
	for _, id := range ids {
		number, _ := id.(float64)
		role := int(number)
		if role < 1 || role > len(s.roles) {
			return 0, nil, &failure{400, "BadRequestError", "no such role"}
		}
		u.roles = slices.DeleteFunc(u.roles, func(other int) bool { return other == role })
		if strings.HasSuffix(r.URL.Path, "/add_roles") {
			u.roles = append(u.roles, role)
		}
	}
	return http.StatusOK, nil, nil
}
