package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
)

// Deliver does all that has to be done before a record may be acknowledged. It waits
// for the ledger, Temporal and the broker as long as it takes. A record that cannot
// be used becomes a dead letter, and so does one that fails while others pass. The
// only error is ctx's, and then the record must not be acknowledged.
func (c *Consumer) Deliver(ctx context.Context, m kafka.Message) error {
	t := c.topics[m.Topic]
	log := c.log.With(zap.String("topic", m.Topic), zap.Int("partition", m.Partition), zap.Int64("offset", m.Offset))
	if ends, aborted := broker.EndsTransaction(m); ends {
		if aborted {
			log.Warn("a producer's transaction was aborted, and its records on this partition were used all the same: " +
				"Tenure cannot leave out records of aborted transactions; have HR rescind the events that should not have been sent")
		}
		return nil
	}
	began := time.Now()
	result := resultDeadLetter

	var events []hr.Event
	var warnings []source.Warning
	var err error
	refusal, isSkipped := skippedBy(m)
	if !isSkipped {
		if events, warnings, refusal, err = c.read(ctx, m, t); err != nil {
			return err
		}
	}
	for _, w := range warnings {
		log.Info("something in the record is odd", zap.String("field", w.Field), zap.String("text", w.Text))
	}
	if refusal == nil {
		if result, refusal, err = c.record(ctx, log, m, t, events); err != nil {
			return err
		}
	}
	if refusal != nil {
		result = resultDeadLetter
		if err := c.refuse(ctx, log, m, t, refusal); err != nil {
			return err
		}
	}
	c.metrics.records.WithLabelValues(m.Topic, result).Inc()
	c.metrics.seconds.WithLabelValues(m.Topic).Observe(time.Since(began).Seconds())
	return nil
}

// record writes a record's events to the ledger, nudges Temporal, and marks the events
// as delivered. Events that wait for their turn are left to the turnstile. The refusal says why one of them cannot pass; the others do.
func (c *Consumer) record(ctx context.Context, log *zap.Logger, m kafka.Message, t Topic, events []hr.Event) (
	result string, refusal *source.Error, err error,
) {
	if len(events) == 0 {
		return resultDelivered, nil, nil
	}
	from, digest := deadletter.RedriveOf(m), deadletter.RedriveDigest(m)
	received := make([]ledger.Received, len(events))
	for i, e := range events {
		received[i] = ledger.Received{
			Event: e, At: c.clock.Now(), Topic: m.Topic, Partition: m.Partition, Offset: m.Offset,
			RedriveOf: from, RedriveDigest: digest, Snapshot: t.Snapshot,
		}
		received[i].Waits, received[i].WaitsIfNew = c.gate.waits(ctx, m, from, e)
	}
	receipts, failed, err := c.submit(ctx, received)
	if err != nil {
		return "", nil, err
	}

	var delivered []int64
	waiting := false
	for i, r := range receipts {
		switch {
		case failed[i] == nil && r.Conflict:
			refusal = worse(refusal, reusedID(events[i], r.Seq))
			continue
		case failed[i] == nil && r.Duplicate && r.Delivered:
			continue
		case failed[i] == nil && r.Waits:
			waiting = true
			log.Info("recorded, and waits for its turn", zap.String("person", events[i].PersonID), zap.String("type", string(events[i].Type)),
				zap.String("source", events[i].Source), zap.String("event", events[i].ID), zap.Int64("seq", r.Seq))
			continue
		case failed[i] == nil:
			failed[i] = c.nudge(ctx, received[i], r.Seq)
		}
		if stopped := ctx.Err(); stopped != nil && failed[i] != nil {
			return "", nil, stopped
		}
		if failed[i] != nil {
			log.Error("an event cannot pass while others do: it becomes a dead letter", zap.String("person", events[i].PersonID),
				zap.String("source", events[i].Source), zap.String("event", events[i].ID), zap.Int64("seq", r.Seq), zap.Error(failed[i]))
			refusal = worse(refusal, c.notPassed(failed[i], events[i]))
			continue
		}
		c.metrics.accepted(m.Topic, m.Time)
		delivered = append(delivered, r.Seq)
		log.Info("delivered", zap.String("person", events[i].PersonID), zap.String("type", string(events[i].Type)),
			zap.String("source", events[i].Source), zap.String("event", events[i].ID), zap.Int64("seq", r.Seq))
	}
	if waiting {
		c.turnstile.joined()
	}
	switch {
	case len(delivered) == 0 && waiting:
		return resultWaiting, refusal, nil
	case len(delivered) == 0:
		return resultDuplicate, refusal, nil
	}
	err = c.ledger.pass(ctx, "", func(ctx context.Context) error {
		_, err := c.marks.submit(ctx, delivered...)
		return err
	})
	if err != nil && ctx.Err() == nil {
		// The sweeper delivers events that are recorded and not marked.
		log.Error("delivered events cannot be marked as delivered", zap.Int64s("seq", delivered), zap.Error(err))
		err = nil
	}
	return resultDelivered, refusal, err
}

// submit writes the events of one record to the ledger: in one call or, if one of them
// cannot pass, each in a call of its own. Failed holds a *notPassedError for each that
// cannot.
func (c *Consumer) submit(ctx context.Context, received []ledger.Received) (receipts []ledger.Receipt, failed []error, err error) {
	receipts, failed = make([]ledger.Receipt, len(received)), make([]error, len(received))
	all, err := c.submitOnce(ctx, received)
	switch {
	case err == nil:
		return all, failed, nil
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case len(received) == 1:
		failed[0] = err
		return receipts, failed, nil
	}
	for i := range received {
		one, err := c.submitOnce(ctx, received[i:i+1])
		switch {
		case err == nil:
			receipts[i] = one[0]
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		default:
			failed[i] = err
		}
	}
	return receipts, failed, nil
}

func (c *Consumer) submitOnce(ctx context.Context, received []ledger.Received) (receipts []ledger.Receipt, err error) {
	err = c.ledger.pass(ctx, "", func(ctx context.Context) (err error) {
		receipts, err = c.records.submit(ctx, received...)
		return err
	})
	return receipts, err
}

// reusedID returns the refusal of an event whose key belongs to another event in the
// ledger.
func reusedID(e hr.Event, seq int64) *source.Error {
	return &source.Error{
		Reason: source.ReasonReusedID, Field: "/id", Person: e.PersonID, Urgent: e.EndsAccess(),
		Text: fmt.Sprintf("and /source are those of event number %d in the ledger, which says something else or is about somebody else: "+
			"an ID belongs to what it was first used for; send it again with an ID of its own", seq),
	}
}

// notPassed returns the refusal of an event that cannot pass the ledger or Temporal.
func (c *Consumer) notPassed(err error, e hr.Event) *source.Error {
	refusal := &source.Error{Reason: source.ReasonGivenUp, Person: e.PersonID, Urgent: e.EndsAccess(), Text: "did not pass"}
	var why *notPassedError
	if errors.As(err, &why) {
		refusal.Reason, refusal.Text = why.reason, why.text(c.tuning.GiveUp)
	}
	return refusal
}

// worse returns the more serious of two refusals of the same record: the urgent one.
func worse(a, b *source.Error) *source.Error {
	if a == nil || b.Urgent && !a.Urgent {
		return b
	}
	return a
}

// nudge tells Temporal of an event. A run that begins with an ordinary termination
// begins late: see Options.Settle.
func (c *Consumer) nudge(ctx context.Context, r ledger.Received, seq int64) error {
	n := NudgeFor(r.Event, seq)
	if settles(r.Event) {
		n.StartDelay = c.clock.Wait(r.At.Add(c.settleFor).Sub(c.clock.Now()))
	}
	return c.temporal.pass(ctx, "", func(ctx context.Context) error { return c.nudger.Nudge(ctx, n) })
}
