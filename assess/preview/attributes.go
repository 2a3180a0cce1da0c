package preview

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// knownAttributes finds the values of the attributes of a person's accounts. The ledger has
// only a digest: the values are computed again from what HR has said, and are known if their
// digest is the same.
type knownAttributes struct {
	person ledger.Person
	policy *policy.Policy
	values map[string]map[string]any // by app
}

// remember returns an empty store of a person's attributes.
func remember(person ledger.Person, rules *policy.Policy) *knownAttributes {
	return &knownAttributes{person: person, policy: rules, values: map[string]map[string]any{}}
}

func (m *knownAttributes) clone() *knownAttributes {
	return &knownAttributes{person: m.person, policy: m.policy, values: maps.Clone(m.values)}
}

// set notes the attributes that an account has been given.
func (m *knownAttributes) set(app string, attributes map[string]any) { m.values[app] = attributes }

// of returns the attributes of an account, if they are known.
func (m *knownAttributes) of(link ledger.Link) (attributes map[string]any, known bool) {
	if attributes, known = m.values[link.App]; known && policy.Digest(attributes) == link.Attributes {
		return attributes, true
	}
	t := assess.TimelineOf(m.person)
	for _, period := range slices.Backward(t.Periods) {
		for _, snapshot := range slices.Backward(period.Profiles) {
			for _, managers := range []map[string]string{m.person.ManagerAccounts, nil} {
				id := policy.Identity{PersonID: m.person.PersonID, Username: cmp.Or(m.person.Username, link.Username), ManagerAccounts: managers}
				id.Email, _ = m.policy.Email(id, snapshot.Profile)
				attributes, err := m.policy.Attributes(link.App, id, snapshot.Profile)
				if err == nil && policy.Digest(attributes) == link.Attributes {
					m.values[link.App] = attributes
					return attributes, true
				}
			}
		}
	}
	return nil, false
}

// differences returns the attributes of an account that would change. If the present ones are
// unknown, it returns all wanted ones, and unsure.
func (m *knownAttributes) differences(link ledger.Link, want map[string]any) (list []Attribute, unsure bool) {
	have, known := m.of(link)
	if policy.Digest(want) == link.Attributes {
		return nil, false
	}
	return differences(have, want), !known
}

func differences(have, want map[string]any) []Attribute {
	var list []Attribute
	names := slices.AppendSeq(slices.Collect(maps.Keys(have)), maps.Keys(want))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !reflect.DeepEqual(have[name], want[name]) {
			list = append(list, Attribute{Name: name, Was: have[name], Is: want[name]})
		}
	}
	return list
}
