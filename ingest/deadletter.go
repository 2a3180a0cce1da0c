package ingest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr/source"
)

// Headers of a dead letter, added to the record's own.
const (
	HeaderReason    = deadLetterPrefix + "reason"    // source.Error's Reason
	HeaderField     = deadLetterPrefix + "field"     // the field at fault; absent if none
	HeaderText      = deadLetterPrefix + "text"      // what is wrong, for people
	HeaderTopic     = deadLetterPrefix + "topic"     // where the record was ...
	HeaderPartition = deadLetterPrefix + "partition" // ... decimal
	HeaderOffset    = deadLetterPrefix + "offset"    // ... decimal
	HeaderSource    = deadLetterPrefix + "source"    // the decoder's name
	HeaderAt        = deadLetterPrefix + "at"        // when it was given up, RFC 3339, UTC

	deadLetterPrefix = "tenure-dlq-"
)

// reasonInternal is the reason of a record that broke its decoder.
const reasonInternal = "internal"

// deadLetter is the record as it was, key and value byte for byte, with the
// headers that say why nothing came of it. Such headers of an earlier time (it
// had been a dead letter, and was sent again) are replaced.
func deadLetter(m kafka.Message, t Topic, e *source.Error, at time.Time) kafka.Message {
	letter := kafka.Message{Topic: t.DeadLetters, Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		if !strings.HasPrefix(h.Key, deadLetterPrefix) {
			letter.Headers = append(letter.Headers, h)
		}
	}
	for _, h := range [][2]string{
		{HeaderReason, e.Reason},
		{HeaderField, e.Field},
		{HeaderText, e.Text},
		{HeaderTopic, m.Topic},
		{HeaderPartition, strconv.Itoa(m.Partition)},
		{HeaderOffset, strconv.FormatInt(m.Offset, 10)},
		{HeaderSource, t.Source},
		{HeaderAt, at.UTC().Format(time.RFC3339Nano)},
	} {
		if h[1] != "" {
			letter.Headers = append(letter.Headers, kafka.Header{Key: h[0], Value: []byte(h[1])})
		}
	}
	return letter
}

// newDeadLetterWriter writes each letter by itself and returns when all in-sync
// replicas have it. What the topic's records may measure, its letters may too:
// only the broker limits the size.
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
	}
}

func (c *Consumer) writeDeadLetter(ctx context.Context, m kafka.Message, t Topic, e *source.Error) error {
	letter := deadLetter(m, t, e, c.clock.Now())
	return c.deadLetterBroker.call(ctx, func(ctx context.Context) error {
		return c.deadLetters.WriteMessages(ctx, letter)
	})
}
