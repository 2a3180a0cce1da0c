package googletest

import (
	"slices"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Accounts returns all users, also the deleted ones. A manager is an address.
func (s *Service) Accounts() []vendortest.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []vendortest.Account
	for id, p := range s.people {
		a := vendortest.Account{
			ID: id, Active: p.user["suspended"] != true, Deleted: !p.deleted.IsZero(),
			PersonID: entry(p.user, "externalIds", "value"), Title: entry(p.user, "organizations", "title"),
			Manager: entry(p.user, "relations", "value"),
		}
		if name, ok := p.user["name"].(map[string]any); ok {
			a.Family, _ = name["familyName"].(string)
		}
		for _, g := range s.groups {
			if slices.ContainsFunc(g.members, func(m *membership) bool { return m.id == id }) {
				a.Groups = append(a.Groups, g.email)
			}
		}
		slices.Sort(a.Groups)
		all = append(all, a)
	}
	return all
}

// entry returns a member of the first entry of a user's list.
func entry(user map[string]any, list, member string) string {
	entries, _ := user[list].([]any)
	if len(entries) == 0 {
		return ""
	}
	text, _ := entries[0].(map[string]any)[member].(string)
	return text
}
