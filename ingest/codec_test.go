package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// codecs lists Kafka's codecs, as two producers of different origin name them.
var codecs = []struct {
	name   string
	ours   kafka.Compression
	theirs kgo.CompressionCodec
}{
	{"none", 0, kgo.NoCompression()},
	{"gzip", kafka.Gzip, kgo.GzipCompression()},
	{"snappy", kafka.Snappy, kgo.SnappyCompression()},
	{"lz4", kafka.Lz4, kgo.Lz4Compression()},
	{"zstd", kafka.Zstd, kgo.ZstdCompression()},
}

func TestEveryCodecIsConsumed(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.name, func(t *testing.T) {
			r := newRig(t, 1)
			var batch []kafka.Message
			for i := range 50 {
				batch = append(batch, note{ID: fmt.Sprint("ours ", i), Person: fmt.Sprint(i)}.record(r.events))
			}
			transport := &kafka.Transport{}
			defer transport.CloseIdleConnections()
			w := &kafka.Writer{Addr: kafka.TCP(r.brokers...), Transport: transport, RequiredAcks: kafka.RequireAll, Compression: codec.ours, BatchSize: len(batch), BatchTimeout: time.Minute}
			require.NoError(t, w.WriteMessages(bounded(t), batch...))
			require.NoError(t, w.Close())

			client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.ProducerBatchCompression(codec.theirs), kgo.DefaultProduceTopic(r.events))
			require.NoError(t, err)
			defer client.Close()
			var records []*kgo.Record
			for i := range 50 {
				m := note{ID: fmt.Sprint("theirs ", i), Person: fmt.Sprint(i)}.message()
				records = append(records, &kgo.Record{Key: []byte(m.Key), Value: m.Value})
			}
			require.NoError(t, client.ProduceSync(bounded(t), records...).FirstErr())

			r.run()
			r.awaitAllCommitted()
			assert.Len(t, r.intake.ids(""), 100)
			assert.Zero(t, r.letterCount())
		})
	}
}

// One bad record in a compressed batch is a dead letter, and the others around it are
// applied.
func TestOneBadRecordInABatch(t *testing.T) {
	for _, codec := range codecs {
		t.Run(codec.name, func(t *testing.T) {
			r := newRig(t, 1)
			client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.ProducerBatchCompression(codec.theirs),
				kgo.DefaultProduceTopic(r.events), kgo.ManualFlushing())
			require.NoError(t, err)
			defer client.Close()
			for i := range 20 {
				m := note{ID: fmt.Sprint(i), Person: fmt.Sprint(i)}.message()
				if i == 7 {
					m.Value = []byte("{\xff")
				}
				client.Produce(bounded(t), &kgo.Record{Key: []byte(m.Key), Value: m.Value}, nil)
			}
			require.NoError(t, client.Flush(bounded(t)))

			r.run()
			r.awaitAllCommitted()
			assert.Len(t, r.intake.ids(""), 19)
			assert.Equal(t, "7", string(r.letters(1)[0].Key))
			assert.EqualValues(t, 1, r.letterCount())
		})
	}
}
