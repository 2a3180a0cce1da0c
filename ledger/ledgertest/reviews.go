package ledgertest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// reviewing returns a review that is started some minutes after t0.
func reviewing(key string, minutes int) ledger.Review {
	return ledger.Review{
		Name: "yearly", Key: key, StartedBy: "ada", Reason: "it is time", StartedAt: at(minutes), Terms: `{"name":"yearly"}`,
		Scans: []ledger.ReviewScan{{App: "wiki", Scan: 3, At: at(0)}, {App: "chat", Stale: true}}, EndsAt: at(minutes + 100), LookAt: at(minutes),
	}
}

// place returns something that somebody has in the wiki.
func place(personID, entitlement string) ledger.AccessPlace {
	return ledger.AccessPlace{PersonID: personID, App: "wiki", Entitlement: entitlement}
}

// frozen returns a page of a population: p1 and p2 have the role staff, and p1 has been given more.
func frozen(r ledger.Review, minutes int) ledger.FrozenPage {
	staff := func(personID string) ledger.FrozenItem {
		return ledger.FrozenItem{
			ReviewItem: ledger.ReviewItem{
				Key: "role:staff", Kind: "role", Role: "staff", Because: "role staff", Facts: json.RawMessage(`{"title":"Staff"}`),
				Reviewer: "olga", Authority: "owner of role staff",
			},
			Accesses: []ledger.AccessPlace{place(personID, ""), place(personID, "staff")},
		}
	}
	more := ledger.FrozenItem{
		ReviewItem: ledger.ReviewItem{
			Key: "access:p1:wiki:more", Kind: "stray", PersonID: "p1", App: "wiki", Entitlement: "more", Because: "nothing gives it",
			Reviewer: "boss", Authority: "owner of app wiki",
		},
		Accesses: []ledger.AccessPlace{place("p1", "more")},
	}
	return ledger.FrozenPage{
		Review: r.ID, Place: r.Place, Next: "person:p2", Digest: "abc", At: at(minutes), Items: []ledger.FrozenItem{staff("p1"), more, staff("p2")},
	}
}

// opened starts a review and opens it, some minutes after t0.
func opened(t *testing.T, l ledger.Ledger, key string, minutes int) ledger.Review {
	t.Helper()
	r, err := l.BeginReview(t.Context(), reviewing(key, minutes))
	require.NoError(t, err)
	_, err = l.FreezeReview(t.Context(), frozen(r, minutes))
	require.NoError(t, err)
	r, err = l.OpenReview(t.Context(), opening(r.ID, minutes))
	require.NoError(t, err)
	return r
}

func opening(id int64, minutes int) ledger.ReviewOpening {
	return ledger.ReviewOpening{Review: id, At: at(minutes), Place: "person:p2", LookAt: at(minutes + 10)}
}

// itemSaid returns that somebody has decided about an item.
func itemSaid(r ledger.Review, item int64, by string, verdict ledger.ItemVerdict, minutes int) ledger.ItemDecision {
	return ledger.ItemDecision{Review: r.ID, Item: item, Verdict: verdict, By: by, Authority: "asked", Operator: "ops", Reason: "looked", At: at(minutes)}
}

// setApart returns that olga decides about what p2 has of the first item, apart from the others.
func setApart(r ledger.Review, verdict ledger.ItemVerdict, minutes int) ledger.ItemDecision {
	d := itemSaid(r, 1, "olga", "", minutes)
	d.Only, d.Apart = true, []ledger.ApartItem{{PersonID: "p2", Reviewer: "olga", Authority: "asked", Why: "works elsewhere", Verdict: verdict}}
	return d
}

// revocation returns that what the second item says of p1 takes effect.
func revocation(r ledger.Review, minutes int) ledger.Revocation {
	x := withheld(minutes, "more")
	return ledger.Revocation{
		Review: r.ID, Item: 2, PersonID: "p1", At: at(minutes), Actor: "ops", Reason: "looked",
		Effects: []ledger.RevocationEffect{{AccessPlace: place("p1", "more"), Withhold: &x}},
	}
}

func reviewItems(t *testing.T, l ledger.Ledger, f ledger.ItemFilter) []ledger.ReviewItem {
	t.Helper()
	found, err := l.ReviewItems(t.Context(), f, 0, all)
	require.NoError(t, err)
	return found
}

func accessesOf(t *testing.T, l ledger.Ledger, f ledger.AccessFilter) []ledger.ReviewAccess {
	t.Helper()
	found, err := l.ReviewAccesses(t.Context(), f, ledger.AccessPlace{}, all)
	require.NoError(t, err)
	return found
}

// twoPeople makes p1 and p2 known.
func twoPeople(t *testing.T, l ledger.Ledger) {
	t.Helper()
	record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
	assess(t, l, "p1", 1, nil)
	assess(t, l, "p2", 1, nil)
}

var reviewTests = tests{
	"IsFrozenOnceAndOpened": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r, err := l.BeginReview(t.Context(), reviewing("k1", 2))
		require.NoError(t, err)
		rows := audit(t, l, "")
		started := rows[len(rows)-1]
		assert.Equal(t, []string{"review_started", "", "ada", "it is time"}, []string{started.Action, started.PersonID, started.Actor, started.Cause})
		again, err := l.BeginReview(t.Context(), reviewing("k1", 3))
		require.NoError(t, err)
		assert.Equal(t, r, again, "the key is the same")
		page := frozen(r, 3)
		after, err := l.FreezeReview(t.Context(), page)
		require.NoError(t, err)
		want := r
		want.Place, want.Digest, want.Items, want.Accesses = "person:p2", "abc", 2, 5
		assert.Equal(t, want, after)
		page.Digest = "other"
		repeated, err := l.FreezeReview(t.Context(), page)
		require.NoError(t, err)
		assert.Equal(t, after, repeated, "the page was stored before")

		stale := opening(r.ID, 4)
		stale.Place = "person:p1"
		_, err = l.OpenReview(t.Context(), stale)
		require.ErrorIs(t, err, ledger.ErrStale, "freezing has gone on since")
		told := opening(r.ID, 4)
		told.Facts = map[int64]json.RawMessage{1: json.RawMessage(`{"title":"Staff","members":{"came":2}}`)}
		r, err = l.OpenReview(t.Context(), told)
		require.NoError(t, err)
		want.State, want.OpenedAt, want.FollowedAt, want.LookAt, want.Revision = ledger.ReviewOpen, at(4), at(4), at(14), 1
		assert.Equal(t, want, r)
		told = opening(r.ID, 5)
		told.Facts = map[int64]json.RawMessage{1: json.RawMessage(`{"title":"other"}`)}
		again, err = l.OpenReview(t.Context(), told)
		require.NoError(t, err)
		assert.Equal(t, r, again)
		asked := audit(t, l, "olga")
		require.Len(t, asked, 1)
		assert.InDelta(t, 1, asked[0].Detail["items"], 0)

		items := reviewItems(t, l, ledger.ItemFilter{Review: r.ID})
		require.Len(t, items, 2)
		assert.Equal(t, []any{int64(1), "role:staff", 2, 4, "olga", at(4), ledger.ItemVerdict("")},
			[]any{items[0].Item, items[0].Key, items[0].People, items[0].Accesses, items[0].Reviewer, items[0].AssignedAt, items[0].Decision})
		assert.JSONEq(t, `{"title":"Staff","members":{"came":2}}`, string(items[0].Facts), "what was told when it was opened")
		assert.Equal(t, []ledger.ReviewItem{items[1]}, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Reviewer: "boss", Open: true}))
		assert.Equal(t, []ledger.ReviewItem{items[1]}, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, PersonID: "p1"}))
		access := accessesOf(t, l, ledger.AccessFilter{Review: r.ID})
		assert.Equal(t, []ledger.AccessPlace{place("p1", ""), place("p1", "more"), place("p1", "staff"), place("p2", ""), place("p2", "staff")},
			each(access, func(a ledger.ReviewAccess) ledger.AccessPlace { return a.AccessPlace }))
		next, err := l.ReviewAccesses(t.Context(), ledger.AccessFilter{Review: r.ID}, place("p1", "more"), 2)
		require.NoError(t, err)
		assert.Equal(t, access[2:4], next)
		counts, err := l.CountItems(t.Context(), r.ID)
		require.NoError(t, err)
		assert.Equal(t, []ledger.ItemCount{{Reviewer: "boss", Items: 1, Accesses: 1}, {Reviewer: "olga", Items: 1, Accesses: 4}}, counts)
	},
	"DecisionsChangeUntilTheyTakeEffect": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		i, err := l.DecideItem(t.Context(), itemSaid(r, 2, "boss", ledger.VerdictKeep, 5))
		require.NoError(t, err)
		assert.Equal(t, []any{ledger.VerdictKeep, "boss", "asked", at(5), "ops", "looked", 3 * time.Minute},
			[]any{i.Decision, i.DecidedBy, i.DecidedAs, i.DecidedAt, i.Operator, i.Reason, i.Took})
		i, err = l.DecideItem(t.Context(), itemSaid(r, 2, "boss", ledger.VerdictRevoke, 6))
		require.NoError(t, err)
		rows := audit(t, l, "p1")
		assert.Equal(t, map[string]any{
			"item": "v-1/2", "kind": "stray", "entitlement": "more", "decision": "revoke", "was": "keep", "as": "boss", "authority": "asked",
		}, rows[len(rows)-1].Detail)
		assert.Empty(t, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Effectless: at(5)}), "it has not settled")
		assert.Equal(t, []ledger.ReviewItem{i}, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Effectless: at(6)}))
		assert.Empty(t, due(t, l))

		require.NoError(t, l.Revoke(t.Context(), revocation(r, 7)))
		require.NoError(t, l.Revoke(t.Context(), revocation(r, 8)), "it has taken effect before")
		placed := read(t, l, "p1").Exceptions
		require.Len(t, placed, 1)
		assert.Equal(t, []any{"v-1/2", "withhold", "more"}, []any{placed[0].Origin, placed[0].Kind, placed[0].Entitlement})
		dueForDecision(t, l, 7)
		i = reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Item: 2})[0]
		assert.Equal(t, []time.Time{at(7), {}}, []time.Time{i.EffectAt, i.ProvenAt})
		awaited := accessesOf(t, l, ledger.AccessFilter{Review: r.ID, Awaited: true})
		require.Len(t, awaited, 1)
		assert.Equal(t, []any{placed[0].Name(), at(7)}, []any{awaited[0].Effect, awaited[0].EffectAt})
		_, err = l.DecideItem(t.Context(), itemSaid(r, 2, "boss", ledger.VerdictKeep, 8))
		var refused *ledger.DecisionError
		require.ErrorAs(t, err, &refused)

		what := []ledger.RevokedAccess{{Item: 2, AccessPlace: place("p1", "more"), Needs: "somebody"}}
		require.NoError(t, l.NoteRevoked(t.Context(), r.ID, at(9), what))
		assert.Equal(t, "somebody", accessesOf(t, l, ledger.AccessFilter{Review: r.ID, Awaited: true})[0].Needs)
		what[0].Gone = true
		for _, minutes := range []int{10, 11} {
			require.NoError(t, l.NoteRevoked(t.Context(), r.ID, at(minutes), what))
		}
		assert.Empty(t, accessesOf(t, l, ledger.AccessFilter{Review: r.ID, Awaited: true}))
		assert.Equal(t, at(10), reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Item: 2})[0].ProvenAt)
		rows = audit(t, l, "p1")
		assert.Equal(t, "review_proven", rows[len(rows)-1].Action)
	},
	"WhatIsGivenAnewStays": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		_, err := l.DecideItem(t.Context(), itemSaid(r, 2, "boss", ledger.VerdictRevoke, 6))
		require.NoError(t, err)
		require.NoError(t, l.Revoke(t.Context(), revocation(r, 7)))
		what := []ledger.RevokedAccess{{Item: 2, AccessPlace: place("p1", "more"), Given: []string{"staff"}}}
		for _, minutes := range []int{10, 11} {
			require.NoError(t, l.NoteRevoked(t.Context(), r.ID, at(minutes), what))
		}
		assert.Empty(t, accessesOf(t, l, ledger.AccessFilter{Review: r.ID, Awaited: true}))
		assert.Equal(t, at(10), reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Item: 2})[0].ProvenAt)
		rows := audit(t, l, "p1")
		last := rows[len(rows)-1]
		assert.Equal(t, []any{"review_given", []any{"staff"}}, []any{last.Action, last.Detail["by"]})
	},
	"OneOfManyIsSetApart": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		d := itemSaid(r, 1, "olga", "", 5)
		d.Only, d.Apart = true, []ledger.ApartItem{{PersonID: "p2", Reviewer: "olga", Authority: "asked", Why: "works elsewhere", Verdict: ledger.VerdictRevoke}}
		i, err := l.DecideItem(t.Context(), d)
		require.NoError(t, err)
		assert.Equal(t, []any{ledger.ItemVerdict(""), 1, 2}, []any{i.Decision, i.People, i.Accesses})
		apart := reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Key: "role:staff:p2"})
		require.Len(t, apart, 1)
		assert.Equal(t, []any{int64(3), "p2", ledger.VerdictRevoke, 1, 2}, []any{apart[0].Item, apart[0].PersonID, apart[0].Decision, apart[0].People, apart[0].Accesses})
		assert.Len(t, accessesOf(t, l, ledger.AccessFilter{Review: r.ID, Item: 3}), 2)
		d.Apart[0].PersonID = "nobody of them"
		_, err = l.DecideItem(t.Context(), d)
		var refused *ledger.DecisionError
		require.ErrorAs(t, err, &refused)
		assert.Len(t, reviewItems(t, l, ledger.ItemFilter{Review: r.ID}), 3)
	},
	"NobodyIsSetApartTwice": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		keeps := setApart(r, ledger.VerdictKeep, 5)
		for range 2 {
			_, err := l.DecideItem(t.Context(), keeps)
			require.NoError(t, err, "a repetition changes nothing")
		}
		_, err := l.DecideItem(t.Context(), setApart(r, ledger.VerdictRevoke, 6))
		var refused *ledger.DecisionError
		require.ErrorAs(t, err, &refused, "it would be lost")
		assert.Equal(t, "what person p2 has is an item of its own: 3", refused.Text)
		assert.Equal(t, ledger.VerdictKeep, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Item: 3})[0].Decision)
	},
	"NothingIsTakenThatIsKeptByNow": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		for minutes, verdict := range []ledger.ItemVerdict{5: ledger.VerdictRevoke, 6: ledger.VerdictKeep} {
			if verdict != "" {
				_, err := l.DecideItem(t.Context(), itemSaid(r, 2, "boss", verdict, minutes))
				require.NoError(t, err)
			}
		}
		require.ErrorIs(t, l.Revoke(t.Context(), revocation(r, 7)), ledger.ErrStale)
		assert.Empty(t, read(t, l, "p1").Exceptions)
		assert.Zero(t, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Item: 2})[0].EffectAt)
	},
	"NothingIsTakenThatIsSetApartByNow": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		_, err := l.DecideItem(t.Context(), itemSaid(r, 1, "olga", ledger.VerdictRevoke, 5))
		require.NoError(t, err)
		_, err = l.DecideItem(t.Context(), setApart(r, ledger.VerdictKeep, 6))
		require.NoError(t, err)
		x := withheld(7, "staff")
		x.PersonID = "p2"
		require.NoError(t, l.Revoke(t.Context(), ledger.Revocation{
			Review: r.ID, Item: 1, PersonID: "p2", At: at(7), Actor: "ops", Reason: "looked",
			Effects: []ledger.RevocationEffect{{AccessPlace: place("p2", "staff"), Withhold: &x}},
		}))
		assert.Empty(t, read(t, l, "p2").Exceptions)
		for _, a := range accessesOf(t, l, ledger.AccessFilter{Review: r.ID, Item: 3}) {
			assert.Zero(t, a.EffectAt)
		}
	},
	"WhatProlongsAGrantIsTakenWithIt": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		over := placeException(t, l, granted(1, 4))
		a := asking(2)
		longer := granted(4, 90)
		a.Request.State, a.Request.Extends, a.Grant = ledger.RequestApproved, over.ID, &longer
		also := placeException(t, l, granted(2, 80))
		prolongs, err := l.AskFor(t.Context(), a)
		require.NoError(t, err)
		r := opened(t, l, "k1", 3)
		assess(t, l, "p1", 5, func(a *ledger.Assessment) {
			a.LapsedExceptions = []ledger.LapsedException{{ID: over.ID, Why: "its time is over"}}
		})
		_, err = l.DecideItem(t.Context(), itemSaid(r, 2, "boss", ledger.VerdictRevoke, 6))
		require.NoError(t, err)
		require.NoError(t, l.Revoke(t.Context(), ledger.Revocation{
			Review: r.ID, Item: 2, PersonID: "p1", At: at(7), Actor: "ops", Reason: "looked",
			Effects: []ledger.RevocationEffect{{AccessPlace: place("p1", "more"), End: over.ID, Also: []int64{also.ID}}},
		}))
		for _, id := range []int64{prolongs.Exception, also.ID} {
			found, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{ID: id}, 0, 1)
			require.NoError(t, err)
			assert.Equal(t, []any{at(7), "ops", "looked"}, []any{found[0].EndedAt, found[0].EndedBy, found[0].EndReason})
		}
	},
	"ItemsMoveAndBecomeMoot": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		moves := []ledger.ItemMove{
			{Item: 1, Reviewer: "otto", Authority: "owner of role staff", Why: "olga has left", At: at(5), Actor: "tenure"},
			{Item: 2, Moot: "the person has it no more", At: at(5), Actor: "tenure"},
		}
		require.NoError(t, l.AssignItems(t.Context(), r.ID, moves))
		items := reviewItems(t, l, ledger.ItemFilter{Review: r.ID})
		assert.Equal(t, []any{"otto", "olga has left", at(5)}, []any{items[0].Reviewer, items[0].AssignedWhy, items[0].AssignedAt})
		assert.Equal(t, []any{ledger.VerdictMoot, "the person has it no more"}, []any{items[1].Decision, items[1].Reason})
		assert.Len(t, audit(t, l, "otto"), 1, "who is asked from now on")
		n := len(audit(t, l, ""))
		require.NoError(t, l.AssignItems(t.Context(), r.ID, moves))
		assert.Len(t, audit(t, l, ""), n, "nothing is new")
		_, err := l.DecideItem(t.Context(), itemSaid(r, 2, "boss", ledger.VerdictKeep, 6))
		var refused *ledger.DecisionError
		require.ErrorAs(t, err, &refused)
	},
	"TheRestIsDecidedByNobody": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		_, err := l.DecideItem(t.Context(), itemSaid(r, 1, "olga", ledger.VerdictKeep, 5))
		require.NoError(t, err)
		rest := ledger.RestDecision{
			Review: r.ID, At: at(50), Reason: "silence", Verdict: func(ledger.ReviewItem) ledger.ItemVerdict { return ledger.VerdictRevoke },
		}
		for _, want := range []int{1, 0} {
			n, err := l.DecideRest(t.Context(), rest, all)
			require.NoError(t, err)
			assert.Equal(t, want, n)
		}
		items := reviewItems(t, l, ledger.ItemFilter{Review: r.ID})
		assert.Equal(t, []string{"olga", ledger.ReviewNobody}, []string{items[0].DecidedBy, items[1].DecidedBy})
		assert.Len(t, reviewItems(t, l, ledger.ItemFilter{Review: r.ID, Effectless: at(1)}), 1, "silence does not settle")
		counts, err := l.CountItems(t.Context(), r.ID)
		require.NoError(t, err)
		assert.Equal(t, []ledger.ItemCount{
			{Reviewer: "boss", Verdict: ledger.VerdictRevoke, Nobody: true, Items: 1, Accesses: 1},
			{Reviewer: "olga", Verdict: ledger.VerdictKeep, Items: 1, Accesses: 4},
		}, counts)
	},
	"ChangesOnlyWhatWasRead": func(t *testing.T, l ledger.Ledger) {
		twoPeople(t, l)
		r := opened(t, l, "k1", 2)
		is := r
		is.State, is.Reminders, is.LookAt, is.EscalatedAt, is.PreviewedAt = ledger.ReviewClosing, 1, at(30), at(20), at(21)
		c := ledger.ReviewChange{Review: is, At: at(22), Facts: []ledger.ReviewFact{{Action: ledger.AuditReviewReminded, PersonID: "olga", Actor: "tenure"}}}
		changed, err := l.ChangeReview(t.Context(), c)
		require.NoError(t, err)
		is.Revision++
		assert.Equal(t, is, changed)
		again, err := l.ChangeReview(t.Context(), c)
		require.NoError(t, err)
		assert.Equal(t, changed, again)
		c.Review.State = ledger.ReviewClosed
		_, err = l.ChangeReview(t.Context(), c)
		require.ErrorIs(t, err, ledger.ErrStale)
		c.Review.ID = 99
		_, err = l.ChangeReview(t.Context(), c)
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = l.DecideItem(t.Context(), itemSaid(r, 1, "olga", ledger.VerdictKeep, 25))
		var refused *ledger.DecisionError
		require.ErrorAs(t, err, &refused, "it is closing")
		found, err := l.Reviews(t.Context(), ledger.ReviewFilter{DueBy: at(30), Name: "yearly", States: []ledger.ReviewState{ledger.ReviewClosing}}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Review{is}, found)
		found, err = l.Reviews(t.Context(), ledger.ReviewFilter{DueBy: at(29)}, 0, all)
		require.NoError(t, err)
		assert.Empty(t, found)
	},
}
