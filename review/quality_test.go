package review_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// decided returns an item that somebody has decided.
func decided(by string, verdict ledger.ItemVerdict, at time.Time, took time.Duration) ledger.ReviewItem {
	return ledger.ReviewItem{Reviewer: by, Decision: verdict, DecidedBy: by, DecidedAt: at, Took: took}
}

// series returns decisions of one person to keep things, one after the other.
func series(by string, n int, each time.Duration) []ledger.ReviewItem {
	var all []ledger.ReviewItem
	for k := range n {
		all = append(all, decided(by, ledger.VerdictKeep, now.Add(time.Duration(k)*each), each))
	}
	return all
}

func TestQualityIsMeasuredOfEachReviewer(t *testing.T) {
	keep, revoke := ledger.VerdictKeep, ledger.VerdictRevoke
	at := now.Add
	silent := ledger.ReviewItem{Reviewer: "10007", Decision: revoke, DecidedBy: ledger.ReviewNobody, DecidedAt: at(9 * day)}
	for name, c := range map[string]struct {
		items     []ledger.ReviewItem
		escalated time.Time
		reminded  map[string]time.Time
		want      review.Manner // of 10007
		keptAll   int
		stamps    int
	}{
		"nothing is decided": {
			items: []ledger.ReviewItem{{Reviewer: "10007"}},
			want:  review.Manner{Asked: 1, Undecided: 1},
		},
		"silence is nobody's decision": {
			items: []ledger.ReviewItem{silent},
			want:  review.Manner{Asked: 1, Undecided: 1},
		},
		"what is moot is not counted": {
			items: []ledger.ReviewItem{{Reviewer: "10007", Decision: ledger.VerdictMoot}, decided("10007", keep, now, time.Hour)},
			want:  review.Manner{Asked: 1, Decided: 1, Kept: 1, KeptShare: 1, MedianSeconds: 3600, FastestMinute: 1}, keptAll: 1,
		},
		"the median is of the lower half": {
			items: []ledger.ReviewItem{
				decided("10007", keep, at(0), 5*day), decided("10007", revoke, at(time.Minute), time.Minute),
				decided("10007", keep, at(62*time.Second), 2*time.Second), decided("10007", keep, at(63*time.Second), time.Second),
			},
			want: review.Manner{Asked: 4, Decided: 4, Kept: 3, Revoked: 1, KeptShare: 0.75, Quick: 1, MedianSeconds: 2, FastestMinute: 3},
		},
		"a reminder and an escalation came before": {
			items: []ledger.ReviewItem{
				decided("10007", keep, at(day), time.Hour), decided("10007", keep, at(3*day), time.Hour), decided("10007", revoke, at(5*day), time.Hour), silent,
			},
			escalated: at(4 * day), reminded: map[string]time.Time{"10007": at(2 * day), "10009": at(0)},
			want: review.Manner{
				Asked: 4, Decided: 3, Kept: 2, Revoked: 1, KeptShare: 2.0 / 3, Undecided: 1, Reminded: 2, Late: 1, MedianSeconds: 3600, FastestMinute: 1,
			},
		},
		"somebody else has decided": {
			items: []ledger.ReviewItem{{Reviewer: "10007", Also: "10031", Decision: keep, DecidedBy: "10031", DecidedAt: now, Took: time.Minute}},
			want:  review.Manner{Asked: 1, ByOthers: 1}, keptAll: 1,
		},
		"ten at a blow": {
			items: series("10007", 10, 0),
			want:  review.Manner{Asked: 10, Decided: 10, Kept: 10, KeptShare: 1, Quick: 10, FastestMinute: 10, Stamp: true}, keptAll: 1, stamps: 1,
		},
		"nine at a blow are too few to tell": {
			items: series("10007", 9, 0),
			want:  review.Manner{Asked: 9, Decided: 9, Kept: 9, KeptShare: 1, Quick: 9, FastestMinute: 9}, keptAll: 1,
		},
		"half of them quickly is not most": {
			items: slices.Concat(series("10007", 5, time.Second), series("10007", 5, 2*time.Second)),
			want:  review.Manner{Asked: 10, Decided: 10, Kept: 10, KeptShare: 1, Quick: 5, MedianSeconds: 1, FastestMinute: 10}, keptAll: 1,
		},
		"quick, but not all are kept": {
			items: append(series("10007", 20, time.Second), decided("10007", revoke, at(time.Hour), time.Second)),
			want:  review.Manner{Asked: 21, Decided: 21, Kept: 20, Revoked: 1, KeptShare: 20.0 / 21, Quick: 21, MedianSeconds: 1, FastestMinute: 20},
		},
		"a minute is any minute": {
			items: series("10007", 100, 20*time.Second),
			want:  review.Manner{Asked: 100, Decided: 100, Kept: 100, KeptShare: 1, MedianSeconds: 20, FastestMinute: 3}, keptAll: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := review.Measure(ledger.Review{EscalatedAt: c.escalated}, slices.Values(c.items), c.reminded)
			n := slices.IndexFunc(q.Reviewers, func(m review.Manner) bool { return m.Person == "10007" })
			if assert.GreaterOrEqual(t, n, 0) {
				c.want.Person = "10007"
				assert.Equal(t, c.want, q.Reviewers[n])
			}
			assert.Equal(t, c.keptAll, q.KeptAll, "who kept all")
			assert.Equal(t, c.stamps, q.Stamps)
		})
	}
}

// TestQualityAddsUp holds the numbers of each reviewer to the outcome of the review, whatever was
// decided and in whatever order it is read.
func TestQualityAddsUp(t *testing.T) {
	people := []string{"", "10007", "10009", "10031"}
	rapid.Check(t, func(t *rapid.T) {
		var items []ledger.ReviewItem
		var counts []ledger.ItemCount
		for range rapid.IntRange(0, 40).Draw(t, "items") {
			i := ledger.ReviewItem{Reviewer: rapid.SampledFrom(people).Draw(t, "reviewer")}
			i.Decision = rapid.SampledFrom([]ledger.ItemVerdict{"", ledger.VerdictKeep, ledger.VerdictRevoke, ledger.VerdictMoot}).Draw(t, "decision")
			if i.Decision != "" && i.Decision != ledger.VerdictMoot {
				i.DecidedBy = rapid.SampledFrom([]string{ledger.ReviewNobody, "10007", "10031"}).Draw(t, "by")
				i.DecidedAt = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "at")) * time.Second)
				i.Took = time.Duration(rapid.IntRange(0, 9).Draw(t, "took")) * time.Second
			}
			items = append(items, i)
			counts = append(counts, ledger.ItemCount{Reviewer: i.Reviewer, Verdict: i.Decision, Nobody: i.DecidedBy == ledger.ReviewNobody, Items: 1})
		}
		q, s := review.Measure(ledger.Review{}, slices.Values(items), nil), review.Outcome(counts)
		var asked, done, undecided, byOthers int
		for _, m := range q.Reviewers {
			asked, done, undecided, byOthers = asked+m.Asked, done+m.Decided, undecided+m.Undecided, byOthers+m.ByOthers
			if m.Kept+m.Revoked != m.Decided || m.Quick > m.Decided || m.FastestMinute > m.Decided {
				t.Fatalf("%+v", m)
			}
		}
		if asked != s.Items-s.Moot || done != s.Human || undecided != s.Open+s.Silence || done+undecided != asked || byOthers > done {
			t.Fatalf("%+v is not %+v", q, s)
		}
		if q.All.Asked != asked || q.All.Decided != done || q.All.Undecided != undecided {
			t.Fatalf("%+v is not the sum of %+v", q.All, q.Reviewers)
		}
		slices.Reverse(items)
		if again := review.Measure(ledger.Review{}, slices.Values(items), nil); fmt.Sprint(again) != fmt.Sprint(q) {
			t.Fatalf("the order of reading matters: %+v, %+v", again, q)
		}
	})
}
