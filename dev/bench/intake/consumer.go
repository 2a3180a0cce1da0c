package intake

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// free is a Temporal whose calls cost nothing.
type free struct{}

func (free) Nudge(context.Context, workflows.Nudge) error { return nil }

// consumer is the starter's consumer in this process.
type consumer struct {
	registry *prometheus.Registry
	cancel   context.CancelFunc
	ended    chan error
}

// consume starts a consumer and returns when it is a member of its group.
func (r *rig) consume(ctx context.Context, topic, group string, intake ledger.Intake, nudger ingest.Nudger) (*consumer, error) {
	registry := prometheus.NewRegistry()
	inner, err := ingest.NewConsumer(ingest.Options{
		Cluster: r.cluster(), Group: group,
		Topics: []ingest.Topic{{
			Name: topic, Source: cloudevents.Kind.Name, DeadLetters: letters,
			Decode: cloudevents.Decode, Identify: cloudevents.Identify,
		}},
		Intake: intake, Nudger: nudger, Clock: clock.Real(), Log: zap.NewNop(), Metrics: registry,
		Tuning: ingest.Tuning{Nudges: r.Concurrency},
	})
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &consumer{registry: registry, cancel: cancel, ended: make(chan error, 1)}
	go func() { c.ended <- inner.Run(running) }()
	if err := await(ctx, func() (bool, error) { return inner.Ready(ctx) == nil, nil }); err != nil {
		_ = c.close()
		return nil, err
	}
	return c, nil
}

// close lets the consumer finish, commit and leave its group.
func (c *consumer) close() error {
	c.cancel()
	return <-c.ended
}

// handled returns the number of records that the consumer is done with.
func (c *consumer) handled() (int, error) {
	families, err := c.registry.Gather()
	total := 0.0
	for _, f := range families {
		if f.GetName() == "tenure_ingest_records_total" {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return int(total), err
}

// finish waits until n records are done with, and closes the consumer, which
// commits them.
func (c *consumer) finish(ctx context.Context, n int) error {
	err := await(ctx, func() (bool, error) {
		done, err := c.handled()
		return done >= n, err
	})
	if closeErr := c.close(); err == nil {
		err = closeErr
	}
	return err
}

// noting is a ledger that notes when it was first asked, which is about the first records
// that were fetched.
type noting struct {
	ledger.Intake
	once  sync.Once
	began time.Time
}

// Known implements ledger.Intake.
func (n *noting) Known(ctx context.Context, keys []hr.EventKey) ([]ledger.Known, error) {
	n.once.Do(func() { n.began = time.Now() })
	return n.Intake.Known(ctx, keys)
}

// rate returns how many records a second were consumed, if this number has been consumed
// by now.
func (n *noting) rate(records int) float64 { return float64(records) / time.Since(n.began).Seconds() }
