package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
)

// Consumer is one member of the consumer group. See the package documentation
// for what it guarantees.
type Consumer struct {
	cluster Cluster
	group   string
	topics  map[string]Topic
	intake  ledger.Intake
	nudger  Nudger
	clock   clock.Clock
	log     *zap.Logger
	metrics *metrics
	tuning  Tuning

	transport   *kafka.Transport
	client      *kafka.Client
	dialer      *kafka.Dialer
	deadLetters *kafka.Writer

	records *batcher[ledger.Received, ledger.Receipt]
	marks   *batcher[int64, struct{}]

	budget *budget

	broker           *dependency
	deadLetterBroker *dependency
	ledger           *dependency
	temporal         *dependency
	hrSystems        map[string]*dependency // by topic; of those with a Fetch

	joined     time.Time // when the last generation began
	membership *membership
	alarms     alarms
	abandoned  abandoned
}

// NewConsumer returns a consumer that does nothing before Run.
func NewConsumer(o Options) (*Consumer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &Consumer{
		cluster:   o.Cluster,
		group:     o.Group,
		topics:    make(map[string]Topic, len(o.Topics)),
		intake:    o.Intake,
		nudger:    o.Nudger,
		clock:     o.Clock,
		log:       o.Log,
		metrics:   newMetrics(o.Metrics, o.Topics),
		tuning:    o.Tuning.withDefaults(),
		transport: o.Cluster.transport(),
		dialer:    o.Cluster.dialer(),

		membership: newMembership(),
	}
	for _, t := range o.Topics {
		c.topics[t.Name] = t
	}
	c.client = &kafka.Client{Addr: kafka.TCP(o.Cluster.Brokers...), Transport: c.transport}
	c.deadLetters = newDeadLetterWriter(o.Cluster.Brokers, c.transport)

	c.records = newBatcher(batchLimit, func(ctx context.Context, r []ledger.Received) ([]ledger.Receipt, error) {
		ctx, cancel := context.WithTimeout(ctx, c.tuning.Attempt)
		defer cancel()
		return o.Intake.Record(ctx, r)
	})
	c.marks = newBatcher(batchLimit, func(ctx context.Context, seqs []int64) ([]struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, c.tuning.Attempt)
		defer cancel()
		return make([]struct{}, len(seqs)), o.Intake.MarkDelivered(ctx, seqs)
	})

	c.budget = newBudget(int64(c.tuning.Bytes))

	c.broker = c.dependency("kafka", "Kafka", "check kafka.brokers and kafka.topics in the configuration", 0)
	c.deadLetterBroker = c.dependency("dead_letters", "the dead-letter topic",
		"check that it exists, may be written to, and takes records as large as those of its source", 0)
	c.ledger = c.dependency("ledger", "the ledger", "check ledger.url in the configuration", 0)
	c.temporal = c.dependency("temporal", "Temporal", "check TEMPORAL_ADDRESS and that the server is up", c.tuning.Nudges)
	if o.Metrics != nil {
		o.Metrics.MustRegister(outages{c.broker, c.deadLetterBroker, c.ledger, c.temporal})
	}
	c.hrSystems = make(map[string]*dependency)
	for _, t := range o.Topics {
		if t.Fetch != nil {
			c.hrSystems[t.Name] = c.dependency("hr_system", "the HR system of topic "+t.Name,
				"check the topic's settings, and that its API is up", concurrentFetches)
		}
	}
	return c, nil
}

const (
	concurrentFetches = 8 // per topic
	clientID          = "tenure"
	batchLimit        = 200 // events per call of the ledger
)

func (c *Consumer) dependency(label, name, advice string, slots int) *dependency {
	d := &dependency{
		label: label, name: name, advice: advice, timeout: c.tuning.Attempt, log: c.log,
		backoff: backoff{Min: c.tuning.RetryMin, Max: c.tuning.RetryMax},
		retried: c.metrics.retries.WithLabelValues(label).Inc,
	}
	if slots > 0 {
		d.slots = make(chan struct{}, slots)
	}
	return d
}

// Run consumes until ctx is done, then finishes what is in flight, commits and
// leaves the group. It returns an error only for options that no broker could
// work with: anything that may pass is waited for.
func (c *Consumer) Run(ctx context.Context) error {
	defer c.transport.CloseIdleConnections()
	defer c.abandoned.settle(c.tuning.DrainFor)
	defer func() { _ = c.deadLetters.Close() }()

	// The batchers must outlive every record in flight, so they do not end with ctx.
	batching, stopBatching := context.WithCancel(context.WithoutCancel(ctx))
	var batchers sync.WaitGroup
	batchers.Go(func() { c.records.run(batching) })
	batchers.Go(func() { c.marks.run(batching) })
	defer batchers.Wait()
	defer stopBatching()

	group, err := kafka.NewConsumerGroup(c.groupConfig())
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	// Close ends the generation: partitions drain and commit before it returns.
	defer func() { _ = group.Close() }()
	for {
		err := c.nextGeneration(ctx, group)
		if ctx.Err() != nil {
			c.log.Info("leaving the consumer group", zap.String("group", c.group))
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *Consumer) groupConfig() kafka.ConsumerGroupConfig {
	return kafka.ConsumerGroupConfig{
		ID:                     c.group,
		Brokers:                c.cluster.Brokers,
		Dialer:                 c.dialer,
		Topics:                 c.topicNames(),
		StartOffset:            kafka.FirstOffset,
		WatchPartitionChanges:  true,
		PartitionWatchInterval: c.tuning.TopicsEvery,
		HeartbeatInterval:      c.tuning.Session / 5,
		SessionTimeout:         c.tuning.Session,
		RebalanceTimeout:       c.tuning.Rebalance,
		JoinGroupBackoff:       c.tuning.RejoinAfter,
	}
}

// nextGeneration waits for a generation and starts consuming its partitions.
func (c *Consumer) nextGeneration(ctx context.Context, group *kafka.ConsumerGroup) error {
	// Where a topic is missing kafka-go would end each generation at once and join
	// again without a pause; while Next is not called, it rests.
	if err := c.broker.call(ctx, c.checkTopics); err != nil {
		return err
	}
	var gen *kafka.Generation
	err := c.broker.call(ctx, func(context.Context) (err error) {
		// Not the attempt's context: a rebalance takes as long as it takes.
		for gen, err = group.Next(ctx); ordinary(err); gen, err = group.Next(ctx) {
			c.log.Debug("joining the consumer group again", zap.Error(err))
		}
		return c.cluster.explain(err)
	})
	if err != nil {
		return err
	}
	// Generations that end as soon as they begin must not make a busy loop.
	if wait := c.tuning.RejoinAfter - time.Since(c.joined); wait > 0 {
		if err := sleep(ctx, wait); err != nil {
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
			gen.Start(c.newPartition(c.topics[topic], gen, a).run)
		}
	}
	c.log.Info("joined the consumer group", zap.String("group", c.group),
		zap.Int32("generation", gen.ID), zap.Int("partitions", assigned))
	return nil
}

// ordinary says whether an error in joining is part of any rebalance, or of the
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
