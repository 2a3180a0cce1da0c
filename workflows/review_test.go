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
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

const (
	grantKey = "grant:x-1"
	strayKey = "access:10001:wiki:editors"
)

func TestAReviewGoesFromItsStartToAProvenRevocation(t *testing.T) {
	c := newCampaign(t, nil)
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10020", "role:engineering", ledger.VerdictKeep)
	c.decides(3*time.Hour, "10021", strayKey, ledger.VerdictRevoke)
	c.during(26*time.Hour, func() { assert.Contains(t, c.has("10001", "wiki"), "engineers") })
	c.holds(1, 40*day)

	require.True(t, c.done, "the run has ended")
	stray := c.item(strayKey)
	assert.Equal(t, []any{"10021", "owner of app wiki", ledger.VerdictRevoke}, []any{stray.Reviewer, stray.Authority, stray.Decision})
	assert.Equal(t, at(27*time.Hour), stray.EffectAt, "it has settled for a day")
	assert.False(t, stray.ProvenAt.IsZero())

	grant := c.item(grantKey)
	assert.Equal(t, []any{"10000", "manager of 10002", ledger.VerdictRevoke, ledger.ReviewNobody}, []any{grant.Reviewer, grant.Authority, grant.Decision, grant.DecidedBy})
	assert.Equal(t, []string{"engineers"}, c.has("10002", "wiki"), "nobody decided about the privileged grant")
	x := c.grant(1)
	assert.Equal(t, "nobody decided by the end of the review", x.EndReason)

	shown := c.theReview(1)
	assert.Equal(t, ledger.ReviewClosed, shown.Review.State)
	assert.Equal(t, time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC), shown.Review.ClosedAt, "at the end of the last day")
	assert.False(t, shown.Review.DoneAt.IsZero())
	assert.Equal(t, review.Summary{
		Items: 4, Human: 2, Silence: 2, Kept: 2, Revoked: 2, Effective: 2, Proven: 2, Completion: 0.5,
	}, shown.Summary, "silence is no completion")
	assert.Equal(t, []string{
		"review_started ", "review_opened ", "review_asked 10000", "review_asked 10020", "review_asked 10021",
		"review_reminded 10000", "review_reminded 10020", "review_escalated 10010",
		"review_reminded 10000", "review_reminded 10020", "review_silence_previewed ", "review_ended ", "review_closed ", "review_done ",
	}, c.facts())
}

// The end of a review is moved: reminders and the preview of silence come before the new end.
func TestTheEndOfAReviewIsMoved(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate = 0 })
	c.starts(time.Hour)
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	c.during(13*day, func() { // both reminders, and the preview, were given
		_, err := c.o.ExtendReview(context.Background(), olga, "v-1", end.AddDate(0, -1, 0), true)
		require.ErrorContains(t, err, "name a later time")
		_, err = c.o.ExtendReview(context.Background(), olga, "v-1", end, true)
		require.NoError(t, err)
	})
	c.holds(1, 60*day)

	require.True(t, c.done, "the run has ended")
	assert.Equal(t, end, c.theReview(1).Review.ClosedAt)
	reminded := []string{"review_reminded 10000", "review_reminded 10020", "review_reminded 10021"}
	before := slices.Concat(reminded, reminded, []string{"review_silence_previewed "})
	assert.Equal(t, slices.Concat(
		[]string{"review_started ", "review_opened ", "review_asked 10000", "review_asked 10020", "review_asked 10021"}, before,
		[]string{"review_extended "}, before, []string{"review_ended ", "review_closed ", "review_done "},
	), c.facts())
}

// A review whose time is over although nobody was shown what silence would do, because nothing of
// Tenure ran, ends later.
func TestSilenceCountsOnlyAfterItWasShown(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate, terms.Remind = 0, nil })
	c.starts(time.Hour)
	c.during(3*time.Hour, func() {
		ctx := context.Background()
		is := c.theReview(1).Review
		is.EndsAt, is.LookAt = c.now(), c.now()
		_, err := c.ledger.ChangeReview(ctx, ledger.ReviewChange{Review: is, At: c.now()})
		require.NoError(t, err)
		require.NoError(t, campaigners{c: c}.ResumeReview(ctx, 1, "a test"))
	})
	c.decides(4*time.Hour, "10020", "role:engineering", ledger.VerdictKeep)
	c.holds(1, 40*day)

	require.True(t, c.done, "the run has ended")
	assert.Equal(t, at(3*time.Hour+2*day), c.theReview(1).Review.ClosedAt)
	assert.Equal(t, []string{
		"review_started ", "review_opened ", "review_asked 10000", "review_asked 10020", "review_asked 10021",
		"review_extended ", "review_silence_previewed ", "review_ended ", "review_closed ", "review_done ",
	}, c.facts())
}

// Nobody decides after the end, even if nothing of Tenure runs that could close the review.
func TestAReviewIsNotDecidedAfterItsEnd(t *testing.T) {
	c := newCampaign(t, nil)
	c.starts(time.Hour)
	c.during(3*time.Hour, func() {
		is := c.theReview(1).Review
		is.PreviewedAt, is.EndsAt = c.now(), c.now() // the run hears nothing of it
		_, err := c.ledger.ChangeReview(context.Background(), ledger.ReviewChange{Review: is, At: c.now()})
		require.NoError(t, err)
		require.ErrorContains(t, c.says("10000", grantKey, ledger.VerdictKeep), "v-1 was to be decided by")
		_, err = c.o.ExtendReview(context.Background(), olga, "v-1", epoch.Add(10*day), true)
		require.NoError(t, err)
		require.NoError(t, c.says("10000", grantKey, ledger.VerdictKeep))
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
}

func TestItemsFollowWhoIsThere(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Escalate, terms.Remind = 0, nil })
	c.starts(time.Hour)
	c.during(2*day, func() { // the owner of the roles leaves, and so does who has more than roles give
		for _, id := range []string{"10020", "10001"} {
			c.hr(hr.Event{
				Type: hr.EventTerminated, PersonID: id, Effective: hr.DateOf(c.now()),
				Termination: &hr.Termination{LastDay: hr.DateOf(c.now().Add(-day)), AccessEndsAt: c.now()},
			})
		}
		c.works("10001")
	})
	c.during(3*day, func() { // 10002 works for another
		who := profile("Development")
		who.ManagerID, who.StartDate = "10010", hr.DateOf(epoch.Add(-30*day))
		c.hr(hr.Event{Type: hr.EventUpdated, PersonID: "10002", Effective: hr.DateOf(c.now()), Profile: who})
	})
	c.during(5*day, func() {
		role, grant, stray := c.item("role:engineering"), c.item(grantKey), c.item(strayKey)
		assert.Equal(t, []string{"10030", "10020 is no longer here"}, []string{role.Reviewer, role.AssignedWhy})
		assert.Equal(t, []string{"10010", "manager of 10002", "others decide now"}, []string{grant.Reviewer, grant.Authority, grant.AssignedWhy})
		assert.Equal(t, []any{ledger.VerdictMoot, "the person has left"}, []any{stray.Decision, stray.Reason})
		_, err := c.o.MoveItems(context.Background(), olga, "v-1", []int64{role.Item}, "10031", true)
		require.NoError(t, err)
	})
	c.during(7*day, func() {
		assert.Equal(t, "10031", c.item("role:engineering").Reviewer, "what somebody has moved stays there")
		require.ErrorContains(t, c.says("10030", "role:engineering", ledger.VerdictKeep), "they are not asked about it. Asked is 10031")
		_, err := c.o.MoveItems(context.Background(), olga, "v-1", []int64{c.item(grantKey).Item}, "10002", true)
		require.ErrorContains(t, err, "is about what person 10002 has themself")
	})
	c.decides(8*day, "10031", "role:engineering", ledger.VerdictKeep)
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Equal(t, 1, c.theReview(1).Summary.Moot)
}

func TestADecisionCanBeChangedUntilItTakesEffect(t *testing.T) {
	c := newCampaign(t, nil)
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.decides(20*time.Hour, "10000", grantKey, ledger.VerdictKeep)
	c.during(30*time.Hour, func() { assert.Contains(t, c.has("10002", "wiki"), "admins") })
	c.decides(40*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.during(63*time.Hour, func() { assert.Contains(t, c.has("10002", "wiki"), "admins") })
	c.during(65*time.Hour, func() {
		assert.NotContains(t, c.has("10002", "wiki"), "admins")
		require.ErrorContains(t, c.says("10000", grantKey, ledger.VerdictKeep), "the decision has taken effect, and stays")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Equal(t, at(64*time.Hour), c.item(grantKey).EffectAt)
}

func TestNobodyDecidesAboutWhatTheyHaveThemself(t *testing.T) {
	c := newCampaign(t, nil)
	c.works("10020") // the owner of the role has it
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10020", "role:engineering", ledger.VerdictKeep)
	c.during(3*time.Hour, func() {
		own := c.item("role:engineering:10020")
		assert.Equal(t, []any{"10020", "10030", ledger.ItemVerdict("")}, []any{own.PersonID, own.Reviewer, own.Decision}, "the fallback is asked")
		assert.Equal(t, 3, c.item("role:engineering").People, "10000, 10001 and 10002")
		require.ErrorContains(t, c.says("10020", "role:engineering:10020", ledger.VerdictKeep), "nobody decides about what they have themself")
	})
	c.decides(4*time.Hour, "10030", "role:engineering:10020", ledger.VerdictKeep)
	c.holds(1, 40*day)
	require.True(t, c.done)
}

func TestWhatARoleGivesIsWithheldUntilTheNextReviewDecides(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle, terms.Undecided = 0, review.SilenceKeeps })
	c.starts(time.Hour)
	c.during(2*time.Hour, func() { require.NoError(t, c.says("10020", "role:engineering", ledger.VerdictRevoke, "10002")) })
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Empty(t, c.item("role:engineering").EffectAt, "the others keep it")
	assert.Equal(t, []string{"admins"}, c.has("10002", "wiki"), "the account stays, and so does the grant")
	assert.Equal(t, []string{"engineers"}, c.has("10001", "wiki"))

	c.starts(50 * day)
	c.holds(2, 80*day)
	require.True(t, c.done)
	withheld, err := c.ledger.ReviewItems(t.Context(), ledger.ItemFilter{Review: 2, Kind: string(review.Withheld)}, 0, 10)
	require.NoError(t, err)
	require.Len(t, withheld, 2, "in the wiki and in the directory")
	assert.Equal(t, []any{ledger.VerdictRevoke, ledger.ReviewNobody}, []any{withheld[0].Decision, withheld[0].DecidedBy}, "silence gives nothing back")
	assert.Equal(t, []string{"admins"}, c.has("10002", "wiki"))

	c.starts(90 * day)
	for _, i := range withheld {
		c.decides(91*day, "10000", i.Key, ledger.VerdictKeep)
	}
	c.holds(3, 120*day)
	require.True(t, c.done)
	assert.Contains(t, c.has("10002", "wiki"), "engineers", "it was decided that they should have it")
}

func TestTheRunOfAReviewStaysUntilWhatWasRevokedIsGone(t *testing.T) {
	c := newCampaign(t, nil)
	c.idle["10002"] = true
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.during(20*day, func() {
		shown := c.theReview(1)
		assert.Equal(t, []any{ledger.ReviewClosed, true, 0}, []any{shown.Review.State, shown.Review.DoneAt.IsZero(), shown.Summary.Proven})
		assert.Equal(t, 1, shown.Summary.Effective, "decided is not done")
		c.idle["10002"] = false
		c.works("10002")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.WithinRange(t, c.item(grantKey).ProvenAt, at(20*day), at(20*day+6*time.Hour))
}

// A grant is about what nothing else gives: the account of a role goes on.
func TestAGrantThatIsRevokedLeavesWhatARoleGives(t *testing.T) {
	c := newCampaign(t, func(rules *policy.Rules, terms *review.Terms) {
		admin := &rules.Roles[len(rules.Roles)-1]
		admin.Grants = append(admin.Grants, policy.Grant{App: "chat", Entitlements: []string{"calls"}})
		terms.Settle = 0
	})
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.Equal(t, 2, c.item(grantKey).Accesses, "admins in the wiki and calls in the chat, and no account")
	assert.WithinRange(t, c.item(grantKey).ProvenAt, at(2*time.Hour), at(8*time.Hour))
	assert.Empty(t, c.has("10002", "chat"))
}

// What was revoked may be given by something else before it is gone: a review does not wait for
// ever then.
func TestWhatIsGivenAnewBeforeItIsGoneStays(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.Settle = 0 })
	c.idle["10002"] = true
	c.starts(time.Hour)
	c.decides(2*time.Hour, "10000", grantKey, ledger.VerdictRevoke)
	c.during(20*day, func() {
		assert.True(t, c.item(grantKey).ProvenAt.IsZero())
		_, err := c.o.GrantRole(t.Context(), olga, operator.RoleGrant{PersonID: "10002", Role: "admin", For: 100 * day}, true)
		require.NoError(t, err)
		c.idle["10002"] = false
		c.works("10002")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	assert.WithinRange(t, c.item(grantKey).ProvenAt, at(20*day), at(20*day+6*time.Hour))
	assert.Contains(t, c.has("10002", "wiki"), "admins")
	rows, err := c.ledger.Audit(t.Context(), "10002", 0, 1000)
	require.NoError(t, err)
	n := slices.IndexFunc(rows, func(r ledger.AuditRow) bool { return r.Action == ledger.AuditReviewGiven })
	require.GreaterOrEqual(t, n, 0)
	assert.Equal(t, []any{"admin (x-2)"}, rows[n].Detail["by"])
	assert.False(t, slices.ContainsFunc(rows, func(r ledger.AuditRow) bool { return r.Action == ledger.AuditReviewProven }), "nothing is gone")
}

func TestAReviewBeginsOnItsDayOnce(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) { terms.On = []review.Day{{Month: time.November, Day: 5}} })
	sweep := func(after time.Duration) int {
		c.at = at(after)
		_, err := c.acts.Sweep(t.Context())
		require.NoError(t, err)
		all, err := ledger.Collect(ledger.AllReviews(t.Context(), c.ledger, ledger.ReviewFilter{}, 0))
		require.NoError(t, err)
		return len(all)
	}
	assert.Zero(t, sweep(2*day))
	assert.Equal(t, 1, sweep(3*day))
	assert.True(t, c.told[1], "its run is started")
	assert.Equal(t, 1, sweep(4*day))
	assert.Equal(t, 1, sweep(60*day))
	assert.Equal(t, 2, sweep(368*day))
}
