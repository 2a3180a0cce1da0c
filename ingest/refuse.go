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

// refuse makes a dead letter of a record that cannot be read. It returns when the
// broker has it, the ledger knows of it, and, if it is urgent, Temporal does too.
func (c *Consumer) refuse(ctx context.Context, log *zap.Logger, m kafka.Message, t Topic, e *source.Error) error {
	m, err := c.exactly(ctx, m)
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
		log.Error("the dead-letter topic takes no letter of this record: the ledger knows of it, and the record is where it was",
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

// publishLetter writes a letter to its topic: the record whole or, if the broker does
// not take that, what leads back to it.
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
	log.Warn("the dead-letter topic does not take the letter: it gets one without the record, which says where the record is; "+
		"if it is too large, raise max.message.bytes of the dead-letter topic above that of its source",
		zap.String("deadLetters", letter.Topic), zap.Int("bytes", len(letter.Value)), zap.Error(err))
	err = write(deadletter.WithoutValue(letter))
	return at, err
}

// index tells the ledger of a letter. Should it not be able to keep what is told of
// the record, it is told less.
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
	return receipt, nil // the dead-letter topic has it: tenure dlq index reads it from there
}

// bare is an entry with nothing that the record's sender wrote.
func bare(l ledger.DeadLetter) ledger.DeadLetter {
	return ledger.DeadLetter{
		At: l.At, Origin: l.Origin, Digest: l.Digest, Format: l.Format, ReceivedAt: l.ReceivedAt,
		Reason: l.Reason, Text: "is not told more of: the ledger could not keep it", Urgent: l.Urgent,
	}
}

// report says that a record is a dead letter now: to whoever reads the log and,
// if it was to end somebody's access, to their run, which asks a human.
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
		return nil // of somebody whom nobody knows there is nothing to take away
	}
	n := workflows.Nudge{
		PersonID: receipt.PersonID, Type: workflows.TypeScheduled, Why: "a record that was to end access cannot be read",
		RequestID: uuid.NewSHA1(requestSpace, fmt.Appendf(nil, "dead letter\x00%s/%d/%d %s", m.Topic, m.Partition, m.Offset, deadletter.Digest(m.Value))).String(),
	}
	err := c.temporal.pass(ctx, "", func(ctx context.Context) error { return c.nudger.Nudge(ctx, n) })
	if err != nil && ctx.Err() == nil {
		log.Error("the person's run cannot be told of the dead letter: the sweeper will try", zap.String("person", receipt.PersonID), zap.Error(err))
		return nil
	}
	return err
}

// exactly is the message as the broker has it. What the reader of a partition
// reads cannot tell an empty key, value or header from none, and a dead letter
// has to.
func (c *Consumer) exactly(ctx context.Context, m kafka.Message) (kafka.Message, error) {
	if _, is := broker.SkippedBy(m); is || !hasEmptyPart(m) {
		return m, nil
	}
	exact := m
	err := c.broker.pass(ctx, m.Topic, func(ctx context.Context) error {
		found, err := c.conn.ReadRecord(ctx, ledger.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset})
		var bad *broker.UnreadableError
		if errors.Is(err, broker.ErrGone) || errors.As(err, &bad) {
			return nil // retention was faster, or what comes with it cannot be read
		}
		if err == nil {
			exact = found
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		return m, nil // as far as it is known
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
