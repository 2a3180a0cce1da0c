package group

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
)

// describeGroup asks the group's coordinator for the members and their partitions.
func (c *Member) describeGroup(ctx context.Context) (*kafka.DescribeGroupsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, c.tuning.Answer)
	defer cancel()
	return c.conn.Client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{c.group}})
}

// reachGroup returns an error unless the topics exist and the group's coordinator
// answers.
func (c *Member) reachGroup(ctx context.Context) error {
	answer, err := c.describeGroup(ctx)
	if err != nil {
		return err
	}
	for _, group := range answer.Groups {
		if group.Error != nil {
			return group.Error
		}
	}
	return c.checkTopics(ctx)
}

// checkTopics returns an error unless every topic exists.
func (c *Member) checkTopics(ctx context.Context) error {
	_, err := c.describeTopics(ctx)
	return err
}

// describeTopics asks the brokers for the topics' partitions. A missing topic is an
// error.
func (c *Member) describeTopics(ctx context.Context) ([]kafka.Topic, error) {
	answer, err := c.conn.Client.Metadata(ctx, &kafka.MetadataRequest{Topics: c.topicNames()})
	if err != nil {
		return nil, c.conn.Explain(err)
	}
	found := map[string]bool{}
	for _, t := range answer.Topics {
		if t.Error != nil {
			return nil, fmt.Errorf("topic %q: %w", t.Name, t.Error)
		}
		found[t.Name] = len(t.Partitions) > 0
	}
	for name := range c.topics {
		if !found[name] {
			return nil, fmt.Errorf("topic %q: %w", name, kafka.UnknownTopicOrPartition)
		}
	}
	return answer.Topics, nil
}

func (c *Member) topicNames() []string {
	names := make([]string, 0, len(c.topics))
	for name := range c.topics {
		names = append(names, name)
	}
	return names
}

// committed returns the group's offsets of a topic's partitions, without the partitions
// for which it has none.
func (c *Member) committed(ctx context.Context, topic string, ids ...int) (map[int]int64, error) {
	answer, err := c.conn.Client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: c.group, Topics: map[string][]int{topic: ids},
	})
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		return nil, c.conn.Explain(err)
	}
	committed := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("the group's offset of %s: %w", partitionName(topic, p.Partition), c.conn.Explain(p.Error))
		}
		if p.CommittedOffset >= 0 {
			committed[p.Partition] = p.CommittedOffset
		}
	}
	return committed, nil
}

// offsets returns the first offset of a partition, and the offset after its last record.
func (c *Member) offsets(ctx context.Context, topic string, id int) (first, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.tuning.Answer)
	defer cancel()
	offsets, err := c.conn.Offsets(ctx, topic, id)
	return offsets[id].FirstOffset, offsets[id].LastOffset, err
}

// peek returns the timestamp of the first record of a partition at or after an offset,
// if there is one.
func (c *Member) peek(ctx context.Context, topic string, id int, offset int64) (at time.Time, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.tuning.Answer)
	defer cancel()
	answer, err := c.conn.Client.Fetch(ctx, &kafka.FetchRequest{
		Topic: topic, Partition: id, Offset: offset, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: c.tuning.FetchWait,
	})
	if err != nil {
		return time.Time{}, false, err
	}
	if answer.Error != nil {
		return time.Time{}, false, answer.Error
	}
	for {
		record, err := answer.Records.ReadRecord()
		switch {
		case errors.Is(err, io.EOF):
			return time.Time{}, false, nil
		case err != nil:
			return time.Time{}, false, err
		case record.Offset >= offset: // a batch may begin before it
			return record.Time, true, nil
		}
	}
}

func partitionName(topic string, id int) string { return fmt.Sprintf("%s/%d", topic, id) }

// noteTaken notes the partitions that the members of a group have, by name.
func noteTaken(taken map[string]bool, group kafka.DescribeGroupsResponseGroup) {
	for _, member := range group.Members {
		for _, topic := range member.MemberAssignments.Topics {
			for _, id := range topic.Partitions {
				taken[partitionName(topic.Topic, id)] = true
			}
		}
	}
}
