package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var intakeTests = tests{
	"EventsComeBackAsTheyWere": func(t *testing.T, l ledger.Ledger) {
		full := received("p1", "e1", 0)
		sparse := ledger.Received{At: at(1), Event: hr.Event{
			EventKey: hr.EventKey{Source: "urn:hr", ID: "e2"}, Type: hr.EventLeaveEnded, PersonID: "p1", Recorded: t0,
		}}
		receipts := record(t, l, full, sparse)
		assert.Equal(t, []ledger.StoredEvent{
			{Seq: receipts[0].Seq, Event: full.Event, At: full.At, From: ledger.Position{Topic: "hr.events", Partition: 3, Offset: 1 << 40}},
			{Seq: receipts[1].Seq, Event: sparse.Event, At: sparse.At},
		}, read(t, l, "p1").Events)
	},
	"TimesComeBackInUTC": func(t *testing.T, l ledger.Ledger) {
		r := received("p1", "e1", 0)
		zone := time.FixedZone("Tongatapu", 13*60*60)
		r.At, r.Event.Recorded = at(0).Add(789).In(zone), at(0).In(zone)
		r.Event.Termination.AccessEndsAt = at(3).In(zone)
		record(t, l, r)
		got := read(t, l, "p1").Events[0]
		assert.Equal(t, at(0), got.At, "cut off to the microsecond")
		assert.Equal(t, at(0), got.Event.Recorded)
		assert.Equal(t, at(3), got.Event.Termination.AccessEndsAt)
	},
	"SequenceNumbersAscendInOrder": func(t *testing.T, l ledger.Ledger) {
		receipts := record(t, l, received("p2", "e1", 0), received("p1", "e2", 0), received("p2", "e3", 0))
		more := record(t, l, received("p1", "e4", 0))
		assert.Positive(t, receipts[0].Seq)
		assert.Less(t, receipts[0].Seq, receipts[1].Seq)
		assert.Less(t, receipts[1].Seq, receipts[2].Seq)
		assert.Less(t, receipts[2].Seq, more[0].Seq)
		assert.Equal(t, receipts[2].Seq, read(t, l, "p2").LastSeq)
		assert.Equal(t, more[0].Seq, read(t, l, "p1").LastSeq)
	},
	"EqualKeyIsADuplicateAndChangesNothing": func(t *testing.T, l ledger.Ledger) {
		first := record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, nil)
		before := read(t, l, "p1")
		later := received("p1", "e1", 2)
		later.Offset++
		again := record(t, l, received("p1", "e1", 3), later)
		want := ledger.Receipt{Seq: first[0].Seq, Duplicate: true}
		assert.Equal(t, []ledger.Receipt{want, want}, again)
		assert.Equal(t, before, read(t, l, "p1"), "not even due")
	},
	"RecordsThatSayTheSameAgainAreNoted": func(t *testing.T, l ledger.Ledger) {
		e := received("p1", "e1", 0)
		again, elsewhere, byHand := e, received("p1", "e1", 5), received("p1", "e1", 6)
		again.At = at(3)
		elsewhere.Offset++
		byHand.Topic, byHand.Partition, byHand.Offset = "", 0, 0
		seq := record(t, l, e)[0].Seq
		for range 2 { // read again after a crash
			for _, r := range record(t, l, again, elsewhere, byHand) {
				assert.True(t, r.Duplicate)
			}
		}
		listed := func(from, until int) []ledger.Repetition {
			all, err := l.Repetitions(t.Context(), at(from), at(until), 0, 9)
			require.NoError(t, err)
			return all
		}
		want := ledger.Repetition{At: ledger.Position{Topic: "hr.events", Partition: 3, Offset: 1<<40 + 1}, Event: seq, Received: at(5)}
		got := listed(0, 9)
		require.Len(t, got, 1)
		want.ID = got[0].ID
		assert.Equal(t, want, got[0])
		assert.Empty(t, listed(0, 5))
		assert.Empty(t, listed(6, 9))
		rest, err := l.Repetitions(t.Context(), at(0), at(9), want.ID, 9)
		require.NoError(t, err)
		assert.Empty(t, rest)
	},
	"EqualKeyInOneBatchIsADuplicate": func(t *testing.T, l ledger.Ledger) {
		got := record(t, l, received("p1", "e1", 0), received("p1", "e1", 1), received("p1", "e2", 2), received("p1", "e1", 3))
		assert.Equal(t, []bool{false, true, false, true},
			[]bool{got[0].Duplicate, got[1].Duplicate, got[2].Duplicate, got[3].Duplicate})
		assert.Equal(t, got[0].Seq, got[1].Seq)
		assert.Equal(t, got[0].Seq, got[3].Seq)
		assert.Len(t, read(t, l, "p1").Events, 2)
	},
	"EqualIDOfAnotherSourceIsAnotherEvent": func(t *testing.T, l ledger.Ledger) {
		other := received("p1", "e1", 0)
		other.Event.Source = "urn:other"
		got := record(t, l, received("p1", "e1", 0), other)
		assert.False(t, got[1].Duplicate)
		assert.Len(t, read(t, l, "p1").Events, 2)
	},
	"DeliveredIsRemembered": func(t *testing.T, l ledger.Ledger) {
		got := record(t, l, received("p1", "e1", 0), received("p1", "e2", 0))
		assert.False(t, got[0].Delivered)
		require.NoError(t, l.MarkDelivered(t.Context(), []int64{got[0].Seq, got[0].Seq, 987654}))
		require.NoError(t, l.MarkDelivered(t.Context(), nil))
		again := record(t, l, received("p1", "e1", 0), received("p1", "e2", 0))
		assert.Equal(t, []ledger.Receipt{
			{Seq: got[0].Seq, Duplicate: true, Delivered: true},
			{Seq: got[1].Seq, Duplicate: true},
		}, again)
	},
	"KnownIsWhatWasRecorded": func(t *testing.T, l ledger.Ledger) {
		first, second := received("p1", "e1", 0), received("p2", `"e2", '\u00e9`, 1)
		second.Topic, second.Partition, second.Offset = "", 0, 0
		third := received("p1", "e1", 2)
		third.Event.Source, third.Offset = "urn:other", 7
		got := record(t, l, first, second, third)
		require.NoError(t, l.MarkDelivered(t.Context(), []int64{got[1].Seq}))
		keys := []hr.EventKey{
			{Source: "urn:other", ID: "e2"}, second.Event.EventKey, first.Event.EventKey,
			{Source: first.Event.Source, ID: "e"}, third.Event.EventKey, second.Event.EventKey, {},
		}
		two := ledger.Known{Seq: got[1].Seq, Delivered: true}
		want := []ledger.Known{
			{}, two, {Seq: got[0].Seq, Topic: first.Topic, Partition: first.Partition, Offset: first.Offset},
			{}, {Seq: got[2].Seq, Topic: third.Topic, Partition: third.Partition, Offset: 7}, two, {},
		}
		known, err := l.Known(t.Context(), keys)
		require.NoError(t, err)
		assert.Equal(t, want, known)

		record(t, l, received("p3", "e1", 9)) // Known returns the first event of a key, not a duplicate
		known, err = l.Known(t.Context(), keys)
		require.NoError(t, err)
		assert.Equal(t, want, known)
	},
	"KnownSeesWhatWasThereBefore": func(t *testing.T, l ledger.Ledger) {
		for i := range 20 {
			r := received("p1", fmt.Sprint("e", i), 0)
			keys := []hr.EventKey{r.Event.EventKey}
			known := func() ledger.Known {
				list, err := l.Known(t.Context(), keys)
				require.NoError(t, err)
				return list[0]
			}
			require.Zero(t, known())
			seq := record(t, l, r)[0].Seq
			require.Equal(t, seq, known().Seq)
			require.False(t, known().Delivered)
			require.NoError(t, l.MarkDelivered(t.Context(), []int64{seq}))
			require.True(t, known().Delivered)
		}
		none, err := l.Known(t.Context(), nil)
		require.NoError(t, err)
		assert.Empty(t, none)
	},
	"NothingToRecordIsNothing": func(t *testing.T, l ledger.Ledger) {
		assert.Empty(t, record(t, l))
	},
	"AllOrNothing": func(t *testing.T, l ledger.Ledger) {
		nobody := received("", "e2", 0)
		_, err := l.Record(t.Context(), []ledger.Received{received("p1", "e1", 0), nobody})
		require.Error(t, err)
		_, err = l.Person(t.Context(), "p1")
		require.ErrorIs(t, err, ledger.ErrNotFound)
		assert.False(t, record(t, l, received("p1", "e1", 0))[0].Duplicate)
	},
	"AnEventMakesItsPersonDueAtOnce": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 5), received("p2", "e2", 6))
		assert.Equal(t, []ledger.DuePerson{
			{PersonID: "p1", At: at(5), What: "event", LastSeq: read(t, l, "p1").LastSeq},
			{PersonID: "p2", At: at(6), What: "event", LastSeq: read(t, l, "p2").LastSeq},
		}, due(t, l))
	},
	// An event with the key of another event and with other content is reported as a
	// conflict and not stored.
	"AKeyBelongsToItsContent": func(t *testing.T, l ledger.Ledger) {
		first := received("p1", "e1", 0)
		seq := record(t, l, first, received("p2", "e2", 0))[0].Seq
		assess(t, l, "p1", 1, nil)
		assess(t, l, "p2", 1, nil)
		before := everything(t, l)
		for name, c := range map[string]struct {
			change   func(*ledger.Received)
			conflict bool
		}{
			"the same":     {func(*ledger.Received) {}, false},
			"another time": {func(r *ledger.Received) { r.Event.Recorded, r.Event.Sequence = at(9), "7" }, false},
			"another zone": {func(r *ledger.Received) {
				r.Event.Termination.AccessEndsAt = r.Event.Termination.AccessEndsAt.In(time.FixedZone("x", 3600))
			}, false},
			"another offset":   {func(r *ledger.Received) { r.Offset += 99 }, false},
			"invisible":        {func(r *ledger.Received) { r.Event.Termination.Reason += "\u00a0" }, false},
			"another person":   {func(r *ledger.Received) { r.Event.PersonID = "p2" }, true},
			"... read again":   {func(r *ledger.Received) { r.Event.PersonID, r.Snapshot = "p2", true }, true},
			"another type":     {func(r *ledger.Received) { r.Event.Type, r.Offset = hr.EventUpdated, 99 }, true},
			"another last day": {func(r *ledger.Received) { r.Event.Effective, r.Offset = hr.Date{Year: 2030, Month: 1, Day: 1}, 99 }, true},
			"... as a state": {func(r *ledger.Received) {
				r.Event.Effective, r.Offset, r.Snapshot = hr.Date{Year: 2030, Month: 1, Day: 1}, 99, true
			}, false},
			"... of a type":   {func(r *ledger.Received) { r.Event.Type, r.Offset, r.Snapshot = hr.EventUpdated, 99, true }, true},
			"the very record": {func(r *ledger.Received) { r.Event.Type = hr.EventUpdated }, false},
		} {
			again := received("p1", "e1", 5)
			again.At, again.Offset = at(5), first.Offset
			termination := *again.Event.Termination
			again.Event.Termination = &termination
			c.change(&again)
			want := ledger.Receipt{Seq: seq, Conflict: c.conflict, Duplicate: !c.conflict}
			assert.Equal(t, want, record(t, l, again)[0], name)
			assert.Equal(t, before, everything(t, l), name)
		}
		receipts := record(t, l, received("p1", "e3", 2), ledger.Received{Event: hr.Event{EventKey: first.Event.EventKey, PersonID: "p9"}, At: at(3)})
		assert.False(t, receipts[0].Duplicate || receipts[0].Conflict, "the others of the batch are recorded")
		assert.True(t, receipts[1].Conflict)
		_, err := l.Person(t.Context(), "p9")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	},
	"AnEventBringsALaterDueForwardOnly": func(t *testing.T, l ledger.Ledger) {
		for _, c := range []struct {
			name    string
			due     int
			wantDue int
			what    string
		}{{"later", 20, 10, "event"}, {"earlier", 5, 5, "start"}, {"equal", 10, 10, "event"}} {
			assess(t, l, c.name, 0, func(a *ledger.Assessment) { a.Summary.DueAt, a.Summary.DueWhat = at(c.due), "start" })
			record(t, l, received(c.name, "e-"+c.name, 10), received(c.name, "f-"+c.name, 11))
			p := read(t, l, c.name)
			assert.Equal(t, at(c.wantDue), p.DueAt, c.name)
			assert.Equal(t, c.what, p.DueWhat, c.name)
		}
	},
}

// operatorTests are tests of events that an operator recorded, and not HR.
var operatorTests = tests{
	"AnOperatorsEventIsOnTheRecord": func(t *testing.T, l ledger.Ledger) {
		said := received("p1", "e1", 5)
		said.Audit = &ledger.AuditRow{Action: "suspend", Actor: "ada", Cause: "stolen laptop", Detail: map[string]any{"event": "e1"}}
		record(t, l, said, received("p2", "e2", 5))
		record(t, l, said) // a repeated call
		rows, err := l.Audit(t.Context(), "", 0, 10)
		assert.NoError(t, err)
		assert.Len(t, rows, 1)
		rows[0].Seq = 0
		assert.Equal(t, ledger.AuditRow{
			At: at(5), PersonID: "p1", Action: "suspend", Actor: "ada", Cause: "stolen laptop", Detail: map[string]any{"event": "e1"},
		}, rows[0])
		assert.Equal(t, said.Event, read(t, l, "p1").Events[0].Event)
	},
	"AnOperatorsEventSaysWhyItsPersonIsDue": func(t *testing.T, l ledger.Ledger) {
		said := received("p1", "e1", 5)
		said.Audit = &ledger.AuditRow{Action: "suspend", Actor: "ada"}
		record(t, l, received("p1", "e0", 4))
		assess(t, l, "p1", 4, nil)
		before := read(t, l, "p1")
		record(t, l, said)
		assert.Equal(t, []ledger.DuePerson{{PersonID: "p1", At: at(5), What: ledger.DueOperator, LastSeq: read(t, l, "p1").LastSeq}}, due(t, l))

		// This also holds for somebody who is due for another reason already.
		assess(t, l, "p2", 0, func(a *ledger.Assessment) { a.Summary.DueAt, a.Summary.DueWhat = at(1), "start" })
		other := received("p2", "e2", 5)
		other.Audit = said.Audit
		record(t, l, other)
		assert.Equal(t, ledger.DueOperator, due(t, l)[0].What)
		assert.Equal(t, at(1), due(t, l)[0].At)
		assess(t, l, "p2", 8, nil)

		// An assessment that read the person before the event leaves them due; one that read
		// them after it does not.
		stale := ledger.Assessment{Summary: before.Summary}
		stale.Summary.AssessedAt = at(6)
		assert.NoError(t, l.SaveAssessment(t.Context(), stale))
		assert.Equal(t, at(5), read(t, l, "p1").DueAt)
		assess(t, l, "p1", 7, nil)
		assert.Empty(t, due(t, l))
	},
}
