package ingest

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ledger"
)

// deliver does all that has to be done before a record may be acknowledged. It
// waits for what is unavailable, as long as it takes: the only error is ctx's,
// and then the record must not be acknowledged.
func (c *Consumer) deliver(ctx context.Context, m kafka.Message, t Topic) error {
	log := c.log.With(zap.String("topic", m.Topic), zap.Int("partition", m.Partition), zap.Int64("offset", m.Offset))
	if isMarker(m) {
		if m.Key[markerType] == markerAbort {
			log.Warn("a producer's transaction was aborted, and its records on this partition were used all the same: " +
				"Tenure does not read committed records only; take back what should not have been said (rescinded)")
		}
		return nil
	}
	began := time.Now()
	result := resultDeadLetter

	var events []hr.Event
	var warnings []source.Warning
	refusal, isSkipped := skippedBy(m)
	if !isSkipped {
		var err error
		if events, warnings, refusal, err = c.read(ctx, m, t); err != nil {
			return err
		}
	}
	for _, w := range warnings {
		log.Info("something in the record is odd", zap.String("field", w.Field), zap.String("text", w.Text))
	}
	if refusal != nil {
		if err := c.refuse(ctx, log, m, t, refusal); err != nil {
			return err
		}
	} else {
		var err error
		if result, err = c.record(ctx, log, m, events); err != nil {
			return err
		}
	}
	c.metrics.records.WithLabelValues(m.Topic, result).Inc()
	c.metrics.seconds.WithLabelValues(m.Topic).Observe(time.Since(began).Seconds())
	return nil
}

// record brings a record's events into the ledger and to Temporal.
func (c *Consumer) record(ctx context.Context, log *zap.Logger, m kafka.Message, events []hr.Event) (result string, err error) {
	if len(events) == 0 {
		return resultDelivered, nil
	}
	from := redriveOf(m)
	received := make([]ledger.Received, len(events))
	for i, e := range events {
		received[i] = ledger.Received{Event: e, At: c.clock.Now(), Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, RedriveOf: from}
	}
	var receipts []ledger.Receipt
	err = c.ledger.call(ctx, func(ctx context.Context) (err error) {
		receipts, err = c.records.submit(ctx, received...)
		return err
	})
	if err != nil {
		return "", err
	}

	var delivered []int64
	for i, r := range receipts {
		if r.Duplicate && r.Delivered {
			continue
		}
		if err := c.nudge(ctx, received[i], r.Seq); err != nil {
			return "", err
		}
		c.metrics.accepted(m.Topic, m.Time)
		delivered = append(delivered, r.Seq)
		log.Info("delivered", zap.String("person", events[i].PersonID), zap.String("type", string(events[i].Type)),
			zap.String("source", events[i].Source), zap.String("event", events[i].ID), zap.Int64("seq", r.Seq))
	}
	if len(delivered) == 0 {
		return resultDuplicate, nil
	}
	return resultDelivered, c.ledger.call(ctx, func(ctx context.Context) error {
		_, err := c.marks.submit(ctx, delivered...)
		return err
	})
}

func (c *Consumer) nudge(ctx context.Context, r ledger.Received, seq int64) error {
	n := NudgeFor(r.Event, seq)
	if settles(r.Event) {
		n.StartDelay = c.clock.Wait(r.At.Add(c.settleFor).Sub(c.clock.Now()))
	}
	return c.temporal.call(ctx, func(ctx context.Context) error { return c.nudger.Nudge(ctx, n) })
}

// The type of a marker is in the last byte of its key, of two.
const (
	markerType   = 3
	markerAbort  = 0
	markerCommit = 1
)

// isMarker says whether the message is the marker that ends a transaction: the
// broker's, and nobody's event. kafka-go does not tell it from a record. See
// EndTransactionMarker in Kafka's protocol: the key is a version and a type (abort
// or commit), the value a version and the coordinator's epoch.
func isMarker(m kafka.Message) bool {
	return len(m.Headers) == 0 && len(m.Key) == 4 && len(m.Value) == 6 &&
		m.Key[0] == 0 && m.Key[1] == 0 && m.Key[2] == 0 && m.Key[markerType] <= markerCommit && m.Value[0] == 0 && m.Value[1] == 0
}
