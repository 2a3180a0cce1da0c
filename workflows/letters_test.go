package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/workflows"
)

var letterPlace = ledger.Position{Topic: "hr.events.dlq", Offset: 1}

// refuses adds a record about the person that becomes a dead letter.
func (b *biography) refuses(after time.Duration, urgent bool) {
	b.tells(after, func() {
		_, err := b.ledger.RecordDeadLetter(context.Background(), ledger.DeadLetter{
			At: letterPlace, Origin: ledger.Position{Topic: "hr.events", Offset: 7}, Digest: "sha256:aa",
			ReceivedAt: epoch.Add(after), Reason: "schema", PersonID: b.person, Urgent: urgent,
		})
		require.NoError(b.t, err)
	})
}

// tells adds something that happens and is not an event, and tells the person's run.
func (b *biography) tells(after time.Duration, do func()) {
	b.events = append(b.events, happening{at: epoch.Add(after), starts: workflows.TypeScheduled, do: do})
}

func TestATerminationThatCannotBeReadAsksAHuman(t *testing.T) {
	open := map[string]string{"": provision.CodeDeadLetter}
	setUp := func(t *testing.T) *biography {
		b := newBiography(t, testRules())
		b.hears(0, hired("Development"))
		b.refuses(day, true)
		b.on(day+time.Minute, func() {
			assert.Equal(t, open, b.inAttention())
			assert.Equal(t, "on []", b.state("chat"), "nothing is taken away because of what nobody can read")
		})
		return b
	}
	t.Run("until it is redriven", func(t *testing.T) {
		b := setUp(t)
		b.tells(2*day, func() {
			e := terminated(hr.DateOf(epoch))
			e.EventKey, e.PersonID, e.Recorded = hr.EventKey{Source: "/hr/test", ID: "mended"}, b.person, epoch.Add(day)
			require.NoError(t, b.ledger.ActOnLetter(context.Background(), ledger.LetterAction{Verb: ledger.VerbAnnounce, ID: 1, Sending: "sha256:bb"}))
			_, err := b.ledger.Record(context.Background(), []ledger.Received{{
				Event: e, At: epoch.Add(2 * day), RedriveOf: letterPlace, RedriveDigest: "sha256:bb",
			}})
			require.NoError(t, err)
		})
		b.on(2*day+time.Minute, func() {
			assert.Empty(t, b.inAttention())
			assert.Equal(t, "off []", b.state("chat"))
		})
		b.live(3 * day)
	})
	t.Run("until it is discarded", func(t *testing.T) {
		b := setUp(t)
		b.tells(2*day, func() {
			require.NoError(t, b.ledger.ActOnLetter(context.Background(), ledger.LetterAction{
				Verb: ledger.VerbDiscard, ID: 1, Operator: "it", Reason: "a test", At: epoch.Add(2 * day),
			}))
		})
		b.on(2*day+time.Minute, func() { assert.Empty(t, b.inAttention()) })
		b.live(3 * day)
		assert.Equal(t, "on []", b.state("chat"))
		assert.Equal(t, "Mover", b.runs[len(b.runs)-1], "and nothing is open any more")
	})
	t.Run("until it is skipped", func(t *testing.T) {
		b := setUp(t)
		skip := b.skips(2*day, activities.RepairRequest{
			Key: "dead-letter/1", Operator: "it@example.com", Reason: "HR said it anew",
		})
		b.on(2*day+time.Minute, func() { assert.Empty(t, b.inAttention()) })
		b.live(3 * day)
		require.NoError(t, skip.refused)
	})
	t.Run("still while it is on its way", func(t *testing.T) {
		b := setUp(t)
		b.tells(2*day, func() {
			require.NoError(t, b.ledger.ActOnLetter(context.Background(), ledger.LetterAction{
				Verb: ledger.VerbRedrive, ID: 1, Operator: "it", Reason: "mended", At: epoch.Add(2 * day),
			}))
		})
		b.on(2*day+time.Minute, func() { assert.Equal(t, open, b.inAttention()) })
		b.live(3 * day)
	})
}

func TestOtherDeadLettersAskNobody(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.refuses(day, false)
	b.live(2 * day)
	assert.Empty(t, b.inAttention())
	person, err := b.ledger.Person(t.Context(), b.person)
	require.NoError(t, err)
	assert.Len(t, person.Letters, 1, "but show")
}
