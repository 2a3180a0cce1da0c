package ledgertest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// asking returns what asks for a role for p1, some minutes after t0. It asks the boss.
func asking(minutes int) ledger.Asking {
	return ledger.Asking{
		Request: ledger.Request{
			PersonID: "p1", Role: "prod-admin", For: 8 * time.Hour, Reason: "INC-42", Ticket: "INC-42", AskedBy: "p1", Operator: "ada",
			AskedAt: at(minutes), Terms: `{"most":8}`, Preview: "abc", State: ledger.RequestAsked,
			StageAt: at(minutes), ExpiresAt: at(minutes + 60), LookAt: at(minutes + 20),
		},
		Asked: []ledger.Vote{{Voter: "boss", Authority: "manager of p1"}},
	}
}

// approved returns that the boss approves a request.
func approved(r ledger.Request, minutes int) ledger.RequestChange {
	r.State, r.DecidedAt, r.LookAt = ledger.RequestApproved, at(minutes), at(minutes+1)
	x := granted(minutes, minutes+90)
	x.Origin, x.DecidedBy = "", "bob"
	return ledger.RequestChange{
		Request: r, At: at(minutes), Action: "request_approved", Actor: "bob", Cause: "fine", Detail: map[string]any{"as": "boss"}, Grant: &x,
		Vote: &ledger.Vote{Voter: "boss", Authority: "manager of p1", Vote: ledger.VoteApprove, Operator: "bob", Shown: "abc", Reason: "fine"},
	}
}

// standIn returns that the deputy stands in for the boss, from some minutes after t0 to others.
func standIn(from, to int) ledger.StandIn {
	return ledger.StandIn{PersonID: "boss", StandIn: "deputy", StartsAt: at(from), EndsAt: at(to), Operator: "ada", Reason: "holiday", At: at(from)}
}

func standInEnd(id int64, minutes int) ledger.StandInEnd {
	return ledger.StandInEnd{ID: id, Operator: "bob", Reason: "back", At: at(minutes)}
}

func theRequest(t *testing.T, l ledger.Ledger, id int64) ledger.Request {
	t.Helper()
	found, err := l.Requests(t.Context(), ledger.RequestFilter{ID: id}, 0, 1)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func votes(t *testing.T, l ledger.Ledger, id int64) []ledger.Vote {
	t.Helper()
	found, err := l.Votes(t.Context(), id)
	require.NoError(t, err)
	return found
}

// asksForRole stores a request for p1, whom it makes known.
func asksForRole(t *testing.T, l ledger.Ledger, a ledger.Asking) ledger.Request {
	t.Helper()
	record(t, l, received("p1", "e1", 0))
	r, err := l.AskFor(t.Context(), a)
	require.NoError(t, err)
	return r
}

var requestTests = tests{
	"IsAskedForAndApproved": func(t *testing.T, l ledger.Ledger) {
		r := asksForRole(t, l, asking(2))
		assess(t, l, "p1", 2, nil)
		want := asking(2).Request
		want.ID = r.ID
		assert.Equal(t, want, r)
		assert.Equal(t, []string{"request_made", "", "ada", "INC-42"}, lastAudit(t, l))
		vote := ledger.Vote{RequestID: r.ID, Voter: "boss", AskedAt: at(2), Authority: "manager of p1"}
		assert.Equal(t, []ledger.Vote{vote}, votes(t, l, r.ID))
		assert.Empty(t, due(t, l), "nothing has changed for the person")

		r, err := l.ChangeRequest(t.Context(), approved(r, 5))
		require.NoError(t, err)
		placed := read(t, l, "p1").Exceptions
		require.Len(t, placed, 1)
		x := granted(5, 95)
		x.ID, x.Origin, x.DecidedBy = placed[0].ID, r.Name(), "bob"
		assert.Equal(t, x, placed[0], "its origin is the request")
		want.State, want.DecidedAt, want.LookAt, want.Exception, want.Revision = ledger.RequestApproved, at(5), at(6), x.ID, 1
		assert.Equal(t, want, r)
		assert.Equal(t, want, theRequest(t, l, r.ID))
		vote.Vote, vote.Operator, vote.Shown, vote.Reason, vote.At = ledger.VoteApprove, "bob", "abc", "fine", at(5)
		assert.Equal(t, []ledger.Vote{vote}, votes(t, l, r.ID))
		dueForDecision(t, l, 5)
		rows := audit(t, l, "p1")
		last := rows[len(rows)-1]
		assert.Equal(t, []string{"exception_placed", "request_approved"}, []string{rows[len(rows)-2].Action, last.Action})
		assert.Equal(t, map[string]any{"request": r.Name(), "role": "prod-admin", "exception": x.Name(), "as": "boss"}, last.Detail)
	},
	"IsOfAWaiver": func(t *testing.T, l ledger.Ledger) {
		a := asking(2)
		a.Request.Role, a.Request.Duty, a.Request.Control = "", "pay-and-approve", "two sign"
		r := asksForRole(t, l, a)
		assert.Equal(t, []string{"", "pay-and-approve", "two sign"}, []string{r.Role, r.Duty, r.Control})
		assert.Equal(t, r, theRequest(t, l, r.ID))
		again, err := l.AskFor(t.Context(), a)
		require.NoError(t, err)
		assert.Equal(t, r, again, "it is the same one")
		other := a
		other.Request.Duty = "hire-and-fire"
		another, err := l.AskFor(t.Context(), other)
		require.NoError(t, err)
		assert.NotEqual(t, r.ID, another.ID)
		rows := audit(t, l, "p1")
		assert.Equal(t, "pay-and-approve", rows[len(rows)-2].Detail["duty"])
		assert.Equal(t, "two sign", rows[len(rows)-2].Detail["control"])
		assert.NotContains(t, rows[len(rows)-2].Detail, "role")

		both := asking(3)
		both.Request.Duty = "pay-and-approve"
		_, err = l.AskFor(t.Context(), both)
		require.Error(t, err, "it is a role or a waiver")
		neither := asking(3)
		neither.Request.Role = ""
		_, err = l.AskFor(t.Context(), neither)
		require.Error(t, err)
	},
	"IsGrantedAtOnce": func(t *testing.T, l ledger.Ledger) {
		a := asking(2)
		x := granted(2, 60)
		x.Origin = ""
		a.Grant, a.Request.Emergency, a.Request.State = &x, true, ledger.RequestConfirming
		r := asksForRole(t, l, a)
		placed := read(t, l, "p1").Exceptions
		require.Len(t, placed, 1)
		assert.Equal(t, []any{placed[0].ID, r.Name()}, []any{r.Exception, placed[0].Origin})
		assert.Equal(t, []string{"emergency_granted", "", "ada", "INC-42"}, lastAudit(t, l))
		due(t, l)

		assess(t, l, "p1", 3, nil)
		c := approved(r, 4)
		c.Grant, c.End, c.Action, c.Request.State, c.Vote.Vote = nil, "nobody knows of an incident", "request_disputed", ledger.RequestDisputed, ledger.VoteDeny
		_, err := l.ChangeRequest(t.Context(), c)
		require.NoError(t, err)
		assert.Empty(t, read(t, l, "p1").Exceptions, "it has ended with the dispute")
		dueForDecision(t, l, 4)
	},
	"KnowsWhoIsAsked": func(t *testing.T, l ledger.Ledger) {
		r := asksForRole(t, l, asking(2))
		next := func(minutes int, change func(c *ledger.RequestChange)) {
			t.Helper()
			c := ledger.RequestChange{Request: r, At: at(minutes), Action: "request_escalated", Actor: "tenure"}
			change(&c)
			var err error
			r, err = l.ChangeRequest(t.Context(), c)
			require.NoError(t, err)
		}
		waiting := func() []string {
			var names []string
			for _, v := range votes(t, l, r.ID) {
				found, err := l.Requests(t.Context(), ledger.RequestFilter{Voter: v.Voter}, 0, all)
				require.NoError(t, err)
				if len(found) == 1 {
					names = append(names, v.Voter)
				}
			}
			return names
		}
		next(3, func(c *ledger.RequestChange) {
			c.Asked, c.Remind = []ledger.Vote{{Voter: "ceo", Authority: "manager of boss"}}, true
			c.Request.EscalatedAt, c.Request.Reminders = at(3), 1
		})
		assert.Equal(t, []string{"boss", "ceo"}, waiting())
		assert.Equal(t, at(3), r.EscalatedAt)
		all := votes(t, l, r.ID)
		assert.Equal(t, []int{1, 1}, []int{all[0].Reminders, all[1].Reminders})
		next(4, func(c *ledger.RequestChange) { c.Moot = []string{"boss"} })
		assert.Equal(t, []string{"ceo"}, waiting())
		assert.Equal(t, at(4), votes(t, l, r.ID)[0].MootAt)
		next(5, func(c *ledger.RequestChange) { c.Asked = []ledger.Vote{{Voter: "boss", Authority: "owner of x"}} })
		assert.Equal(t, []string{"boss", "ceo"}, waiting(), "asked again")
		next(6, func(c *ledger.RequestChange) {
			c.Vote = &ledger.Vote{Voter: "ceo", Authority: "manager of boss", Vote: ledger.VoteApprove, Operator: "ceo", Reason: "x"}
			c.Request.Stage, c.Asked = 1, []ledger.Vote{{Voter: "owner", Authority: "owner of x"}}
		})
		assert.Equal(t, []string{"owner"}, waiting(), "the next stage")
		c := ledger.RequestChange{Request: r, At: at(7), Action: "request_approved", Actor: "ceo", Vote: &ledger.Vote{Voter: "ceo", Vote: ledger.VoteDeny}}
		_, err := l.ChangeRequest(t.Context(), c)
		require.ErrorContains(t, err, "has said something in this stage before")
	},
	"ChangesOnlyAsItWasRead": func(t *testing.T, l ledger.Ledger) {
		r := asksForRole(t, l, asking(2))
		require.NoError(t, l.LookAgainAt(t.Context(), r.ID, 0, at(7)))
		assert.Equal(t, at(7), theRequest(t, l, r.ID).LookAt)
		c := approved(r, 5)
		first, err := l.ChangeRequest(t.Context(), c)
		require.NoError(t, err)
		again, err := l.ChangeRequest(t.Context(), c)
		require.NoError(t, err, "a repeated call")
		assert.Equal(t, first, again)
		other := approved(r, 6)
		_, err = l.ChangeRequest(t.Context(), other)
		require.ErrorIs(t, err, ledger.ErrStale)
		require.ErrorIs(t, l.LookAgainAt(t.Context(), r.ID, 0, at(8)), ledger.ErrStale)
		other.Request.Revision = 7
		_, err = l.ChangeRequest(t.Context(), other)
		require.ErrorIs(t, err, ledger.ErrStale)
		assert.Len(t, read(t, l, "p1").Exceptions, 1)
		other.Request.ID = 99
		_, err = l.ChangeRequest(t.Context(), other)
		require.ErrorIs(t, err, ledger.ErrNotFound)
	},
	"IsApprovedOnce": func(t *testing.T, l ledger.Ledger) {
		r := asksForRole(t, l, asking(2))
		var done atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if _, err := l.ChangeRequest(t.Context(), approved(r, 5+i)); err == nil {
					done.Add(1)
				} else {
					assert.ErrorIs(t, err, ledger.ErrStale)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int64(1), done.Load())
		assert.Len(t, read(t, l, "p1").Exceptions, 1)
	},
	"DoesNotProlongWhatWasEndedMeanwhile": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		x := placeException(t, l, granted(1, 90))
		a := asking(2)
		a.Request.Extends = x.ID
		r, err := l.AskFor(t.Context(), a)
		require.NoError(t, err)
		_, err = l.EndException(t.Context(), givenBack(x.ID, 4))
		require.NoError(t, err)
		_, err = l.ChangeRequest(t.Context(), approved(r, 5))
		require.ErrorIs(t, err, ledger.ErrStale, "whoever approves has not seen that it was ended")
		longer := granted(90, 180)
		a.Request.AskedAt, a.Request.State, a.Grant = at(5), ledger.RequestApproved, &longer
		_, err = l.AskFor(t.Context(), a)
		require.ErrorIs(t, err, ledger.ErrStale)
		assert.Empty(t, read(t, l, "p1").Exceptions)
		assert.Equal(t, r, theRequest(t, l, r.ID))
	},
	"IsFoundByItsFilter": func(t *testing.T, l ledger.Ledger) {
		a := asksForRole(t, l, asking(2))
		record(t, l, received("p2", "e2", 0))
		other := asking(3)
		other.Request.PersonID, other.Request.Role, other.Request.LookAt = "p2", "auditor", time.Time{}
		b, err := l.AskFor(t.Context(), other)
		require.NoError(t, err)
		c, err := l.AskFor(t.Context(), asking(4))
		require.NoError(t, err)
		_, err = l.ChangeRequest(t.Context(), approved(a, 5))
		require.NoError(t, err)
		for name, tc := range map[string]struct {
			filter ledger.RequestFilter
			want   []int64
		}{
			"all":    {ledger.RequestFilter{}, []int64{a.ID, b.ID, c.ID}},
			"id":     {ledger.RequestFilter{ID: b.ID}, []int64{b.ID}},
			"person": {ledger.RequestFilter{PersonID: "p1"}, []int64{a.ID, c.ID}},
			"role":   {ledger.RequestFilter{Role: "auditor"}, []int64{b.ID}},
			"state":  {ledger.RequestFilter{States: []ledger.RequestState{ledger.RequestApproved, ledger.RequestDenied}}, []int64{a.ID}},
			"voter":  {ledger.RequestFilter{Voter: "boss"}, []int64{b.ID, c.ID}},
			"due":    {ledger.RequestFilter{DueBy: at(6)}, []int64{a.ID}},
			"none":   {ledger.RequestFilter{Voter: "p1"}, []int64{}},
		} {
			found, err := l.Requests(t.Context(), tc.filter, 0, all)
			require.NoError(t, err)
			assert.Equal(t, tc.want, each(found, func(r ledger.Request) int64 { return r.ID }), name)
		}
		page, err := l.Requests(t.Context(), ledger.RequestFilter{}, a.ID, 1)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Request{b}, page)
	},
	"NeedsAKnownPersonAndAReason": func(t *testing.T, l ledger.Ledger) {
		_, err := l.AskFor(t.Context(), asking(2))
		nobody(t, l, err)
		record(t, l, received("p1", "e1", 0))
		for name, spoil := range map[string]func(r *ledger.Request){
			"no reason":              func(r *ledger.Request) { r.Reason = "" },
			"nobody who asks":        func(r *ledger.Request) { r.AskedBy = "" },
			"nobody who writes":      func(r *ledger.Request) { r.Operator = "" },
			"no time":                func(r *ledger.Request) { r.For = 0 },
			"no role":                func(r *ledger.Request) { r.Role = "" },
			"a state that is no one": func(r *ledger.Request) { r.State = "maybe" },
		} {
			a := asking(2)
			spoil(&a.Request)
			_, err := l.AskFor(t.Context(), a)
			require.Error(t, err, name)
		}
		// What cannot be granted is not asked for either.
		a := asking(2)
		x := granted(2, 90)
		x.Role = ""
		a.Grant = &x
		_, err = l.AskFor(t.Context(), a)
		require.Error(t, err)
		found, err := l.Requests(t.Context(), ledger.RequestFilter{}, 0, all)
		require.NoError(t, err)
		assert.Empty(t, found)
	},
	"AStandInIsSetAndEnded": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("boss", "e1", 0))
		_, err := l.SetStandIn(t.Context(), standIn(2, 9))
		require.ErrorIs(t, err, ledger.ErrNotFound, "the deputy is not known")
		record(t, l, received("deputy", "e2", 0))
		s, err := l.SetStandIn(t.Context(), standIn(2, 9))
		require.NoError(t, err)
		want := standIn(2, 9)
		want.ID = s.ID
		assert.Equal(t, want, s)
		rows := audit(t, l, "boss")
		require.Len(t, rows, 1)
		assert.Equal(t, []string{"stand_in_set", "ada", "holiday"}, []string{rows[0].Action, rows[0].Actor, rows[0].Cause})
		later, err := l.SetStandIn(t.Context(), standIn(20, 30))
		require.NoError(t, err)
		for name, tc := range map[string]struct {
			filter ledger.StandInFilter
			want   []int64
		}{
			"all":      {ledger.StandInFilter{}, []int64{s.ID, later.ID}},
			"person":   {ledger.StandInFilter{PersonID: "deputy"}, []int64{}},
			"id":       {ledger.StandInFilter{ID: later.ID}, []int64{later.ID}},
			"too soon": {ledger.StandInFilter{At: at(1)}, []int64{}},
			"begins":   {ledger.StandInFilter{At: at(2)}, []int64{s.ID}},
			"is over":  {ledger.StandInFilter{At: at(9)}, []int64{}},
			"later":    {ledger.StandInFilter{PersonID: "boss", At: at(25)}, []int64{later.ID}},
		} {
			found, err := l.StandIns(t.Context(), tc.filter, 0, all)
			require.NoError(t, err)
			assert.Equal(t, tc.want, each(found, func(s ledger.StandIn) int64 { return s.ID }), name)
		}
		ended, err := l.EndStandIn(t.Context(), standInEnd(s.ID, 5))
		require.NoError(t, err)
		s.EndedAt, s.EndedBy, s.EndReason = at(5), "bob", "back"
		assert.Equal(t, s, ended)
		again, err := l.EndStandIn(t.Context(), ledger.StandInEnd{ID: s.ID, Operator: "eve", Reason: "x", At: at(6)})
		require.NoError(t, err)
		assert.Equal(t, s, again, "one that has ended stays as it is")
		found, err := l.StandIns(t.Context(), ledger.StandInFilter{At: at(6)}, 0, all)
		require.NoError(t, err)
		assert.Empty(t, found)
		_, err = l.EndStandIn(t.Context(), standInEnd(99, 5))
		require.ErrorIs(t, err, ledger.ErrNotFound)
		for _, spoil := range []func(s *ledger.StandIn){
			func(s *ledger.StandIn) { s.StandIn = "boss" },
			func(s *ledger.StandIn) { s.EndsAt = s.StartsAt },
			func(s *ledger.StandIn) { s.Reason = "" },
		} {
			s := standIn(2, 9)
			spoil(&s)
			_, err := l.SetStandIn(t.Context(), s)
			require.Error(t, err)
		}
	},
}
