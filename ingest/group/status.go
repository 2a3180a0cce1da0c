package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/ingest/broker"
)

// Status is how far a consumer group has read its topics, as somebody sees it who is
// not in the group.
type Status struct {
	State      string // Kafka's word for the group: Stable, Empty, PreparingRebalance, ...
	Members    int
	Partitions []PartitionStatus // of all topics, by topic and number
}

// PartitionStatus is how far the group has read one partition.
type PartitionStatus struct {
	Topic  string
	ID     int
	Taken  bool      // a member of the group reads it
	Unread int64     // records from the first that is not acknowledged
	Oldest time.Time // when that one was written; zero if there is none, or nobody says
}

// StatusOf reports how far a group has read these topics. It joins no group, commits
// nothing, and changes nothing else.
func StatusOf(ctx context.Context, cluster broker.Cluster, topics []Topic, group string) (Status, error) {
	tuning := Tuning{}.WithDefaults()
	c := cluster.Connect(tuning.Answer)
	defer c.Close()
	// A member that is never started, for the questions that it can ask.
	asks := &Member{conn: c, group: group, topics: byName(topics), tuning: tuning}
	described, err := asks.describeGroup(ctx)
	if err != nil {
		return Status{}, c.Explain(err)
	}
	var in Status
	taken := map[string]bool{}
	for _, g := range described.Groups {
		if errors.Is(g.Error, kafka.GroupIdNotFound) {
			continue // nobody was ever in it
		}
		if g.Error != nil {
			return Status{}, fmt.Errorf("group %s: %w", group, c.Explain(g.Error))
		}
		in.State, in.Members = g.GroupState, len(g.Members)
		for _, m := range g.Members {
			for _, t := range m.MemberAssignments.Topics {
				for _, id := range t.Partitions {
					taken[partitionName(t.Topic, id)] = true
				}
			}
		}
	}
	found, err := asks.describeTopics(ctx)
	if err != nil {
		return Status{}, err
	}
	for _, t := range found {
		ids := make([]int, len(t.Partitions))
		for i, p := range t.Partitions {
			ids[i] = p.ID
		}
		committed, err := asks.committed(ctx, t.Name, ids...)
		if err != nil && !errors.Is(err, kafka.GroupIdNotFound) {
			return Status{}, err
		}
		for _, id := range ids {
			p, err := asks.unread(ctx, t.Name, id, committed)
			if err != nil {
				return Status{}, fmt.Errorf("the end of %s: %w", partitionName(t.Name, id), c.Explain(err))
			}
			p.Taken = taken[partitionName(t.Name, id)]
			in.Partitions = append(in.Partitions, p)
		}
	}
	return in, nil
}

// unread is how far the group is with one partition, by what it has committed.
func (c *Member) unread(ctx context.Context, topic string, id int, committed map[int]int64) (PartitionStatus, error) {
	p := PartitionStatus{Topic: topic, ID: id}
	first, end, err := c.offsets(ctx, topic, id)
	if err != nil {
		return p, err
	}
	next, known := committed[id]
	switch {
	case known:
		next = max(next, first)
	case c.topics[topic].FromEnd:
		next = end // where it begins, as long as it has never read the topic
	default:
		next = first
	}
	if p.Unread = max(0, end-next); p.Unread == 0 {
		return p, nil
	}
	// Whoever may not read the topic is told how much there is, and not since when.
	if at, found, refused := c.peek(ctx, topic, id, next); refused == nil && found {
		p.Oldest = at
	} else if refused == nil {
		p.Unread = 0 // what is left are the markers of transactions
	}
	return p, nil
}
