package ingest

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// Sift reports for each record whether it was delivered when it was read before: the
// ledger has the event of this very topic, partition and offset, and Temporal its
// signal. It asks once about many records and writes nothing, so that a topic is read
// again many times as fast as for the first time.
//
// Sift reports true only if it is certain. Deliver deals with all others: a copy of an
// event at another offset, an event that is recorded and not delivered, a record that
// cannot be decoded. It deals with everything when the ledger does not answer, and
// waits for the ledger.
func (c *Consumer) Sift(ctx context.Context, topic string, messages []kafka.Message) []bool {
	t, done := c.topics[topic], make([]bool, len(messages))
	if t.Identify == nil {
		return done
	}
	began := time.Now()
	keys := make([]hr.EventKey, 0, len(messages))
	indexes := make([]int, 0, len(messages)) // of the messages that have the keys
	for i, m := range messages {
		if key, ok := t.Identify(broker.RecordOf(m)); ok {
			keys, indexes = append(keys, key), append(indexes, i)
		}
	}
	known, err := c.known(ctx, keys)
	if err != nil {
		return done
	}
	duplicates := 0
	for i, k := range known {
		m := messages[indexes[i]]
		if k.Delivered && k.Topic == m.Topic && k.Partition == m.Partition && k.Offset == m.Offset {
			done[indexes[i]] = true
			duplicates++
		}
	}
	if duplicates > 0 {
		c.metrics.records.WithLabelValues(t.Name, resultDuplicate).Add(float64(duplicates))
		seconds := c.metrics.seconds.WithLabelValues(t.Name)
		for range duplicates {
			seconds.Observe(time.Since(began).Seconds())
		}
	}
	return done
}

func (c *Consumer) known(ctx context.Context, keys []hr.EventKey) ([]ledger.Known, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.tuning.Attempt)
	defer cancel()
	return c.intake.Known(ctx, keys)
}
