package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// refuse makes a dead letter of a record that cannot be used. It returns when the
// broker has the letter, the ledger has an entry of it and, if it is urgent, Temporal
// has been nudged.
func (c *Consumer) refuse(ctx context.Context, log *zap.Logger, m kafka.Message, t Topic, e *source.Error) error {
	m, err := c.reread(ctx, m)
	if err != nil {
		return err
	}
	letter := deadletter.New(m, t.DeadLetters, t.Source, e, c.clock.Now())
	entry := deadletter.EntryOf(letter)
	entry.At, err = c.publishLetter(ctx, log, letter)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		log.Error("the dead-letter topic takes no letter of this record: the ledger lists it as a dead letter, at the position of the record itself",
			zap.String("deadLetters", t.DeadLetters), zap.Error(err))
		entry.At = entry.Origin
	}
	receipt, err := c.index(ctx, log, entry)
	if err != nil {
		return err
	}
	c.metrics.deadLetter(m.Topic, e.Reason)
	return c.report(ctx, log, m, t, e, receipt)
}

// publishLetter writes a letter to its topic: with the record or, if the broker does
// not take that, with only the record's position.
func (c *Consumer) publishLetter(ctx context.Context, log *zap.Logger, letter kafka.Message) (at ledger.Position, err error) {
	write := func(letter kafka.Message) error {
		return c.deadLetterBroker.pass(ctx, letter.Topic, func(ctx context.Context) (err error) {
			at, err = c.deadLetters.Write(ctx, letter)
			return err
		})
	}
	if err = write(letter); err == nil || ctx.Err() != nil {
		return at, err
	}
	log.Warn("the dead-letter topic does not take the letter: Tenure writes one without the record, with the record's position; "+
		"if the letter is too large, raise max.message.bytes of the dead-letter topic above that of its source",
		zap.String("deadLetters", letter.Topic), zap.Int("bytes", len(letter.Value)), zap.Error(err))
	err = write(deadletter.WithoutValue(letter))
	return at, err
}

// index enters a letter in the ledger. If the ledger refuses what is known of the
// record, index enters less.
func (c *Consumer) index(ctx context.Context, log *zap.Logger, entry ledger.DeadLetter) (receipt ledger.LetterReceipt, err error) {
	for _, l := range []ledger.DeadLetter{entry, bare(entry)} {
		err = c.ledger.pass(ctx, "", func(ctx context.Context) (err error) {
			receipt, err = c.intake.RecordDeadLetter(ctx, l)
			return err
		})
		if err == nil || ctx.Err() != nil {
			return receipt, err
		}
		log.Error("the ledger cannot keep the entry of a dead letter", zap.Error(err))
	}
	return receipt, nil // `tenure dlq index` enters it again, from the dead-letter topic
}

// bare returns the entry without anything that the record's sender wrote.
func bare(l ledger.DeadLetter) ledger.DeadLetter {
	return ledger.DeadLetter{
		At: l.At, Origin: l.Origin, Digest: l.Digest, Format: l.Format, ReceivedAt: l.ReceivedAt,
		Reason: l.Reason, Text: "is not told more of: the ledger could not keep it", Urgent: l.Urgent,
	}
}

// report logs that a record is a dead letter. If the record was to end somebody's
// access, it also nudges the person's run, which asks a human.
func (c *Consumer) report(ctx context.Context, log *zap.Logger, m kafka.Message, t Topic, e *source.Error, receipt ledger.LetterReceipt) error {
	log = log.With(
		zap.String("reason", e.Reason), zap.String("field", e.Field), zap.String("text", e.Text),
		zap.String("deadLetters", t.DeadLetters), zap.Int64("deadLetter", receipt.ID))
	if !receipt.Urgent || !receipt.Pending {
		log.Warn("the record cannot be used and is a dead letter now")
		return nil
	}
	c.metrics.urgentLetters.WithLabelValues(m.Topic).Inc()
	log.Error("a record that was to end somebody's access cannot be used and is a dead letter now: "+
		"their access stays as it is until somebody sees to it (tenure dlq show)", zap.String("person", receipt.PersonID))
	if receipt.PersonID == "" {
		return nil // Tenure knows no such person: there is no access to take away
	}
	n := workflows.Nudge{
		PersonID: receipt.PersonID, Type: workflows.TypeScheduled, Why: "a record that was to end access cannot be read",
		RequestID: uuid.NewSHA1(requestSpace, fmt.Appendf(nil, "dead letter\x00%s/%d/%d %s", m.Topic, m.Partition, m.Offset, deadletter.Digest(m.Value))).String(),
	}
	err := c.temporal.pass(ctx, "", func(ctx context.Context) error { return c.nudger.Nudge(ctx, n) })
	if err != nil && ctx.Err() == nil {
		log.Error("the person's run cannot be nudged about the dead letter: the sweeper will do it", zap.String("person", receipt.PersonID), zap.Error(err))
		return nil
	}
	return err
}

// reread returns the message exactly as the broker has it. The reader of a partition
// cannot tell an empty key, value or header from none, and a dead letter has to.
func (c *Consumer) reread(ctx context.Context, m kafka.Message) (kafka.Message, error) {
	if _, is := broker.SkippedBy(m); is || !hasEmptyPart(m) {
		return m, nil
	}
	exact := m
	err := c.broker.pass(ctx, m.Topic, func(ctx context.Context) error {
		found, err := c.conn.ReadRecord(ctx, ledger.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset})
		var bad *broker.UnreadableError
		if errors.Is(err, broker.ErrGone) || errors.As(err, &bad) {
			return nil // retention removed it, or its batch cannot be read
		}
		if err == nil {
			exact = found
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		return m, nil // the letter has what was read first
	}
	return exact, err
}

func hasEmptyPart(m kafka.Message) bool {
	if len(m.Key) == 0 || len(m.Value) == 0 {
		return true
	}
	for _, h := range m.Headers {
		if len(h.Value) == 0 {
			return true
		}
	}
	return false
}
