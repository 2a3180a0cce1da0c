package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// letter returns an urgent dead letter about p1, received some minutes after t0. Its offset
// is the same as that of its record in the topic of events.
func letter(offset int64, minutes int) ledger.DeadLetter {
	return ledger.DeadLetter{
		At:     ledger.Position{Topic: "hr.events.dlq", Partition: 1, Offset: offset},
		Origin: ledger.Position{Topic: "hr.events", Partition: 3, Offset: offset},
		Digest: "sha256:aa", Format: "cloudevents", ReceivedAt: at(minutes),
		Reason: "schema", Field: "/data/effectiveDate", Text: "is no date",
		PersonID: "p1", EventType: "terminated", EventSource: "urn:hr", EventID: "e9", Urgent: true,
	}
}

func recordLetter(t *testing.T, l ledger.Ledger, d ledger.DeadLetter) ledger.LetterReceipt {
	t.Helper()
	receipt, err := l.RecordDeadLetter(t.Context(), d)
	require.NoError(t, err)
	return receipt
}

// letters returns the IDs of the dead letters that a filter selects.
func letters(t *testing.T, l ledger.Ledger, f ledger.LetterFilter) []int64 {
	t.Helper()
	found, err := l.DeadLetters(t.Context(), f, 0, all)
	require.NoError(t, err)
	return each(found, func(d ledger.DeadLetter) int64 { return d.ID })
}

func theLetter(t *testing.T, l ledger.Ledger, id int64) ledger.DeadLetter {
	t.Helper()
	found, err := l.DeadLetters(t.Context(), ledger.LetterFilter{ID: id}, 0, all)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func actOnLetter(t *testing.T, l ledger.Ledger, verb ledger.LetterVerb, id int64, minutes int) {
	t.Helper()
	require.NoError(t, l.ActOnLetter(t.Context(), letterAction(verb, id, minutes)))
}

func letterAction(verb ledger.LetterVerb, id int64, minutes int) ledger.LetterAction {
	return ledger.LetterAction{Verb: verb, ID: id, Operator: "ops", Reason: "ticket 42", At: at(minutes), Detail: map[string]any{"edited": true}}
}

// redriven returns an event about p1 whose record was sent again from a letter.
func redriven(id string, from ledger.DeadLetter, minutes int) ledger.Received {
	r := received("p1", id, minutes)
	r.RedriveOf, r.RedriveDigest = from.At, sentDigest
	return r
}

// sentDigest is the digest of the record that announce announces.
const sentDigest = "sha256:sent"

// announce announces that a letter's record will be sent again.
func announce(t *testing.T, l ledger.Ledger, id int64) {
	t.Helper()
	require.NoError(t, l.ActOnLetter(t.Context(), announcement(id)))
}

func announcement(id int64) ledger.LetterAction {
	return ledger.LetterAction{Verb: ledger.VerbAnnounce, ID: id, Operator: "ops", At: at(0), Sending: sentDigest}
}

var letterTests = tests{
	"ComesBackAsItWasAndOpen": func(t *testing.T, l ledger.Ledger) {
		want := letter(17, 0)
		want.ReceivedAt = at(0).Add(789).In(time.FixedZone("Tongatapu", 13*60*60))
		receipt := recordLetter(t, l, want)
		assert.Positive(t, receipt.ID)
		assert.Equal(t, ledger.LetterReceipt{ID: receipt.ID, Pending: true, Urgent: true}, receipt)
		want.ID, want.State, want.ReceivedAt = receipt.ID, ledger.LetterOpen, at(0)
		assert.Equal(t, want, theLetter(t, l, receipt.ID))
	},
	"IsKnownByOriginAndDigest": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		first := recordLetter(t, l, letter(1, 0))
		before := everything(t, l)
		again := letter(1, 5)
		again.At.Offset, again.Reason, again.Urgent, again.PersonID = 99, "other", false, ""
		assert.Equal(t, ledger.LetterReceipt{ID: first.ID, Duplicate: true, Pending: true, Urgent: true, PersonID: "p1"}, recordLetter(t, l, again))
		assert.Equal(t, before, everything(t, l))
		for _, change := range []func(*ledger.DeadLetter){
			func(d *ledger.DeadLetter) { d.Digest = "sha256:bb" },
			func(d *ledger.DeadLetter) { d.Origin.Partition++ },
			func(d *ledger.DeadLetter) { d.Origin.Topic = "other" },
		} {
			other := letter(1, 0)
			change(&other)
			assert.False(t, recordLetter(t, l, other).Duplicate)
		}
		assert.Len(t, letters(t, l, ledger.LetterFilter{}), 4)
	},
	"ThatSaysTooLittleIsRefused": func(t *testing.T, l ledger.Ledger) {
		for _, change := range []func(*ledger.DeadLetter){
			func(d *ledger.DeadLetter) { d.At.Topic = "" },
			func(d *ledger.DeadLetter) { d.Origin.Topic = "" },
			func(d *ledger.DeadLetter) { d.Digest = "" },
		} {
			bad := letter(1, 0)
			change(&bad)
			_, err := l.RecordDeadLetter(t.Context(), bad)
			require.Error(t, err)
		}
		assert.Empty(t, letters(t, l, ledger.LetterFilter{}))
	},
	"MakesNobodyKnown": func(t *testing.T, l ledger.Ledger) {
		receipt := recordLetter(t, l, letter(1, 0))
		assert.Empty(t, receipt.PersonID)
		_, err := l.Person(t.Context(), "p1")
		require.ErrorIs(t, err, ledger.ErrNotFound)
		assert.Empty(t, due(t, l))
		record(t, l, received("p1", "e1", 1))
		assert.Equal(t, receipt.ID, read(t, l, "p1").Letters[0].ID, "and is there when they come")
	},
	"OfNobodyIsNobodys": func(t *testing.T, l ledger.Ledger) {
		nobody := letter(1, 0)
		nobody.PersonID = ""
		assert.Empty(t, recordLetter(t, l, nobody).PersonID)
		assert.Empty(t, due(t, l))
	},
	"AnUrgentOneMakesDue": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		assess(t, l, "p1", 1, nil)
		assess(t, l, "p2", 1, nil)
		plain := letter(1, 2)
		plain.Urgent = false
		recordLetter(t, l, plain)
		assert.Empty(t, due(t, l), "one that is not urgent does not")
		assert.Equal(t, "p1", recordLetter(t, l, letter(2, 3)).PersonID)
		got := due(t, l)
		require.Len(t, got, 1)
		assert.Equal(t, ledger.DuePerson{PersonID: "p1", At: at(3), What: ledger.DueLetter, LastSeq: read(t, l, "p1").LastSeq}, got[0])
		assess(t, l, "p1", 4, nil)
		assert.Empty(t, due(t, l))
	},
	"OneThatAnAssessmentDidNotSeeKeepsDue": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, func(*ledger.Assessment) { recordLetter(t, l, letter(1, 2)) })
		p := read(t, l, "p1")
		assert.Equal(t, at(2), p.DueAt)
		assert.Equal(t, ledger.DueLetter, p.DueWhat)
	},
	"IsAppliedWithTheRecordThatWasSentAgain": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		id := recordLetter(t, l, letter(1, 1)).ID
		announce(t, l, id)
		actOnLetter(t, l, ledger.VerbRedrive, id, 2)
		d := theLetter(t, l, id)
		assert.Equal(t, ledger.LetterRedriven, d.State)
		assert.Equal(t, []any{at(2), "ops", "ticket 42"}, []any{d.ActedAt, d.Operator, d.Why})
		require.Len(t, read(t, l, "p1").Letters, 1, "what it would have changed is not known yet")
		record(t, l, redriven("e2", letter(1, 1), 3))
		d = theLetter(t, l, id)
		assert.Equal(t, ledger.LetterApplied, d.State)
		assert.Equal(t, at(3), d.EndedAt)
		assert.Empty(t, read(t, l, "p1").Letters)
	},
	"IsAppliedWhateverCameFirst": func(t *testing.T, l ledger.Ledger) {
		id := recordLetter(t, l, letter(1, 1)).ID
		announce(t, l, id)
		record(t, l, redriven("e1", letter(1, 1), 2))
		actOnLetter(t, l, ledger.VerbRedrive, id, 3)
		assert.Equal(t, ledger.LetterApplied, theLetter(t, l, id).State, "the record may be faster than the note that it was sent")
		record(t, l, redriven("e1", letter(1, 1), 4))
		assert.Equal(t, at(2), theLetter(t, l, id).EndedAt)
	},
	"IsAppliedWithADuplicateAndMakesDue": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		id := recordLetter(t, l, letter(1, 1)).ID
		announce(t, l, id)
		assess(t, l, "p1", 2, nil)
		record(t, l, received("p1", "e1", 0), redriven("e1", letter(1, 1), 0))
		assert.Equal(t, ledger.LetterApplied, theLetter(t, l, id).State)
		got := due(t, l)
		require.Len(t, got, 1)
		assert.Equal(t, ledger.DueLetter, got[0].What)
	},
	"TheLastOneAtAPositionIsMeant": func(t *testing.T, l ledger.Ledger) {
		old := recordLetter(t, l, letter(1, 1)).ID
		anew := letter(1, 2)
		anew.Digest = "sha256:bb"
		id := recordLetter(t, l, anew).ID
		announce(t, l, old)
		announce(t, l, id)
		record(t, l, redriven("e1", anew, 3))
		assert.Equal(t, ledger.LetterOpen, theLetter(t, l, old).State)
		assert.Equal(t, ledger.LetterApplied, theLetter(t, l, id).State)
	},
	"OneThatFailsAgainHasAHeir": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		id := recordLetter(t, l, letter(1, 1)).ID
		announce(t, l, id)
		actOnLetter(t, l, ledger.VerbRedrive, id, 2)
		heir := letter(2, 3)
		heir.RedriveOf, heir.RedriveDigest, heir.Urgent, heir.PersonID = letter(1, 1).At, sentDigest, false, ""
		receipt := recordLetter(t, l, heir)
		assert.Equal(t, letter(1, 1).At, theLetter(t, l, receipt.ID).RedriveOf)
		announce(t, l, receipt.ID)
		assert.True(t, receipt.Urgent, "what it was about is still urgent")
		assert.Equal(t, "p1", receipt.PersonID)
		d := theLetter(t, l, id)
		assert.Equal(t, ledger.LetterFailed, d.State)
		assert.Equal(t, at(3), d.EndedAt)
		pending := read(t, l, "p1").Letters
		require.Len(t, pending, 1)
		assert.Equal(t, receipt.ID, pending[0].ID)
		record(t, l, redriven("e2", heir, 4))
		assert.Empty(t, read(t, l, "p1").Letters)
		assert.Equal(t, ledger.LetterFailed, theLetter(t, l, id).State)
	},
	// A producer can write any header. A record that no operator announced with this digest
	// closes no letter and takes nothing over from one.
	"WhatNobodyAnnouncedChangesNoLetter": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		id := recordLetter(t, l, letter(1, 1)).ID
		assess(t, l, "p1", 2, nil)
		forge := func(name, digest string) {
			event := redriven("e-"+name, letter(1, 1), 3)
			event.Event.PersonID, event.RedriveDigest = "p2", digest
			record(t, l, event)
			heir := letter(7, 4)
			heir.Digest, heir.RedriveOf, heir.RedriveDigest, heir.PersonID, heir.Urgent = "sha256:"+name, letter(1, 1).At, digest, "p2", false
			receipt := recordLetter(t, l, heir)
			assert.False(t, receipt.Urgent, name)
			assert.Equal(t, "p2", receipt.PersonID, name)
			assert.Zero(t, theLetter(t, l, receipt.ID).RedriveOf, name)
		}
		forge("nothing was announced", "")
		forge("nor this", "sha256:other")
		actOnLetter(t, l, ledger.VerbRedrive, id, 5)
		forge("that it was sent says nothing of what", "sha256:other")
		announce(t, l, id)
		forge("another record was", "sha256:other")
		assert.Equal(t, ledger.LetterRedriven, theLetter(t, l, id).State)
		require.Len(t, read(t, l, "p1").Letters, 1)
		record(t, l, redriven("e2", letter(1, 1), 6))
		assert.Equal(t, ledger.LetterApplied, theLetter(t, l, id).State)
	},
	"AnAnnouncementIsNoDoing": func(t *testing.T, l ledger.Ledger) {
		id := recordLetter(t, l, letter(1, 1)).ID
		before := theLetter(t, l, id)
		announce(t, l, id)
		assert.Equal(t, before, theLetter(t, l, id))
		assert.Empty(t, audit(t, l, ""))
		unknown := announcement(id + 1)
		require.ErrorIs(t, l.ActOnLetter(t.Context(), unknown), ledger.ErrNotFound)
	},
	"OfAnUnknownLetterIsNoMatter": func(t *testing.T, l ledger.Ledger) {
		record(t, l, redriven("e1", letter(1, 1), 2))
		orphan := letter(2, 3)
		orphan.RedriveOf = letter(1, 1).At
		assert.False(t, recordLetter(t, l, orphan).Duplicate)
	},
	"ChangesTheStatesThatItMay": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		for i, c := range []struct {
			state     ledger.LetterState
			redriven  ledger.LetterState
			discarded ledger.LetterState
		}{
			{ledger.LetterOpen, ledger.LetterRedriven, ledger.LetterDiscarded},
			{ledger.LetterRedriven, ledger.LetterRedriven, ledger.LetterDiscarded},
			{ledger.LetterApplied, ledger.LetterApplied, ledger.LetterApplied},
			{ledger.LetterFailed, ledger.LetterFailed, ledger.LetterFailed},
			{ledger.LetterDiscarded, ledger.LetterRedriven, ledger.LetterDiscarded},
		} {
			for j, verb := range []ledger.LetterVerb{ledger.VerbRedrive, ledger.VerbDiscard} {
				offset := int64(10*i + j)
				id := recordLetter(t, l, letter(offset, 1)).ID
				switch c.state {
				case ledger.LetterOpen:
				case ledger.LetterRedriven:
					actOnLetter(t, l, ledger.VerbRedrive, id, 2)
				case ledger.LetterDiscarded:
					actOnLetter(t, l, ledger.VerbDiscard, id, 2)
				case ledger.LetterApplied:
					announce(t, l, id)
					record(t, l, redriven(fmt.Sprint("again-", offset), letter(offset, 1), 2))
				case ledger.LetterFailed:
					heir := letter(1000+offset, 2)
					heir.RedriveOf, heir.RedriveDigest = letter(offset, 1).At, sentDigest
					announce(t, l, id)
					recordLetter(t, l, heir)
				}
				require.Equal(t, c.state, theLetter(t, l, id).State)
				actOnLetter(t, l, verb, id, 5)
				d := theLetter(t, l, id)
				assert.Equal(t, []ledger.LetterState{c.redriven, c.discarded}[j], d.State, "%s, %s", c.state, verb)
				assert.Equal(t, d.Pending(), d.EndedAt.IsZero(), "%s, %s", c.state, verb)
			}
		}
	},
	"DiscardingAnUrgentOneMakesDue": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		id := recordLetter(t, l, letter(1, 1)).ID
		assess(t, l, "p1", 2, nil)
		actOnLetter(t, l, ledger.VerbDiscard, id, 3)
		got := due(t, l)
		require.Len(t, got, 1)
		assert.Equal(t, at(3), got[0].At)
		assert.Equal(t, ledger.DueLetter, got[0].What)
	},
	"ActionsAreOnTheRecord": func(t *testing.T, l ledger.Ledger) {
		id := recordLetter(t, l, letter(1, 1)).ID
		actOnLetter(t, l, ledger.VerbRedrive, id, 2)
		actOnLetter(t, l, ledger.VerbDiscard, id, 3)
		rows := audit(t, l, "p1")
		require.Len(t, rows, 2)
		detail := map[string]any{"deadLetter": float64(id), "edited": true}
		assert.Equal(t, []ledger.AuditRow{
			{Seq: rows[0].Seq, At: at(2), PersonID: "p1", Action: "redrive", Actor: "ops", Cause: "ticket 42", Detail: detail},
			{Seq: rows[1].Seq, At: at(3), PersonID: "p1", Action: "discard", Actor: "ops", Cause: "ticket 42", Detail: detail},
		}, rows)
		assert.Equal(t, map[string]any{"edited": true}, letterAction(ledger.VerbRedrive, id, 2).Detail)
	},
	"ActionOnNothingOrOfAnotherKindIsRefused": func(t *testing.T, l ledger.Ledger) {
		require.ErrorIs(t, l.ActOnLetter(t.Context(), letterAction(ledger.VerbDiscard, 7, 1)), ledger.ErrNotFound)
		id := recordLetter(t, l, letter(1, 1)).ID
		require.Error(t, l.ActOnLetter(t.Context(), letterAction("burn", id, 1)))
		assert.Empty(t, audit(t, l, ""))
	},
	"ListsByFilterAndPage": func(t *testing.T, l ledger.Ledger) {
		first := recordLetter(t, l, letter(1, 1)).ID
		other := letter(2, 2)
		other.PersonID, other.Reason, other.Origin.Topic, other.Urgent = "p2", "malformed", "vendor", false
		second := recordLetter(t, l, other).ID
		third := recordLetter(t, l, letter(3, 3)).ID
		actOnLetter(t, l, ledger.VerbDiscard, third, 4)
		for _, c := range []struct {
			filter ledger.LetterFilter
			want   []int64
		}{
			{ledger.LetterFilter{}, []int64{first, second, third}},
			{ledger.LetterFilter{ID: second}, []int64{second}},
			{ledger.LetterFilter{PersonID: "p1"}, []int64{first, third}},
			{ledger.LetterFilter{Reason: "malformed"}, []int64{second}},
			{ledger.LetterFilter{Topic: "hr.events"}, []int64{first, third}},
			{ledger.LetterFilter{Urgent: true}, []int64{first, third}},
			{ledger.LetterFilter{States: []ledger.LetterState{ledger.LetterDiscarded}}, []int64{third}},
			{ledger.LetterFilter{States: []ledger.LetterState{ledger.LetterOpen, ledger.LetterDiscarded}}, []int64{first, second, third}},
			{ledger.LetterFilter{From: at(2)}, []int64{second, third}},
			{ledger.LetterFilter{Until: at(2)}, []int64{first}},
			{ledger.LetterFilter{From: at(1), Until: at(3), PersonID: "p1", Urgent: true}, []int64{first}},
			{ledger.LetterFilter{PersonID: "p3"}, []int64{}},
		} {
			assert.Equal(t, c.want, letters(t, l, c.filter), c.filter)
		}
		page, err := l.DeadLetters(t.Context(), ledger.LetterFilter{}, first, 1)
		require.NoError(t, err)
		require.Len(t, page, 1)
		assert.Equal(t, second, page[0].ID)
		page, err = l.DeadLetters(t.Context(), ledger.LetterFilter{}, 0, 0)
		require.NoError(t, err)
		assert.Empty(t, page)
	},
}
