package ingest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafka-go connects to the first broker that accepts connections, and never to another
// one, even if the first one does not answer.
func TestASilentBrokerThatComesFirst(t *testing.T) {
	r := newFakeRig(t, 2)
	r.publish(notes(5, "1", "2", "3")...)
	c, _ := r.run(func(o *Options) {
		o.Cluster.Brokers = append([]string{silent(t)}, r.brokers...)
		o.Tuning.Answer = 300 * time.Millisecond
	})
	r.awaitAllCommitted()
	assert.Len(t, r.nudger.nudges(""), 15)
	assert.NoError(t, c.Ready(t.Context()))
}

func TestNetworkThatStalls(t *testing.T) {
	r := newFakeRig(t, 3, kfake.NumBrokers(3))
	n := newNetwork(t)
	c, _ := r.run(func(o *Options) {
		o.Cluster.Dial = n.dial
		o.Tuning.Answer, o.Tuning.Rebalance, o.Tuning.DrainFor = 300*time.Millisecond, time.Second, 500*time.Millisecond
	})
	sent := 0
	for range 3 {
		r.publish(notesFrom(sent, 5, "1", "2", "3")...)
		sent += 5
		r.awaitAllCommitted()
		n.stall()
		r.publish(notesFrom(sent, 5, "1", "2", "3")...)
		sent += 5
		r.eventually(func() bool { return c.Ready(t.Context()) != nil }, "it notices, and says so")
		require.ErrorContains(t, c.Ready(t.Context()), "not a member")
		n.resume()
		r.awaitAllCommitted()
		r.eventually(func() bool { return c.Ready(t.Context()) == nil }, "ready again")
	}
	r.hadAll(3 * sent)
}

func TestSlowNetwork(t *testing.T) {
	r := newFakeRig(t, 2)
	n := newNetwork(t)
	n.slow(150 * time.Millisecond)
	c, _ := r.run(func(o *Options) {
		o.Cluster.Dial = n.dial
		o.Tuning.FetchWait, o.Tuning.Answer, o.Tuning.Session = 0, 0, 3*time.Second // as in production
	})
	r.publish(notes(20, "1", "2", "3")...)
	r.awaitAllCommitted()
	r.hadAll(60)
	assert.Zero(t, r.value(c, "tenure_ingest_fetch_restarts_total "+r.events))
}

// hadAll asserts that each of n events had its effect once, and that none became a dead
// letter.
func (r *rig) hadAll(n int) {
	r.t.Helper()
	assert.Len(r.t, r.intake.ids(""), n)
	seqs := map[int64]bool{}
	for _, nudge := range r.nudger.nudges("") {
		seqs[nudge.Seq] = true
	}
	assert.Len(r.t, seqs, n)
	assert.Len(r.t, r.intake.delivered, n)
	assert.Zero(r.t, r.letterCount())
}

func TestAFetchThatHangsBeginsAnew(t *testing.T) {
	r := newFakeRig(t, 1)
	release := make(chan struct{})
	defer close(release)
	var hung atomic.Bool
	r.cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		if byReader(req) && !hung.Swap(true) {
			r.cluster.SleepControl(func() { <-release }) // and every later request of its connection
		}
		return nil, nil, false
	})
	r.publish(notes(3, "1")...)
	c, _ := r.run(func(o *Options) {
		o.Tuning.Refetch = time.Second                             // even a busy machine answers sooner, so fetching begins anew once
		o.Tuning.FetchWait, o.Tuning.Answer = time.Hour, time.Hour // nothing else ends the wait
	})
	r.awaitCommitted(0, 3)
	r.hadAll(3)
	assert.EqualValues(t, 1, r.value(c, "tenure_ingest_fetch_restarts_total "+r.events))
	assert.Equal(t, 1, r.logged("there are records and none comes: fetching anew"))
}

// A partition without records does not count as hanging, however long no record comes: it
// may never have had one, or retention has removed them.
func TestAnEmptyPartitionIsNotFetchedAnew(t *testing.T) {
	r := newFakeRig(t, 1)
	c, _ := r.run(func(o *Options) { o.Tuning.Refetch = time.Millisecond })
	var surveys atomic.Int64
	r.cluster.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.cluster.KeepControl()
		surveys.Add(1)
		return nil, nil, false
	})
	r.eventually(func() bool { return surveys.Load() > 5 }, "the watch looks at it")
	assert.Zero(t, r.value(c, "tenure_ingest_fetch_restarts_total "+r.events))
	assert.Zero(t, r.logged("there are records and none comes"))
}

// byReader reports whether a fetch comes from a reader and not from the watch. They use
// different versions of the protocol.
func byReader(req kmsg.Request) bool { return req.GetVersion() <= 10 }

// A broker may return nothing to a reader although the partition has records. If fetching
// anew does not help, the member leaves the group and joins it again.
func TestAFetchThatNeverGetsAnythingEndsTheGeneration(t *testing.T) {
	r := newFakeRig(t, 1)
	mute := make(chan struct{})
	r.cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		select {
		case <-mute:
			return nil, nil, false
		default:
			r.cluster.KeepControl()
		}
		fetch := req.(*kmsg.FetchRequest)
		if !byReader(fetch) {
			return nil, nil, false
		}
		answer := fetch.ResponseKind().(*kmsg.FetchResponse)
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic = r.events
		partition := kmsg.NewFetchResponseTopicPartition()
		partition.HighWatermark = fetch.Topics[0].Partitions[0].FetchOffset
		topic.Partitions = append(topic.Partitions, partition)
		answer.Topics = append(answer.Topics, topic)
		return answer, nil, true
	})
	r.publish(notes(3, "1")...)
	c, _ := r.run(func(o *Options) { o.Tuning.Refetch = 50 * time.Millisecond })
	r.eventually(func() bool { return r.value(c, "tenure_ingest_fetch_restarts_total "+r.events) == 3 }, "fetched anew")
	r.eventually(func() bool { return r.value(c, "tenure_ingest_rebalances_total") >= 2 }, "joined anew")
	close(mute)
	r.awaitCommitted(0, 3)
	r.hadAll(3)
}
