package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Every step stores the whole link, so two at once would overwrite each other's proofs.
func TestNoTwoStepsOfOneAppRunAtOnce(t *testing.T) {
	traits, recipients := apps(), map[string]bool{}
	for name, app := range traits {
		app.HandOver = true
		app.Leaver.Retain = 0
		traits[name], recipients[name] = app, true
	}
	got := plan.Make(plan.Input{
		Now:        now,
		Desired:    policy.Desired{Standing: standing(hr.StatusEnded)},
		Links:      linked(plan.LinkActive, "staff"),
		Apps:       traits,
		Recipients: recipients,
	})
	last := map[string]plan.Step{}
	for _, s := range got.Steps {
		if before, ok := last[s.App]; ok {
			assert.Contains(t, s.Needs, before.Key, "%s waits for %s", s.Kind, before.Kind)
		}
		last[s.App] = s
	}
	require.Len(t, got.Steps, 4*len(traits), "disable, strip, hand over, delete")
}
