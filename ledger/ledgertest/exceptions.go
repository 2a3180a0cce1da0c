package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// granted returns a grant to p1 that begins and ends some minutes after t0.
func granted(from, to int) ledger.Exception {
	return ledger.Exception{
		PersonID: "p1", Kind: "grant", Role: "prod-admin", Employment: hr.EventKey{Source: "hr", ID: "e1"},
		StartsAt: at(from), EndsAt: at(to), Origin: "r-12", Emergency: true, DecidedAt: at(from), DecidedBy: "ada", Reason: "INC-42",
	}
}

// withheld returns what is withheld from p1 in the wiki, from some minutes after t0 on.
func withheld(from int, entitlement string) ledger.Exception {
	x := granted(from, from)
	x.Kind, x.Role, x.App, x.Entitlement, x.EndsAt, x.Emergency = "withhold", "", "wiki", entitlement, time.Time{}, false
	return x
}

func placeException(t *testing.T, l ledger.Ledger, x ledger.Exception) ledger.Exception {
	t.Helper()
	placed, err := l.PlaceException(t.Context(), x)
	require.NoError(t, err)
	return placed
}

func exceptions(t *testing.T, l ledger.Ledger, f ledger.ExceptionFilter) []int64 {
	t.Helper()
	found, err := l.Exceptions(t.Context(), f, 0, all)
	require.NoError(t, err)
	return each(found, func(x ledger.Exception) int64 { return x.ID })
}

func givenBack(id int64, minutes int) ledger.ExceptionEnd {
	return ledger.ExceptionEnd{ID: id, Operator: "bob", Reason: "given back", At: at(minutes)}
}

var exceptionTests = tests{
	"IsPlacedAndEnded": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, nil)
		x := placeException(t, l, granted(2, 90))
		want := granted(2, 90)
		want.ID = x.ID
		assert.Equal(t, want, x)
		assert.Equal(t, x, placeException(t, l, granted(2, 90)), "a repeated call")
		dueForDecision(t, l, 2)
		assert.Equal(t, []string{"exception_placed", "", "ada", "INC-42"}, lastAudit(t, l))
		later := placeException(t, l, granted(3, 90))
		assert.Greater(t, later.ID, x.ID, "another decision is another exception")
		assert.Equal(t, []ledger.Exception{x, later}, read(t, l, "p1").Exceptions)

		assess(t, l, "p1", 4, nil)
		ended, err := l.EndException(t.Context(), givenBack(x.ID, 5))
		require.NoError(t, err)
		x.EndedAt, x.EndedBy, x.EndReason = at(5), "bob", "given back"
		assert.Equal(t, x, ended)
		dueForDecision(t, l, 5)
		assert.Equal(t, []string{"exception_ended", "", "bob", "given back"}, lastAudit(t, l))
		again, err := l.EndException(t.Context(), ledger.ExceptionEnd{ID: x.ID, Operator: "eve", Reason: "late", At: at(6)})
		require.NoError(t, err)
		assert.Equal(t, x, again, "one that has ended stays as it is")
		assert.Equal(t, []ledger.Exception{later}, read(t, l, "p1").Exceptions)
		assert.Equal(t, []int64{x.ID, later.ID}, exceptions(t, l, ledger.ExceptionFilter{}), "nothing is forgotten")
	},
	"IsFoundByItsFilter": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		a, b := placeException(t, l, granted(2, 90)), placeException(t, l, withheld(3, "admins"))
		other := granted(4, 50)
		other.PersonID, other.Role = "p2", "auditor"
		c := placeException(t, l, other)
		_, err := l.EndException(t.Context(), givenBack(a.ID, 5))
		require.NoError(t, err)
		for name, tc := range map[string]struct {
			filter ledger.ExceptionFilter
			want   []int64
		}{
			"all":    {ledger.ExceptionFilter{}, []int64{a.ID, b.ID, c.ID}},
			"id":     {ledger.ExceptionFilter{ID: b.ID}, []int64{b.ID}},
			"person": {ledger.ExceptionFilter{PersonID: "p1"}, []int64{a.ID, b.ID}},
			"kind":   {ledger.ExceptionFilter{Kind: "grant"}, []int64{a.ID, c.ID}},
			"role":   {ledger.ExceptionFilter{Role: "auditor"}, []int64{c.ID}},
			"open":   {ledger.ExceptionFilter{Open: true}, []int64{b.ID, c.ID}},
			"ending": {ledger.ExceptionFilter{EndsBy: at(50)}, []int64{c.ID}},
			"none":   {ledger.ExceptionFilter{PersonID: "p3"}, []int64{}},
		} {
			assert.Equal(t, tc.want, exceptions(t, l, tc.filter), name)
		}
		page, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{}, a.ID, 1)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Exception{b}, page)
	},
	"IsCountedUntilItHasEnded": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		x := placeException(t, l, granted(2, 90))
		placeException(t, l, granted(3, 90))
		placeException(t, l, withheld(3, ""))
		_, err := l.EndException(t.Context(), givenBack(x.ID, 5))
		require.NoError(t, err)
		counts, err := l.Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"grant": 1, "withhold": 1}, counts.Exceptions)
	},
	"LapsesWithAnAssessment": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		lapsed, stays := placeException(t, l, granted(2, 90)), placeException(t, l, withheld(2, ""))
		for range 2 {
			assess(t, l, "p1", 3, func(a *ledger.Assessment) {
				a.LapsedExceptions = []ledger.LapsedException{{ID: lapsed.ID, Why: "its time is over"}}
			})
		}
		assert.Equal(t, []ledger.Exception{stays}, read(t, l, "p1").Exceptions)
		found, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{ID: lapsed.ID}, 0, 1)
		require.NoError(t, err)
		assert.Equal(t, []any{at(3), "tenure", "its time is over"}, []any{found[0].EndedAt, found[0].EndedBy, found[0].EndReason})
		assert.Equal(t, []string{"exception_lapsed", "", "tenure", "its time is over"}, lastAudit(t, l))
		assert.Len(t, audit(t, l, "p1"), 3)
	},
	"OfAnEarlierIDIsThePersons": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		x := placeException(t, l, withheld(2, ""))
		_, err := l.LinkPeople(t.Context(), samePerson("p2", "p1", 3))
		require.NoError(t, err)
		assert.Equal(t, []ledger.Exception{x}, read(t, l, "p2").Exceptions)
		assess(t, l, "p2", 4, func(a *ledger.Assessment) {
			a.LapsedExceptions = []ledger.LapsedException{{ID: x.ID, Why: "the employment has ended"}}
		})
		assert.Empty(t, read(t, l, "p2").Exceptions)
		assert.Equal(t, []string{"exception_lapsed", "wiki", "tenure", "the employment has ended"}, lastAudit(t, l))
	},
	"ItsEndIsForTheIDThatHasTheAccounts": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		x := placeException(t, l, granted(2, 90))
		_, err := l.LinkPeople(t.Context(), samePerson("p2", "p1", 3))
		require.NoError(t, err)
		assess(t, l, "p2", 4, nil)
		_, err = l.EndException(t.Context(), givenBack(x.ID, 5))
		require.NoError(t, err)
		p := read(t, l, "p2")
		assert.Equal(t, []any{ledger.DueDecision, at(5)}, []any{p.DueWhat, p.DueAt})
	},
	"DoesNotLapseForAnotherPerson": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		x := placeException(t, l, granted(2, 90))
		assess(t, l, "p2", 4, func(a *ledger.Assessment) {
			a.LapsedExceptions = []ledger.LapsedException{{ID: x.ID, Why: "its time is over"}}
		})
		assert.Equal(t, []ledger.Exception{x}, read(t, l, "p1").Exceptions)
	},
	"NeedsAKnownPersonAndAReason": func(t *testing.T, l ledger.Ledger) {
		_, err := l.PlaceException(t.Context(), granted(2, 90))
		nobody(t, l, err)
		record(t, l, received("p1", "e1", 0))
		for name, spoil := range map[string]func(x *ledger.Exception){
			"an end before its start": func(x *ledger.Exception) { x.EndsAt = x.StartsAt },
			"nobody who decided":      func(x *ledger.Exception) { x.DecidedBy = "" },
			"no reason":               func(x *ledger.Exception) { x.Reason = "" },
			"no origin":               func(x *ledger.Exception) { x.Origin = "" },
			"a grant without an end":  func(x *ledger.Exception) { x.EndsAt = time.Time{} },
			"a grant without a role":  func(x *ledger.Exception) { x.Role = "" },
			"an unknown kind":         func(x *ledger.Exception) { x.Kind = "bribe" },
		} {
			x := granted(2, 90)
			spoil(&x)
			_, err := l.PlaceException(t.Context(), x)
			require.Error(t, err, name)
		}
		assert.Empty(t, exceptions(t, l, ledger.ExceptionFilter{}))
		_, err = l.EndException(t.Context(), givenBack(7, 3))
		require.ErrorIs(t, err, ledger.ErrNotFound)
	},
}
