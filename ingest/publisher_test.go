package ingest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tenurehq/tenure/ingest/broker"
)

// readAll reads a topic's messages, partition by partition.
func (r *rig) readAll(topic string) map[int][]kafka.Message {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	out := map[int][]kafka.Message{}
	var ends map[int]int64
	r.eventually(func() bool { ends = r.ends(topic); return ends != nil }, "the broker says where %s ends", topic)
	for partition, end := range ends {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: r.brokers, Topic: topic, Partition: partition,
			MaxWait: 20 * time.Millisecond, ReadLagInterval: -1,
		})
		for range end {
			m, err := reader.FetchMessage(ctx)
			require.NoError(r.t, err)
			out[m.Partition] = append(out[m.Partition], m)
		}
		require.NoError(r.t, reader.Close())
	}
	return out
}

func newPublisher(t *testing.T, brokers ...string) (*broker.Publisher, *[]string) {
	t.Helper()
	p := broker.NewPublisher(broker.Cluster{Brokers: brokers})
	var mu sync.Mutex
	var reasons []string
	p.Waiting = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		reasons = append(reasons, err.Error())
	}
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return p, &reasons
}

func TestPublishKeepsOnePersonsOrder(t *testing.T) {
	r := newRig(t, 4)
	p, reasons := newPublisher(t, r.brokers...)
	messages := notes(300, "1", "2", "3", "4", "5")
	messages[0].Headers = map[string]string{"ce_id": "x"}
	require.NoError(t, p.Publish(bounded(t), r.events, messages))
	assert.Empty(t, *reasons)

	byPerson := map[string][]string{}
	partitions := map[string]map[int]bool{}
	for partition, messages := range r.readAll(r.events) {
		for _, m := range messages {
			key := string(m.Key)
			byPerson[key] = append(byPerson[key], string(m.Value))
			if partitions[key] == nil {
				partitions[key] = map[int]bool{}
			}
			partitions[key][partition] = true
		}
	}
	for _, person := range []string{"1", "2", "3", "4", "5"} {
		var want []string
		for _, m := range notes(300, person) {
			want = append(want, string(m.Value))
		}
		assert.Equal(t, want, byPerson[person])
		assert.Len(t, partitions[person], 1, "a person has one partition")
	}
}

func TestPublishWritesHeaders(t *testing.T) {
	r := newRig(t, 1)
	p, _ := newPublisher(t, r.brokers...)
	require.NoError(t, p.Publish(bounded(t), r.events, []broker.Message{{Key: "1", Value: []byte("{}"), Headers: map[string]string{"content-type": "x/y"}}}))
	m := r.readAll(r.events)[0][0]
	assert.Equal(t, []kafka.Header{{Key: "content-type", Value: []byte("x/y")}}, m.Headers)
	assert.Equal(t, "1", string(m.Key))
}

func TestPublishWaitsForTheTopic(t *testing.T) {
	r := newRig(t, 1)
	r.deleteTopic(r.events)
	p, reasons := newPublisher(t, r.brokers...)
	waiting := make(chan struct{})
	tell := p.Waiting
	p.Waiting = func(err error) { tell(err); close(waiting) } // a second call would panic
	done := make(chan error, 1)
	go func() { done <- p.Publish(bounded(t), r.events, notes(5, "1")) }()
	select {
	case <-waiting:
	case err := <-done:
		require.FailNow(t, "it did not wait", "%v", err)
	}
	r.createTopic(r.events, 1)
	require.NoError(t, <-done)
	assert.Equal(t, []string{fmt.Sprintf("topic %q does not exist on %s", r.events, strings.Join(r.brokers, ", "))}, *reasons)
	assert.Len(t, r.readAll(r.events)[0], 5)
}

func TestPublishWaitsForABroker(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())

	p, reasons := newPublisher(t, ln.Addr().String())
	waiting := make(chan struct{})
	tell := p.Waiting
	var once sync.Once
	p.Waiting = func(err error) { tell(err); once.Do(func() { close(waiting) }) }
	done := make(chan error, 1)
	go func() { done <- p.Publish(bounded(t), topicEvents, notes(5, "1")) }()
	select {
	case <-waiting:
	case err := <-done:
		require.FailNow(t, "it did not wait", "%v", err)
	}
	r := newFakeRig(t, 1, kfake.Ports(port))
	require.NoError(t, <-done)
	assert.Contains(t, (*reasons)[0], "no Kafka broker can be reached at "+ln.Addr().String())
	assert.Len(t, r.readAll(r.events)[0], 5)
}

func TestPublishGivesUpWhenToldTo(t *testing.T) {
	p, reasons := newPublisher(t, "127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	tell := p.Waiting
	p.Waiting = func(err error) { tell(err); cancel() }
	require.ErrorIs(t, p.Publish(ctx, topicEvents, notes(1, "1")), context.Canceled)
	assert.NotEmpty(t, *reasons)
}

func TestPublishTriesAgainWhatTheBrokerCouldNotWrite(t *testing.T) {
	r := newFakeRig(t, 3)
	p, reasons := newPublisher(t, r.brokers...)
	r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: r.events, Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: 3})
	require.NoError(t, p.Publish(bounded(t), r.events, notes(10, "1", "2", "3", "4", "5", "6", "7", "8")))
	require.Len(t, *reasons, 1)
	assert.Contains(t, (*reasons)[0], "cannot take messages")
	var n int
	for _, messages := range r.readAll(r.events) {
		n += len(messages)
	}
	assert.Equal(t, 80, n, "none missing; none twice, since the failed batches were not written")
}

func TestPublishReportsEachMessageThatIsRefused(t *testing.T) {
	r := newFakeRig(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20000"}))
	p, _ := newPublisher(t, r.brokers...)
	messages := notes(100, "1")
	messages[7].Value = make([]byte, 1<<20)  // too large for the client
	messages[20].Value = make([]byte, 30000) // too large for the broker
	for i := 50; i < 60; i++ {
		messages[i].Value = make([]byte, 5000) // too large together
	}
	err := p.Publish(bounded(t), r.events, messages)
	var refused *broker.PublishError
	require.ErrorAs(t, err, &refused)
	require.Len(t, refused.Refused, 2)
	assert.ErrorContains(t, refused.Refused[7], "bytes are more than")
	require.ErrorIs(t, refused.Refused[20], kafka.MessageSizeTooLarge)
	assert.ErrorContains(t, err, "2 messages were refused, the first (number 8)")

	var got, want [][]byte
	for _, m := range r.readAll(r.events)[0] {
		got = append(got, m.Value)
	}
	for i, m := range messages {
		if !slices.Contains([]int{7, 20}, i) {
			want = append(want, m.Value)
		}
	}
	assert.Equal(t, want, got)
}
