package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// told returns a notice that is made some minutes after t0, about what the call makes.
func told(minutes int, to string) ledger.Notice {
	return ledger.Notice{Kind: "request.asked", PersonID: "p1", To: to, MadeAt: at(minutes), SendAt: at(minutes + 30)}
}

// outbox returns all notices.
func outbox(t *testing.T, l ledger.Ledger, f ledger.NoticeFilter) []ledger.Notice {
	t.Helper()
	notices, err := ledger.Collect(ledger.AllNotices(t.Context(), l, f, 0))
	require.NoError(t, err)
	return notices
}

// notify stores a notice about something, and returns it.
func notify(t *testing.T, l ledger.Ledger, n ledger.Notice) ledger.Notice {
	t.Helper()
	require.NoError(t, l.Notify(t.Context(), []ledger.Notice{n}))
	all := outbox(t, l, ledger.NoticeFilter{})
	return all[len(all)-1]
}

// about returns the notice with what it is about.
func about(n ledger.Notice, name string) ledger.Notice {
	n.About = name
	return n
}

var noticeTests = tests{
	"ANoticeIsStoredWithItsFact": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		n := told(1, "person:boss")
		n.App, n.Occasion, n.Urgent = "wiki", "again", true
		ctx := ledger.WithNotices(ledger.WithNotices(t.Context(), n), told(1, "chat:security"))
		r, err := l.AskFor(ctx, asking(1))
		require.NoError(t, err)
		n.ID, n.About, n.State = 1, r.Name(), ledger.NoticeWaiting
		second := told(1, "chat:security")
		second.ID, second.About, second.State = 2, r.Name(), ledger.NoticeWaiting
		assert.Equal(t, []ledger.Notice{n, second}, outbox(t, l, ledger.NoticeFilter{}))
	},
	"WithoutItsFactThereIsNoNotice": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		ctx := ledger.WithNotices(t.Context(), about(told(1, "person:boss"), "r-1"))
		nobody := asking(1)
		nobody.Request.PersonID = "nobody"
		_, err := l.AskFor(ctx, nobody)
		require.ErrorIs(t, err, ledger.ErrNotFound)
		r, err := l.AskFor(t.Context(), asking(1))
		require.NoError(t, err)
		r.Revision += 5
		_, err = l.ChangeRequest(ctx, approved(r, 2))
		require.ErrorIs(t, err, ledger.ErrStale)
		assert.Empty(t, outbox(t, l, ledger.NoticeFilter{}))
	},
	"WithoutItsNoticeThereIsNoFact": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		_, err := l.AskFor(ledger.WithNotices(t.Context(), ledger.Notice{Kind: "request.asked"}), asking(1))
		require.ErrorIs(t, err, ledger.ErrRefused)
		found, err := l.Requests(t.Context(), ledger.RequestFilter{}, 0, all)
		require.NoError(t, err)
		assert.Empty(t, found)
	},
	"ANoticeAboutNothingIsNotStored": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, l.Notify(t.Context(), []ledger.Notice{told(1, "person:boss")}))
		assert.Empty(t, outbox(t, l, ledger.NoticeFilter{}))
	},
	"TheSameIsToldOnce": func(t *testing.T, l ledger.Ledger) {
		first := notify(t, l, about(told(1, "person:boss"), "r-1"))
		assert.Equal(t, first, notify(t, l, about(told(2, "person:boss"), "r-1")))
		again := about(told(2, "person:boss"), "r-1")
		again.Occasion = "reminder 1"
		assert.Greater(t, notify(t, l, again).ID, first.ID)
		assert.Len(t, outbox(t, l, ledger.NoticeFilter{}), 2)
	},
	"ANoticeIsNotSentBeforeItIsMade": func(t *testing.T, l ledger.Ledger) {
		n := about(told(5, "person:boss"), "r-1")
		n.SendAt = time.Time{}
		assert.Equal(t, at(5), notify(t, l, n).SendAt)
	},
	"NoticesAreFiltered": func(t *testing.T, l ledger.Ledger) {
		a := notify(t, l, about(told(1, "person:boss"), "r-1"))
		other := about(told(20, "chat:security"), "c-1")
		other.Kind = "breaker.held"
		b := notify(t, l, other)
		for _, c := range []struct {
			f    ledger.NoticeFilter
			want []ledger.Notice
		}{
			{ledger.NoticeFilter{}, []ledger.Notice{a, b}},
			{ledger.NoticeFilter{ID: b.ID}, []ledger.Notice{b}},
			{ledger.NoticeFilter{Kind: "breaker.held"}, []ledger.Notice{b}},
			{ledger.NoticeFilter{To: "person:boss"}, []ledger.Notice{a}},
			{ledger.NoticeFilter{About: "c-1"}, []ledger.Notice{b}},
			{ledger.NoticeFilter{States: []ledger.NoticeState{ledger.NoticeSent}}, nil},
			{ledger.NoticeFilter{DueBy: at(30)}, nil},
			{ledger.NoticeFilter{DueBy: at(31)}, []ledger.Notice{a}},
			{ledger.NoticeFilter{DueBy: at(50)}, []ledger.Notice{a, b}},
		} {
			assert.Equal(t, c.want, outbox(t, l, c.f), "%+v", c.f)
		}
	},
	"AnAttemptIsRecordedBeforeIt": func(t *testing.T, l ledger.Ledger) {
		lease := take(t, l, "a", time.Minute)
		n := notify(t, l, about(told(1, "person:boss"), "r-1"))
		require.NoError(t, l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: []int64{n.ID}, Message: "m1", At: at(40), Next: at(45)}))
		require.NoError(t, l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: []int64{n.ID}, Message: "m1", At: at(45), Next: at(55)}))
		n.Attempts, n.Message, n.FirstAt, n.TriedAt, n.SendAt = 2, "m1", at(40), at(45), at(55)
		assert.Equal(t, []ledger.Notice{n}, outbox(t, l, ledger.NoticeFilter{}))

		require.NoError(t, l.SettleNotices(t.Context(), lease, []ledger.Settled{{ID: n.ID, State: ledger.NoticeSent, At: at(46)}}))
		n.State, n.EndedAt = ledger.NoticeSent, at(46)
		assert.Equal(t, []ledger.Notice{n}, outbox(t, l, ledger.NoticeFilter{}))
		require.NoError(t, l.SettleNotices(t.Context(), lease, []ledger.Settled{{ID: n.ID, State: ledger.NoticeFailed, At: at(47)}}))
		assert.Equal(t, []ledger.Notice{n}, outbox(t, l, ledger.NoticeFilter{}), "what is over stays so")
		err := l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: []int64{n.ID}, Message: "m2", At: at(48), Next: at(49)})
		require.ErrorIs(t, err, ledger.ErrStale)
	},
	"ANoticeThatWaitsSaysWhy": func(t *testing.T, l ledger.Ledger) {
		lease := take(t, l, "a", time.Minute)
		n := notify(t, l, about(told(1, "person:boss"), "r-1"))
		require.NoError(t, l.SettleNotices(t.Context(), lease, []ledger.Settled{{ID: n.ID, State: ledger.NoticeWaiting, Why: "refused", At: at(46), SendAt: at(60)}}))
		n.Why, n.SendAt = "refused", at(60)
		assert.Equal(t, []ledger.Notice{n}, outbox(t, l, ledger.NoticeFilter{}))
	},
	"WhoHasLostTheLeaseSendsNothing": func(t *testing.T, l ledger.Ledger) {
		n := notify(t, l, about(told(1, "person:boss"), "r-1"))
		lease := take(t, l, "a", time.Minute)
		require.NoError(t, l.DropLease(t.Context(), lease))
		take(t, l, "b", time.Minute)
		err := l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: []int64{n.ID}, Message: "m1", At: at(40), Next: at(45)})
		require.ErrorIs(t, err, ledger.ErrLeaseLost)
		err = l.SettleNotices(t.Context(), lease, []ledger.Settled{{ID: n.ID, State: ledger.NoticeSent, At: at(46)}})
		require.ErrorIs(t, err, ledger.ErrLeaseLost)
		assert.Equal(t, []ledger.Notice{n}, outbox(t, l, ledger.NoticeFilter{}))
	},
	"MessagesAndStatesAreCounted": func(t *testing.T, l ledger.Ledger) {
		lease := take(t, l, "a", time.Minute)
		var ids []int64
		for i, to := range []string{"person:boss", "person:p2", "chat:security", "person:p3"} {
			ids = append(ids, notify(t, l, about(told(i, to), "r-1")).ID)
		}
		require.NoError(t, l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: ids[:2], Message: "m1", At: at(40), Next: at(45)}))
		require.NoError(t, l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: ids[2:3], Message: "m2", At: at(50), Next: at(55)}))
		require.NoError(t, l.SettleNotices(t.Context(), lease, []ledger.Settled{
			{ID: ids[0], State: ledger.NoticeSent, At: at(46)}, {ID: ids[1], State: ledger.NoticeFailed, At: at(46)},
		}))
		for since, want := range map[int]int{0: 2, 40: 1, 50: 0} {
			counts, err := l.CountNotices(t.Context(), at(since))
			require.NoError(t, err)
			assert.Equal(t, ledger.NoticeCounts{Waiting: 2, Failed: 1, Messages: want}, counts)
		}
	},
	"WhatFailedIsSentAfterAllIfAnOperatorSaysSo": func(t *testing.T, l ledger.Ledger) {
		lease := take(t, l, "a", time.Minute)
		n := notify(t, l, about(told(1, "person:boss"), "r-1"))
		other := notify(t, l, about(told(1, "person:p2"), "r-1"))
		require.NoError(t, l.SendingNotices(t.Context(), lease, ledger.Sending{Notices: []int64{n.ID}, Message: "m1", At: at(40), Next: at(45)}))
		require.NoError(t, l.SettleNotices(t.Context(), lease, []ledger.Settled{{ID: n.ID, State: ledger.NoticeFailed, Why: "refused", At: at(46)}}))
		again, err := l.RetryNotices(t.Context(), ledger.NoticeRetry{IDs: []int64{n.ID, other.ID}, Operator: "ops", Reason: "the server is back", At: at(90)})
		require.NoError(t, err)
		n.State, n.Attempts, n.Message, n.TriedAt, n.SendAt, n.Why = ledger.NoticeWaiting, 1, "m1", at(40), at(90), "refused"
		assert.Equal(t, []ledger.Notice{n}, again)
		assert.Equal(t, []ledger.Notice{n, other}, outbox(t, l, ledger.NoticeFilter{}))
		rows := audit(t, l, "")
		last := rows[len(rows)-1]
		assert.Equal(t, "notice_retried", last.Action)
		assert.Equal(t, "ops", last.Actor)
	},
}
