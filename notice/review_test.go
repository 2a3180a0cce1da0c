package notice_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// review opens a review that asks boss about ada, and owner about a role.
func (o *office) review() ledger.Review {
	o.Helper()
	ctx := o.Context()
	r, err := o.ledger.BeginReview(ctx, ledger.Review{
		Name: "yearly", Key: "k", StartedBy: "ada", Reason: "причина", StartedAt: o.now, Terms: `{"name":"yearly"}`, EndsAt: o.now.Add(14 * 24 * time.Hour), LookAt: o.now,
	})
	require.NoError(o, err)
	item := func(key, kind, reviewer string) ledger.FrozenItem {
		return ledger.FrozenItem{
			ReviewItem: ledger.ReviewItem{Key: key, Kind: kind, Because: "x", Facts: json.RawMessage(`{}`), PersonID: "ada", Reviewer: reviewer, Authority: "owner"},
			Accesses:   []ledger.AccessPlace{{PersonID: "ada", App: "wiki", Entitlement: key}},
		}
	}
	_, err = o.ledger.FreezeReview(ctx, ledger.FrozenPage{
		Review: r.ID, Place: r.Place, Next: "end", Digest: "d", At: o.now,
		Items: []ledger.FrozenItem{item("a", "stray", "boss"), item("b", "stray", "boss"), item("c", "stray", "owner")},
	})
	require.NoError(o, err)
	r, err = o.ledger.OpenReview(ctx, ledger.ReviewOpening{Review: r.ID, At: o.now, Place: "end", LookAt: o.now.Add(time.Hour)})
	require.NoError(o, err)
	return r
}

// keep has somebody decide about an item.
func (o *office) keep(r ledger.Review, item int64, by string) {
	o.Helper()
	_, err := o.ledger.DecideItem(o.Context(), ledger.ItemDecision{
		Review: r.ID, Item: item, Verdict: ledger.VerdictKeep, By: by, Authority: "owner", Operator: by, Reason: "причина", At: o.now,
	})
	require.NoError(o, err)
}

func TestReviewersAreAskedAndOnlyThoseWhoHaveNotDecidedAreReminded(t *testing.T) {
	o := newOffice(t)
	r := o.review()
	got := o.lives(time.Hour)
	require.Equal(t, []string{"boss@example.com", "owner@example.com"}, to(got))
	assert.Equal(t, "Tenure: v-1: 2 items to review", got[0].subject)
	assert.Contains(t, got[0].text, "tenure review show v-1 --as boss")
	o.keep(r, 3, "owner")
	r.Reminders = 1
	facts := []ledger.ReviewFact{
		{Action: ledger.AuditReviewReminded, PersonID: "boss", Actor: ledger.ActorTenure},
		{Action: ledger.AuditReviewReminded, PersonID: "owner", Actor: ledger.ActorTenure},
	}
	r, err := o.ledger.ChangeReview(t.Context(), ledger.ReviewChange{Review: r, At: o.now, Facts: facts})
	require.NoError(t, err)
	got = o.lives(time.Hour)
	assert.Equal(t, []string{"boss@example.com"}, to(got), "the other has nothing to decide")
	assert.Equal(t, "Tenure: v-1: 2 items are left to review", got[0].subject)

	require.NoError(t, o.ledger.AssignItems(t.Context(), r.ID, []ledger.ItemMove{{Item: 1, Reviewer: "d1", Authority: "manager of boss", Why: "left", At: o.now, Actor: ledger.ActorTenure}}))
	assert.Equal(t, []string{"d1@example.com"}, to(o.lives(time.Hour)))

	o.keep(r, 1, "d1")
	o.keep(r, 2, "boss")
	r.State, r.ClosedAt = ledger.ReviewClosed, o.now
	_, err = o.ledger.ChangeReview(t.Context(), ledger.ReviewChange{Review: r, At: o.now, Facts: []ledger.ReviewFact{
		{Action: ledger.AuditReviewClosed, PersonID: "ada", Actor: ledger.ActorTenure},
	}})
	require.NoError(t, err)
	got = o.lives(time.Hour)
	require.Equal(t, []string{"owner@example.com"}, to(got), "not whom it was about")
	assert.Contains(t, got[0].text, "3 keep")
}

func TestAReviewWithNothingToDecideAsksNobody(t *testing.T) {
	o := newOffice(t)
	r := o.review()
	for i, by := range []string{"boss", "boss", "owner"} {
		o.keep(r, int64(i+1), by)
	}
	assert.Empty(t, o.lives(2*time.Hour))
}
