//go:build real

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/brokertest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

const (
	seed       = 20260105
	partitions = 4
	patience   = 8 * time.Minute
	tick       = 50 * time.Millisecond

	topic   = "hr.events"
	letters = "hr.events.dlq"

	// mostPassed bounds how many events pass a point before the process dies there.
	mostPassed = 100

	// leastDeaths is how often processes have to die at each point, in all groups
	// together. In fact it is far more often: the test's log says how often.
	leastDeaths = 40
)

func TestMain(m *testing.M) { os.Exit(mainOf(m.Run)) }

// TestNoDeathLosesOrRepeatsAnEvent lets groups of one, two and three starters consume a
// history, each group on its own, while all starters are killed again and again.
func TestNoDeathLosesOrRepeatsAnEvent(t *testing.T) {
	kafkaBroker := brokertest.Start(t, brokertest.Options{})
	kafkaBroker.CreateTopic(topic, partitions, nil)
	kafkaBroker.CreateTopic(letters, 1, nil)
	h := newHistory(t)
	publisher := broker.NewPublisher(broker.Cluster{Brokers: kafkaBroker.Brokers()})
	defer publisher.Close()
	require.NoError(t, publisher.Publish(t.Context(), topic, h.messages))

	total := map[point]int{}
	t.Run("groups", func(t *testing.T) {
		for i, members := range []int{1, 1, 2, 3} {
			died := newDeaths(seed+uint64(i), mostPassed)
			t.Run(fmt.Sprintf("%d of %d", i+1, members), func(t *testing.T) {
				t.Parallel()
				consume(t, kafkaBroker.Brokers(), fmt.Sprintf("tenure-%d", i), members, h, died)
			})
			t.Cleanup(func() {
				for p, n := range died.died {
					total[p] += n
				}
			})
		}
	})
	sum := 0
	for _, p := range points {
		t.Logf("killed %s: %d times", p, total[p])
		assert.GreaterOrEqual(t, total[p], leastDeaths, p)
		sum += total[p]
	}
	t.Logf("killed %d times over %d records of %d people", sum, len(h.messages), len(h.people))
}

// consume lets one group consume the history, and checks the result.
func consume(t *testing.T, brokers []string, group string, members int, h history, d *deaths) {
	k := newAsker(t, brokers, group)
	r := newRecorder(t)
	l := life{
		Brokers: brokers, Topic: topic, Letters: letters, Group: group,
		Ledger: filepath.Join(t.TempDir(), "tenure.db"), Recorder: r.url,
	}
	done := make(chan struct{})
	wait := parallel(t, members, func() { liveOn(t, l, d, done) })
	consumed := assert.Eventually(t, k.consumed, patience, tick, "the history is not consumed")
	close(done)
	wait()
	require.True(t, consumed)

	assert.Equal(t, k.ends(topic), k.committed(), "nothing moved back")
	assert.Zero(t, k.ends(letters)[0], "dead letters")
	judge(t, l.Ledger, r, h)
	t.Logf("%s: %d members; killed: %v; signals repeated: %d", group, members, d.died, r.repeated)
}

// judge compares the ledger and the signals with the history.
func judge(t *testing.T, path string, r *recorder, h history) {
	store, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	defer store.Close()

	seqs := map[int64]string{} // by sequence number in the ledger: the person
	for person, want := range h.people {
		got, err := store.Person(t.Context(), person)
		require.NoError(t, err)
		require.Len(t, got.Events, len(want), "person %s", person)
		var events []hr.Event
		for _, e := range got.Events {
			events = append(events, e.Event)
			seqs[e.Seq] = person
		}
		require.JSONEq(t, asJSON(t, want), asJSON(t, events), "in the order of the topic")
	}
	require.Len(t, seqs, h.events)
	assert.Equal(t, len(h.people), countPeople(t, store))

	// Recording everything once more changes nothing, and returns what is delivered.
	for person, events := range h.people {
		var again []ledger.Received
		for _, e := range events {
			again = append(again, ledger.Received{Event: e, At: time.Now()})
		}
		receipts, err := store.Record(t.Context(), again)
		require.NoError(t, err)
		for i, receipt := range receipts {
			require.True(t, receipt.Duplicate && receipt.Delivered, "event %s of person %s", events[i].ID, person)
			require.Equal(t, person, seqs[receipt.Seq])
		}
	}

	require.Len(t, r.signals, h.events, "every event has signalled once")
	last := map[string]int64{}
	for _, n := range r.signals {
		require.Equal(t, n.PersonID, seqs[n.Seq], "what is signalled is in the ledger")
		require.Less(t, last[n.PersonID], n.Seq, "a person's events are signalled in order")
		last[n.PersonID] = n.Seq
	}
}

func countPeople(t *testing.T, store *sqlite.Store) (n int) {
	for after := ""; ; {
		page, err := store.People(t.Context(), after, 500)
		require.NoError(t, err)
		if len(page) == 0 {
			return n
		}
		n, after = n+len(page), page[len(page)-1].PersonID
	}
}

func asJSON(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// asker asks the broker of one group.
type asker struct {
	client *kafka.Client
	group  string
}

func newAsker(t *testing.T, brokers []string, group string) *asker {
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &asker{&kafka.Client{Addr: kafka.TCP(brokers...), Transport: transport}, group}
}

// ends returns the offset after the last record of each partition; nil if the broker
// gives no answer.
func (a *asker) ends(topic string) map[int]int64 {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var last []kafka.OffsetRequest
	for p := range partitions {
		last = append(last, kafka.LastOffsetOf(p))
	}
	if topic == letters {
		last = last[:1]
	}
	answer, err := a.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: last}})
	if err != nil {
		return nil
	}
	ends := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil
		}
		ends[p.Partition] = p.LastOffset
	}
	return ends
}

// committed returns the group's offsets; nil if the broker gives no answer.
func (a *asker) committed() map[int]int64 {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var all []int
	for p := range partitions {
		all = append(all, p)
	}
	answer, err := a.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: a.group, Topics: map[string][]int{topic: all}})
	if err != nil || answer.Error != nil {
		return nil
	}
	offsets := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil
		}
		offsets[p.Partition] = p.CommittedOffset
	}
	return offsets
}

func (a *asker) consumed() bool {
	ends, committed := a.ends(topic), a.committed()
	return len(ends) == partitions && assert.ObjectsAreEqual(ends, committed)
}
