package ingest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// reread lets another group read the first n records of partition 0.
func (r *rig) reread(n int64) {
	r.t.Helper()
	again := r.group + ".again"
	_, stop := r.run(func(o *Options) { o.Group = again })
	r.eventually(func() bool { return r.committedBy(again, 0) == n }, "read again")
	stop()
}

func TestReadingAgainNeedsNoWriting(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(50, "1", "2", "3")...)
	_, stop := r.run()
	r.awaitCommitted(0, 150)
	stop()
	written := len(r.intake.batches)
	r.reread(150)
	assert.Len(t, r.intake.batches, written, "the ledger is asked, and not told again")
	assert.Len(t, r.nudger.nudges(""), 150)
}

func TestReadingAgainDeliversWhatIsOnlyRecorded(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(2, "1", "2")...)
	for i, id := range []string{"1-1", "2-1", "1-2"} {
		receipts, err := r.intake.Record(t.Context(), []ledger.Received{{
			Event: hr.Event{EventKey: hr.EventKey{Source: "test", ID: id}, PersonID: id[:1], Type: hr.EventUpdated},
			Topic: r.events, Offset: int64(i),
		}})
		require.NoError(t, err)
		if id != "1-1" { // the first one was not delivered before the crash
			require.NoError(t, r.intake.MarkDelivered(t.Context(), []int64{receipts[0].Seq}))
		}
	}
	r.run()
	r.awaitCommitted(0, 4)
	assert.ElementsMatch(t, []int64{1, 4}, seqs(r.nudger.nudges("")))
	assert.Len(t, r.intake.ids(""), 4)
}

// The ledger's answer by key counts only for the very record that was recorded: another
// record with the same key may be no event at all.
func TestAnotherRecordWithAKnownKeyIsDecoded(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(1, "1")...)
	_, stop := r.run()
	r.awaitCommitted(0, 1)
	stop()
	decoded := 0
	refuse := func(o *Options) {
		o.Topics[0].Decode = func(record source.Record) ([]hr.Event, []source.Warning, error) {
			decoded++
			return nil, nil, &source.Error{Reason: source.ReasonMalformed}
		}
	}
	r.publish(notes(1, "1")...)
	r.run(refuse)
	r.awaitCommitted(0, 2)
	assert.Equal(t, 1, decoded)
	assert.EqualValues(t, 1, r.letterCount())
}

func seqs(nudges []workflows.Nudge) []int64 {
	var out []int64
	for _, n := range nudges {
		out = append(out, n.Seq)
	}
	return out
}
