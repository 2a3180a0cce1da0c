package atlassiantest

import (
	"net/http"
	"slices"
)

// manageable returns a managed account. Others, and those that an identity provider
// provisions, are not the organisation's to change.
func (s *Service) manageable(r request) (*user, error) {
	u := s.of(r.PathValue("id"))
	switch {
	case u == nil || u.account == "closed":
		return nil, &failure{404, "not.found"}
	case !u.managed:
		return nil, &failure{403, "forbidden"}
	case s.switches.Provisioned && r.Method != http.MethodGet:
		s.door.Spring("Provisioned")
		return nil, &failure{403, "forbidden.action"}
	}
	return u, nil
}

// permissions answers "Get user management permissions".
func (s *Service) permissions(r request) (int, any, error) {
	if _, err := s.manageable(r); err != nil {
		return 0, nil, err
	}
	rule := map[string]any{"allowed": true}
	if s.switches.Provisioned {
		rule = map[string]any{"allowed": false, "reason": map[string]any{"key": "externalDirectory.scim"}}
	}
	return http.StatusOK, map[string]any{"lifecycle.enablement": rule, "lifecycle.delete": rule, "apiToken.read": rule, "apiToken.delete": rule}, nil
}

func (s *Service) disable(r request) (int, any, error) {
	u, err := s.manageable(r)
	switch {
	case err != nil:
		return 0, nil, err
	case s.switches.Blocked:
		s.door.Spring("Blocked")
		return 0, nil, &failure{400, ""}
	}
	u.account = "inactive"
	return http.StatusNoContent, nil, nil
}

// enable refuses an account that is being deleted: "need the deletion to be canceled".
func (s *Service) enable(r request) (int, any, error) {
	u, err := s.manageable(r)
	switch {
	case err != nil:
		return 0, nil, err
	case u.deleting:
		return 0, nil, &failure{403, "forbidden.action"}
	}
	u.account = "active"
	return http.StatusNoContent, nil, nil
}

func (s *Service) deleteAccount(r request) (int, any, error) {
	u, err := s.manageable(r)
	if err != nil {
		return 0, nil, err
	}
	u.deleting, u.account = true, "inactive"
	return http.StatusNoContent, nil, nil
}

// cancelDelete activates the account, as the reference says.
func (s *Service) cancelDelete(r request) (int, any, error) {
	u, err := s.manageable(r)
	switch {
	case err != nil:
		return 0, nil, err
	case !u.deleting:
		return 0, nil, &failure{403, "forbidden.action"}
	}
	u.deleting, u.account = false, "active"
	return http.StatusNoContent, nil, nil
}

func (s *Service) tokens(r request) (int, any, error) {
	u, err := s.manageable(r)
	if err != nil {
		return 0, nil, err
	}
	all := []any{}
	for _, id := range u.tokens {
		all = append(all, map[string]any{"id": id, "label": "script", "createdAt": "2026-04-12T23:20:50.522Z", "lastAccess": nil})
	}
	return http.StatusOK, all, nil
}

func (s *Service) deleteToken(r request) (int, any, error) {
	u, err := s.manageable(r)
	if err != nil {
		return 0, nil, err
	}
	u.tokens = slices.DeleteFunc(u.tokens, func(id string) bool { return id == r.PathValue("token") })
	return http.StatusNoContent, nil, nil
}
