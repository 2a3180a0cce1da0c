package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

// leaves ends somebody's employment now.
func (c *campaign) leaves(id string) {
	c.hr(hr.Event{
		Type: hr.EventTerminated, PersonID: id, Effective: hr.DateOf(c.now()),
		Termination: &hr.Termination{LastDay: hr.DateOf(c.now().Add(-day)), AccessEndsAt: c.now()},
	})
}

// becomes gives somebody another ID, under which they work for another, and takes their accounts along.
func (c *campaign) becomes(old, id, boss string) {
	c.t.Helper()
	c.employs(id, boss)
	_, err := c.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: id, OldID: old, At: c.now(), Operator: "olga", Reason: "one human"})
	require.NoError(c.t, err)
	for _, id := range []string{old, id} {
		c.works(id)
	}
}

// An account that is nobody's ends as that of whoever has left and whom it matches, or as nobody's if
// there is none, or if they have another account there.
func TestAnOrphanThatIsRevokedEnds(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle = 0 })
	for _, id := range []string{"10040", "10041", "10042"} {
		c.employs(id, "10000")
	}
	c.works("10041") // has an account in the wiki
	for _, id := range []string{"10040", "10041"} {
		c.leaves(id)
		c.works(id)
	}
	c.finds(map[string][]string{"a": nil, "b": {"10040"}, "c": {"10041"}, "d": {"10040", "10041"}, "e": {"10042"}})
	c.starts(time.Hour)
	keys := []string{"account:wiki:a", "account:wiki:b", "account:wiki:c", "account:wiki:d", "account:wiki:e"}
	for _, key := range keys {
		c.decides(2*time.Hour, "10021", key, ledger.VerdictRevoke)
	}
	c.during(3*time.Hour, func() {
		owners := map[string]string{}
		for _, account := range []string{"a", "b", "c", "d", "e"} {
			links, err := c.ledger.Links(context.Background(), ledger.LinkFilter{App: "wiki", AccountID: account})
			require.NoError(t, err)
			for _, l := range links {
				owners[account] = l.PersonID + " " + string(l.State)
			}
		}
		assert.Equal(t, map[string]string{"a": "orphan:f-2 disabled", "b": "10040 disabled", "c": "orphan:f-4 disabled", "d": "orphan:f-5 disabled"}, owners)
		for _, key := range keys[:4] {
			assert.False(t, c.item(key).ProvenAt.IsZero(), "%s: the app has shown that it is off", key)
		}
		awaited, err := c.ledger.ReviewAccesses(context.Background(), ledger.AccessFilter{Review: 1, Item: c.item(keys[4]).Item, Awaited: true}, ledger.AccessPlace{}, 10)
		require.NoError(t, err)
		require.Len(t, awaited, 1)
		assert.Equal(t, "whom the account matches works here: say whose it is", awaited[0].Needs)
	})
	c.during(30*day, func() { // somebody deletes it in the app, and a scan does not see it any more
		assert.False(t, c.done)
		c.at = c.now()
		c.finds(map[string][]string{"z": nil})
	})
	c.holds(1, 60*day)
	require.True(t, c.done)
	assert.WithinRange(t, c.item(keys[4]).ProvenAt, at(30*day), at(30*day+7*time.Hour))
}

// Before an account that is nobody's is off, somebody gives it to the person whom it matches, who is
// to have one by policy.
func TestAnOrphanThatIsRevokedAndThenSomebodysStays(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle = 0 })
	c.employs("10042", "10000")
	c.finds(map[string][]string{"e": {"10042"}})
	c.starts(time.Hour)
	const key = "account:wiki:e"
	c.decides(2*time.Hour, "10021", key, ledger.VerdictRevoke)
	c.during(20*day, func() {
		assert.True(t, c.item(key).ProvenAt.IsZero())
		ctx := context.Background()
		begun, err := c.ledger.BeginStep(ctx, ledger.Attempt{PersonID: "10042", App: "wiki", Key: "adopt", Kind: "Adopt", At: c.now(), Deadline: c.now().Add(time.Minute)})
		require.NoError(t, err)
		require.NoError(t, c.ledger.FinishStep(ctx, ledger.Outcome{
			PersonID: "10042", App: "wiki", Key: "adopt", Kind: "Adopt", Attempt: begun.Attempt, At: c.now(), State: ledger.StepDone,
			Link: &ledger.Link{AccountID: "e", State: ledger.LinkActive, Adopted: true, CreatedAt: c.now()},
		}))
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.WithinRange(t, c.item(key).ProvenAt, at(20*day), at(20*day+6*time.Hour))
	rows, err := c.ledger.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(rows, func(r ledger.AuditRow) bool { return r.Action == ledger.AuditReviewGiven }), "the record says why it stays")
}

// What was decided about somebody holds for the human, whatever ID they have by the time that it
// takes effect.
func TestARevocationFollowsAHumanToAnotherID(t *testing.T) {
	for _, tc := range []struct {
		name string
		when time.Duration // after the beginning
	}{
		{"before it was decided", 30 * time.Hour}, {"after it was decided", 50 * time.Hour}, {"after it has taken effect, and before it was done", 73 * time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Explain, terms.Escalate = review.ExplainEach, 0 })
			const key = "access:10001:directory:engineers"
			c.starts(time.Hour)
			c.decides(48*time.Hour, "10020", key, ledger.VerdictRevoke)
			c.idle["10001"] = true
			c.during(tc.when, func() {
				c.idle["10001"], c.idle["20001"] = false, true
				c.becomes("10001", "20001", "10010")
			})
			c.during(75*time.Hour, func() {
				assert.Contains(t, c.has("20001", "directory"), "engineers")
				assert.True(t, c.item(key).ProvenAt.IsZero(), "the human still has it")
				assert.Equal(t, ledger.VerdictRevoke, c.item(key).Decision, "it is not moot")
				c.idle["20001"] = false
				c.works("20001")
				assert.NotContains(t, c.has("20001", "directory"), "engineers")
			})
			c.holds(1, 40*day)
			require.True(t, c.done)
			assert.WithinRange(t, c.item(key).ProvenAt, at(75*time.Hour), at(82*time.Hour))
		})
	}
}

func TestAReviewerIsAskedUnderTheirNewIDAndDecidesNothingOfTheirOwn(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate, terms.Remind = 0, nil })
	c.works("10020") // the owner of the role has it
	c.starts(time.Hour)
	c.during(2*time.Hour, func() { c.becomes("10020", "20020", "10010") })
	c.during(2*day, func() {
		role := c.item("role:engineering")
		assert.Equal(t, []string{"20020", "10020 has another ID now"}, []string{role.Reviewer, role.AssignedWhy})
		require.NoError(t, c.says("20020", "role:engineering", ledger.VerdictKeep))
		own := c.item("role:engineering:10020")
		assert.Equal(t, []any{"10030", ledger.ItemVerdict("")}, []any{own.Reviewer, own.Decision}, "the fallback is asked about what they have themself")
		require.ErrorContains(t, c.says("20020", "role:engineering:10020", ledger.VerdictKeep), "nobody decides about what they have themself")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
}
