package operator

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// TestLife returns the life of a person who does not exist, who is hired, then gets
// another name, department and so on, and then loses what people need not have.
func TestLife(p *policy.Policy, app string) (trial.Life, error) {
	mark := uuid.NewString()[:8] // short: some apps take usernames of 20 characters, and person IDs of 16
	hired := hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Tenure", FamilyName: "Test " + mark, EmployeeNumber: mark,
		JobTitle: "Test account", Department: "Test", CostCenter: "1", Company: "Test", Location: hr.Location{Site: "Test", Country: "DE", TimeZone: "UTC"},
	}
	moved := hired
	moved.GivenName, moved.FamilyName = "Changed", "Changed "+mark
	moved.JobTitle, moved.Department, moved.CostCenter, moved.Company = "Changed", "Changed", "2", "Changed"
	moved.Location = hr.Location{Site: "Changed", Country: "AT", TimeZone: "Europe/Vienna"}
	id := policy.Identity{PersonID: "test-" + mark, Username: "tenure-test-" + mark}
	made, err := mapped(p, app, &id, hired)
	if err != nil {
		return trial.Life{}, err
	}
	life := trial.Life{
		Account: connector.Spec{PersonID: id.PersonID, Username: id.Username, Active: true, Attributes: made},
		Email:   id.Email, EmployeeNumber: mark,
	}
	changed, err := mapped(p, app, &id, moved)
	if err != nil {
		return trial.Life{}, err
	}
	rules, _ := p.App(app)
	all := map[string]any{} // as Tenure sends them: an empty value clears an attribute
	for _, name := range rules.Attributes {
		all[name] = ""
	}
	life.Changed, life.Cleared = maps.Clone(all), maps.Clone(all)
	maps.Copy(life.Changed, changed)
	maps.Copy(life.Cleared, changed)
	for _, without := range withoutOne(moved) {
		left, err := mapped(p, app, &id, without)
		if err != nil {
			continue // a mapping needs it, so that it is never cleared
		}
		for name := range changed {
			if _, ok := left[name]; !ok {
				life.Cleared[name] = ""
			}
		}
	}
	return life, nil
}

// withoutOne returns profiles. Each lacks one thing that people need not have.
func withoutOne(p hr.Profile) []hr.Profile {
	all := slices.Repeat([]hr.Profile{p}, 6)
	all[0].JobTitle, all[1].Department, all[2].CostCenter, all[3].Company = "", "", "", ""
	all[4].Location.Site, all[5].Location.Country = "", ""
	return all
}

// mapped returns the attributes of somebody, and sets their e-mail address in the
// identity.
func mapped(p *policy.Policy, app string, id *policy.Identity, profile hr.Profile) (attributes map[string]any, err error) {
	if id.Email, err = p.Email(*id, profile); err != nil {
		return nil, err
	}
	return p.Attributes(app, *id, profile)
}
