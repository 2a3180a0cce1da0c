package ingest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// reread has a group of its own read the first n records of partition 0.
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

// A record is only told from its key if it is the very one that was recorded:
// another one may be no event at all.
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

func TestRecordsInFlightAreBoundedInBytes(t *testing.T) {
	r := newRig(t, 3)
	release := make(chan struct{})
	r.nudger.gate = func(ctx context.Context, _ workflows.Nudge) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	people := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
	messages := notes(20, people...)
	one := len(messages[0].Key) + len(messages[0].Value)
	r.publish(messages...)
	bound := 10 * (one + 1) // event IDs have one digit or two
	c, stop := r.run(func(o *Options) { o.Tuning.Bytes = bound })
	held := func() int64 {
		c.budget.mu.Lock()
		defer c.budget.mu.Unlock()
		return int64(bound) - c.budget.free
	}
	r.eventually(func() bool { return c.budget.awaited() }, "as much is in flight as may be")
	assert.LessOrEqual(t, held(), int64(bound+2*(one+1)), "a partition that has nothing goes on")
	assert.LessOrEqual(t, len(r.intake.ids("")), 10+2)
	close(release)
	r.awaitAllCommitted()
	assert.Len(t, r.nudger.nudges(""), len(messages))
	stop()
	assert.Zero(t, held(), "all comes back")
}

func seqs(nudges []workflows.Nudge) []int64 {
	var out []int64
	for _, n := range nudges {
		out = append(out, n.Seq)
	}
	return out
}
