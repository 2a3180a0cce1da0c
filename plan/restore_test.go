package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// An account is brought back as long as the recycle bin keeps it and the connector can do
// that; otherwise another one is made.
func TestWhatIsInTheRecycleBinIsRestored(t *testing.T) {
	for name, c := range map[string]struct {
		app   plan.App
		state plan.LinkState
		want  bool
	}{
		"in time":                               {plan.App{RecycleBin: 30 * day, Restore: true}, plan.LinkDeleted, true},
		"in time, and planned before":           {plan.App{RecycleBin: 30 * day, Restore: true}, plan.LinkPlanned, true},
		"too late":                              {plan.App{RecycleBin: 25 * day, Restore: true}, plan.LinkDeleted, false},
		"by administrators alone":               {plan.App{RecycleBin: 30 * day}, plan.LinkDeleted, false},
		"in an app without a bin":               {plan.App{Restore: true}, plan.LinkDeleted, false},
		"while there is an account that is off": {plan.App{RecycleBin: 30 * day, Restore: true}, plan.LinkDisabled, false},
	} {
		t.Run(name, func(t *testing.T) {
			made := plan.Make(plan.Input{
				Now: now, Apps: map[string]plan.App{"chat": c.app},
				Desired: policy.Desired{Standing: standing(hr.StatusActive), Accounts: []policy.Account{{App: "chat", Enabled: true}}},
				Links:   []plan.Link{{App: "chat", State: c.state, BinnedAt: now.Add(-25 * day)}},
			})
			require.Len(t, made.Steps, 1)
			assert.Equal(t, plan.Provision, made.Steps[0].Kind)
			assert.Equal(t, c.want, made.Steps[0].Restore)
			assert.True(t, made.Steps[0].Genuine())
		})
	}
}
