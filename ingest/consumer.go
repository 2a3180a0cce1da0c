package ingest

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/ledger"
)

// Consumer takes records from Kafka to the ledger and to Temporal, as one member of
// a consumer group. See the package documentation for what it guarantees.
type Consumer struct {
	member    *group.Member
	conn      *broker.Connection
	topics    map[string]Topic
	intake    ledger.Intake
	nudger    Nudger
	clock     clock.Clock
	log       *zap.Logger
	metrics   *metrics
	tuning    Tuning
	settleFor time.Duration // product time

	gate      *gate      // nil: everything passes
	turnstile *turnstile // nil: nobody waits

	deadLetters *deadletter.Writer
	records     *batcher[ledger.Received, ledger.Receipt]
	marks       *batcher[int64, struct{}]

	broker           *dependency
	deadLetterBroker *dependency
	ledger           *dependency
	temporal         *dependency
	hrSystems        map[string]*dependency // by topic, of the topics with a Fetch
}

// NewConsumer returns a consumer that does nothing before Run.
func NewConsumer(o Options) (*Consumer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	tuning := o.Tuning.withDefaults()
	c := &Consumer{
		topics:    make(map[string]Topic, len(o.Topics)),
		intake:    o.Intake,
		nudger:    o.Nudger,
		clock:     o.Clock,
		log:       o.Log,
		metrics:   newMetrics(o.Metrics, o.Topics),
		tuning:    tuning,
		settleFor: o.Settle,
		conn:      o.Cluster.Connect(tuning.Answer),
	}
	for _, t := range o.Topics {
		c.topics[t.Name] = t
	}
	c.deadLetters = deadletter.NewWriter(c.conn)

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
	if o.Turns != nil {
		if o.ReadAhead > 0 {
			c.gate = &gate{ahead: o.ReadAhead, turns: o.Turns, clock: o.Clock}
		}
		c.turnstile = &turnstile{
			ahead: o.ReadAhead, turns: o.Turns, holder: rand.Text(), clock: o.Clock, log: o.Log, metrics: c.metrics,
			ledger: c.ledger, temporal: c.temporal, nudger: o.Nudger, paces: tuning.Turns, wake: make(chan struct{}, 1),
		}
	}
	c.member = group.New(group.Options{
		Connection: c.conn, Name: o.Group, Topics: groupTopics(o.Topics), Handler: c, Persist: c.broker.call,
		Log: o.Log, Metrics: o.Metrics, Tuning: tuning.Tuning,
	})
	return c, nil
}

func groupTopics(topics []Topic) []group.Topic {
	out := make([]group.Topic, len(topics))
	for i, t := range topics {
		out[i] = group.Topic{Name: t.Name, FromEnd: t.FromEnd}
	}
	return out
}

// Run consumes until ctx is done, then finishes what is in flight, commits and
// leaves the group. It waits for everything that may come back, and returns an error
// only for options that no broker could work with.
func (c *Consumer) Run(ctx context.Context) error {
	defer c.conn.Close()
	defer func() { _ = c.deadLetters.Close() }()

	// The batchers must outlive every record in flight, so they do not end with ctx.
	batching, stopBatching := context.WithCancel(context.WithoutCancel(ctx))
	var batchers sync.WaitGroup
	batchers.Go(func() { c.records.run(batching) })
	batchers.Go(func() { c.marks.run(batching) })
	defer batchers.Wait()
	defer stopBatching()

	if c.turnstile != nil {
		var turns sync.WaitGroup
		turning, stopTurning := context.WithCancel(ctx)
		turns.Go(func() { c.turnstile.run(turning) })
		defer turns.Wait()
		defer stopTurning()
	}
	return c.member.Run(ctx)
}

// Ready returns an error while the consumer is of no use: it is not a member of its
// group, or one of its partitions is stuck. It does not report on the ledger and
// Temporal: ask them.
func (c *Consumer) Ready(ctx context.Context) error { return c.member.Ready(ctx) }

// Alive returns an error when only a new process can help: calls that were given up
// long ago have not returned.
func (c *Consumer) Alive(ctx context.Context) error { return c.member.Alive(ctx) }

const (
	concurrentFetches = 8   // per topic
	batchLimit        = 200 // events per call of the ledger
)

func (c *Consumer) dependency(label, name, advice string, slots int) *dependency {
	d := &dependency{
		label: label, name: name, advice: advice, timeout: c.tuning.Attempt, log: c.log,
		backoff: backoff.Range{Min: c.tuning.RetryMin, Max: c.tuning.RetryMax},
		retried: c.metrics.retries.WithLabelValues(label).Inc,
		giveUp:  c.tuning.GiveUp,
	}
	if slots > 0 {
		d.slots = make(chan struct{}, slots)
	}
	return d
}
