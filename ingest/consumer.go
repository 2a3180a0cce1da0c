package ingest

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/ledger"
)

// Consumer is one member of the consumer group. See the package documentation
// for what it guarantees.
type Consumer struct {
	group     string
	topics    map[string]Topic
	intake    ledger.Intake
	nudger    Nudger
	clock     clock.Clock
	log       *zap.Logger
	metrics   *metrics
	tuning    Tuning
	settleFor time.Duration // of the product

	conn        *broker.Connection
	deadLetters *deadletter.Writer

	records *batcher[ledger.Received, ledger.Receipt]
	marks   *batcher[int64, struct{}]

	budget *budget

	broker           *dependency
	deadLetterBroker *dependency
	ledger           *dependency
	temporal         *dependency
	hrSystems        map[string]*dependency // by topic; of those with a Fetch

	join       func(kafka.ConsumerGroupConfig) (group, error) // but for tests, kafka-go's
	joined     time.Time                                      // when the last generation began
	membership *membership
	alarms     alarms
}

// NewConsumer returns a consumer that does nothing before Run.
func NewConsumer(o Options) (*Consumer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	tuning := o.Tuning.withDefaults()
	c := &Consumer{
		group:     o.Group,
		topics:    make(map[string]Topic, len(o.Topics)),
		intake:    o.Intake,
		nudger:    o.Nudger,
		clock:     o.Clock,
		log:       o.Log,
		metrics:   newMetrics(o.Metrics, o.Topics),
		tuning:    tuning,
		settleFor: o.Settle,
		conn:      o.Cluster.Connect(tuning.Answer),

		membership: newMembership(),
	}
	for _, t := range o.Topics {
		c.topics[t.Name] = t
	}
	c.join = c.joinGroup
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
