//go:build real

package ingest

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/brokertest"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/internal/backoff"
)

// recovery bounds how long it may take after a fault until everything is done. Brokers
// need most of that time: they take seconds to notice that one of them is gone.
const recovery = time.Minute

// sturdy holds the numbers of production, reduced for brokers that share a small machine
// with the tests.
var sturdy = Tuning{
	Tuning: group.Tuning{
		CommitEvery: 50 * time.Millisecond,
		FetchWait:   time.Second,
		DrainFor:    2 * time.Second,
		WatchEvery:  200 * time.Millisecond,
		Refetch:     5 * time.Second,
		Rejoin:      20 * time.Second,
		Attempt:     5 * time.Second,
		Answer:      2 * time.Second,
		RetryMax:    500 * time.Millisecond,
		TopicsEvery: 500 * time.Millisecond,
		Session:     6 * time.Second,
		Rebalance:   10 * time.Second,
		RejoinAfter: 200 * time.Millisecond,
	},
	RetryMin: 20 * time.Millisecond,
}

// TestBrokersFail lets each fault happen while events keep coming to two members. No
// member is restarted, no event is lost and none becomes a dead letter. While two of
// three brokers work, no member even waits for the third.
func TestBrokersFail(t *testing.T) {
	cluster := brokertest.Start(t, brokertest.Options{Brokers: 3})
	all := []int{0, 1, 2}
	leader := func(r *rig) []int { return []int{cluster.Leader(r.events, 0)} }
	coordinator := func(r *rig) []int { return []int{cluster.Coordinator(r.group)} }
	everyone := func(*rig) []int { return all }
	restart := func(broker int) { cluster.Restart(broker) }
	for _, fault := range []struct {
		name   string
		victim func(*rig) []int
		harm   func(broker int)
		mend   func(broker int)
	}{
		{"a leader is killed", leader, cluster.Kill, restart},
		{"a coordinator is killed", coordinator, cluster.Kill, restart},
		{"a leader is stalled", leader, cluster.Pause, cluster.Resume},
		{"a coordinator is stalled", coordinator, cluster.Pause, cluster.Resume},
		{"all are stalled", everyone, cluster.Pause, cluster.Resume},
		{"all are killed", everyone, cluster.Kill, restart},
	} {
		t.Run(fault.name, func(t *testing.T) {
			r := newClusterRig(t, cluster)
			first := r.runSturdy()
			second := r.runSturdy()
			h := r.keepPublishing()
			h.awaitMore(50)

			victims := fault.victim(r)
			for _, broker := range victims {
				fault.harm(broker)
			}
			if len(victims) < len(all) {
				h.awaitMore(100) // while the broker is gone
			} else {
				r.within(recovery, func() bool {
					return first.Ready(t.Context()) != nil && second.Ready(t.Context()) != nil
				}, "they say that they are not ready")
			}
			var mending sync.WaitGroup // all at once, because brokers need each other to start
			for _, broker := range victims {
				mending.Go(func() { fault.mend(broker) })
			}
			mending.Wait()
			h.awaitMore(50)
			r.finish(h.stop())
			for _, c := range []*Consumer{first, second} {
				r.within(recovery, func() bool { return c.Ready(t.Context()) == nil }, "ready again")
				assert.Zero(t, r.value(c, "tenure_ingest_rejoins_total"), "no need of the last resort")
			}
		})
	}
}

// TestNetworkFails lets the network between the members and healthy brokers fail.
func TestNetworkFails(t *testing.T) {
	cluster := brokertest.Start(t, brokertest.Options{Brokers: 1})
	r := newClusterRig(t, cluster)
	n := newNetwork(t)
	c, _ := r.run(func(o *Options) { o.Tuning, o.Cluster.Dial = sturdy, n.dial })
	h := r.keepPublishing()
	h.awaitMore(50)
	for range 2 {
		n.stall()
		r.within(recovery, func() bool { return c.Ready(t.Context()) != nil }, "it says so")
		n.resume()
		h.awaitMore(50)
	}
	n.slow(100 * time.Millisecond)
	h.awaitMore(100)
	r.finish(h.stop())
}

// newClusterRig returns a rig on a cluster of the test's own, with topics and a group of
// its own.
func newClusterRig(t *testing.T, cluster *brokertest.Cluster) *rig {
	t.Helper()
	r := newBareRig(t, cluster.Brokers()...)
	mark := "." + strings.ToLower(rand.Text()[:10])
	r.events, r.dlq, r.group = r.events+mark, r.dlq+mark, r.group+mark
	cluster.CreateTopic(r.events, 4, nil)
	cluster.CreateTopic(r.dlq, 1, nil)
	r.connect()
	return r
}

func (r *rig) runSturdy() *Consumer {
	r.t.Helper()
	c, _ := r.run(func(o *Options) { o.Tuning = sturdy })
	r.within(recovery, func() bool { return c.Ready(r.t.Context()) == nil }, "it joins")
	return c
}

// within waits until the condition holds, for d at most.
func (r *rig) within(d time.Duration, cond func() bool, msg string) {
	r.t.Helper()
	require.Eventually(r.t, cond, d, 20*time.Millisecond, msg)
}

// delivered returns the number of events that have been delivered.
func (r *rig) delivered() int {
	r.intake.mu.Lock()
	defer r.intake.mu.Unlock()
	return len(r.intake.delivered)
}

// finish waits until n events are delivered and committed, and asserts that each had its
// effect.
func (r *rig) finish(n int) {
	r.t.Helper()
	r.within(recovery, func() bool { return r.delivered() == n }, "all delivered")
	r.within(recovery, func() bool {
		for partition, end := range r.ends(r.events) {
			if end > 0 && r.committed(partition) != end {
				return false
			}
		}
		return true
	}, "all committed")
	r.hadAll(n)
}

// publishing is a publisher that goes on until it is told to stop, and waits for brokers
// where it has to.
type publishing struct {
	r    *rig
	sent chan int
	end  context.CancelFunc
}

// keepPublishing publishes events of eight people until it is told to stop.
func (r *rig) keepPublishing() *publishing {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &publishing{r: r, sent: make(chan int, 1), end: cancel}
	r.t.Cleanup(cancel)
	go func() {
		p := broker.NewPublisher(broker.Cluster{Brokers: r.brokers})
		defer p.Close()
		people := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
		sent := 0
		for ; ctx.Err() == nil; sent++ {
			batch := notesFrom(sent, 1, people...)
			if err := p.Publish(context.Background(), r.events, batch); err != nil {
				r.t.Errorf("publishing: %v", err)
			}
			_ = backoff.Sleep(ctx, 50*time.Millisecond)
		}
		h.sent <- sent * len(people)
	}()
	return h
}

// awaitMore waits until n more events have been delivered.
func (h *publishing) awaitMore(n int) {
	h.r.t.Helper()
	before, began := h.r.delivered(), time.Now()
	h.r.within(recovery, func() bool { return h.r.delivered() >= before+n }, "events go on")
	h.r.t.Logf("%d more events after %s", n, time.Since(began).Round(time.Millisecond))
}

// stop ends the publishing, and returns how many events were published.
func (h *publishing) stop() int {
	h.end()
	return <-h.sent
}
