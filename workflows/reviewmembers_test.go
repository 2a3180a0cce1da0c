package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

// Between two reviews one person loses a role, and another one is hired. Whose item about the role
// became one of their own had it all the same.
func TestAnItemAboutARoleSaysWhoCameAndWent(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle, terms.Undecided = 0, review.SilenceKeeps })
	hire := func(id string) {
		c.employs(id, "10000")
		c.works(id)
	}
	for n := range 9 {
		hire(fmt.Sprintf("1100%d", n))
	}
	c.starts(time.Hour)
	c.during(2*time.Hour, func() { require.NoError(t, c.says("10020", "role:engineering", ledger.VerdictRevoke, "10002")) })
	c.holds(1, 40*day)
	require.True(t, c.done)
	first := review.FactsOf(c.item("role:engineering")).Members
	require.NotNil(t, first)
	assert.Empty(t, first.Since, "it is the first review")
	assert.Zero(t, first.Came+first.Went+first.Unlike)

	c.during(45*day, func() { hire("12000") })
	c.starts(50 * day)
	c.holds(2, 80*day)
	require.True(t, c.done)
	second := review.FactsOf(c.item("role:engineering")).Members
	require.NotNil(t, second)
	assert.Equal(t, "v-1", second.Since)
	assert.Equal(t, []string{"12000"}, second.CameIDs)
	assert.Equal(t, []string{"10002"}, second.WentIDs)
	assert.Equal(t, []review.Outlier{{Person: "10002", Peers: 12, Share: 91}}, second.Unlikes, "eleven of twelve engineers have it")
	assert.NotEmpty(t, review.FactsOf(c.item("role:engineering")).When, "the other facts are still there")
}
