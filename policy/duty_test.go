package policy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// payments returns rules by which clerks and approvers of payments are kept apart, with a role
// that gives each side by itself and one that has to be requested.
func payments(duty policy.Duty) policy.Rules {
	duty.Name = "payments"
	duty.One = []policy.Grant{{App: "erp", Entitlements: []string{"clerk"}}}
	duty.Other = []policy.Grant{{App: "erp", Entitlements: []string{"approver"}}, {App: "bank"}}
	request := &policy.RequestRules{Most: 30 * day}
	role := func(name, when, app, entitlement string, r *policy.RequestRules) policy.Role {
		grant := policy.Grant{App: app}
		if entitlement != "" {
			grant.Entitlements = []string{entitlement}
		}
		return policy.Role{Name: name, When: when, Request: r, Grants: []policy.Grant{grant}}
	}
	return policy.Rules{
		Apps: map[string]policy.AppRules{"erp": {}, "bank": {}},
		Roles: []policy.Role{
			role("clerk", "person.department == 'Sales'", "erp", "clerk", nil),
			role("may clerk", "true", "erp", "clerk", request),
			role("may approve", "true", "erp", "approver", request),
			role("may bank", "true", "bank", "", request),
			role("approver", "person.jobTitle == 'Head'", "erp", "approver", nil),
		},
		Duties: []policy.Duty{duty},
	}
}

func prevent(since float64) policy.Duty {
	return policy.Duty{Mode: policy.DutyPrevent, Since: after(since)}
}

func granted(name, role string, decided, from, until float64) policy.Exception {
	return policy.Exception{Name: name, Kind: policy.ExceptGrant, Role: role, Decided: after(decided), From: after(from), Until: after(until)}
}

func waived(name, duty string, from, until float64) policy.Exception {
	return policy.Exception{Name: name, Kind: policy.ExceptWaive, Duty: duty, From: after(from), Until: after(until)}
}

// working returns the timeline of somebody with a department and a title.
func working(department, title string) hr.Timeline {
	return hr.Timeline{PersonID: "42", Periods: []hr.Period{{Starts: after(0), Profiles: []hr.EffectiveProfile{from(0, department, title)}}}}
}

// names returns what is held, in words.
func names(held []policy.Held) []string {
	var all []string
	for _, h := range held {
		all = append(all, h.String())
	}
	return all
}

func TestAGrantThatConflictsIsNotGiven(t *testing.T) {
	for name, tc := range map[string]struct {
		duty              policy.Duty
		department, title string
		exceptions        []policy.Exception
		at                float64 // 1 if it is zero
		has, refused      []string
	}{
		"with what a role gives": {duty: prevent(0), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9)},
			has:        []string{"erp:clerk"}, refused: []string{"x-1 payments [erp:approver] [erp:clerk]"}},
		"across apps, by an account": {duty: prevent(0), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may bank", 0.5, 1, 9)},
			has:        []string{"erp:clerk"}, refused: []string{"x-1 payments [bank] [erp:clerk]"}},
		"with nothing": {duty: prevent(0), department: "Support",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), granted("x-2", "may bank", 0.6, 1, 9)},
			has:        []string{"bank", "erp:approver"}},
		"with an earlier grant": {duty: prevent(0), department: "Support",
			exceptions: []policy.Exception{granted("x-2", "may clerk", 0.7, 1, 9), granted("x-3", "may approve", 0.6, 1, 9)},
			has:        []string{"erp:approver"}, refused: []string{"x-2 payments [erp:clerk] [erp:approver]"}},
		"with an earlier grant that has not begun": {duty: prevent(0), department: "Support",
			exceptions: []policy.Exception{granted("x-2", "may clerk", 0.7, 1, 9), granted("x-3", "may approve", 0.6, 2, 9)},
			has:        []string{"erp:clerk"}},
		"with an earlier grant that is refused": {duty: prevent(0), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), granted("x-2", "may clerk", 0.6, 1, 9)},
			has:        []string{"erp:clerk"}, refused: []string{"x-1 payments [erp:approver] [erp:clerk]"}},
		"and is waived": {duty: prevent(0), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), waived("x-2", "payments", 1, 3)},
			has:        []string{"erp:approver", "erp:clerk"}},
		"and was waived": {duty: prevent(0), department: "Sales", at: 3,
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), waived("x-2", "payments", 1, 3)},
			has:        []string{"erp:clerk"}, refused: []string{"x-1 payments [erp:approver] [erp:clerk]"}},
		"and another rule is waived": {duty: prevent(0), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), waived("x-2", "another", 1, 3)},
			has:        []string{"erp:clerk"}, refused: []string{"x-1 payments [erp:approver] [erp:clerk]"}},
		"with what is withheld": {duty: prevent(0), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9),
				{Name: "x-2", Kind: policy.ExceptWithhold, App: "erp", Entitlement: "clerk", From: after(1)}},
			has: []string{"erp:approver"}},
		"and the rule only detects": {duty: policy.Duty{Mode: policy.DutyDetect}, department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9)},
			has:        []string{"erp:approver", "erp:clerk"}},
		"and is older than the rule": {duty: prevent(0.7), department: "Sales",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), granted("x-2", "may bank", 0.8, 1, 9)},
			has:        []string{"erp:approver", "erp:clerk"}, refused: []string{"x-2 payments [bank] [erp:clerk]"}},
		"of what roles give is never taken": {duty: prevent(0), department: "Sales", title: "Head",
			exceptions: []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), granted("x-2", "may bank", 0.6, 1, 9)},
			has:        []string{"erp:approver", "erp:clerk"}, refused: []string{"x-2 payments [bank] [erp:clerk]"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, payments(tc.duty))
			at := max(tc.at, 1)
			desired, err := p.Evaluate(working(tc.department, tc.title), after(at), policy.Identity{PersonID: "42"}, tc.exceptions...)
			require.NoError(t, err)
			var has, refused []string
			for _, account := range desired.Accounts {
				if len(account.Entitlements) == 0 {
					has = append(has, account.App)
				}
				for _, e := range account.Entitlements {
					has = append(has, account.App+":"+e.Name)
				}
			}
			for _, r := range desired.Refused {
				refused = append(refused, r.Exception+" "+r.Duty+" ["+sentence(r.Gives)+"] ["+sentence(r.Against)+"]")
			}
			assert.Equal(t, tc.has, has)
			assert.Equal(t, tc.refused, refused)
		})
	}
}

func sentence(held []policy.Held) string {
	text := ""
	for _, name := range names(held) {
		text += " " + name
	}
	return text[min(1, len(text)):]
}

// A waiver's begin and end are instants at which the result changes, and the reasons say what
// gives both sides.
func TestConflictsNameReasonsAndTheWaiver(t *testing.T) {
	p := compile(t, payments(prevent(0)))
	exceptions := []policy.Exception{granted("x-1", "may approve", 0.5, 1, 9), waived("x-2", "payments", 2, 3)}
	for _, tc := range []struct {
		at, changes float64
		by, waiver  string
	}{{1, 2, "x-2", ""}, {2, 3, "x-2", "x-2"}, {3, 9, "x-1", ""}} {
		desired, err := p.Evaluate(working("Sales", ""), after(tc.at), policy.Identity{PersonID: "42"}, exceptions...)
		require.NoError(t, err)
		assert.Equal(t, after(tc.changes), desired.Changes, "on day %g", tc.at)
		assert.Equal(t, tc.by, desired.ChangesBy, "on day %g", tc.at)
		conflicts := p.Conflicts(desired.Holds(), after(tc.at), exceptions...)
		if tc.waiver == "" {
			assert.Empty(t, conflicts, "on day %g", tc.at)
			continue
		}
		assert.Equal(t, []policy.Conflict{{
			Duty: "payments", Mode: policy.DutyPrevent, Waiver: tc.waiver,
			One:   []policy.Held{{App: "erp", Entitlement: "clerk", By: []string{"clerk"}}},
			Other: []policy.Held{{App: "erp", Entitlement: "approver", By: []string{"may approve (x-1)"}}},
		}}, conflicts)
	}
}

func TestDutiesAreChecked(t *testing.T) {
	grant := func(app string, entitlements ...string) policy.Grant {
		return policy.Grant{App: app, Entitlements: entitlements}
	}
	for name, tc := range map[string]struct {
		duties []policy.Duty
		want   string
	}{
		"no name": {[]policy.Duty{{Mode: policy.DutyDetect, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}}},
			"duties[0].name: a rule needs a name"},
		"one name twice": {[]policy.Duty{
			{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}},
			{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}},
		}, `duties[1].name: duties[0] is called "a" too`},
		"an empty side": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, Other: []policy.Grant{grant("bank")}}},
			"duties[0].one: must name something to keep apart: apps, and entitlements there"},
		"an unknown app": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bnak", "signer")}}},
			`duties[0].other[0].app: there is no app "bnak"; did you mean "bank"?`},
		"an entitlement without a name": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp", "")}, Other: []policy.Grant{grant("bank", "")}}},
			"duties[0].one[0].entitlements[0]: an entitlement needs a name\nduties[0].other[0].entitlements[0]: an entitlement needs a name"},
		"an entitlement on both sides": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp", "clerk")}, Other: []policy.Grant{grant("bank"), grant("erp", "x", "clerk")}}},
			"duties[0].other[1].entitlements[1]: erp:clerk is on both sides of the rule"},
		"an account against its entitlement": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("erp", "clerk")}}},
			`duties[0].other[0].entitlements[0]: whoever has erp:clerk has an account in "erp", which is on the other side: name entitlements on both sides`},
		"an entitlement against its account": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, One: []policy.Grant{grant("erp", "clerk")}, Other: []policy.Grant{grant("erp")}}},
			`duties[0].other[0]: whoever is in conflict by an account in "erp" has it on the other side too: name entitlements on both sides`},
		"an owner without a name": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, Owner: []string{"1", " "}, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}}},
			`duties[0].owner[1]: " " is nobody: it is empty, or has blanks around it`},
		"an unknown mode": {[]policy.Duty{{Name: "a", Mode: "prevnt", One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}}},
			`duties[0].mode: must be prevent or detect, not "prevnt"; did you mean "prevent"?`},
		"prevents since when?": {[]policy.Duty{{Name: "a", Mode: policy.DutyPrevent, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}}},
			"duties[0].since: is missing: say from when on grants obey the rule, such as 2026-12-01T00:00:00Z; what was granted before is not taken by it"},
		"waived for no time": {[]policy.Duty{{Name: "a", Mode: policy.DutyDetect, Waive: &policy.WaiveRules{}, One: []policy.Grant{grant("erp")}, Other: []policy.Grant{grant("bank")}}},
			"duties[0].waive.most: must be longer than nothing: the longest time for which the rule is waived, such as 90d"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Compile(policy.Rules{Apps: map[string]policy.AppRules{"erp": {}, "bank": {}}, Duties: tc.duties})
			assert.EqualError(t, err, tc.want)
		})
	}
}

// drawDuty draws a rule that keeps some entitlements of the drawn rules apart.
func drawDuty(t *rapid.T, name string, mode policy.DutyMode) policy.Duty {
	all := rapid.Permutation([]policy.Grant{
		{App: "wiki", Entitlements: []string{"x"}}, {App: "wiki", Entitlements: []string{"y", "z"}}, {App: "crm", Entitlements: []string{"x", "y", "z"}},
		{App: "directory"}, {App: "chat"},
	}).Draw(t, "what is kept apart")
	n := rapid.IntRange(1, len(all)-1).Draw(t, "on one side")
	return policy.Duty{Name: name, Mode: mode, Since: epoch.Add(-1000 * time.Hour), One: all[:n], Other: all[n:]}
}

func withDuty(t *rapid.T, rules policy.Rules) policy.Rules {
	rules.Duties = []policy.Duty{drawDuty(t, "d", rapid.SampledFrom(policy.DutyModes()).Draw(t, "mode"))}
	return rules
}

// drawWaivers gives grants an order, and adds up to two waivers.
func drawWaivers(t *rapid.T, all []policy.Exception) []policy.Exception {
	for i := range all {
		all[i].Decided = epoch.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "decided")) * time.Hour)
	}
	for range rapid.IntRange(0, 2).Draw(t, "waivers") {
		x := policy.Exception{
			Name: "x-9", Kind: policy.ExceptWaive, Duty: rapid.SampledFrom([]string{"d", "e"}).Draw(t, "waived"),
			From: epoch.Add(time.Duration(rapid.IntRange(-100, 1500).Draw(t, "waived from")) * time.Hour),
		}
		x.Until = x.From.Add(time.Duration(rapid.IntRange(1, 800).Draw(t, "waived for")) * time.Hour)
		all = append(all, x)
	}
	return all
}

func drawHeld(t *rapid.T) []policy.Held {
	var held []policy.Held
	for _, app := range []string{"directory", "wiki", "chat", "crm"} {
		if !rapid.Bool().Draw(t, "has an account") {
			continue
		}
		held = append(held, policy.Held{App: app})
		for _, e := range []string{"x", "y", "z"} {
			if rapid.Bool().Draw(t, "has it") {
				held = append(held, policy.Held{App: app, Entitlement: e})
			}
		}
	}
	return held
}

// Which side is which makes no difference, nor does the order of what is held; with the things
// of one side only, there is no conflict; and a waiver answers its own rule and no other.
func TestConflictsAreSymmetric(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		rules.Duties = []policy.Duty{drawDuty(t, "d", policy.DutyPrevent), drawDuty(t, "e", policy.DutyDetect)}
		held, now := drawHeld(t), epoch.Add(time.Hour)
		conflicts := compileIn(t, rules).Conflicts(held, now)
		found += len(conflicts)

		turned := rules
		turned.Duties = slices.Clone(rules.Duties)
		for i, d := range turned.Duties {
			turned.Duties[i].One, turned.Duties[i].Other = d.Other, d.One
		}
		again := compileIn(t, turned).Conflicts(rapid.Permutation(held).Draw(t, "in another order"), now)
		for i := range again {
			again[i].One, again[i].Other = again[i].Other, again[i].One
		}
		assert.Equal(t, conflicts, again)

		for _, c := range conflicts {
			one := slices.DeleteFunc(slices.Clone(held), func(h policy.Held) bool { return slices.Contains(names(c.Other), h.String()) })
			assert.False(t, slices.ContainsFunc(compileIn(t, rules).Conflicts(one, now), func(o policy.Conflict) bool { return o.Duty == c.Duty }),
				"there is nothing of the other side")
		}

		waiver := policy.Exception{Name: "x-1", Kind: policy.ExceptWaive, Duty: "d", From: epoch, Until: epoch.Add(2 * time.Hour)}
		for i, c := range compileIn(t, rules).Conflicts(held, now, waiver) {
			assert.Equal(t, c.Duty == "d", c.Waiver == "x-1")
			c.Waiver = ""
			assert.Equal(t, conflicts[i], c)
		}
		assert.Equal(t, conflicts, compileIn(t, rules).Conflicts(held, epoch.Add(2*time.Hour), waiver), "it is over")
	})
	assert.Greater(t, found, 50, "hardly anything conflicts")
}

// Whatever is granted, nobody holds both sides of a rule that prevents by a grant, unless it is
// waived: with neither grants nor waivers the same conflicts are there, with the same things.
// Nothing that roles give is missing.
func TestNoGrantBringsTogetherWhatIsKeptApart(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		rules := requestable(t, drawRules(t))
		for i := range rules.Roles {
			rules.Roles[i].When = "true"
		}
		rules.Duties = []policy.Duty{drawDuty(t, "d", policy.DutyPrevent)}
		p, timeline := compileIn(t, rules), working("Sales", "")
		now := after(float64(rapid.SampledFrom([]int{0, 1, 3, 8, 20, 40}).Draw(t, "day")))
		exceptions := drawExceptions(t, now)
		for i := range exceptions {
			exceptions[i].Role = rapid.SampledFrom(p.RoleNames()).Draw(t, "role of a grant")
		}
		exceptions = drawWaivers(t, exceptions)
		desired := evaluate(t, p, timeline, now, exceptions...)
		refused += len(desired.Refused)

		ungranted := slices.DeleteFunc(slices.Clone(exceptions), func(x policy.Exception) bool { return x.Kind == policy.ExceptGrant })
		byRoles := evaluate(t, p, timeline, now, ungranted...)
		for _, h := range byRoles.Holds() {
			assert.Contains(t, names(desired.Holds()), h.String(), "a role gives it")
		}
		before := p.Conflicts(byRoles.Holds(), now, exceptions...)
		for _, c := range p.Conflicts(desired.Holds(), now, exceptions...) {
			if c.Waiver != "" {
				continue
			}
			if len(before) == 0 {
				t.Fatalf("a grant brings together %v and %v", names(c.One), names(c.Other))
			}
			assert.Equal(t, [][]string{names(before[0].One), names(before[0].Other)}, [][]string{names(c.One), names(c.Other)})
		}
		for _, r := range desired.Refused {
			assert.NotEmpty(t, r.Gives)
			assert.NotEmpty(t, r.Against)
		}
	})
	assert.Positive(t, refused, "no grant was refused")
}
