package group

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/backoff"
)

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

// committed are the group's offsets of those of a topic's partitions of which it
// has one.
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
