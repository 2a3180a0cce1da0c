package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/plan"
)

// A run orders steps by Needs and Follows and names what they grant and revoke, and an attempt notes
// in the ledger what it may change: that has to be there. All else is for people.
func TestABriefStepHasWhatDecides(t *testing.T) {
	whole := plan.Step{
		Key: "wiki/Update/1", App: "wiki", Kind: plan.Update, Needs: []string{"a"}, Follows: []string{"b"},
		Grant: []string{"c"}, Revoke: []string{"d"}, Spare: true, Restore: true,
	}
	assert.Equal(t, whole, whole.Brief())
	more := whole
	more.Enabled, more.Attributes, more.Sessions, more.Only = true, true, true, true
	more.Why, more.Keep = "engineering", []string{"e"}
	assert.Equal(t, whole, more.Brief())
}
