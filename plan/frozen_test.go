package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// An app that gives disabled accounts nothing is not asked to: what is missing comes when the
// account is enabled. What has to be taken is taken at once.
func TestADisabledAccountThatIsFrozenIsGivenNothing(t *testing.T) {
	renameTo := ""
	steps := func(frozen, enabled bool, status hr.Status, has ...string) []plan.Step {
		return plan.Make(plan.Input{
			Now: now, Apps: map[string]plan.App{"chat": {Frozen: frozen, Disable: true, Relabel: true}},
			Desired: policy.Desired{Standing: standing(status), Accounts: []policy.Account{{
				App: "chat", Enabled: enabled, Attributes: map[string]any{"title": "CTO"},
				Entitlements: []policy.Entitlement{{Name: "staff"}},
			}}},
			Links: []plan.Link{{App: "chat", State: plan.LinkDisabled, Entitlements: has, RenameTo: renameTo}},
		}).Steps
	}
	for _, status := range []hr.Status{hr.StatusOnLeave, hr.StatusUpcoming} {
		assert.Empty(t, steps(true, false, status), status)

		taken := steps(true, false, status, "admins")
		if assert.Len(t, taken, 1, status) {
			assert.Equal(t, plan.Update, taken[0].Kind)
			assert.Equal(t, []string{"admins"}, taken[0].Revoke)
			assert.Empty(t, taken[0].Grant)
			assert.False(t, taken[0].Attributes)
		}

		given := steps(false, false, status)
		if assert.Len(t, given, 1, status) {
			assert.Equal(t, []string{"staff"}, given[0].Grant)
			assert.True(t, given[0].Attributes)
		}
	}
	back := steps(true, true, hr.StatusActive)
	if assert.Len(t, back, 1) {
		assert.Equal(t, plan.Provision, back[0].Kind)
		assert.Equal(t, []string{"staff"}, back[0].Grant)
	}

	renameTo = "lovelace"
	assert.Empty(t, steps(true, false, hr.StatusOnLeave), "a new name comes then too")
	back = steps(true, true, hr.StatusActive)
	if assert.Len(t, back, 2) {
		assert.Equal(t, plan.Relabel, back[1].Kind)
		assert.Equal(t, []string{back[0].Key}, back[1].Needs)
	}
	assert.Len(t, steps(false, false, hr.StatusOnLeave), 2)
}
