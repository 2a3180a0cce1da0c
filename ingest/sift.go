package ingest

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// Sift finds out which records were dealt with when they were read before: the
// ledger has the event of this very topic, partition and offset, and Temporal its
// signal. One question about many records, and no transaction that writes, make
// reading a topic again many times as fast as reading it for the first time.
//
// Only what is certain is sifted out. All others go the ordinary way: a copy of
// an event at another offset, an event that is recorded and not delivered, what
// cannot be decoded. So does everything when the ledger does not answer: the
// ordinary way waits for it.
func (c *Consumer) Sift(ctx context.Context, topic string, messages []kafka.Message) []bool {
	t, done := c.topics[topic], make([]bool, len(messages))
	if t.Identify == nil {
		return done
	}
	began := time.Now()
	keys := make([]hr.EventKey, 0, len(messages))
	places := make([]int, 0, len(messages)) // of the keys' records
	for i, m := range messages {
		if key, ok := t.Identify(broker.RecordOf(m)); ok {
			keys, places = append(keys, key), append(places, i)
		}
	}
	known, err := c.known(ctx, keys)
	if err != nil {
		return done
	}
	duplicates := 0
	for i, k := range known {
		m := messages[places[i]]
		if k.Delivered && k.Topic == m.Topic && k.Partition == m.Partition && k.Offset == m.Offset {
			done[places[i]] = true
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
