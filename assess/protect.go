package assess

import (
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// protected returns the apps in which nothing of the person is touched: all apps for a
// protected person; otherwise those where their account, or the one with their username, is
// protected.
func (r Rules) protected(person ledger.Person) map[string]bool {
	apps := map[string]bool{}
	linked := map[string]ledger.Link{}
	for _, l := range person.Links {
		linked[l.App] = l
		apps[l.App] = false
	}
	for _, app := range r.Policy.Apps() {
		apps[app] = false
	}
	for app := range apps {
		switch l := linked[app]; {
		case r.protectsHuman(person):
			apps[app] = true
		case l.AccountID != "":
			apps[app] = r.Policy.ProtectsAccount(app, l.AccountID, l.Username)
		default:
			apps[app] = r.Policy.ProtectsAccount(app, person.Username, l.Username)
		}
	}
	return apps
}

// protectsHuman reports whether a person is protected under any of their IDs.
func (r Rules) protectsHuman(person ledger.Person) bool {
	return r.Policy.ProtectsPerson(person.PersonID) ||
		slices.ContainsFunc(person.Earlier, func(e ledger.Earlier) bool { return r.Policy.ProtectsPerson(e.PersonID) })
}

// Guard returns a connector that lets no change of a protected person or account through to
// the app. personID is the person whose account the calls are about; empty if they may be
// about anybody's account.
func Guard(c connector.Connector, rules *policy.Policy, app, personID string) connector.Connector {
	if !rules.ProtectsSomething(app) {
		return c
	}
	return connector.Guard(c, connector.Protection{
		App:    app,
		Person: rules.ProtectsPerson,
		Account: func(a connector.Account) bool {
			return rules.ProtectsAccount(app, a.ID, a.Username) || personID == "" && rules.ProtectsPerson(a.ExternalID)
		},
		For:   personID,
		Looks: rules.ProtectsAccounts(app) || personID == "",
	})
}
