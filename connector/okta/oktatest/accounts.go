package oktatest

import (
	"slices"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Accounts returns all users. The person ID is the profile's employeeNumber. Who cannot sign
// in is not active.
func (s *Service) Accounts() []vendortest.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []vendortest.Account
	for id, u := range s.users {
		a := vendortest.Account{
			ID: id, PersonID: u.text("employeeNumber"), Active: u.status == "ACTIVE" || u.status == "PROVISIONED",
			Family: u.text("lastName"), Title: u.text("title"), Manager: u.text("managerId"),
		}
		for _, g := range s.groups {
			if g.kind == "OKTA_GROUP" && g.members[id] {
				a.Groups = append(a.Groups, g.name)
			}
		}
		slices.Sort(a.Groups)
		all = append(all, a)
	}
	return all
}
