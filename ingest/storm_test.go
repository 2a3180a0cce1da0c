package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/workflows"
)

// deliveredBefore returns how many of a partition's records before the offset have events
// that the ledger holds as delivered.
func (f *fakeIntake) deliveredBefore(partition int, offset int64) (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, e := range f.events {
		if e.Partition == partition && e.Offset < offset && f.delivered[int64(i+1)] {
			n++
		}
	}
	return n
}

// member is a consumer with an uplink of its own to the brokers.
type member struct {
	id     int
	uplink *uplink
	stop   func()
}

// storm has members join, leave and fall silent, while Temporal is slow.
type storm struct {
	*rig
	rand    *rand.Rand
	members []*member
	made    int
	leaving sync.WaitGroup

	mu       sync.Mutex
	nudging  map[string]map[int]int // by person and member: the number of nudges under way
	overlaps int                    // nudges begun while another member had one under way for the same person
	commits  atomic.Int64
}

// join adds a member.
func (s *storm) join() {
	s.made++
	m := &member{id: s.made, uplink: newUplink()}
	m.uplink.onCommit = func(partition int, offset int64) {
		s.commits.Add(1)
		assert.Equal(s.t, offset, s.intake.deliveredBefore(partition, offset),
			"partition %d: the commit passes what is not acknowledged", partition)
	}
	_, m.stop = s.run(func(o *Options) {
		o.Cluster.Dial = m.uplink.dial
		o.Nudger = stormNudger{s, m.id}
		o.Tuning.Session, o.Tuning.DrainFor, o.Tuning.Window = 300*time.Millisecond, 2*time.Second, 64
	})
	s.t.Cleanup(m.uplink.flow) // this has to run before it is stopped
	s.members = append(s.members, m)
}

// blow makes one random change to the group.
func (s *storm) blow() {
	m := s.members[s.rand.IntN(len(s.members))]
	switch what := s.rand.IntN(4); {
	case len(s.members) == 1 || what == 0 && len(s.members) < 4:
		s.join()
	case what <= 1:
		s.members = slices.DeleteFunc(s.members, func(other *member) bool { return other == m })
		m.uplink.flow()
		m.uplink.mend()
		s.leaving.Go(m.stop)
	case what == 2:
		m.uplink.stall()
	default:
		m.uplink.cut()
	}
}

// calm lets half of the members' uplinks recover.
func (s *storm) calm() {
	for _, m := range s.members {
		if s.rand.IntN(2) == 0 {
			m.uplink.flow()
			m.uplink.mend()
		}
	}
}

// stormNudger is one member's connection to a slow Temporal.
type stormNudger struct {
	*storm
	member int
}

func (n stormNudger) Nudge(ctx context.Context, nudge workflows.Nudge) error {
	n.mu.Lock()
	busy := n.nudging[nudge.PersonID]
	if busy == nil {
		busy = map[int]int{}
		n.nudging[nudge.PersonID] = busy
	}
	if len(busy) > 1 || len(busy) == 1 && busy[n.member] == 0 {
		n.overlaps++
	}
	busy[n.member]++
	assert.Equal(n.t, 1, busy[n.member], "one member has one event of a person at hand at a time")
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if busy[n.member]--; busy[n.member] == 0 {
			delete(busy, n.member)
		}
	}()
	wait := rand.N(20 * time.Millisecond)
	if rand.IntN(30) == 0 {
		wait = 600 * time.Millisecond // longer than a session
	}
	if err := backoff.Sleep(ctx, wait); err != nil {
		return err
	}
	return n.nudger.Nudge(ctx, nudge)
}

// In a storm of members that join, leave, stall and are cut off, every commit covers
// acknowledged events only, the committed offset never goes back, and every event has one
// effect. While a member has lost its partitions without knowing, or is giving them up,
// another one may handle the same person's event at the same time. What the second one
// does then has no effect: the ledger has the event, the signal has the same request ID
// and sequence number, and a commit of the older generation is refused.
func TestRebalanceStorm(t *testing.T) {
	s := &storm{rig: newRig(t, 4), rand: rand.New(rand.NewPCG(3, 0)), nudging: map[string]map[int]int{}}
	commits := s.sampleCommits()
	people := make([]string, 40)
	for i := range people {
		people[i] = fmt.Sprint(i)
	}
	s.join()
	const rounds, each = 20, 6
	for round := range rounds {
		var batch []broker.Message
		for i := range each {
			for _, p := range people {
				batch = append(batch, note{ID: fmt.Sprintf("%s-%d", p, round*each+i+1), Person: p}.message())
			}
		}
		s.publish(batch...)
		s.blow()
		require.NoError(t, backoff.Sleep(t.Context(), 100*time.Millisecond+rand.N(300*time.Millisecond)))
		s.calm()
	}
	for _, m := range s.members {
		m.uplink.flow()
		m.uplink.mend()
	}
	s.leaving.Wait()
	require.Eventually(t, func() bool {
		for p, end := range s.ends(s.events) {
			if s.committed(p) != end {
				return false
			}
		}
		return true
	}, 3*patience, 20*tick, "the backlog drains when the storm is over")

	for partition, offsets := range commits() {
		assert.True(t, slices.IsSorted(offsets), "partition %d went back: %v", partition, offsets)
	}
	repeated := 0
	for _, person := range people {
		var want []string
		for i := range rounds * each {
			want = append(want, fmt.Sprintf("%s-%d", person, i+1))
		}
		require.Equal(t, want, s.intake.ids(person), "once each, in the order of the topic")
		repeated += s.assertOneSignalEach(person, len(want))
	}
	assert.Positive(t, repeated, "no storm at all")
	assert.Greater(t, s.commits.Load(), int64(rounds))
	t.Logf("%d members, %d commits, %d signals repeated, %d while another member was at it", s.made, s.commits.Load(), repeated, s.overlaps)
}

// assertOneSignalEach checks that a person's n events were signalled in order, each under
// one request ID, and returns how many signals were repetitions.
func (r *rig) assertOneSignalEach(person string, n int) (repeated int) {
	r.t.Helper()
	requests := map[int64]string{}
	last := int64(0)
	for _, nudge := range r.nudger.nudges(person) {
		if request, ok := requests[nudge.Seq]; ok {
			require.Equal(r.t, request, nudge.RequestID)
			repeated++
			continue
		}
		require.Less(r.t, last, nudge.Seq, "person %s: an event signals before an earlier one", person)
		requests[nudge.Seq], last = nudge.RequestID, nudge.Seq
	}
	require.Len(r.t, requests, n, "person %s", person)
	return repeated
}

// A member was silent for so long that another one has its partitions. When it comes back
// and goes on with an event, it changes nothing.
func TestTheOlderOfTwoMembersIsANoOp(t *testing.T) {
	r := newRig(t, 1)
	commits := r.sampleCommits()
	release := make(chan struct{})
	held := make(chan struct{})
	var once sync.Once
	older := newUplink()
	slow := &fakeNudger{gate: func(ctx context.Context, n workflows.Nudge) error {
		once.Do(func() { close(held) })
		<-release
		return r.nudger.Nudge(ctx, n)
	}}
	r.publish(notes(5, "1")...)
	r.run(func(o *Options) {
		o.Cluster.Dial, o.Nudger, o.Tuning.Session = older.dial, slow, 300*time.Millisecond
	})
	t.Cleanup(older.flow)
	<-held
	older.stall()

	// Another member has the partition, and is done with all of its records.
	r.run(func(o *Options) { o.Tuning.Session = 300 * time.Millisecond })
	r.awaitCommitted(0, 5)
	require.Equal(t, []string{"1-1", "1-2", "1-3", "1-4", "1-5"}, r.intake.ids("1"))
	require.Len(t, r.nudger.nudges("1"), 5)

	close(release)
	r.eventually(func() bool { return len(slow.nudges("1")) > 0 }, "the older one goes on with what it has")
	older.flow()
	r.publish(notes(1, "2")...)
	r.awaitCommitted(0, 6)
	r.eventually(func() bool { return r.assigned(1) || len(r.shares()) == 2 }, "the older one is back")

	assert.Equal(t, []string{"1-1", "1-2", "1-3", "1-4", "1-5"}, r.intake.ids("1"))
	assert.Equal(t, 1, r.assertOneSignalEach("1", 5), "the event in hand, under the same request ID")
	offsets := commits()[0]
	assert.True(t, slices.IsSorted(offsets), "went back: %v", offsets)
}
