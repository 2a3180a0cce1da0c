package policy

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Identity holds the names that Tenure has given a person, and the manager's accounts.
// It is an input of evaluation, never a result of it.
type Identity struct {
	PersonID string
	Username string
	Email    string
	// ManagerAccounts is the manager's account ID per app, where the manager has
	// a linked account.
	ManagerAccounts map[string]string
}

// Desired is the access that policy wants a person to have at one instant.
type Desired struct {
	Standing hr.Standing
	// Accounts holds the accounts that should exist, by app name. In any other app the
	// person should have none.
	Accounts []Account
	// Changes is the next instant at which Desired differs if there are no new events; zero
	// if none is known.
	Changes time.Time
	// Refused lists the grants that are not given now, because they conflict with what the
	// person has otherwise: once for each rule of separation of duties. They are in the order in
	// which they were decided.
	Refused []Refusal
	// ChangesBy names the exception that begins or ends at Changes; empty if it is anything
	// else.
	ChangesBy string
}

// Account is one account that should exist.
type Account struct {
	App          string
	Enabled      bool           // false before the start date, on leave, suspended
	Attributes   map[string]any // evaluated mappings: string, bool, int64 or []string; empty strings and lists are left out
	Entitlements []Entitlement  // by name
	// Roles holds the roles and grants that give the account without entitlements, sorted, and
	// all that give it if it has no entitlements. It is empty for an account that is only kept
	// after a move.
	Roles []string
	// Excepted means that nothing but grants among the exceptions gives the account.
	Excepted bool
}

// EntitlementNames returns the names of the account's entitlements, sorted; nil if it has
// none.
func (a Account) EntitlementNames() []string {
	var names []string
	for _, e := range a.Entitlements {
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// Entitlement is one entitlement and why policy grants it.
type Entitlement struct {
	Name  string
	Roles []string  // names of the roles that grant it, sorted
	Until time.Time // end of the overlap of an entitlement that is only kept after a move; else zero
	// Excepted means that nothing but grants among the exceptions gives it.
	Excepted bool
}
