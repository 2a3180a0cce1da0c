package workflows_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/review"
)

// A reviewed life is that of somebody for whom access is requested and about whom reviews are held.
type reviewed struct {
	*requester
	terms review.Terms
}

func newReviewed(t *testing.T, r *rand.Rand, did map[string]int) *reviewed {
	t.Helper()
	q := &reviewed{requester: newRequester(t, r, did)}
	q.terms = review.Terms{
		Name: "often", Days: 4 + r.IntN(5), Settle: time.Duration(r.IntN(3)) * day, Escalate: 2 * day,
		Undecided: review.Silences()[r.IntN(3)], Explain: review.Explains()[r.IntN(2)],
	}
	q.o.Reviews = operator.Reviews{Terms: []review.Terms{q.terms}}
	return q
}

// asks starts a review, or has somebody decide about an item.
func (q *reviewed) asks() {
	ctx := context.Background()
	if q.r.IntN(4) == 0 {
		_, err := q.o.StartReview(ctx, olga, q.terms.Name, q.person, true)
		q.does("review started", err)
		return
	}
	open, err := q.ledger.Reviews(ctx, ledger.ReviewFilter{States: []ledger.ReviewState{ledger.ReviewOpen}}, 0, 10)
	require.NoError(q.t, err)
	if len(open) == 0 {
		return
	}
	one := open[q.r.IntN(len(open))]
	items, err := q.ledger.ReviewItems(ctx, ledger.ItemFilter{Review: one.ID}, 0, 1000)
	require.NoError(q.t, err)
	if len(items) == 0 {
		return
	}
	i := items[q.r.IntN(len(items))]
	d := operator.ReviewDecision{Review: one.Ref(), Items: []int64{i.Item}, As: i.Reviewer, Verdict: ledger.VerdictRevoke}
	if q.r.IntN(3) == 0 {
		d.Verdict = ledger.VerdictKeep
	}
	if q.r.IntN(6) == 0 || d.As == "" {
		d.As = q.person // who must not
	}
	_, err = q.o.DecideItems(ctx, olga, d, true)
	q.does("said "+string(d.Verdict), err)
	if i.PersonID == q.person && d.As == q.person {
		assert.Error(q.t, err, "nobody decides about what they have themself")
	}
}

// looksAtReviews lets reviews go on, as their workflows do.
func (q *reviewed) looksAtReviews() {
	ctx := context.Background()
	rules, err := q.o.Apps.Rules(ctx)
	require.NoError(q.t, err)
	secretary := &review.Secretary{Board: &review.Board{Ledger: q.ledger, Rules: rules, Clock: clock.Func(q.now)}, Keeper: q.ledger}
	due, err := q.ledger.Reviews(ctx, ledger.ReviewFilter{DueBy: q.now()}, 0, 100)
	require.NoError(q.t, err)
	for _, r := range due {
		for more := true; more; {
			p, err := secretary.Look(ctx, r.ID)
			require.NoError(q.t, err)
			more = p.More
		}
	}
}

// justified requires that each exception of a review comes from a decision of somebody who may decide,
// or of silence, and not before it has settled; and that what is called proven was gone.
func (q *reviewed) justified() {
	ctx := context.Background()
	reviews, err := ledger.Collect(ledger.AllReviews(ctx, q.ledger, ledger.ReviewFilter{}, 0))
	require.NoError(q.t, err)
	for _, r := range reviews {
		assert.False(q.t, r.DoneAt.IsZero(), "%s is %s: it is to be over by now", r.Ref(), r.State)
		items, err := q.ledger.ReviewItems(ctx, ledger.ItemFilter{Review: r.ID}, 0, 1000)
		require.NoError(q.t, err)
		for _, i := range items {
			q.did["item "+string(i.Decision)]++
			if i.DecidedBy == ledger.ReviewNobody {
				q.did["silence "+string(i.Decision)]++
			} else if i.Decision == ledger.VerdictRevoke {
				assert.False(q.t, i.EffectAt.Before(i.DecidedAt.Add(q.terms.Settle)), "%s has not settled", i.Name())
			}
			if i.Decision == ledger.VerdictRevoke {
				assert.False(q.t, i.EffectAt.IsZero(), i.Name())
				assert.False(q.t, i.ProvenAt.IsZero(), "%s: %s of %s", i.Name(), i.Key, i.Because)
			}
			accesses, err := q.ledger.ReviewAccesses(ctx, ledger.AccessFilter{Review: r.ID, Item: i.Item}, ledger.AccessPlace{}, 1000)
			require.NoError(q.t, err)
			for _, a := range accesses {
				assert.Empty(q.t, a.Needs, "%s: %v", i.Name(), a)
				assert.NotEqual(q.t, a.PersonID, i.DecidedBy, "%s: nobody decides about what they have themself", i.Name())
			}
		}
	}
	all, err := q.ledger.Exceptions(ctx, ledger.ExceptionFilter{PersonID: q.person}, 0, 1000)
	require.NoError(q.t, err)
	for _, x := range all {
		id, number, ok := ledger.ItemOf(x.Origin)
		if !ok {
			continue
		}
		items, err := q.ledger.ReviewItems(ctx, ledger.ItemFilter{Review: id, Item: number}, 0, 1)
		require.NoError(q.t, err)
		require.Len(q.t, items, 1)
		assert.Equal(q.t, []any{"withhold", ledger.VerdictRevoke}, []any{x.Kind, items[0].Decision}, x.Name())
		if q.did["withheld by a review"]++; !x.EndedAt.IsZero() {
			q.did["given back"]++
		}
	}
}

// Whatever reviews take, and whoever decides or says nothing, while access is requested, granted and
// withheld, while people move, leave and come back, and whatever policy is in force: nobody has what no
// reason gives at that instant, whoever is at work has all that a reason gives, what was taken is not
// given by anything else, and what is rehearsed is what is done.
func TestNobodyHasWhatAReviewHasTaken(t *testing.T) {
	did, had := map[string]int{}, 0
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 14))
			q := newReviewed(t, r, did)
			first, second := randomLife(r, q.person)
			q.says(0, first)
			q.says(time.Duration(5+r.IntN(40))*day+time.Hour, second)
			for at := day; at < 58*day; at += time.Duration(8+r.IntN(40)) * time.Hour {
				q.nudged(at, q.one)
			}
			for at := 30 * time.Hour; at < 46*day; at += time.Duration(4+r.IntN(24)) * time.Hour {
				q.nudged(at+time.Minute, q.asks)
			}
			if r.IntN(2) == 0 {
				q.nudged(time.Duration(10+r.IntN(40))*day+2*time.Minute, q.changesPolicy)
			}
			for at := 3 * time.Hour; at < 62*day; at += 12 * time.Hour {
				q.on(at, q.looks)
			}
			for at := 4 * time.Hour; at < 62*day; at += 9 * time.Hour {
				q.nudged(at+3*time.Minute, q.looksAtReviews)
			}
			for at := day; at < 90*day; at += 19 * time.Hour {
				q.on(at+11*time.Minute, func() { had += q.has(at) })
			}
			var foreseen []string
			const then = 62 * day
			q.on(then, func() {
				q.justified()
				for _, c := range q.rehearse().Changes {
					require.Empty(t, c.Problem)
					foreseen = append(foreseen, deed(c.At, c.App, c.Do))
				}
				slices.Sort(foreseen)
			})
			q.live(150 * day)
			assert.Equal(t, foreseen, q.changed(epoch.Add(then)), "what is rehearsed is done")
		})
	}
	t.Log(had, did)
	assert.Greater(t, had, 100, "these lives are not worth living")
	for _, what := range []string{
		"review started", "said keep", "said revoke", "item keep", "item revoke", "item moot", "silence keep", "silence revoke", "withheld by a review", "given back", "refused",
		"emergency", "withheld",
	} {
		assert.Positive(t, did[what], what)
	}
}
