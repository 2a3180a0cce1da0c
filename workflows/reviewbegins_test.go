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
	"github.com/tenurehq/tenure/reconcile/scan"
	"github.com/tenurehq/tenure/review"
)

// A review begins with a scan of each app that was not scanned lately, and says so if that does not
// end.
func TestAReviewScansFirstWhatWasNotScannedLately(t *testing.T) {
	for _, tc := range []struct {
		name   string
		starts time.Duration
		scan   time.Duration // when the scan ends; zero: it does not
		asked  []string
		opens  time.Duration // at the earliest
		stale  bool
	}{
		{"scanned lately", day, 0, nil, day, false},
		{"long ago, and now", 3 * day, 3*day + 30*time.Minute, []string{"wiki"}, 3*day + 30*time.Minute, false},
		{"long ago, and the scan does not end", 3 * day, 0, []string{"wiki"}, 3*day + 2*time.Hour, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampaign(t, nil)
			c.acts.Reviews.Fresh = 2 * day
			c.acts.Scanner = &scan.Scanner{Apps: map[string]scan.App{"wiki": {}}}
			c.starts(tc.starts)
			if tc.scan > 0 {
				c.during(tc.scan, func() { c.scanned("wiki", "7-10001", "engineers", "editors", "owners") })
			}
			c.holds(1, 60*day)
			require.True(t, c.done)
			r := c.theReview(1).Review
			assert.WithinRange(t, r.OpenedAt, at(tc.opens), at(tc.opens+20*time.Minute))
			assert.Equal(t, tc.asked, slices.Compact(c.askedFor))
			n := slices.IndexFunc(r.Scans, func(s ledger.ReviewScan) bool { return s.App == "wiki" })
			assert.Equal(t, tc.stale, r.Scans[n].Stale)
			found, err := c.ledger.ReviewItems(t.Context(), ledger.ItemFilter{Review: 1, Key: "access:10001:wiki:owners"}, 0, 1)
			require.NoError(t, err)
			assert.Equal(t, tc.scan > 0, len(found) == 1, "what the scan has seen is asked about")
		})
	}
}

// moves gives somebody another job now.
func (c *campaign) moves(id, title string) {
	who := profile("Development")
	who.JobTitle, who.StartDate = title, hr.DateOf(epoch.Add(-30*day))
	c.hr(hr.Event{Type: hr.EventTransferred, PersonID: id, Effective: hr.DateOf(c.now()), Profile: who})
	c.works(id)
}

// Somebody who has moved, or was away for long, and has more than roles give is reviewed alone, once
// for each time.
func TestWhoeverHasMovedOrReturnedIsReviewedAlone(t *testing.T) {
	c := newCampaign(t, func(_ *policy.Rules, terms *review.Terms) {
		terms.After, terms.Settle, terms.Undecided = review.After{Moved: true, Returned: 30 * day, Wait: 7 * day}, 0, review.SilenceKeeps
	})
	c.works("10020") // has what roles give, and no more
	c.during(day, func() {
		for _, id := range []string{"10002", "10020"} {
			c.moves(id, "Architect")
		}
		c.hr(hr.Event{Type: hr.EventLeaveStarted, PersonID: "10001", Effective: hr.DateOf(c.now())})
	})
	c.during(day+time.Hour, func() { // a new manager is no move
		who := profile("Development")
		who.JobTitle, who.ManagerID, who.StartDate = "Architect", "10010", hr.DateOf(epoch.Add(-30*day))
		c.hr(hr.Event{Type: hr.EventUpdated, PersonID: "10002", Effective: hr.DateOf(c.now().Add(day)), Profile: who})
	})
	c.during(41*day, func() {
		c.hr(hr.Event{Type: hr.EventLeaveEnded, PersonID: "10001", Effective: hr.DateOf(c.now())})
	})
	c.during(44*day, func() { c.scanned("wiki", "7-10001", "engineers", "editors") })
	c.sweeps(time.Hour, 60*day, 13*time.Hour)
	c.decides(9*day, "10010", grantKey, ledger.VerdictRevoke)
	c.holds(1, 30*day)
	require.True(t, c.done)
	r := c.theReview(1).Review
	assert.Equal(t, []any{"10002", ledger.ActorTenure, "the person has moved, and has more than roles give"}, []any{r.PersonID, r.StartedBy, r.Reason})
	assert.WithinRange(t, r.StartedAt, at(7*day), at(8*day+14*time.Hour), "the day begins in the person's zone")
	assert.NotContains(t, c.has("10002", "wiki"), "admins")
	items, err := c.ledger.ReviewItems(t.Context(), ledger.ItemFilter{Review: 1}, 0, 100)
	require.NoError(t, err)
	for _, i := range items {
		assert.Equal(t, 1, i.People, i.Key)
	}

	c.holds(2, 90*day)
	require.True(t, c.done)
	r = c.theReview(2).Review
	assert.Equal(t, []any{"10001", "the person has returned, and has more than roles give"}, []any{r.PersonID, r.Reason})
	all, err := ledger.Collect(ledger.AllReviews(context.Background(), c.ledger, ledger.ReviewFilter{}, 0))
	require.NoError(t, err)
	assert.Len(t, all, 2, "each is reviewed once")
}
