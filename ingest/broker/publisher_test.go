package broker

import (
	"errors"
	"fmt"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPermanentRefusals(t *testing.T) {
	assert.True(t, Permanent(fmt.Errorf("x: %w", kafka.TopicAuthorizationFailed)))
	assert.False(t, Permanent(kafka.NotEnoughReplicas))
	assert.False(t, Permanent(errors.New("connection refused")))
}

// Messages of one key keep their order only if those that are written together are one batch.
func TestMessagesThatAreWrittenTogetherAreOneBatch(t *testing.T) {
	var messages []Message
	for i := range 3 * publishBatch {
		messages = append(messages, Message{Key: "p", Value: make([]byte, i*i%9000), Headers: map[string]string{"id": "x"}})
	}
	const largest = 50_000
	messages[7].Value = make([]byte, 2*largest)
	read, chunks := 0, 0
	for read < len(messages) {
		chunk, bytes := chunkOf(messages[read:], "t", largest), 0
		for i, m := range chunk {
			require.Equal(t, len(messages[read+i].Value), len(m.Value))
			bytes += len(m.Key) + len(m.Value) + 100 // more than kafka-go counts
		}
		require.NotEmpty(t, chunk)
		require.True(t, len(chunk) <= publishBatch && (bytes <= largest || len(chunk) == 1), "%d messages, %d bytes", len(chunk), bytes)
		read, chunks = read+len(chunk), chunks+1
	}
	assert.Greater(t, chunks, 100)
	assert.Len(t, chunkOf(make([]Message, 2*publishBatch), "t", 1<<20), publishBatch)
}
