package group

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// oversee ends the generation, by returning, when there are partitions that
// nobody in the group has.
//
// kafka-go's leader hands out the partitions that it sees when it joins, and its
// watcher begins to count a moment later. A topic that is made, or grows, in
// between is never missed by the watcher and never consumed by anybody.
func (c *Member) oversee(ctx context.Context) {
	ticker := time.NewTicker(c.tuning.TopicsEvery)
	defer ticker.Stop()
	for seen := 0; seen < 2; { // once may be the middle of a rebalance
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		left, err := c.leftOver(ctx)
		switch {
		case err != nil: // whoever needs the broker will say so
		case len(left) == 0:
			seen = 0
		default:
			if seen++; seen == 2 {
				c.log.Warn("nobody in the group has some partitions: joining again", zap.Strings("partitions", left))
			}
		}
	}
}

// leftOver lists the partitions of the topics that no member of the group has,
// as "topic/0"; none while the group is not settled.
func (c *Member) leftOver(ctx context.Context) ([]string, error) {
	answer, err := c.describeGroup(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, group := range answer.Groups {
		if group.Error != nil || group.GroupState != "Stable" {
			return nil, group.Error
		}
		for _, member := range group.Members {
			for _, topic := range member.MemberAssignments.Topics {
				for _, id := range topic.Partitions {
					taken[partitionName(topic.Topic, id)] = true
				}
			}
		}
	}
	topics, err := c.describeTopics(ctx)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, t := range topics {
		for _, p := range t.Partitions {
			if name := partitionName(t.Name, p.ID); !taken[name] {
				left = append(left, name)
			}
		}
	}
	return left, nil
}

// describeGroup asks the group's coordinator for it.
func (c *Member) describeGroup(ctx context.Context) (*kafka.DescribeGroupsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, c.tuning.Answer)
	defer cancel()
	return c.conn.Client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{c.group}})
}

// reachGroup fails unless the topics are there and the group's coordinator
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

func partitionName(topic string, id int) string { return fmt.Sprintf("%s/%d", topic, id) }

// checkTopics asks the brokers whether every topic is there.
func (c *Member) checkTopics(ctx context.Context) error {
	_, err := c.describeTopics(ctx)
	return err
}

// describeTopics asks the brokers for the topics' partitions. A topic that is
// missing is an error.
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
