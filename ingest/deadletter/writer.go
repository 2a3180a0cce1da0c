package deadletter

import (
	"context"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// Writer writes letters to their topics.
type Writer struct{ writer *kafka.Writer }

// NewWriter returns a writer that sends each letter by itself. It sets no limit to the
// size of a letter: only the broker does.
func NewWriter(c *broker.Connection) *Writer {
	return &Writer{c.Writer(&kafka.Writer{
		Balancer:               kafka.Murmur2Balancer{},
		RequiredAcks:           kafka.RequireAll,
		BatchSize:              1,
		BatchBytes:             1 << 30,
		MaxAttempts:            1, // the caller tries again
		AllowAutoTopicCreation: true,
		Completion:             tellPlace,
	})}
}

// Write returns where the letter is once all in-sync replicas have it.
func (w *Writer) Write(ctx context.Context, letter kafka.Message) (ledger.Position, error) {
	place := &ledger.Position{Topic: letter.Topic}
	letter.WriterData = place
	if err := w.writer.WriteMessages(ctx, letter); err != nil {
		return ledger.Position{}, err
	}
	return *place, nil
}

// Close waits for what is being written.
func (w *Writer) Close() error { return w.writer.Close() }

// tellPlace stores in a message's WriterData, a *ledger.Position, where the message went.
func tellPlace(messages []kafka.Message, err error) {
	for _, m := range messages {
		if place, ok := m.WriterData.(*ledger.Position); ok && err == nil {
			place.Partition, place.Offset = m.Partition, m.Offset
		}
	}
}
