package policy_test

import (
	"fmt"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// Everybody gets an account in the wiki, and engineers may write.
func ExamplePolicy_Evaluate() {
	rules, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{
			"wiki": {Attributes: map[string]string{"title": "person.jobTitle"}},
		},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"readers"}}}},
			{Name: "engineers", When: "person.department == 'Engineering'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"writers"}}}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	timeline := hr.Merge("1001", []hr.Event{{
		EventKey: hr.EventKey{Source: "/hr", ID: "1"}, Type: hr.EventHired, PersonID: "1001",
		Recorded:  time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC),
		Effective: hr.Date{Year: 2026, Month: time.February, Day: 1},
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ana", FamilyName: "Ruiz", JobTitle: "Engineer", Department: "Engineering",
			StartDate: hr.Date{Year: 2026, Month: time.February, Day: 1},
		},
	}})
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	desired, err := rules.Evaluate(timeline, now, policy.Identity{PersonID: "1001", Username: "aruiz"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, account := range desired.Accounts {
		fmt.Println(account.App, "enabled:", account.Enabled, "title:", account.Attributes["title"])
		for _, e := range account.Entitlements {
			fmt.Println(" ", e.Name, "by", e.Roles)
		}
	}
	// Output:
	// wiki enabled: true title: Engineer
	//   readers by [everybody]
	//   writers by [engineers]
}

// Compile reports all faults at once, with their places and suggestions.
func ExampleCompile() {
	_, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"wiki": {}},
		Roles: []policy.Role{{
			Name: "engineers", When: "person.departement == 'Engineering'",
			Grants: []policy.Grant{{App: "wiky"}},
		}},
	})
	fmt.Println(err)
	// Output:
	// roles[0].grants[0].app: there is no app "wiky"; did you mean "wiki"?
	// roles[0].when:1:8: there is no field "departement" here; did you mean person.department?
}
