package ingest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/workflows"
)

func fromEnd(o *Options) { o.Topics[0].FromEnd = true }

// awaitStart waits until the group has an offset for each of the partitions.
func (r *rig) awaitStart(partitions int) {
	r.t.Helper()
	r.eventually(func() bool {
		for p := range partitions {
			if offset := r.committed(p); offset < 0 || offset == noAnswer {
				return false
			}
		}
		return true
	}, "the group has begun")
}

func TestFromTheEndOnlyWhatIsNewIsRead(t *testing.T) {
	r := newRig(t, 3)
	r.publish(notes(5, "1", "2", "3", "4")...)
	r.run(fromEnd)
	r.run(fromEnd) // two members at once
	r.awaitStart(3)
	r.publish(note{ID: "new", Person: "1"}.message(), note{ID: "new too", Person: "2"}.message())
	r.awaitAllCommitted()
	assert.ElementsMatch(t, []string{"new", "new too"}, r.intake.ids(""))
}

func TestFromTheEndNothingIsLeftOutWhenAMemberIsReplaced(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(3, "1")...)
	r.nudger.gate = func(ctx context.Context, _ workflows.Nudge) error { <-ctx.Done(); return ctx.Err() }
	_, stop := r.run(fromEnd, func(o *Options) { o.Tuning.DrainFor = tick })
	r.awaitStart(1)
	r.publish(note{ID: "in flight", Person: "1"}.message())
	r.eventually(func() bool { return len(r.intake.ids("")) == 1 }, "in flight")
	stop()
	r.publish(note{ID: "meanwhile", Person: "1"}.message())

	r.nudger.gate = nil
	r.run(fromEnd)
	r.awaitCommitted(0, 5)
	assert.Equal(t, []string{"in flight", "meanwhile"}, r.intake.ids(""))
	assert.Len(t, r.nudger.nudges(""), 2)
}

// All records of a partition that is added later came after the group had begun.
func TestFromTheEndALaterPartitionIsReadFromItsBeginning(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(3, "1")...)
	_, stop := r.run(fromEnd)
	r.awaitStart(1)
	stop()
	r.addPartitions(r.events, 4)
	r.eventually(func() bool { return len(r.ends(r.events)) == 4 }, "the partitions are there")
	people := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
	r.publish(notes(1, people...)...)
	later := int64(0)
	for p, end := range r.ends(r.events) {
		if p > 0 {
			later += end
		}
	}
	require.Positive(t, later, "nothing is in the new partitions")

	r.run(fromEnd)
	r.awaitAllCommitted()
	assert.Len(t, r.intake.ids(""), len(people))
}
