package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

func BenchmarkEvaluate(b *testing.B) {
	p := company(b)
	timeline := hr.Timeline{Periods: []hr.Period{{Starts: epoch, Profiles: []hr.EffectiveProfile{
		from(0, "Development", "Architect"), from(30, "Sales", "Architect"),
	}}}}
	identity := policy.Identity{PersonID: "42", Username: "alovelace"}
	for name, at := range map[string]time.Time{"active": after(1), "overlap": after(31), "upcoming": after(-1)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Evaluate(timeline, at, identity); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEvaluateLarge evaluates the policy of a company with 50 roles over 20 apps.
func BenchmarkEvaluateLarge(b *testing.B) {
	rules := policy.Rules{Apps: map[string]policy.AppRules{}}
	for i := range 20 {
		rules.Apps[fmt.Sprintf("app%d", i)] = policy.AppRules{Attributes: map[string]string{
			"name": "person.givenName + ' ' + person.familyName", "title": "person.jobTitle", "boss": "manager.account"}}
	}
	for i := range 50 {
		rules.Roles = append(rules.Roles, policy.Role{
			Name:   fmt.Sprintf("role%d", i),
			When:   fmt.Sprintf("person.department == 'Development' && person.location.country in ['DE', 'GB'] && person.id != '%d'", i),
			Grants: []policy.Grant{{App: fmt.Sprintf("app%d", i%20), Entitlements: []string{fmt.Sprintf("group%d", i)}}},
		})
	}
	p, timeline := compile(b, rules), employed(ada())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Evaluate(timeline, epoch, policy.Identity{}); err != nil {
			b.Fatal(err)
		}
	}
}
