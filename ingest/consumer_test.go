package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

func TestEventsReachLedgerAndTemporal(t *testing.T) {
	r := newRig(t, 3)
	r.publish(notes(5, "1", "2", "3", "4")...)
	c, stop := r.run()
	r.awaitAllCommitted()

	assert.NoError(t, c.Ready(t.Context()))
	assert.Len(t, r.intake.ids(""), 20)
	assert.Len(t, r.nudger.nudges(""), 20)
	assert.Len(t, r.intake.delivered, 20)
	first := r.intake.events[0]
	assert.Equal(t, r.events, first.Topic)
	assert.WithinDuration(t, time.Now(), first.At, time.Minute)

	stop()
	require.ErrorContains(t, c.Ready(t.Context()), "not a member")
	assert.Zero(t, r.letterCount())
}

func TestRedeliveryHasOneEffect(t *testing.T) {
	r := newRig(t, 2)
	r.publish(notes(10, "1", "2", "3")...)
	r.publish(notes(10, "1", "2", "3")...) // sent twice
	_, stop := r.run()
	r.awaitAllCommitted()
	stop()
	require.Len(t, r.intake.ids(""), 30)
	require.Len(t, r.nudger.nudges(""), 30)

	// Another group reads everything again, as this one would after its offsets were
	// lost.
	again := r.group + ".again"
	_, stop = r.run(func(o *Options) { o.Group = again })
	r.eventually(func() bool { return r.logged("joined the consumer group") == 2 }, "joined again")
	r.eventually(func() bool {
		read := int64(0)
		for partition := range r.ends(r.events) {
			read += max(0, r.committedBy(again, partition))
		}
		return read == 60
	}, "read again")
	stop()
	assert.Len(t, r.intake.ids(""), 30)
	assert.Len(t, r.nudger.nudges(""), 30, "what was delivered is not delivered again")
}

func TestWhatWasRecordedButNotDeliveredIsDelivered(t *testing.T) {
	r := newRig(t, 1)
	e := hr.Event{EventKey: hr.EventKey{Source: "test", ID: "1-1"}, PersonID: "1", Type: hr.EventUpdated}
	_, err := r.intake.Record(t.Context(), []ledger.Received{{Event: e}})
	require.NoError(t, err)
	r.publish(notes(1, "1")...)
	r.run()
	r.awaitCommitted(0, 1)
	assert.Len(t, r.nudger.nudges("1"), 1)
	assert.Len(t, r.intake.ids(""), 1)
}

func TestOnePersonsEventsStayInOrder(t *testing.T) {
	r := newRig(t, 1)
	var inFlight, most atomic.Int32
	var busy sync.Map
	r.nudger.gate = func(_ context.Context, n workflows.Nudge) error {
		if _, taken := busy.LoadOrStore(n.PersonID, true); taken {
			t.Errorf("two events of %s at the same time", n.PersonID)
		}
		defer busy.Delete(n.PersonID)
		for now := inFlight.Add(1); ; {
			was := most.Load()
			if now <= was || most.CompareAndSwap(was, now) {
				break
			}
		}
		defer inFlight.Add(-1)
		<-time.After(rand.N(3 * time.Millisecond))
		if rand.N(5) == 0 {
			return errors.New("try again")
		}
		return nil
	}
	people := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
	r.publish(notes(40, people...)...)
	r.run()
	r.awaitCommitted(0, 320)
	for _, person := range people {
		var seqs []int64
		for _, n := range r.nudger.nudges(person) {
			seqs = append(seqs, n.Seq)
		}
		assert.Len(t, seqs, 40)
		assert.True(t, slices.IsSorted(seqs), "person %s: %v", person, seqs)
		assert.Equal(t, "["+person+"-1", fmt.Sprint(r.intake.ids(person))[:len(person)+3])
	}
	assert.Greater(t, most.Load(), int32(1), "different people go at the same time")
}

func TestCommitNeverPassesARecordThatIsNotDone(t *testing.T) {
	r := newRig(t, 1)
	release := make(chan struct{})
	r.nudger.gate = func(ctx context.Context, n workflows.Nudge) error {
		if n.PersonID == "slow" {
			select {
			case <-release:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	r.publish(notes(5, "1")...)    // offsets 0-4
	r.publish(notes(1, "slow")...) // 5
	r.publish(notes(30, "2", "3")...)

	short := func(o *Options) { o.Tuning.DrainFor = 20 * time.Millisecond }
	_, stop := r.run(short)
	r.eventually(func() bool { return len(r.nudger.nudges("")) == 65 }, "the others go on")
	r.awaitCommitted(0, 5)
	stop()
	require.EqualValues(t, 5, r.committed(0), "not past the record when the consumer stops, either")
	require.Equal(t, 1, r.logged("left the partition with records in flight"))

	close(release)
	r.run()
	r.awaitCommitted(0, 66)
	assert.Len(t, r.nudger.nudges("slow"), 1)
	assert.Len(t, r.nudger.nudges(""), 66, "those that were done before are not done again")
}

func TestWindowIsBounded(t *testing.T) {
	r := newRig(t, 1)
	release := make(chan struct{})
	r.nudger.gate = func(ctx context.Context, _ workflows.Nudge) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.publish(notes(20, "1", "2", "3", "4", "5")...)
	c, _ := r.run(func(o *Options) { o.Tuning.Window = 7 })
	r.eventually(func() bool { return r.value(c, "tenure_ingest_in_flight 0 "+r.events) == 7 }, "the window is full")
	assert.LessOrEqual(t, len(r.intake.ids("")), 7)
	close(release)
	r.awaitCommitted(0, 100)
	for _, n := range r.intake.batches {
		assert.LessOrEqual(t, n, 7)
	}
}

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	r := newRig(t, 1)
	entered, release := make(chan struct{}), make(chan struct{})
	r.nudger.gate = func(context.Context, workflows.Nudge) error {
		entered <- struct{}{}
		<-release
		return nil
	}
	r.publish(notes(1, "1", "2")...)
	_, stop := r.run()
	<-entered
	<-entered
	r.publish(notes(1, "1")...) // it waits for the one before it, and is never begun
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	r.eventually(func() bool { return r.logged("leaving the consumer group") == 1 }, "told to stop")
	close(release)
	<-stopped
	assert.EqualValues(t, 2, r.committed(0))
	assert.Len(t, r.nudger.nudges(""), 2)
	assert.Eventually(t, func() bool { shares := r.shares(); return shares != nil && len(shares) == 0 }, patience, tick, "left the group")
}

func TestTemporalDownLosesNothing(t *testing.T) {
	r := newRig(t, 2)
	var down atomic.Bool
	down.Store(true)
	r.nudger.gate = func(context.Context, workflows.Nudge) error {
		if down.Load() {
			return errors.New("connection refused")
		}
		return nil
	}
	r.publish(notes(10, "1", "2", "3", "4", "5")...)
	c, _ := r.run()
	retries := func() float64 { return counter(t, c.metrics.retries, "temporal") }
	r.eventually(func() bool { return retries() > 50 }, "it tries again")
	assert.EqualValues(t, 1, r.logged("Temporal is unavailable"), "said once per outage")
	assert.LessOrEqual(t, r.committed(0)+r.committed(1), int64(0))

	down.Store(false)
	r.awaitAllCommitted()
	assert.Len(t, r.nudger.nudges(""), 50)
	assert.Equal(t, 1, r.logged("Temporal is unavailable"))
	assert.Equal(t, 1, r.logged("Temporal is available again"))
	assert.Zero(t, r.letterCount())
}

func TestLedgerDownLosesNothing(t *testing.T) {
	r := newRig(t, 2)
	r.intake.setDown(true)
	r.publish(notes(10, "1", "2", "3", "4", "5")...)
	c, _ := r.run()
	r.eventually(func() bool { return counter(t, c.metrics.retries, "ledger") > 50 }, "it tries again")
	assert.Empty(t, r.nudger.nudges(""), "nothing reaches Temporal before the ledger has it")
	assert.EqualValues(t, 1, r.logged("the ledger is unavailable"))

	r.intake.setDown(false)
	r.awaitAllCommitted()
	assert.Len(t, r.nudger.nudges(""), 50)
	assert.Len(t, r.intake.ids(""), 50)
	assert.Equal(t, 1, r.logged("the ledger is available again"))
	assert.Zero(t, r.letterCount())
}

func TestOneEventThatTheLedgerRefusesHoldsUpNobodyElse(t *testing.T) {
	r := newRig(t, 1)
	r.intake.poison = "2-1"
	r.publish(notes(3, "1", "2", "3")...)
	r.run()
	r.eventually(func() bool { return len(r.nudger.nudges("")) == 6 }, "the others are delivered")
	r.awaitCommitted(0, 1)
	r.intake.mu.Lock()
	r.intake.poison = ""
	r.intake.mu.Unlock()
	r.awaitCommitted(0, 9)
}

func TestRebalance(t *testing.T) {
	r := newRig(t, 6)
	commits := r.observeCommits()
	people := make([]string, 30)
	for i := range people {
		people[i] = fmt.Sprint(i)
	}
	sent := 0
	send := func() {
		for range 10 {
			sent++
			batch := notes(1, people...)
			for i := range batch {
				batch[i] = note{ID: fmt.Sprintf("%s-%d", people[i], sent), Person: people[i]}.message()
			}
			r.publish(batch...)
		}
	}
	_, stopFirst := r.run()
	send()
	second, _ := r.run()
	r.eventually(func() bool { return r.assigned(2) }, "both have partitions")
	r.eventually(func() bool { return second.Ready(t.Context()) == nil }, "the second one is ready")
	send()
	stopFirst()
	send()
	r.awaitAllCommitted()

	require.Equal(t, 30, sent)
	assert.Len(t, r.intake.ids(""), sent*len(people))
	for _, person := range people {
		var seqs []int64
		for _, n := range r.nudger.nudges(person) {
			if !slices.Contains(seqs, n.Seq) { // at least once, not exactly once
				seqs = append(seqs, n.Seq)
			}
		}
		assert.Len(t, seqs, sent)
		assert.True(t, slices.IsSorted(seqs), "person %s", person)
	}
	for partition, offsets := range commits() {
		assert.True(t, slices.IsSorted(offsets), "partition %d went back: %v", partition, offsets)
	}
}

// assigned reports whether the group is stable with n members that all have
// partitions.
func (r *rig) assigned(n int) bool {
	shares := r.shares()
	return len(shares) == n && !slices.Contains(shares, 0)
}

func TestBrokersMoveThingsAround(t *testing.T) {
	r := newFakeRig(t, 3, kfake.NumBrokers(3))
	r.run()
	for range 5 {
		r.publish(notes(20, "1", "2", "3", "4")...)
		r.cluster.RehashCoordinators()
		r.cluster.ShufflePartitionLeaders()
	}
	r.awaitAllCommitted()
	assert.Len(t, r.intake.ids(""), 80)
}

func TestWaitsForItsTopic(t *testing.T) {
	r := newRig(t, 1)
	r.deleteTopic(r.events)
	c, _ := r.run()
	r.eventually(func() bool { return r.logged("Kafka is unavailable") == 1 }, "says that it waits")
	assert.Contains(t, r.logs.FilterMessageSnippet("Kafka is unavailable").All()[0].ContextMap()["error"], r.events)
	require.Error(t, c.Ready(t.Context()))
	r.createTopic(r.events, 2)
	r.publish(notes(5, "1", "2", "3")...)
	r.awaitAllCommitted()
	assert.Len(t, r.nudger.nudges(""), 15)
}

func TestNewPartitionsAreFound(t *testing.T) {
	r := newRig(t, 1)
	r.run()
	r.publish(notes(1, "1")...)
	r.awaitCommitted(0, 1)
	r.addPartitions(r.events, 4)
	r.eventually(func() bool { return slices.Equal(r.shares(), []int{4}) }, "all four assigned")
	r.publish(notes(2, "1", "2", "3", "4", "5", "6", "7", "8")...)
	r.awaitAllCommitted()
}

// kafka-go's leader can miss a topic that is created while it assigns partitions.
func TestPartitionsThatTheLeaderMissedAreFound(t *testing.T) {
	r := newFakeRig(t, 2)
	const asLeader = 6 // the version of the leader's requests; other requests have a later one
	missed := r.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Topic: topicEvents, Err: kerr.UnknownTopicOrPartition,
		When: func(req kmsg.Request) bool { return req.GetVersion() == asLeader },
	})
	r.publish(notes(3, "1", "2", "3")...)
	r.run()
	require.NoError(t, missed.Wait(bounded(t), 1))
	r.awaitAllCommitted()
	assert.Equal(t, 1, r.logged("no member of the group has some of the partitions"))
	assert.Len(t, r.nudger.nudges(""), 9)
}

func TestStuckPartitionIsLoud(t *testing.T) {
	r := newRig(t, 1)
	release := make(chan struct{})
	r.nudger.gate = func(_ context.Context, n workflows.Nudge) error {
		if n.PersonID == "2" {
			<-release // it ignores the end of its context
		}
		return nil
	}
	r.publish(notes(1, "1", "2", "3")...)
	c, stop := r.run(func(o *Options) { o.Tuning.StuckAfter = 50 * time.Millisecond })
	// On a slow machine the first record, too, may count as stuck for a moment.
	said := func() []observer.LoggedEntry {
		return r.logs.FilterMessageSnippet("the partition is stuck").FilterField(zap.Int64("offset", 1)).All()
	}
	r.eventually(func() bool { return len(said()) > 1 }, "said, and said again")
	entry := said()[0]
	assert.Equal(t, r.events, entry.ContextMap()["topic"])
	assert.EqualValues(t, 0, entry.ContextMap()["partition"])
	assert.EqualValues(t, 2, entry.ContextMap()["lag"])
	assert.EqualValues(t, 1, r.value(c, "tenure_ingest_stuck 0 "+r.events))
	assert.EqualValues(t, 2, r.value(c, "tenure_ingest_lag 0 "+r.events))
	err := c.Ready(t.Context())
	require.ErrorContains(t, err, "stuck: "+r.events+"/0: nothing acknowledged for")
	require.ErrorContains(t, err, "offset 1")
	require.NoError(t, c.Alive(t.Context()), "a new process would not help")
	close(release)
	r.awaitCommitted(0, 3)
	r.eventually(func() bool { return r.value(c, "tenure_ingest_stuck 0 "+r.events) == 0 }, "the alarm is over")
	require.NoError(t, c.Ready(t.Context()))
	stop()
}

func TestHandlersThatDoNotLetGoAreLeftBehind(t *testing.T) {
	r := newRig(t, 1)
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	r.nudger.gate = func(context.Context, workflows.Nudge) error {
		close(entered)
		<-release // it ignores the end of its context
		return nil
	}
	r.publish(notes(1, "1")...)
	c, stop := r.run(func(o *Options) { o.Tuning.DrainFor, o.Tuning.StuckAfter = 10*time.Millisecond, 10*time.Millisecond })
	<-entered
	require.NoError(t, c.Alive(t.Context()))
	stop()
	assert.Equal(t, 1, r.logged("letting the partition go although a call"))
	assert.LessOrEqual(t, r.committed(0), int64(0), "what is not done is not committed")
	require.ErrorContains(t, c.Alive(t.Context()), "a call to the ledger or to Temporal for "+r.events+"/0 has not returned")
}

func TestOptionsAreChecked(t *testing.T) {
	r := newRig(t, 1)
	for want, change := range map[string]func(*Options){
		"brokers, a group":      func(o *Options) { o.Cluster.Brokers = nil },
		"needs a name":          func(o *Options) { o.Topics[0].Decode = nil },
		"is listed twice":       func(o *Options) { o.Topics = append(o.Topics, o.Topics[0]) },
		"it is consumed itself": func(o *Options) { o.Topics[0].DeadLetters = o.Topics[0].Name },
	} {
		o := r.options()
		change(&o)
		_, err := NewConsumer(o)
		assert.ErrorContains(t, err, want)
	}
}
