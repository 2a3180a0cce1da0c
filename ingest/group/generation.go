package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/backoff"
)

// nextGeneration waits for a generation and starts consuming its partitions.
func (c *Member) nextGeneration(ctx context.Context, group group) error {
	// Where a topic is missing kafka-go would end each generation at once and join
	// again without a pause; while Next is not called, it rests.
	if err := c.persist(ctx, c.checkTopics); err != nil {
		return err
	}
	var gen *kafka.Generation
	err := c.persist(ctx, func(context.Context) (err error) {
		// Not the attempt's context: a rebalance takes as long as it takes.
		for gen, err = group.Next(ctx); ordinary(err); gen, err = group.Next(ctx) {
			c.log.Debug("joining the consumer group again", zap.Error(err))
		}
		return c.conn.Explain(err)
	})
	if err != nil {
		return err
	}
	// Generations that end as soon as they begin must not make a busy loop.
	if wait := c.tuning.RejoinAfter - time.Since(c.joined); wait > 0 {
		if err := backoff.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	c.joined = time.Now()
	c.metrics.rebalances.Inc()
	ended := make(chan struct{})
	gen.Start(func(ctx context.Context) {
		<-ctx.Done()
		close(ended)
	})
	if settled, err := c.settle(ctx, gen, ended); !settled {
		return err
	}
	assigned := 0
	gen.Start(func(ctx context.Context) {
		c.isMember(true)
		c.oversee(ctx)
		c.isMember(false)
	})
	for topic, partitions := range gen.Assignments {
		for _, a := range partitions {
			assigned++
			gen.Start(c.newPartition(topic, gen, a).run)
		}
	}
	c.log.Info("joined the consumer group", zap.String("group", c.group),
		zap.Int32("generation", gen.ID), zap.Int("partitions", assigned))
	return nil
}

// ordinary reports whether an error in joining is part of any rebalance, or of the
// coordinator's moving, and no outage. The group paces its attempts by itself.
func ordinary(err error) bool {
	for _, e := range []kafka.Error{
		kafka.RebalanceInProgress, kafka.UnknownMemberId, kafka.IllegalGeneration,
		kafka.NotCoordinatorForGroup, kafka.GroupLoadInProgress,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// settle finds out where to begin with the assigned partitions that the group has
// never read, of topics that are not to be read from their beginning. It returns
// false if the generation ended, and closed ended, before that was known.
//
// To begin at the end that is found now would not do: a record that came after
// the group's first member had begun, and that was not committed before the next
// one took over, would never be read. So the ends are committed first, once, for
// all of a topic's partitions, by whoever has its first one.
func (c *Member) settle(ctx context.Context, gen *kafka.Generation, ended <-chan struct{}) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // until ctx is done, which is when settle returns
		select {
		case <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	for topic, partitions := range gen.Assignments {
		for i := range partitions {
			if partitions[i].Offset >= 0 || !c.topics[topic].FromEnd {
				continue
			}
			offset, err := c.startOf(ctx, gen, topic, partitions, partitions[i].ID)
			select {
			case <-ended:
				return false, nil
			default:
			}
			if err != nil {
				return false, err
			}
			partitions[i].Offset = offset
		}
	}
	return true, nil
}

// startOf is where to begin with one partition. It waits for what is unavailable,
// and fails only with ctx's error.
func (c *Member) startOf(ctx context.Context, gen *kafka.Generation, topic string, mine []kafka.PartitionAssignment, id int) (int64, error) {
	for {
		var committed map[int]int64
		err := c.persist(ctx, func(ctx context.Context) (err error) {
			committed, err = c.committed(ctx, topic, id, 0)
			return err
		})
		if err != nil {
			return 0, err
		}
		_, known := committed[0]
		offset, mineKnown := committed[id]
		switch {
		case mineKnown:
			return offset, nil
		case known:
			// The group has read the topic before there was this partition: all that
			// is in it is new.
			return kafka.FirstOffset, nil
		case owns(mine, 0):
			if err := c.persist(ctx, func(ctx context.Context) error { return c.commitEnds(ctx, gen, topic) }); err != nil {
				return 0, err
			}
		default:
			// Whoever has the first partition commits for all of them, and soon.
			if err := backoff.Sleep(ctx, c.tuning.RejoinAfter); err != nil {
				return 0, err
			}
		}
	}
}

func owns(partitions []kafka.PartitionAssignment, id int) bool {
	for _, p := range partitions {
		if p.ID == id {
			return true
		}
	}
	return false
}

// commitEnds makes the group begin with a topic after what is in it now: with all
// of its partitions at once, whoever has them.
func (c *Member) commitEnds(ctx context.Context, gen *kafka.Generation, topic string) error {
	topics, err := c.describeTopics(ctx)
	if err != nil {
		return err
	}
	var last []kafka.OffsetRequest
	for _, t := range topics {
		for _, p := range t.Partitions {
			if t.Name == topic {
				last = append(last, kafka.LastOffsetOf(p.ID))
			}
		}
	}
	answer, err := c.conn.Client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: last}})
	if err != nil {
		return c.conn.Explain(err)
	}
	ends := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return fmt.Errorf("the end of %s: %w", partitionName(topic, p.Partition), c.conn.Explain(p.Error))
		}
		ends[p.Partition] = p.LastOffset
	}
	if err := gen.CommitOffsets(map[string]map[int]int64{topic: ends}); err != nil {
		return c.conn.Explain(err)
	}
	c.log.Info("the group has never read this topic, and begins after what is in it", zap.String("topic", topic), zap.Any("offsets", ends))
	return nil
}

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
