package group

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/backoff"
)

// nextGeneration waits for a generation and begins to read its partitions.
func (c *Member) nextGeneration(ctx context.Context, group group) error {
	// While a topic is missing, kafka-go would end each generation at once and join
	// again without a pause. So Next is not called before the topics exist.
	if err := c.persist(ctx, c.checkTopics); err != nil {
		return err
	}
	var gen *kafka.Generation
	err := c.persist(ctx, func(context.Context) (err error) {
		// Not the attempt's context: a rebalance has no fixed length.
		for gen, err = group.Next(ctx); ordinary(err); gen, err = group.Next(ctx) {
			c.log.Debug("joining the consumer group again", zap.Error(err))
		}
		return c.conn.Explain(err)
	})
	if err != nil {
		return err
	}
	// Generations that end at once must not make a busy loop.
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
	if found, err := c.findStart(ctx, gen, ended); !found {
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

// ordinary reports whether an error in joining is part of a rebalance, or of a move of
// the coordinator, and no outage. The group paces its attempts by itself.
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

// findStart finds the offsets at which to begin, for the assigned partitions of topics
// with FromEnd that the group has never read. It reports false if the generation ended,
// which closes ended, before that.
//
// It is not enough to begin at the present end: a record that came after the group's
// first member had begun, and was not committed before the next member took over, would
// never be read. So the member with a topic's first partition commits the ends of all
// of the topic's partitions first, once.
func (c *Member) findStart(ctx context.Context, gen *kafka.Generation, ended <-chan struct{}) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // until ctx is done, which is when findStart returns
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

// startOf returns the offset at which to begin with one partition. Its only error is
// ctx's.
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
			// The group has read the topic before this partition existed: all of its
			// records are new.
			return kafka.FirstOffset, nil
		case owns(mine, 0):
			if err := c.persist(ctx, func(ctx context.Context) error { return c.commitEnds(ctx, gen, topic) }); err != nil {
				return 0, err
			}
		default:
			// The member with the topic's first partition will commit for all of them.
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

// commitEnds commits the ends of all partitions of a topic, so that the group begins
// after the records that the topic has now.
func (c *Member) commitEnds(ctx context.Context, gen *kafka.Generation, topic string) error {
	topics, err := c.describeTopics(ctx)
	if err != nil {
		return err
	}
	ends := map[int]int64{}
	for _, t := range topics {
		if t.Name != topic {
			continue
		}
		offsets, err := c.conn.Offsets(ctx, topic, broker.PartitionsOf(t)...)
		if err != nil {
			return c.conn.Explain(err)
		}
		for id, p := range offsets {
			ends[id] = p.LastOffset
		}
	}
	if err := gen.CommitOffsets(map[string]map[int]int64{topic: ends}); err != nil {
		return c.conn.Explain(err)
	}
	c.log.Info("the group has never read this topic, and begins after the records that it has now", zap.String("topic", topic), zap.Any("offsets", ends))
	return nil
}

// oversee returns, and so ends the generation, when some of the partitions belong to no
// member of the group.
//
// kafka-go's leader assigns the partitions that it sees when it joins, and its watcher
// begins to count a moment later. Partitions that are created in between are never
// noticed by the watcher, and never assigned.
func (c *Member) oversee(ctx context.Context) {
	ticker := time.NewTicker(c.tuning.TopicsEvery)
	defer ticker.Stop()
	for seen := 0; seen < 2; { // a single look may come in the middle of a rebalance
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		left, err := c.leftOver(ctx)
		switch {
		case err != nil: // other calls report that the broker is away
		case len(left) == 0:
			seen = 0
		default:
			if seen++; seen == 2 {
				c.log.Warn("no member of the group has some of the partitions: joining again", zap.Strings("partitions", left))
			}
		}
	}
}

// leftOver lists the partitions that no member of the group has, as "topic/0"; none
// during a rebalance.
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
		noteTaken(taken, group)
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
