//go:build real

package ingest

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/brokertest"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
)

// A record whose letter is too large for the dead-letter topic holds up nobody. The
// letter says where the record is, and reading the letter returns the record.
func TestOversizedRecordsAreNotLost(t *testing.T) {
	const limit = 1 << 20 // the largest message of the dead-letter topic
	r := newRig(t, 1)
	r.events, r.dlq = r.events+".large", r.dlq+".large"
	shared := brokertest.Shared(t)
	shared.CreateTopic(r.events, 1, map[string]string{"max.message.bytes": strconv.Itoa(4 << 20)})
	shared.CreateTopic(r.dlq, 1, map[string]string{"max.message.bytes": strconv.Itoa(limit)})

	// The first record fits the dead-letter topic as it is, but not with the headers of a
	// letter.
	poison := [][]byte{
		append([]byte("{"), bytes.Repeat([]byte("\xff"), limit-200)...),
		append([]byte("{"), bytes.Repeat([]byte("x"), 3<<20)...),
	}
	headers := []kafka.Header{{Key: "trace", Value: []byte{0, 255}}}
	w := &kafka.Writer{
		Addr: kafka.TCP(r.brokers...), Topic: r.events, BatchSize: 1, BatchBytes: 1 << 30,
		RequiredAcks: kafka.RequireAll, Transport: r.client.Transport,
	}
	defer w.Close()
	for i, value := range poison {
		require.NoError(t, w.WriteMessages(bounded(t), kafka.Message{Key: []byte("1"), Value: value, Headers: headers}))
		r.publish(note{ID: strconv.Itoa(i), Person: "1"}.message(), note{ID: strconv.Itoa(10 + i), Person: "2"}.message())
	}
	r.run()
	r.awaitCommitted(0, int64(3*len(poison)))
	assert.Len(t, r.nudger.nudges("1"), len(poison))
	assert.Len(t, r.nudger.nudges("2"), len(poison))

	letters := deadletter.NewLetters(broker.Cluster{Brokers: r.brokers}, nil)
	defer letters.Close()
	for i, m := range r.letters(len(poison)) {
		said := headersOf(m)
		n, err := strconv.Atoi(said[deadletter.HeaderOffset])
		require.NoError(t, err)
		value := poison[n/3]
		assert.Empty(t, m.Value)
		assert.Equal(t, "1", string(m.Key))
		assert.Equal(t, strconv.Itoa(len(value)), said[deadletter.HeaderSize])
		assert.Equal(t, deadletter.Digest(value), said[deadletter.HeaderDigest])
		assert.Equal(t, r.events, said[deadletter.HeaderTopic])
		assert.Equal(t, "not_json", said[deadletter.HeaderReason])

		letter, err := letters.Read(bounded(t), ledger.Position{Topic: r.dlq, Offset: int64(i)})
		require.NoError(t, err)
		assert.True(t, bytes.Equal(value, letter.Value()), "the record, byte for byte")
		assert.Equal(t, deadletter.Digest(value), letter.Entry().Digest)
		assert.Contains(t, letter.Headers(), deadletter.Header{Name: "trace", Value: []byte("\x00\xff")})
	}
}
