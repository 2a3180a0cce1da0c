package assess

import (
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Identifiers returns what the person is called by these keys.
func Identifiers(keys connector.Keys) []ledger.Identifier {
	var ids []ledger.Identifier
	for _, id := range []ledger.Identifier{
		{Kind: ledger.IdentifiesPerson, Value: keys.PersonID},
		{Kind: ledger.IdentifiesEmployee, Value: keys.EmployeeNumber},
		{Kind: ledger.IdentifiesUsername, Value: keys.Username},
		{Kind: ledger.IdentifiesEmail, Value: keys.Email},
	} {
		if id.Value != "" {
			id.PersonID = keys.PersonID
			ids = append(ids, id)
		}
	}
	return ids
}

// KeysOf returns what an account of a person can be found by, also of somebody who has left.
// The address is empty if policy cannot give one.
func KeysOf(person ledger.Person, p *policy.Policy, now time.Time) connector.Keys {
	keys := connector.Keys{PersonID: person.PersonID, Username: person.Username}
	profile := TimelineOf(person).At(now).Profile
	if profile == nil {
		return keys
	}
	keys.EmployeeNumber = profile.EmployeeNumber
	email, err := p.Email(policy.Identity{PersonID: person.PersonID, Username: person.Username}, *profile)
	if err == nil {
		keys.Email = email
	}
	return keys
}
