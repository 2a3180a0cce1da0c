package workflows_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// buildAndSell keeps apart what developers have in the wiki and what has to be requested in the
// crm.
func buildAndSell() policy.Duty {
	return policy.Duty{
		Name: "build-and-sell", Mode: policy.DutyPrevent, Since: epoch,
		One:   []policy.Grant{{App: "wiki", Entitlements: []string{"engineers", "admins"}}},
		Other: []policy.Grant{{App: "crm", Entitlements: []string{"users"}}},
		Waive: &policy.WaiveRules{Most: 90 * day},
	}
}

// waives waives a rule for the person, and tells the run.
func (b *biography) waives(after time.Duration, duty string, until time.Duration) {
	b.nudged(after, func() {
		b.except(ledger.Exception{Kind: "waive", Duty: duty, Control: "the auditors look at every deal"}, after, until)
	})
}

// asked returns the keys of the questions about separation of duties that are open.
func (b *biography) asked() []string {
	b.t.Helper()
	var keys []string
	for _, s := range person(b).Steps {
		if s.Code == provision.CodeDuty && s.State == ledger.StepAttention {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// asks requires the beginnings of the keys of the questions about separation of duties that are
// open at a time.
func (b *biography) asks(after time.Duration, beginnings ...string) {
	b.on(after, func() {
		keys := b.asked()
		require.Len(b.t, keys, len(beginnings), "after %s: %v", after, keys)
		for i, begins := range beginnings {
			assert.True(b.t, strings.HasPrefix(keys[i], begins), "after %s: %s", after, keys[i])
		}
	})
}

// settles answers the questions about separation of duties that are open.
func (b *biography) settles(after time.Duration) {
	b.nudged(after, func() {
		for _, key := range b.asked() {
			require.NoError(b.t, b.ledger.Act(context.Background(), ledger.Action{
				Verb: ledger.VerbSkip, PersonID: b.person, Key: key, Conflict: provision.Waivable(key), Operator: "ada", Reason: "we know", At: b.now(),
			}))
		}
	})
}

// lands puts another policy into force, and tells the run.
func (b *biography) lands(after time.Duration, rules policy.Rules) {
	compiled, err := policy.Compile(rules)
	require.NoError(b.t, err)
	b.nudged(after, func() { b.acts.Policy = compiled })
}

func TestDutiesAreKeptApart(t *testing.T) {
	const minute = time.Minute
	prevents := requestRules()
	prevents.Duties = []policy.Duty{buildAndSell()}
	detects := requestRules()
	detects.Duties = []policy.Duty{buildAndSell()}
	detects.Duties[0].Mode = policy.DutyDetect
	landing := func(since time.Duration) policy.Rules {
		rules := requestRules()
		rules.Duties = []policy.Duty{buildAndSell()}
		rules.Duties[0].Since = epoch.Add(since)
		return rules
	}
	byRoles := requestRules()
	byRoles.Duties = []policy.Duty{{
		Name: "two-groups", Mode: policy.DutyPrevent, Since: epoch,
		One:   []policy.Grant{{App: "wiki", Entitlements: []string{"engineers"}}},
		Other: []policy.Grant{{App: "directory", Entitlements: []string{"engineers"}}},
	}}
	for name, tc := range map[string]struct {
		rules policy.Rules
		live  func(b *biography)
	}{
		"a grant that conflicts is not given, and a human is asked": {prevents, func(b *biography) {
			b.grants(day, "crm-user", day, 30*day)
			b.sees(day+minute, "crm", "none", "refused")
			b.asks(day+minute, "duty:build-and-sell:x-1")
			b.settles(2 * day)
			b.asks(2*day + minute)
			b.sees(2*day+minute, "crm", "none", "the answer gives nothing")
			b.hears(5*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
			b.sees(5*day+minute, "crm", "on [users]", "there is nothing on the other side any more")
			b.hears(8*day, hr.Event{Type: hr.EventTransferred, Profile: profile("Development")})
			b.sees(8*day+minute, "crm", "off []", "there is again")
			b.sees(8*day+minute, "wiki", "on [engineers]", "a role gives it")
		}},
		"a waiver lets it through, and its end takes it again": {prevents, func(b *biography) {
			b.grants(day, "crm-user", day, 30*day)
			b.waives(2*day, "build-and-sell", 5*day)
			b.sees(2*day+minute, "crm", "on [users]", "waived")
			b.asks(2*day + minute)
			b.on(3*day, func() {
				assert.Equal(b.t, []any{"exception", epoch.Add(5 * day)}, []any{person(b).DueWhat, person(b).DueAt}, "the end of a waiver is due")
			})
			b.sees(5*day-minute, "crm", "on [users]", "still waived")
			b.sees(5*day+minute, "crm", "off []", "the waiver is over")
			b.asks(5*day+minute, "duty:build-and-sell:x-1")
			b.sees(5*day+minute, "wiki", "on [engineers]", "a role gives it")
		}},
		"of two grants the later one is not given": {prevents, func(b *biography) {
			b.withholds(day-minute, "wiki", "engineers", 40*day)
			b.grants(day, "crm-user", day, 10*day)
			b.grants(2*day, "admin", 2*day, 20*day)
			b.sees(2*day+minute, "crm", "on [users]", "decided earlier")
			b.sees(2*day+minute, "wiki", "on []", "decided later")
			b.asks(2*day+minute, "duty:build-and-sell:x-3")
			b.sees(10*day+minute, "crm", "off []", "its time is over")
			b.sees(10*day+minute, "wiki", "on [admins]", "nothing conflicts any more")
			b.asks(10*day + minute)
		}},
		"what roles give is not taken, and a human is asked once": {byRoles, func(b *biography) {
			b.asks(minute, "duty:two-groups:")
			b.sees(minute, "wiki", "on [engineers]", "not taken")
			b.sees(minute, "directory", "on [engineers staff]", "not taken")
			b.settles(day)
			b.asks(day + minute)
			b.asks(20 * day)
			b.sees(20*day, "wiki", "on [engineers]", "not taken")
		}},
		"a new rule alone takes nothing, and a human is asked": {requestRules(), func(b *biography) {
			b.grants(day, "crm-user", day, 30*day)
			b.lands(3*day, landing(3*day))
			b.sees(3*day+minute, "crm", "on [users]", "granted before the rule")
			b.sees(3*day+minute, "wiki", "on [engineers]", "a role gives it")
			b.asks(3*day+minute, "duty:build-and-sell:")
			b.grants(4*day, "crm-user", 4*day, 60*day)
			b.sees(30*day+minute, "crm", "off []", "the later one obeys the rule")
			b.asks(30*day+minute, "duty:build-and-sell:x-2")
		}},
		"what is only detected is given, and nobody is asked": {detects, func(b *biography) {
			b.grants(day, "crm-user", day, 30*day)
			b.sees(day+minute, "crm", "on [users]", "the rule only detects")
			b.asks(day + minute)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, tc.rules)
			b.hears(0, hired("Development"))
			tc.live(b)
			b.live(62 * day)
		})
	}
}
