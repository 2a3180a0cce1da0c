package sink

import (
	"context"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/ingest/broker"
)

// Kafka writes messages to a topic. All have the same key, so that they are in one partition, in
// their order.
type Kafka struct {
	Topic, Key string
	Publisher  interface {
		Publish(ctx context.Context, topic string, messages []broker.Message) error
	}
}

// Send implements exporter.Sink.
func (k Kafka) Send(ctx context.Context, messages []export.Message) error {
	batch := make([]broker.Message, len(messages))
	for i, m := range messages {
		batch[i] = broker.Message{Key: k.Key, Value: m.Text, Headers: map[string]string{"id": m.ID}}
	}
	return k.Publisher.Publish(ctx, k.Topic, batch)
}
