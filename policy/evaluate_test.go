package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

const day = 24 * time.Hour

// company returns a policy that uses every feature: directory for everyone, two days early;
// wiki for Development; chat for Development and Sales. wiki has seven days of overlap, and
// chat none.
func company(t testing.TB) *policy.Policy {
	return compile(t, policy.Rules{
		Apps: map[string]policy.AppRules{
			"directory": {
				Attributes: map[string]string{"title": "person.jobTitle", "manager": "manager.account"},
				Joiner:     &policy.JoinerRules{LeadTime: 2 * day},
			},
			"wiki": {After: []string{"directory"}, Mover: &policy.MoverRules{Overlap: 7 * day}},
			"chat": {},
			"crm":  {Joiner: &policy.JoinerRules{LeadTime: 5 * day}},
		},
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "directory", Entitlements: []string{"staff"}}}},
			{Name: "engineers", When: "person.department == 'Development'", Grants: []policy.Grant{
				{App: "wiki", Entitlements: []string{"engineers", "all"}}, {App: "chat"}}},
			{Name: "architects", When: "person.jobTitle == 'Architect'", Grants: []policy.Grant{
				{App: "wiki", Entitlements: []string{"architects", "all"}}}},
			{Name: "sales", When: "person.department == 'Sales'", Grants: []policy.Grant{
				{App: "crm", Entitlements: []string{"seller"}}, {App: "chat", Entitlements: []string{"sales"}}}},
			{Name: "guests", When: "person.department == 'Support'", Grants: []policy.Grant{{App: "wiki"}}},
		},
	})
}

func of(department, title string) hr.Profile {
	profile := ada()
	profile.Department, profile.JobTitle = department, title
	return profile
}

// from returns a snapshot that holds from some days after epoch.
func from(days float64, department, title string) hr.EffectiveProfile {
	return hr.EffectiveProfile{From: after(days), Profile: of(department, title)}
}

func after(days float64) time.Time { return epoch.Add(time.Duration(days * float64(day))) }

// show returns desired access as text, in one line per account, with instants as days after
// epoch.
func show(d policy.Desired) string {
	var lines []string
	for _, account := range d.Accounts {
		line := account.App
		if !account.Enabled {
			line += " off"
		}
		for _, e := range account.Entitlements {
			line += fmt.Sprintf(" %s(%s)", e.Name, strings.Join(e.Roles, ","))
			if !e.Until.IsZero() {
				line += fmt.Sprintf("<%g", days(e.Until))
			}
		}
		lines = append(lines, line)
	}
	if !d.Changes.IsZero() {
		lines = append(lines, fmt.Sprintf("until %g", days(d.Changes)))
	}
	return strings.Join(lines, "\n")
}

func days(t time.Time) float64 { return float64(t.Sub(epoch)) / float64(day) }

func TestEvaluate(t *testing.T) {
	period := func(starts float64, snapshots ...hr.EffectiveProfile) hr.Period {
		return hr.Period{Starts: after(starts), Profiles: snapshots}
	}
	ending := func(ends float64, p hr.Period) hr.Period {
		p.Ends = after(ends)
		return p
	}
	timeline := func(periods ...hr.Period) hr.Timeline { return hr.Timeline{Periods: periods} }
	engineer := timeline(period(0, from(0, "Development", "Engineer")))
	mover := timeline(period(0, from(0, "Development", "Architect"), from(30, "Sales", "Architect")))
	away := func(t hr.Timeline, begins, ends float64) hr.Timeline {
		t.Absences = []hr.Interval{{From: after(begins), To: after(ends)}}
		return t
	}

	tests := []struct {
		name     string
		timeline hr.Timeline
		at       float64
		want     string
	}{
		{"nobody", timeline(), 0, ""},
		{"long before the start", engineer, -10, "until -2"},
		{"when the lead time begins", engineer, -2, "directory off staff(everyone)\nuntil 0"},
		{"the instant before it", engineer, -2.0000001, "until -2"},
		{"the start", engineer, 0, "chat\ndirectory staff(everyone)\nwiki all(engineers) engineers(engineers)"},
		{"two lead times", timeline(period(0, from(0, "Sales", ""))), -6, "until -5"},
		{"the longer one has begun", timeline(period(0, from(0, "Sales", ""))), -4, "crm off seller(sales)\nuntil -2"},
		{"both have begun", timeline(period(0, from(0, "Sales", ""))), -1, "crm off seller(sales)\ndirectory off staff(everyone)\nuntil 0"},
		{"what the first day will bring, not what was said first",
			timeline(period(0, from(-30, "Development", ""), from(0, "Sales", ""))), -1,
			"crm off seller(sales)\ndirectory off staff(everyone)\nuntil 0"},
		{"the first snapshot holds from the start even if it is later",
			timeline(period(0, from(9, "Development", ""))), 1,
			"chat\ndirectory staff(everyone)\nwiki all(engineers) engineers(engineers)"},
		{"several roles grant the same", timeline(period(0, from(0, "Development", "Architect"))), 1,
			"chat\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)"},

		{"on leave", away(engineer, 10, 20), 15,
			"chat off\ndirectory off staff(everyone)\nwiki off all(engineers) engineers(engineers)\nuntil 20"},
		{"back", away(engineer, 10, 20), 20, "chat\ndirectory staff(everyone)\nwiki all(engineers) engineers(engineers)"},
		{"suspended", hr.Timeline{Periods: engineer.Periods, Suspensions: []hr.Interval{{From: after(3)}}}, 4,
			"chat off\ndirectory off staff(everyone)\nwiki off all(engineers) engineers(engineers)"},

		{"before a move", mover, 29, "chat\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)\nuntil 30"},
		{"after a move, entitlements are kept", mover, 30,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects) architects(architects) engineers(engineers)<37\nuntil 37"},
		{"until the overlap ends", mover, 37,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects) architects(architects)"},
		{"nothing is kept on leave", away(mover, 31, 33), 32,
			"chat off sales(sales)\ncrm off seller(sales)\ndirectory off staff(everyone)\nwiki off all(architects) architects(architects)\nuntil 33"},
		{"but kept again after it", away(mover, 31, 33), 33,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects) architects(architects) engineers(engineers)<37\nuntil 37"},
		{"a whole account is kept", timeline(period(0, from(0, "Development", ""), from(30, "Sales", ""))), 31,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(engineers)<37 engineers(engineers)<37\nuntil 37"},
		{"an account without entitlements too", timeline(period(0, from(0, "Support", ""), from(30, "Sales", ""))), 31,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki\nuntil 37"},
		{"moved there and back", timeline(period(0, from(0, "Development", ""), from(30, "Sales", ""), from(32, "Development", ""))), 33,
			"chat\ndirectory staff(everyone)\nwiki all(engineers) engineers(engineers)"},
		{"moved twice, each overlap has its own end",
			timeline(period(0, from(0, "Development", "Architect"), from(30, "Sales", "Architect"), from(33, "Sales", ""))), 34,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects)<40 architects(architects)<40 engineers(engineers)<37\nuntil 37"},
		{"the first of them is over",
			timeline(period(0, from(0, "Development", "Architect"), from(30, "Sales", "Architect"), from(33, "Sales", ""))), 38,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects)<40 architects(architects)<40\nuntil 40"},
		{"what was never in force is not kept",
			timeline(period(0, from(-9, "Development", ""), from(-1, "Sales", ""))), 1,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)"},
		{"nor what was overruled at the same instant",
			timeline(period(0, from(0, "Sales", ""), from(5, "Development", ""), from(5, "Sales", ""))), 6,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)"},

		{"the end", timeline(ending(40, period(0, from(0, "Development", "")))), 40, ""},
		{"the instant before the end", timeline(ending(40, period(0, from(0, "Support", "")))), 39.9999,
			"directory staff(everyone)\nwiki\nuntil 40"},
		{"nothing is kept after the end", timeline(ending(31, period(0, from(0, "Development", ""), from(30, "Sales", "")))), 32, ""},
		{"a rehire far away", timeline(ending(40, period(0, from(0, "Sales", ""))), period(60, from(60, "Development", ""))), 41, "until 58"},
		{"a rehire whose lead time has begun", timeline(ending(40, period(0, from(0, "Sales", ""))), period(60, from(60, "Development", ""))), 59,
			"directory off staff(everyone)\nuntil 60"},
		{"nothing is kept from the period before", timeline(ending(59, period(0, from(0, "Development", ""))), period(60, from(60, "Sales", ""))), 61,
			"chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)"},
		{"the next period's accounts are made ahead in this one",
			timeline(ending(60, period(0, from(0, "Support", ""))), period(60, from(60, "Sales", ""))), 56,
			"crm off seller(sales)\ndirectory staff(everyone)\nwiki\nuntil 58"},
	}
	p := company(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			desired, err := p.Evaluate(test.timeline, after(test.at), policy.Identity{PersonID: "42"})
			require.NoError(t, err)
			assert.Equal(t, test.want, show(desired))
			assert.Equal(t, test.timeline.At(after(test.at)), desired.Standing)
		})
	}
}

func TestAPeriodThatEndsAsItStartsNeverComes(t *testing.T) {
	timeline := hr.Timeline{Periods: []hr.Period{{
		Starts: epoch, Ends: epoch, Profiles: []hr.EffectiveProfile{from(0, "Sales", "")},
	}}}
	for at := -6.0; at < 2; at++ {
		desired, err := company(t).Evaluate(timeline, after(at), policy.Identity{})
		require.NoError(t, err)
		assert.Empty(t, desired.Accounts)
	}
}

func TestAttributesFollowTheProfileInForce(t *testing.T) {
	timeline := hr.Timeline{Periods: []hr.Period{{Starts: epoch, Profiles: []hr.EffectiveProfile{
		from(0, "Development", "Engineer"), from(30, "Support", "Agent"), from(60, "Support", ""),
	}}}}
	identity := policy.Identity{PersonID: "42", ManagerAccounts: map[string]string{"directory": "acc-77", "wiki": "acc-78"}}
	attributes := func(at float64) map[string]any {
		desired, err := company(t).Evaluate(timeline, after(at), identity)
		require.NoError(t, err)
		for _, account := range desired.Accounts {
			if account.App == "directory" {
				return account.Attributes
			}
		}
		return nil
	}
	assert.Equal(t, map[string]any{"title": "Engineer", "manager": "acc-77"}, attributes(-1))
	assert.Equal(t, map[string]any{"title": "Engineer", "manager": "acc-77"}, attributes(29))
	assert.Equal(t, map[string]any{"title": "Agent", "manager": "acc-77"}, attributes(31))
	identity.ManagerAccounts = nil
	assert.Equal(t, map[string]any{}, attributes(61))
}
