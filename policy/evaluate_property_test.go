package policy_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// drawRules draws rules in which every app has its own lead time and overlap, and roles depend
// on department and title.
func drawRules(t *rapid.T) policy.Rules {
	span := func(name string) time.Duration { return time.Duration(rapid.IntRange(0, 8).Draw(t, name)) * day }
	apps := []string{"directory", "wiki", "chat", "crm"}
	rules := policy.Rules{Apps: map[string]policy.AppRules{}}
	for _, app := range apps {
		rules.Apps[app] = policy.AppRules{
			Attributes: map[string]string{"title": "person.jobTitle"},
			Joiner:     &policy.JoinerRules{LeadTime: span("lead time")},
			Mover:      &policy.MoverRules{Overlap: span("overlap")},
		}
	}
	conditions := []string{"true", "person.department == 'Development'", "person.department == 'Sales'",
		"person.jobTitle == 'Architect'", "person.department != 'Sales' && person.jobTitle != ''"}
	for i, when := range conditions {
		role := policy.Role{Name: string(rune('a' + i)), When: when}
		for _, app := range rapid.SliceOfNDistinct(rapid.SampledFrom(apps), 0, 3, rapid.ID).Draw(t, "apps") {
			names := rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 3).Draw(t, "entitlements")
			role.Grants = append(role.Grants, policy.Grant{App: app, Entitlements: names})
		}
		rules.Roles = append(rules.Roles, role)
	}
	return rules
}

// drawTimeline draws up to three periods, with moves and absences at any hour.
func drawTimeline(t *rapid.T) hr.Timeline {
	timeline := hr.Timeline{PersonID: "42"}
	hours := func(name string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Hour
	}
	at := epoch
	for range rapid.IntRange(0, 3).Draw(t, "periods") {
		at = at.Add(hours("gap", 0, 400))
		period := hr.Period{Starts: at}
		from := at.Add(hours("said before", -100, 50))
		for range rapid.IntRange(1, 4).Draw(t, "snapshots") {
			period.Profiles = append(period.Profiles, hr.EffectiveProfile{From: from, Profile: of(
				rapid.SampledFrom([]string{"Development", "Sales", "Support"}).Draw(t, "department"),
				rapid.SampledFrom([]string{"Architect", "Engineer", ""}).Draw(t, "title"))})
			from = from.Add(hours("until the next", 0, 200))
		}
		if from.Before(at) {
			from = at // everything was said before the start
		}
		timeline.Absences = append(timeline.Absences, hr.Interval{From: from, To: from.Add(hours("leave", 1, 100))})
		at = from.Add(hours("until the end", 1, 300))
		period.Ends = at
		timeline.Periods = append(timeline.Periods, period)
	}
	if n := len(timeline.Periods); n > 0 && rapid.Bool().Draw(t, "open") {
		timeline.Periods[n-1].Ends = time.Time{}
	}
	return timeline
}

// drawExceptions draws up to four grants and withholdings, from some weeks before an instant to
// some weeks after it.
func drawExceptions(t *rapid.T, now time.Time) []policy.Exception {
	var all []policy.Exception
	if rapid.Bool().Draw(t, "a grant in force") {
		all = append(all, policy.Exception{
			Name: "x-9", Kind: policy.ExceptGrant, Role: "a",
			From:  now.Add(-time.Duration(rapid.IntRange(0, 500).Draw(t, "since")) * time.Hour),
			Until: now.Add(time.Duration(rapid.IntRange(1, 800).Draw(t, "still")) * time.Hour),
		})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "exceptions") {
		x := policy.Exception{
			Name: "x-" + string(rune('1'+i)), Kind: policy.ExceptGrant, Role: rapid.SampledFrom([]string{"a", "c", "d", "none"}).Draw(t, "role"),
			From: now.Add(time.Duration(rapid.IntRange(-500, 200).Draw(t, "from")) * time.Hour),
		}
		x.Until = x.From.Add(time.Duration(rapid.IntRange(1, 800).Draw(t, "for")) * time.Hour)
		if rapid.Bool().Draw(t, "withhold") {
			x.Kind, x.Role = policy.ExceptWithhold, ""
			x.App = rapid.SampledFrom([]string{"directory", "wiki", "chat", "crm"}).Draw(t, "withheld app")
			x.Entitlement = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "withheld")
			if rapid.Bool().Draw(t, "for good") {
				x.Until = time.Time{}
			}
		}
		all = append(all, x)
	}
	return all
}

// requestable makes some of the drawn roles ones that have to be requested: the first, which
// everybody may have and which gives something, and others.
func requestable(t *rapid.T, rules policy.Rules) policy.Rules {
	rules.Roles[0].Grants = append(rules.Roles[0].Grants, policy.Grant{App: "wiki", Entitlements: []string{"z"}})
	for i := range rules.Roles {
		if i == 0 || rapid.Bool().Draw(t, "requestable") {
			rules.Roles[i].Request = &policy.RequestRules{Most: 1000 * time.Hour}
		}
	}
	return rules
}

func evaluate(t *rapid.T, p *policy.Policy, timeline hr.Timeline, now time.Time, exceptions ...policy.Exception) policy.Desired {
	desired, err := p.Evaluate(timeline, now, policy.Identity{PersonID: "42"}, exceptions...)
	if err != nil {
		t.Fatal(err)
	}
	return desired
}

// Nothing changes before Changes. If Changes is zero, nothing ever changes.
func TestNothingChangesBeforeItIsSaidTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, timeline := compileIn(t, withDuty(t, requestable(t, drawRules(t)))), drawTimeline(t)
		now := epoch.Add(time.Duration(rapid.IntRange(-300, 2500).Draw(t, "now")) * time.Hour)
		exceptions := drawWaivers(t, drawExceptions(t, now))
		desired := evaluate(t, p, timeline, now, exceptions...)
		last := now.AddDate(1, 0, 0)
		if !desired.Changes.IsZero() {
			if !desired.Changes.After(now) {
				t.Fatalf("changes at %s, which is not after %s", desired.Changes, now)
			}
			last = desired.Changes.Add(-time.Nanosecond)
		}
		between := now.Add(time.Duration(rapid.Int64Range(0, int64(last.Sub(now))).Draw(t, "between")))
		for _, later := range []time.Time{between, last} {
			then := evaluate(t, p, timeline, later, exceptions...)
			assert.Equal(t, desired.Accounts, then.Accounts, "at %s", later)
			assert.Equal(t, desired.Refused, then.Refused, "at %s", later)
		}
	})
}

func TestAccountsFollowTheStanding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, timeline := drawRules(t), drawTimeline(t)
		p := compileIn(t, rules)
		now := epoch.Add(time.Duration(rapid.IntRange(-300, 2500).Draw(t, "now")) * time.Hour)
		desired := evaluate(t, p, timeline, now)
		status := desired.Standing.Status
		for _, account := range desired.Accounts {
			if account.Enabled && status != hr.StatusActive {
				t.Fatalf("%s enabled although %s", account.App, status)
			}
			app, _ := p.App(account.App)
			for _, e := range account.Entitlements {
				kept := !e.Until.IsZero()
				if kept && (!account.Enabled || !e.Until.After(now) || e.Until.After(now.Add(app.Mover.Overlap))) {
					t.Fatalf("%s %s kept until %s at %s, %s", account.App, e.Name, e.Until, now, status)
				}
				if len(e.Roles) == 0 || !slices.IsSorted(e.Roles) {
					t.Fatalf("%s %s granted by %v", account.App, e.Name, e.Roles)
				}
			}
		}
		later := slices.ContainsFunc(timeline.Periods, func(p hr.Period) bool { return p.Starts.After(now) })
		if (status == hr.StatusEnded || status == hr.StatusUnknown) && !later && len(desired.Accounts) > 0 {
			t.Fatalf("accounts although %s", status)
		}
	})
}

// Without overlap, somebody on leave has exactly the access that they would have at work, with
// accounts disabled.
func TestLeaveOnlySwitchesOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, timeline := drawRules(t), drawTimeline(t)
		for name, app := range rules.Apps {
			app.Mover = nil
			rules.Apps[name] = app
		}
		p := compileIn(t, rules)
		timeline.Absences = nil
		now := epoch.Add(time.Duration(rapid.IntRange(-300, 2500).Draw(t, "now")) * time.Hour)
		working := evaluate(t, p, timeline, now)
		timeline.Absences = []hr.Interval{{From: epoch.AddDate(-1, 0, 0)}}
		away := evaluate(t, p, timeline, now)
		for i := range working.Accounts {
			working.Accounts[i].Enabled = false
		}
		assert.Equal(t, working.Accounts, away.Accounts)
	})
}

// The order and repetition of roles and grants do not matter.
func TestOrderOfRolesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, timeline := drawRules(t), drawTimeline(t)
		now := epoch.Add(time.Duration(rapid.IntRange(-300, 2500).Draw(t, "now")) * time.Hour)
		want := evaluate(t, compileIn(t, rules), timeline, now)

		shuffled := rules
		shuffled.Apps = maps.Clone(rules.Apps)
		shuffled.Roles = rapid.Permutation(rules.Roles).Draw(t, "roles")
		for i, role := range shuffled.Roles {
			grants := rapid.Permutation(append(role.Grants, role.Grants...)).Draw(t, "grants")
			shuffled.Roles[i].Grants = grants
		}
		assert.Equal(t, want, evaluate(t, compileIn(t, shuffled), timeline, now))
	})
}

func compileIn(t *rapid.T, rules policy.Rules) *policy.Policy {
	p, err := policy.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
