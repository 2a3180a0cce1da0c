//go:build real

package real

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/brokertest"
)

const (
	partitions = 4
	group      = "tenure" // the default of the configuration
)

func TestMain(m *testing.M) {
	code := m.Run()
	brokertest.CloseShared()
	os.Exit(code)
}

// topics holds the topics of this run on Apache Kafka.
type topics struct {
	broker          string
	events, letters string
	client          *kafka.Client
}

func newTopics(t *testing.T) *topics {
	t.Helper()
	address, mark := brokertest.Shared(t).Brokers()[0], strings.ToLower(rand.Text()[:10])
	k := &topics{broker: address, events: "hr.events." + mark, letters: "hr.events." + mark + ".dlq"}
	k.client = &kafka.Client{Addr: kafka.TCP(address), Transport: &kafka.Transport{MetadataTTL: 100 * time.Millisecond}}
	require.Eventually(t, func() bool {
		answer, err := k.client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
			{Topic: k.events, NumPartitions: partitions, ReplicationFactor: 1},
			{Topic: k.letters, NumPartitions: 1, ReplicationFactor: 1},
		}})
		return err == nil && answer.Errors[k.events] == nil && answer.Errors[k.letters] == nil
	}, patience, tick, "the broker makes no topics")
	return k
}

func (k *topics) publish(t *testing.T, events []hr.Event) {
	t.Helper()
	publisher := broker.NewPublisher(broker.Cluster{Brokers: []string{k.broker}})
	defer publisher.Close()
	messages := make([]broker.Message, len(events))
	for i, e := range events {
		value, err := cloudevents.Encode(e)
		require.NoError(t, err)
		messages[i] = broker.Message{
			Key: e.PersonID, Value: value,
			Headers: map[string]string{"content-type": "application/cloudevents+json"},
		}
	}
	require.NoError(t, publisher.Publish(t.Context(), k.events, messages))
}

// ends returns the offset after the last record of each partition of a topic.
func (k *topics) ends(t *testing.T, topic string) map[int]int64 {
	t.Helper()
	count := partitions
	if topic == k.letters {
		count = 1
	}
	var last []kafka.OffsetRequest
	for p := range count {
		last = append(last, kafka.LastOffsetOf(p))
	}
	answer, err := k.client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: last}})
	require.NoError(t, err)
	require.Len(t, answer.Topics[topic], count)
	ends := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		require.NoError(t, p.Error)
		ends[p.Partition] = p.LastOffset
	}
	return ends
}

// awaitConsumed returns when the starter has committed every event.
func (k *topics) awaitConsumed(t *testing.T) {
	t.Helper()
	ends := k.ends(t, k.events)
	var all []int
	for p := range ends {
		all = append(all, p)
	}
	require.Eventually(t, func() bool {
		answer, err := k.client.OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{k.events: all}})
		if err != nil || answer.Error != nil || len(answer.Topics[k.events]) != len(all) {
			return false
		}
		for _, p := range answer.Topics[k.events] {
			if p.Error != nil || p.CommittedOffset != ends[p.Partition] && ends[p.Partition] > 0 {
				return false
			}
		}
		return true
	}, patience, tick, "not every event is consumed")
}

// forget makes the broker remove dead members from the group at once. By itself it would
// notice them only when their session is over.
func (k *topics) forget(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		answer, err := k.client.DescribeGroups(t.Context(), &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err != nil || len(answer.Groups) != 1 || answer.Groups[0].Error != nil {
			return false
		}
		leave := kafka.LeaveGroupRequest{GroupID: group}
		for _, m := range answer.Groups[0].Members {
			leave.Members = append(leave.Members, kafka.LeaveGroupRequestMember{ID: m.MemberID})
		}
		if len(leave.Members) == 0 {
			return true
		}
		_, err = k.client.LeaveGroup(t.Context(), &leave)
		return false // try again until the broker says that nobody is left
	}, patience, tick/10, "the group does not become empty")
}

// rewind commits the beginning of each partition. The group must have no members.
func (k *topics) rewind(t *testing.T) {
	t.Helper()
	request := &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{}}
	for p := range partitions {
		request.Topics[k.events] = append(request.Topics[k.events], kafka.OffsetCommit{Partition: p})
	}
	answer, err := k.client.OffsetCommit(t.Context(), request)
	require.NoError(t, err)
	for _, p := range answer.Topics[k.events] {
		require.NoError(t, p.Error)
	}
}
