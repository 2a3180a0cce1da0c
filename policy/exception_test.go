package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// Whatever is granted and withheld, each entitlement has a role that gives it: one that need
// not be requested, whose condition holds, or one that a grant in force gives. Nothing is
// there that is withheld, and whatever is given and not withheld is there.
func TestEveryEntitlementHasAReasonThatHolds(t *testing.T) {
	granted := 0
	rapid.Check(t, func(t *rapid.T) {
		rules, timeline := requestable(t, drawRules(t)), drawTimeline(t)
		p := compileIn(t, rules)
		now := epoch.Add(time.Duration(rapid.IntRange(0, 800).Draw(t, "now")) * time.Hour)
		exceptions := drawExceptions(t, now)
		desired := evaluate(t, p, timeline, now, exceptions...)
		employed := desired.Standing.Period != nil && desired.Standing.Status != hr.StatusEnded && desired.Standing.Status != hr.StatusUpcoming
		reasons := map[string][]string{} // by app and entitlement
		for _, role := range rules.Roles {
			var names []string
			if role.Request == nil {
				names = append(names, role.Name)
			}
			for _, x := range exceptions {
				if role.Request != nil && x.Kind == policy.ExceptGrant && x.Role == role.Name && x.InForce(now) {
					names = append(names, role.Name+" ("+x.Name+")")
				}
			}
			if !p.Eligible(role.Name, timeline, now, policy.Identity{PersonID: "42"}) {
				continue
			}
			for _, grant := range role.Grants {
				for _, e := range grant.Entitlements {
					reasons[grant.App+" "+e] = append(reasons[grant.App+" "+e], names...)
				}
			}
		}
		withheld := func(app, entitlement string) bool {
			return slices.ContainsFunc(exceptions, func(x policy.Exception) bool {
				return x.Kind == policy.ExceptWithhold && x.InForce(now) && x.App == app && (x.Entitlement == "" || x.Entitlement == entitlement)
			})
		}
		has := map[string]bool{}
		for _, account := range desired.Accounts {
			if withheld(account.App, "") {
				t.Fatalf("%s is withheld", account.App)
			}
			for _, e := range account.Entitlements {
				has[account.App+" "+e.Name] = true
				if withheld(account.App, e.Name) {
					t.Fatalf("%s %s is withheld", account.App, e.Name)
				}
				if !e.Until.IsZero() || !account.Enabled {
					continue // kept after a move, or prepared for another employment
				}
				for _, role := range e.Roles {
					if !slices.Contains(reasons[account.App+" "+e.Name], role) {
						t.Fatalf("%s %s is given by %s, which gives it not", account.App, e.Name, role)
					}
					if strings.Contains(role, "(x-") {
						granted++
					}
				}
			}
		}
		for what, by := range reasons {
			app, entitlement, _ := strings.Cut(what, " ")
			if employed && len(by) > 0 && !has[what] && !withheld(app, entitlement) {
				t.Fatalf("%s is not there, though %v give it", what, by)
			}
		}
	})
	assert.Positive(t, granted, "no case had a grant")
	t.Logf("%d entitlements were given by grants", granted)
}

func TestChangesNameTheException(t *testing.T) {
	p := compile(t, policy.Rules{
		Apps:  map[string]policy.AppRules{"wiki": {}},
		Roles: []policy.Role{{Name: "admin", When: "true", Request: &policy.RequestRules{Most: day}, Grants: []policy.Grant{{App: "wiki"}}}},
	})
	timeline := hr.Timeline{PersonID: "42", Periods: []hr.Period{{Starts: after(0), Ends: after(9), Profiles: []hr.EffectiveProfile{from(0, "Sales", "")}}}}
	grant := policy.Exception{Name: "x-3", Kind: policy.ExceptGrant, Role: "admin", From: after(2), Until: after(4)}
	waiver := policy.Exception{Name: "x-4", Kind: policy.ExceptWaive, Duty: "two-eyes", From: after(1), Until: after(3)}
	for _, tc := range []struct {
		at, changes float64
		by, has     string
	}{{1, 2, "x-3", ""}, {2, 4, "x-3", "admin (x-3)"}, {4, 9, "", ""}} {
		desired, err := p.Evaluate(timeline, after(tc.at), policy.Identity{PersonID: "42"}, grant, waiver)
		require.NoError(t, err)
		assert.Equal(t, after(tc.changes), desired.Changes, "on day %g", tc.at)
		assert.Equal(t, tc.by, desired.ChangesBy, "on day %g", tc.at)
		var has []string
		for _, account := range desired.Accounts {
			has = append(has, account.Roles...)
		}
		assert.Equal(t, tc.has, strings.Join(has, " "), "on day %g", tc.at)
	}
}

func TestRolesThatHaveToBeRequestedAreChecked(t *testing.T) {
	role := policy.Role{Name: "admin", When: "true", Grants: []policy.Grant{{App: "wiki"}}, Request: &policy.RequestRules{}}
	rules := policy.Rules{Apps: map[string]policy.AppRules{"wiki": {}}, Roles: []policy.Role{role}, Leaver: policy.LeaverRules{HandOver: "admin"}}
	_, err := policy.Compile(rules)
	require.ErrorContains(t, err, "roles[0].request.most: must be longer than nothing")
	require.ErrorContains(t, err, `leaver.handOver: role "admin" has to be requested`)
}
