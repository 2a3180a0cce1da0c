package entratest

import (
	"slices"

	"github.com/tenurehq/tenure/connector/vendortest"
)

// Accounts returns all users, also the deleted ones.
func (t *Tenant) Accounts() []vendortest.Account {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []vendortest.Account
	for _, deleted := range []bool{false, true} {
		from := t.users
		if deleted {
			from = t.deleted
		}
		for id, u := range from {
			a := vendortest.Account{ID: id, Active: u["accountEnabled"] == true, Deleted: deleted}
			a.PersonID, _ = u["employeeId"].(string)
			a.Family, _ = u["surname"].(string)
			a.Title, _ = u["jobTitle"].(string)
			a.Manager, _ = u["manager"].(string)
			for group, members := range t.members {
				if members[id] {
					a.Groups = append(a.Groups, t.groups[group]["displayName"].(string))
				}
			}
			slices.Sort(a.Groups)
			all = append(all, a)
		}
	}
	return all
}
