package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
)

// maxInflated is the bound of the decompressed size of a batch, in bytes: see package
// broker.
const maxInflated = 32 << 20

// Only the records of a batch that is small on the wire, and too large when it is
// decompressed, are lost: those before and behind it on the partition are delivered.
func TestABatchThatInflatesIsSkipped(t *testing.T) {
	for _, codec := range []kafka.Compression{kafka.Gzip, kafka.Lz4, kafka.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			r := newRig(t, 1)
			write := func(messages ...kafka.Message) {
				transport := &kafka.Transport{}
				defer transport.CloseIdleConnections()
				w := &kafka.Writer{
					Addr: kafka.TCP(r.brokers...), Transport: transport, RequiredAcks: kafka.RequireAll,
					Compression: codec, BatchSize: len(messages), BatchBytes: 1 << 30, MaxAttempts: 1,
					BatchTimeout: time.Minute, // a batch that is not full is not sent, however busy the machine
				}
				require.NoError(t, w.WriteMessages(bounded(t), messages...))
				require.NoError(t, w.Close())
			}
			bomb := func() {
				value := make([]byte, 1<<20)
				var messages []kafka.Message
				for range maxInflated>>20 + 3 {
					messages = append(messages, kafka.Message{Topic: r.events, Key: []byte("bomb"), Value: value})
				}
				write(messages...)
			}
			said := func(id string) { write(note{ID: id, Person: "1"}.record(r.events)) }
			const each = maxInflated>>20 + 3
			said("before")
			write(kafka.Message{Topic: r.events, Key: []byte("1"), Value: []byte{}}) // to be compared exactly: its value is empty
			bomb()
			said("between")
			write(kafka.Message{Topic: r.events, Key: []byte("1"), Value: make([]byte, maxInflated)}) // one record
			bomb()
			said("after")
			r.run()
			r.awaitAllCommitted()
			assert.Equal(t, []string{"before", "between", "after"}, r.intake.ids("1"))
			texts, letters := map[string]string{}, r.openLetters()
			for _, letter := range r.letters(4) {
				said := headersOf(letter)
				texts[said[deadletter.HeaderOffset]] = said[deadletter.HeaderReason] + said[deadletter.HeaderUrgent] + said[deadletter.HeaderText]
				assert.Empty(t, letter.Value)
				if said[deadletter.HeaderReason] == deadletter.ReasonBatch {
					assert.ErrorIs(t, letters.Redrive(t.Context(), r.read(letters, ledger.Position{Topic: r.dlq, Offset: letter.Offset}), deadletter.Mend{}, deadletter.Provenance{}), deadletter.ErrBatch)
				}
			}
			assert.Contains(t, texts[fmt.Sprint(1+each)], fmt.Sprintf("batchtruestands for the records from offset 2 to %d,", 1+each))
			assert.Contains(t, texts[fmt.Sprint(3+each)], fmt.Sprintf("batchtruestands for the records from offset %d to %d,", 3+each, 3+each))
			assert.Contains(t, texts[fmt.Sprint(3+2*each)], fmt.Sprintf("batchtruestands for the records from offset %d to %d,", 4+each, 3+2*each))
		})
	}
}

// A group that has committed an offset within such a batch gets past it, too.
func TestABatchThatInflatesIsSkippedFromWithin(t *testing.T) {
	r := newRig(t, 1)
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	const each = maxInflated>>20 + 3
	w := &kafka.Writer{Addr: kafka.TCP(r.brokers...), Transport: transport, RequiredAcks: kafka.RequireAll, Compression: kafka.Zstd, BatchSize: each, BatchBytes: 1 << 30, BatchTimeout: time.Minute}
	var messages []kafka.Message
	for range each {
		messages = append(messages, kafka.Message{Topic: r.events, Value: make([]byte, 1<<20)})
	}
	require.NoError(t, w.WriteMessages(bounded(t), messages...))
	require.NoError(t, w.Close())
	r.publish(note{ID: "after", Person: "1"}.message())
	_, err := r.client.OffsetCommit(bounded(t), &kafka.OffsetCommitRequest{
		GroupID: r.group, GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{r.events: {{Partition: 0, Offset: 7}}},
	})
	require.NoError(t, err)
	r.run()
	r.awaitCommitted(0, each+1)
	assert.Equal(t, []string{"after"}, r.intake.ids("1"))
	assert.Contains(t, headersOf(r.letters(1)[0])[deadletter.HeaderText], fmt.Sprintf("stands for the records from offset 7 to %d,", each-1))
}
