package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// What has ended by itself can be taken alone, in apps in which other steps take it with
// something else.
func TestWhatHasEndedByItselfCanBeTakenAlone(t *testing.T) {
	staff := policy.Account{App: "chat", Enabled: true, Entitlements: []policy.Entitlement{{Name: "staff"}}}
	away := staff
	away.Enabled = false
	for name, tc := range map[string]struct {
		status hr.Status
		want   []policy.Account
		has    []string
		state  plan.LinkState
		ended  []string
		skip   bool
		alone  []string // what the step takes
	}{
		"with something else":         {hr.StatusActive, []policy.Account{staff}, []string{"admins", "editors", "staff"}, plan.LinkActive, []string{"admins"}, false, []string{"admins"}},
		"with the account":            {hr.StatusActive, nil, []string{"admins", "staff"}, plan.LinkActive, []string{"admins"}, false, []string{"admins"}},
		"during a leave":              {hr.StatusOnLeave, []policy.Account{away}, []string{"admins", "staff"}, plan.LinkActive, []string{"admins"}, false, []string{"admins"}},
		"with what is given":          {hr.StatusActive, []policy.Account{staff}, []string{"admins"}, plan.LinkActive, []string{"admins"}, false, []string{"admins"}},
		"alone as it is":              {hr.StatusActive, []policy.Account{staff}, []string{"admins", "staff"}, plan.LinkActive, []string{"admins"}, false, nil},
		"it is gone":                  {hr.StatusActive, nil, []string{"staff"}, plan.LinkActive, []string{"admins"}, false, nil},
		"something gives it all same": {hr.StatusActive, []policy.Account{staff}, []string{"editors", "staff"}, plan.LinkActive, []string{"staff"}, false, nil},
		"there is no account":         {hr.StatusActive, nil, []string{"admins", "staff"}, plan.LinkPlanned, []string{"admins"}, false, nil},
		"an operator has decided":     {hr.StatusActive, nil, []string{"admins", "staff"}, plan.LinkActive, []string{"admins"}, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := plan.Input{
				Now: now, Apps: map[string]plan.App{"chat": {Disable: true}},
				Desired: policy.Desired{Standing: standing(tc.status), Accounts: tc.want},
				Links:   []plan.Link{{App: "chat", State: tc.state, Entitlements: tc.has, Attributes: policy.Digest(nil)}},
				Ended:   map[string][]string{"chat": tc.ended},
			}
			made := plan.Make(in)
			if tc.skip {
				in.Skipped = map[string]bool{}
				for _, s := range made.Steps {
					in.Skipped[s.Key] = true
				}
				made = plan.Make(in)
			}
			if tc.alone == nil {
				assert.Empty(t, made.Ended)
				return
			}
			if assert.Len(t, made.Ended, 1) {
				s := made.Ended[0]
				assert.Equal(t, []any{plan.Update, tc.alone, true, true}, []any{s.Kind, s.Revoke, s.Only, s.Genuine()})
				assert.Empty(t, s.Grant)
				for _, other := range made.Steps {
					assert.NotEqual(t, other.Key, s.Key)
				}
			}
		})
	}
}
