package ingest

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
)

// Tests ask the broker over the wire, so that any broker can answer.

// noAnswer is an offset that no test expects.
const noAnswer int64 = math.MinInt64

// ask returns the context of one request.
func (r *rig) ask() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// committedBy returns the offset that a group has committed of a partition of the events;
// -1 if it has committed none.
func (r *rig) committedBy(group string, partition int) int64 {
	ctx, cancel := r.ask()
	defer cancel()
	answer, err := r.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{r.events: {partition}},
	})
	if err != nil || answer.Error != nil {
		return noAnswer
	}
	for _, p := range answer.Topics[r.events] {
		if p.Partition == partition && p.Error == nil {
			return p.CommittedOffset
		}
	}
	return noAnswer
}

func (r *rig) committed(partition int) int64 { return r.committedBy(r.group, partition) }

// ends returns the offset after the last record of each partition of a topic; nil if the
// broker gives no answer.
func (r *rig) ends(topic string) map[int]int64 {
	ctx, cancel := r.ask()
	defer cancel()
	metadata, err := r.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil || len(metadata.Topics) != 1 || metadata.Topics[0].Error != nil {
		return nil
	}
	var last []kafka.OffsetRequest
	for _, p := range metadata.Topics[0].Partitions {
		last = append(last, kafka.LastOffsetOf(p.ID))
	}
	answer, err := r.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: last}})
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

// shares returns the number of partitions of each member of the group; nil while the
// group is not stable.
func (r *rig) shares() []int {
	ctx, cancel := r.ask()
	defer cancel()
	answer, err := r.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{r.group}})
	if err != nil || len(answer.Groups) != 1 ||
		!slices.Contains([]string{"Stable", "Empty"}, answer.Groups[0].GroupState) {
		return nil
	}
	shares := []int{}
	for _, member := range answer.Groups[0].Members {
		n := 0
		for _, topic := range member.MemberAssignments.Topics {
			n += len(topic.Partitions)
		}
		shares = append(shares, n)
	}
	return shares
}

// createTopic makes a topic and returns when the broker has it.
func (r *rig) createTopic(topic string, partitions int) {
	r.t.Helper()
	ctx, cancel := r.ask()
	defer cancel()
	var err error
	made := func() bool { // a cluster without topics may not know its controller at once
		var answer *kafka.CreateTopicsResponse
		answer, err = r.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{
			Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
		})
		if err == nil {
			err = answer.Errors[topic]
		}
		return err == nil || errors.Is(err, kafka.TopicAlreadyExists)
	}
	for !made() {
		require.ErrorIs(r.t, err, kafka.BrokerNotAvailable)
	}
	r.eventually(func() bool { return len(r.ends(topic)) == partitions }, "the topic is there")
}

// deleteTopic deletes a topic and returns when it is gone.
func (r *rig) deleteTopic(topic string) {
	r.t.Helper()
	ctx, cancel := r.ask()
	defer cancel()
	answer, err := r.client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	require.NoError(r.t, err)
	require.NoError(r.t, answer.Errors[topic])
	r.eventually(func() bool { return r.ends(topic) == nil }, "the topic is gone")
}

// addPartitions adds partitions to a topic, so that it has this number of them.
func (r *rig) addPartitions(topic string, partitions int) {
	r.t.Helper()
	ctx, cancel := r.ask()
	defer cancel()
	answer, err := r.client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: int32(partitions)}},
	})
	require.NoError(r.t, err)
	require.NoError(r.t, answer.Errors[topic])
}

// connect makes the client with which the rig asks the broker.
func (r *rig) connect() {
	transport := &kafka.Transport{MetadataTTL: 20 * time.Millisecond}
	r.client = &kafka.Client{Addr: kafka.TCP(r.brokers...), Transport: transport}
	r.t.Cleanup(transport.CloseIdleConnections)
}

// sampleCommits asks the broker again and again what is committed, and notes it by
// partition.
func (r *rig) sampleCommits() func() map[int][]int64 {
	ctx, cancel := context.WithCancel(context.Background())
	var sampler sync.WaitGroup
	seen := map[int][]int64{}
	partitions := len(r.ends(r.events))
	sampler.Go(func() {
		for ctx.Err() == nil {
			for p := range partitions {
				if offset := r.committed(p); offset != noAnswer {
					seen[p] = append(seen[p], offset)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(tick):
			}
		}
	})
	r.t.Cleanup(func() { cancel(); sampler.Wait() })
	return func() map[int][]int64 {
		cancel()
		sampler.Wait()
		return seen
	}
}
