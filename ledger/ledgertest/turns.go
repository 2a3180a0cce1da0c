package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// queuedEvent is an event that waits for its person's turn, and names a manager.
func queuedEvent(personID, id string, minutes int, manager string) ledger.Received {
	r := received(personID, id, minutes)
	r.Event.Type, r.Event.Profile = hr.EventHired, &hr.Profile{GivenName: "Ada", ManagerID: manager}
	r.Waits = true
	return r
}

// theLine returns the IDs of those who wait.
func theLine(t *testing.T, l ledger.Ledger) []string {
	t.Helper()
	places, err := l.Line(t.Context(), 0, 100)
	require.NoError(t, err)
	return each(places, func(p ledger.Place) string { return p.PersonID })
}

// atWork returns the IDs of those who are at work.
func atWork(t *testing.T, l ledger.Ledger) []string {
	t.Helper()
	people, err := l.AtWork(t.Context(), at(-100), 100)
	require.NoError(t, err)
	return each(people, func(p ledger.Told) string { return p.PersonID })
}

// takeTurn lets a person have their turn.
func takeTurn(t *testing.T, l ledger.Ledger, personID string, minutes int) {
	t.Helper()
	turns, err := l.Turns(t.Context(), []string{personID})
	require.NoError(t, err)
	require.NoError(t, l.TakeTurns(t.Context(), turns, at(minutes)))
}

var turnTests = tests{
	"WhoeverWaitsIsInTheLineAndNotDue": func(t *testing.T, l ledger.Ledger) {
		receipts := record(t, l, queuedEvent("p1", "e1", 0, "boss"), received("boss", "e2", 0), queuedEvent("p2", "e3", 1, ""), queuedEvent("p1", "e4", 2, ""))
		assert.Equal(t, []bool{true, false, true, true}, each(receipts, func(r ledger.Receipt) bool { return r.Waits }))
		places, err := l.Line(t.Context(), 0, 100)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Place{
			{PersonID: "p2", LastSeq: receipts[2].Seq},
			{PersonID: "p1", LastSeq: receipts[3].Seq, ManagerID: "boss"},
		}, places, "by their last event; the manager is the last one who was named")
		assert.Equal(t, []ledger.DuePerson{{PersonID: "boss", At: at(0), What: ledger.DueEvent, LastSeq: receipts[1].Seq}}, due(t, l))
		after, err := l.Line(t.Context(), receipts[2].Seq, 100)
		require.NoError(t, err)
		assert.Equal(t, places[1:], after)
		first, err := l.Line(t.Context(), 0, 1)
		require.NoError(t, err)
		assert.Equal(t, places[:1], first)
		b, err := l.Backlog(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ledger.Backlog{People: 2, Oldest: at(0)}, b)

		assess(t, l, "boss", 1, nil)
		places, err = l.Line(t.Context(), receipts[2].Seq, 100)
		require.NoError(t, err)
		assert.True(t, places[0].Known, "the manager was assessed")
	},
	"NobodyWaitsInAnEmptyLedger": func(t *testing.T, l ledger.Ledger) {
		assert.Empty(t, theLine(t, l))
		assert.Empty(t, atWork(t, l))
		b, err := l.Backlog(t.Context())
		require.NoError(t, err)
		assert.Zero(t, b)
		turns, err := l.Turns(t.Context(), nil)
		require.NoError(t, err)
		assert.Empty(t, turns)
		require.NoError(t, l.TakeTurns(t.Context(), nil, at(0)))
	},
	"ARecordThatWaitsCountsAsDelivered": func(t *testing.T, l ledger.Ledger) {
		waits := queuedEvent("p1", "e1", 0, "")
		seq := record(t, l, waits)[0].Seq
		assert.Equal(t, []ledger.Receipt{{Seq: seq, Duplicate: true, Delivered: true}}, record(t, l, waits))
		known, err := l.Known(t.Context(), []hr.EventKey{waits.Event.EventKey})
		require.NoError(t, err)
		assert.True(t, known[0].Delivered, "whoever reads it again has nothing to do")
	},
	"ADuplicateDoesNotWait": func(t *testing.T, l ledger.Ledger) {
		first := record(t, l, received("p1", "e1", 0))
		again := received("p1", "e1", 0)
		again.Waits = true
		assert.Equal(t, []ledger.Receipt{{Seq: first[0].Seq, Duplicate: true}}, record(t, l, again))
		assert.Empty(t, theLine(t, l))
	},
	"ATurnTellsTheFirstAndTheLastEvent": func(t *testing.T, l ledger.Ledger) {
		first := queuedEvent("p1", "e1", 3, "boss")
		receipts := record(t, l, first, queuedEvent("p1", "e2", 4, ""))
		turns, err := l.Turns(t.Context(), []string{"p1", "stranger"})
		require.NoError(t, err)
		assert.Equal(t, []ledger.Turn{{
			PersonID: "p1", LastSeq: receipts[1].Seq, LastKey: hr.EventKey{Source: first.Event.Source, ID: "e2"}, First: first.Event, At: at(3),
		}}, turns)
	},
	"WhoeverHasTheirTurnIsDueAndAtWork": func(t *testing.T, l ledger.Ledger) {
		seq := record(t, l, queuedEvent("p1", "e1", 0, ""))[0].Seq
		takeTurn(t, l, "p1", 5)
		assert.Empty(t, theLine(t, l))
		assert.Equal(t, []ledger.DuePerson{{PersonID: "p1", At: at(5), What: ledger.DueEvent, LastSeq: seq}}, due(t, l))
		people, err := l.AtWork(t.Context(), at(4), 9)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Told{{PersonID: "p1", At: at(5)}}, people)
		people, err = l.AtWork(t.Context(), at(5), 9)
		require.NoError(t, err)
		assert.Empty(t, people, "told too long ago to count")
	},
	"WhatWasRecordedSinceKeepsThePlace": func(t *testing.T, l ledger.Ledger) {
		record(t, l, queuedEvent("p1", "e1", 0, ""))
		turns, err := l.Turns(t.Context(), []string{"p1"})
		require.NoError(t, err)
		record(t, l, queuedEvent("p1", "e2", 1, ""))
		require.NoError(t, l.TakeTurns(t.Context(), turns, at(2)))
		assert.Equal(t, []string{"p1"}, theLine(t, l))
		assert.Empty(t, due(t, l))
	},
	"AnEventThatDoesNotWaitEndsTheWait": func(t *testing.T, l ledger.Ledger) {
		record(t, l, queuedEvent("p1", "e1", 0, ""), received("p1", "e2", 1))
		assert.Empty(t, theLine(t, l))
		assert.Equal(t, []string{"p1"}, atWork(t, l))
		assert.Equal(t, at(1), due(t, l)[0].At)
	},
	"WhatEndsAccessWaitsOnlyWhereThereIsNone": func(t *testing.T, l ledger.Ledger) {
		record(t, l, queuedEvent("new", "e1", 0, ""), received("old", "e2", 0))
		assess(t, l, "old", 1, nil)
		record(t, l, queuedEvent("old", "e3", 2, ""))
		var ends []ledger.Received
		for i, person := range []string{"new", "old", "other"} {
			e := received(person, "ends"+person, 3+i)
			e.WaitsIfNew = true
			ends = append(ends, e)
		}
		assert.Equal(t, []bool{true, false, false}, each(record(t, l, ends...), func(r ledger.Receipt) bool { return r.Waits }))
		assert.Equal(t, []string{"new"}, theLine(t, l))
	},
	"AnAssessmentThatSawAllTakesTheTurn": func(t *testing.T, l ledger.Ledger) {
		record(t, l, queuedEvent("p1", "e1", 0, ""))
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.AtWork = true })
		assert.Empty(t, theLine(t, l))
		assert.Equal(t, []string{"p1"}, atWork(t, l), "although nobody noted that they were told")
		takeTurn(t, l, "p1", 2)
		assess(t, l, "p1", 3, nil)
		assert.Empty(t, atWork(t, l))
		takeTurn(t, l, "p1", 4)
		assert.Empty(t, atWork(t, l), "whoever notes it late finds that it is over")
	},
	"AnAssessmentThatSawLessDoesNot": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		before := read(t, l, "p1").Summary
		record(t, l, queuedEvent("p1", "e2", 1, ""))
		before.AssessedAt, before.DueAt, before.DueWhat = at(2), time.Time{}, ""
		require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: before}))
		assert.Equal(t, []string{"p1"}, theLine(t, l))
		assert.Empty(t, due(t, l), "they wait for their turn")
		assert.Empty(t, atWork(t, l))
	},
	"WorkIsOverWhenNothingIsToBeDoneAtOnce": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assert.Equal(t, []string{"p1"}, atWork(t, l), "told, and not assessed yet")
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.AtWork = true })
		assert.Equal(t, []string{"p1"}, atWork(t, l))
		before := read(t, l, "p1").Summary
		record(t, l, received("p1", "e2", 2))
		before.AssessedAt = at(3)
		require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: before}))
		assert.Equal(t, []string{"p1"}, atWork(t, l), "it did not see the last event")
		assess(t, l, "p1", 4, nil)
		assert.Empty(t, atWork(t, l))
		assess(t, l, "p1", 5, func(a *ledger.Assessment) { a.AtWork = true })
		assert.Empty(t, atWork(t, l), "this work was caused by no event")
	},
}
