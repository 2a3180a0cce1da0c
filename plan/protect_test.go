package plan_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

func TestWhatIsProtectedIsWithheld(t *testing.T) {
	everywhere := map[string]bool{"chat": true, "directory": true, "wiki": true}
	for name, tc := range map[string]struct {
		standing        hr.Standing
		accounts        []policy.Account
		links           []plan.Link
		protected       map[string]bool
		change          plan.Change
		steps, withheld []string
	}{
		"somebody who leaves": {
			standing: standing(hr.StatusEnded), links: linked(plan.LinkActive), protected: everywhere,
			withheld: []string{"chat/Disable", "directory/Disable", "wiki/Disable", "chat/Strip", "directory/Strip", "wiki/Strip"},
		},
		"one account of somebody who leaves": {
			standing: standing(hr.StatusEnded), links: linked(plan.LinkActive), protected: map[string]bool{"wiki": true},
			change:   plan.Leaver,
			steps:    []string{"chat/Disable", "directory/Disable", "chat/Strip", "directory/Strip"},
			withheld: []string{"wiki/Disable", "wiki/Strip"},
		},
		"somebody who joins": {
			standing: standing(hr.StatusActive), accounts: wants(true, "staff"), protected: everywhere,
			withheld: []string{"chat/Provision", "directory/Provision", "wiki/Provision"},
		},
		"others do not wait for what is never made": {
			standing: standing(hr.StatusActive), accounts: wants(true, "staff"), protected: map[string]bool{"directory": true},
			change:   plan.Joiner,
			steps:    []string{"chat/Provision", "wiki/Provision"},
			withheld: []string{"directory/Provision"},
		},
		"somebody whose entitlements differ": {
			standing: standing(hr.StatusActive), accounts: wants(true, "staff"), links: linked(plan.LinkActive), protected: everywhere,
			withheld: []string{"chat/Update", "directory/Update", "wiki/Update"},
		},
		"somebody who is suspended": {
			standing: standing(hr.StatusSuspended), accounts: wants(false), links: linked(plan.LinkActive), protected: everywhere,
			withheld: []string{"chat/Disable", "directory/Disable", "wiki/Disable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := plan.Make(plan.Input{
				Now: now, Apps: apps(), Desired: policy.Desired{Standing: tc.standing, Accounts: tc.accounts}, Links: tc.links, Protected: tc.protected,
			})
			assert.Equal(t, tc.change, made.Change)
			assert.Equal(t, tc.steps, short(made.Steps))
			assert.Equal(t, tc.withheld, short(made.Withheld))
			for _, s := range made.Steps {
				assert.Empty(t, slices.DeleteFunc(s.Needs, func(key string) bool {
					return slices.ContainsFunc(made.Steps, func(o plan.Step) bool { return o.Key == key })
				}), "it waits for what is not done")
			}
		})
	}
}

// In protected apps nothing is planned. In other apps the plan is the same as without
// protection. Steps and withheld steps together are the steps of the plan without protection.
// The only difference is that nobody is asked to approve a withheld deletion.
func TestProtectionWithholdsItsOwnAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyInput(t)
		in.Protected = map[string]bool{}
		unprotected := in
		unprotected.Protected, unprotected.Apps = nil, maps.Clone(in.Apps)
		for _, app := range slices.Sorted(maps.Keys(in.Apps)) {
			in.Protected[app] = rapid.Bool().Draw(t, "protected")
			traits := in.Apps[app]
			traits.Leaver.Approval = traits.Leaver.Approval && !in.Protected[app]
			unprotected.Apps[app] = traits
		}
		free := plan.Make(unprotected)
		made := plan.Make(in)
		keys := func(steps []plan.Step, protected bool) []string {
			var out []string
			for _, s := range steps {
				if in.Protected[s.App] == protected {
					out = append(out, s.Key)
				}
			}
			return out
		}
		require.Empty(t, keys(made.Steps, true))
		require.Empty(t, keys(made.Withheld, false))
		require.Equal(t, keys(free.Steps, false), keys(made.Steps, false))
		require.Equal(t, keys(free.Steps, true), keys(made.Withheld, true))
		require.Equal(t, free.Due, made.Due)
	})
}
