package group

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ingest/broker"
)

// Member is one member of a consumer group: it reads the partitions that it is
// assigned, gives their records to a Handler, and commits what is done.
type Member struct {
	conn    *broker.Connection
	group   string
	topics  map[string]Topic
	handler Handler
	persist func(ctx context.Context, f func(ctx context.Context) error) error
	log     *zap.Logger
	metrics *metrics
	tuning  Tuning

	budget     *budget
	join       func(kafka.ConsumerGroupConfig) (group, error) // kafka-go's, except in tests
	joined     time.Time                                      // when the last generation began
	membership *membership
	alarms     alarms
}

// group is the part of a kafka.ConsumerGroup that a member needs.
type group interface {
	Next(ctx context.Context) (*kafka.Generation, error)
	Close() error
}

// New returns a member that does nothing before Run.
func New(o Options) *Member {
	c := &Member{
		conn: o.Connection, group: o.Name, topics: byName(o.Topics), handler: o.Handler, persist: o.Persist,
		log: o.Log, metrics: newMetrics(o.Metrics, o.Topics), tuning: o.Tuning.WithDefaults(),
		membership: newMembership(),
	}
	c.budget = newBudget(int64(c.tuning.Bytes))
	c.join = func(config kafka.ConsumerGroupConfig) (group, error) { return c.conn.JoinGroup(config) }
	return c
}

func byName(topics []Topic) map[string]Topic {
	named := make(map[string]Topic, len(topics))
	for _, t := range topics {
		named[t.Name] = t
	}
	return named
}

// Run reads until ctx is done, then finishes what is in flight, commits and leaves
// the group. It waits for everything that may come back, and returns an error only for
// options that no broker could work with.
func (c *Member) Run(ctx context.Context) error {
	for {
		group, err := c.join(c.groupConfig())
		if err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
		err = c.serve(ctx, group)
		c.leave(group)
		if !errors.Is(err, errRejoin) {
			return err
		}
		c.metrics.rejoins.Inc()
	}
}

// errRejoin ends an attempt to become a member that has failed for too long.
var errRejoin = errors.New("not a member for too long")

// serve reads as a member of the group until ctx is done. It returns errRejoin if it has
// not been a member for too long.
func (c *Member) serve(ctx context.Context, group group) error {
	trying, giveUp := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer giveUp(nil)
	watch.Go(func() { c.watchMembership(trying, giveUp) })
	for {
		err := c.nextGeneration(trying, group)
		switch {
		case ctx.Err() != nil:
			c.log.Info("leaving the consumer group", zap.String("group", c.group))
			return nil
		case trying.Err() != nil:
			return context.Cause(trying)
		case err != nil:
			return err
		}
	}
}

// watchMembership calls giveUp if there has been no membership for too long although the
// brokers answer: then the brokers are not the cause.
func (c *Member) watchMembership(ctx context.Context, giveUp context.CancelCauseFunc) {
	ticker := time.NewTicker(c.tuning.WatchEvery)
	defer ticker.Stop()
	var answering time.Time // when the brokers began to answer
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch lost := c.membership.lost(); {
		case lost.IsZero():
			answering = time.Time{}
			continue
		case c.reachGroup(ctx) != nil:
			answering = time.Time{}
			continue
		case answering.IsZero():
			answering = time.Now()
		case time.Since(answering) > c.tuning.Rejoin:
			c.log.Error("not a member of the consumer group for too long, though the brokers answer: joining anew",
				zap.String("group", c.group), zap.Duration("since", time.Since(lost)))
			giveUp(errRejoin)
			return
		}
	}
}

// leave ends the present generation, so that partitions drain and commit, and leaves
// the group. It abandons the call if it does not return.
func (c *Member) leave(group group) {
	left := make(chan struct{})
	c.conn.Abandon("leaving the consumer group", func() {
		defer close(left)
		_ = group.Close()
	})
	// Draining, a last commit, and finding the coordinator to leave.
	patience := 2*c.tuning.DrainFor + 3*c.tuning.Answer
	select {
	case <-left:
	case <-time.After(patience):
		c.log.Error("the consumer group cannot be left in an orderly way: the brokers will notice that this member is gone",
			zap.String("group", c.group), zap.Duration("after", patience))
	}
}

func (c *Member) groupConfig() kafka.ConsumerGroupConfig {
	return kafka.ConsumerGroupConfig{
		ID:                     c.group,
		Topics:                 c.topicNames(),
		StartOffset:            kafka.FirstOffset,
		WatchPartitionChanges:  true,
		PartitionWatchInterval: c.tuning.TopicsEvery,
		HeartbeatInterval:      c.tuning.Session / 5,
		SessionTimeout:         c.tuning.Session,
		RebalanceTimeout:       c.tuning.Rebalance,
		JoinGroupBackoff:       c.tuning.RejoinAfter,
		Timeout:                c.tuning.Answer,
	}
}
