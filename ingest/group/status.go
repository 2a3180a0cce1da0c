package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/ingest/broker"
)

// Status holds how far a consumer group has read its topics, as seen from outside the
// group.
type Status struct {
	State      string // Kafka's word for the group: Stable, Empty, PreparingRebalance, ...
	Members    int
	Partitions []PartitionStatus // of all topics, by topic and number
}

// PartitionStatus holds how far the group has read one partition.
type PartitionStatus struct {
	Topic  string
	ID     int
	Taken  bool      // whether a member of the group reads it
	Unread int64     // records from the first that is not acknowledged on
	Oldest time.Time // when the first of them was written; zero if there is none, or if that is not known
}

// StatusOf returns how far a group has read these topics. It changes nothing: it joins
// no group, and commits nothing.
func StatusOf(ctx context.Context, cluster broker.Cluster, topics []Topic, group string) (Status, error) {
	tuning := Tuning{}.WithDefaults()
	c := cluster.Connect(tuning.Answer)
	defer c.Close()
	// This member is never run: it only asks.
	asks := &Member{conn: c, group: group, topics: byName(topics), tuning: tuning}
	described, err := asks.describeGroup(ctx)
	if err != nil {
		return Status{}, c.Explain(err)
	}
	var in Status
	taken := map[string]bool{}
	for _, g := range described.Groups {
		if errors.Is(g.Error, kafka.GroupIdNotFound) {
			continue // the group never had a member
		}
		if g.Error != nil {
			return Status{}, fmt.Errorf("group %s: %w", group, c.Explain(g.Error))
		}
		in.State, in.Members = g.GroupState, len(g.Members)
		noteTaken(taken, g)
	}
	found, err := asks.describeTopics(ctx)
	if err != nil {
		return Status{}, err
	}
	for _, t := range found {
		ids := broker.PartitionsOf(t)
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

// unread returns how far the group has read one partition, by what it has committed.
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
		next = end // a group that has never read the topic begins here
	default:
		next = first
	}
	if p.Unread = max(0, end-next); p.Unread == 0 {
		return p, nil
	}
	// Without the permission to read the topic, the number is known and the time is not.
	if at, found, refused := c.peek(ctx, topic, id, next); refused == nil && found {
		p.Oldest = at
	} else if refused == nil {
		p.Unread = 0 // only markers of transactions are left
	}
	return p, nil
}
