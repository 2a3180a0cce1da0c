package brokertest

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
)

// CreateTopic makes a topic that has as many replicas as there are brokers, and returns
// when every partition has a leader. config holds the topic's own settings, such as
// "max.message.bytes" (see Kafka's "Topic Configs"); it may be nil.
func (c *Cluster) CreateTopic(topic string, partitions int, config map[string]string) {
	c.t.Helper()
	var entries []kafka.ConfigEntry
	for name, value := range config {
		entries = append(entries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	c.eventually(func(ctx context.Context) error {
		answer, err := c.client().CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
			Topic: topic, NumPartitions: partitions, ReplicationFactor: len(c.brokers), ConfigEntries: entries,
		}}})
		if err == nil {
			err = answer.Errors[topic]
		}
		if errors.Is(err, kafka.TopicAlreadyExists) { // an earlier attempt made it, and its answer was lost
			return nil
		}
		return err
	}, "topic %s cannot be made", topic)
	for p := range partitions {
		c.Leader(topic, p)
	}
}

// Leader returns the broker that leads a partition. It waits until there is one.
func (c *Cluster) Leader(topic string, partition int) int {
	c.t.Helper()
	leader := -1
	c.eventually(func(ctx context.Context) error {
		answer, err := c.client().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		for _, t := range answer.Topics {
			if t.Error != nil {
				return t.Error
			}
			for _, p := range t.Partitions {
				if p.ID == partition && p.Error == nil && p.Leader.Host != "" {
					leader = p.Leader.ID
					return nil
				}
			}
		}
		return kafka.LeaderNotAvailable
	}, "partition %d of %s has no leader", partition, topic)
	return leader
}

// Coordinator returns the broker that coordinates a consumer group. It waits until there
// is one.
func (c *Cluster) Coordinator(group string) int {
	c.t.Helper()
	coordinator := -1
	c.eventually(func(ctx context.Context) error {
		answer, err := c.client().FindCoordinator(ctx, &kafka.FindCoordinatorRequest{Key: group, KeyType: kafka.CoordinatorKeyTypeConsumer})
		switch {
		case err != nil:
			return err
		case answer.Error != nil:
			return answer.Error
		}
		coordinator = answer.Coordinator.NodeID
		return nil
	}, "group %s has no coordinator", group)
	return coordinator
}

func (c *Cluster) client() *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(c.Brokers()...), Transport: c.transport}
}

// eventually calls ask until it returns no error.
func (c *Cluster) eventually(ask func(ctx context.Context) error, msg string, args ...any) {
	c.t.Helper()
	var err error
	ok := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = ask(ctx)
		return err == nil
	}
	for until := time.Now().Add(patience); !ok(); {
		if time.Now().After(until) {
			require.NoErrorf(c.t, err, msg, args...)
		}
	}
}
