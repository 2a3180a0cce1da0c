package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr/source"
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
	letter := deadLetter(m, t, e, c.clock.Now())
	place := &ledger.Position{Topic: letter.Topic}
	letter.WriterData = place
	err = c.deadLetterBroker.call(ctx, func(ctx context.Context) error {
		err := c.deadLetters.WriteMessages(ctx, letter)
		if !tooLarge(err) {
			return err
		}
		log.Warn("the dead-letter topic does not take a letter of this size: it gets one without the record's value, "+
			"which says where the record is; raise max.message.bytes of the dead-letter topic above that of its source",
			zap.String("deadLetters", t.DeadLetters), zap.Int("bytes", len(m.Value)))
		return c.deadLetters.WriteMessages(ctx, withoutValue(letter))
	})
	if err != nil {
		return err
	}
	letter.Partition, letter.Offset = place.Partition, place.Offset

	var receipt ledger.LetterReceipt
	err = c.ledger.call(ctx, func(ctx context.Context) (err error) {
		receipt, err = c.intake.RecordDeadLetter(ctx, entryOf(letter))
		return err
	})
	if err != nil {
		return err
	}
	c.metrics.deadLetter(m.Topic, e.Reason)
	return c.report(ctx, log, m, t, e, receipt)
}

// report says that a record is a dead letter now: to whoever reads the log and,
// if it was to end somebody's access, to their run, which asks a human.
func (c *Consumer) report(ctx context.Context, log *zap.Logger, m kafka.Message, t Topic, e *source.Error, receipt ledger.LetterReceipt) error {
	log = log.With(
		zap.String("reason", e.Reason), zap.String("field", e.Field), zap.String("text", e.Text),
		zap.String("deadLetters", t.DeadLetters), zap.Int64("deadLetter", receipt.ID))
	if !receipt.Urgent || !receipt.Pending {
		log.Warn("the record cannot be read and is a dead letter now")
		return nil
	}
	c.metrics.urgentLetters.WithLabelValues(m.Topic).Inc()
	log.Error("a record that was to end somebody's access cannot be read and is a dead letter now: "+
		"their access stays as it is until somebody sees to it (tenure dlq show)", zap.String("person", receipt.PersonID))
	if receipt.PersonID == "" {
		return nil // of somebody whom nobody knows there is nothing to take away
	}
	n := workflows.Nudge{
		PersonID: receipt.PersonID, Type: workflows.TypeScheduled, Why: "a record that was to end access cannot be read",
		RequestID: uuid.NewSHA1(requestSpace, fmt.Appendf(nil, "dead letter\x00%s/%d/%d %s", m.Topic, m.Partition, m.Offset, Digest(m.Value))).String(),
	}
	return c.temporal.call(ctx, func(ctx context.Context) error { return c.nudger.Nudge(ctx, n) })
}

// exactly is the message as the broker has it. What the reader of a partition
// reads cannot tell an empty key, value or header from none, and a dead letter
// has to.
func (c *Consumer) exactly(ctx context.Context, m kafka.Message) (kafka.Message, error) {
	if _, is := skippedBy(m); is || !hasEmptyPart(m) {
		return m, nil
	}
	exact := m
	err := c.broker.call(ctx, func(ctx context.Context) error {
		found, err := readRecord(ctx, c.client, ledger.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset})
		var bad *unreadableError
		if errors.Is(err, ErrGone) || errors.As(err, &bad) {
			return nil // retention was faster, or what comes with it cannot be read
		}
		if err == nil {
			exact = found
		}
		return err
	})
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

// tooLarge says whether the broker does not take a message because of its size.
func tooLarge(err error) bool {
	var each kafka.WriteErrors
	if errors.As(err, &each) && len(each) == 1 {
		err = each[0]
	}
	return errors.Is(err, kafka.MessageSizeTooLarge)
}

// newDeadLetterWriter writes each letter by itself and returns when all in-sync
// replicas have it. What the topic's records may measure, its letters may too:
// only the broker limits the size. It tells a message's WriterData, a
// *ledger.Position, where the message went.
func newDeadLetterWriter(brokers []string, transport kafka.RoundTripper) *kafka.Writer {
	return &kafka.Writer{
		Addr:                   kafka.TCP(brokers...),
		Transport:              transport,
		Balancer:               kafka.Murmur2Balancer{},
		RequiredAcks:           kafka.RequireAll,
		BatchSize:              1,
		BatchBytes:             1 << 30,
		MaxAttempts:            1, // the caller tries again
		AllowAutoTopicCreation: true,
		Completion:             tellPlace,
	}
}

func tellPlace(messages []kafka.Message, err error) {
	for _, m := range messages {
		if place, ok := m.WriterData.(*ledger.Position); ok && err == nil {
			place.Partition, place.Offset = m.Partition, m.Offset
		}
	}
}
