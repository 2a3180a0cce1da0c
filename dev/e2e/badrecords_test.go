package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
)

// TestBadRecords publishes records that no decoder can read among good ones of the same
// people. The good ones are applied, the bad ones are kept with the reason.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	hired, _ := hiredAndCutOff(0, false)
	hired.Recorded = time.Now().UTC()
	good, err := cloudevents.Encode(hired)
	require.NoError(t, err)
	changed := func(old, with string) []byte {
		require.Contains(t, string(good), old)
		return []byte(strings.Replace(string(good), old, with, 1))
	}
	bad := []struct {
		reason string
		value  []byte
	}{
		{source.ReasonMalformed, []byte(`{"specversion":`)},
		{source.ReasonSchema, []byte(`[]`)},
		{source.ReasonNotUTF8, []byte("{\"specversion\":\"1.0\xff\"}")},
		{source.ReasonUnknownType, changed("worker.hired.v1", "worker.promoted.v1")},
		{source.ReasonUnsupportedVersion, changed("worker.hired.v1", "worker.hired.v9")},
		{source.ReasonSchema, changed(`"startDate"`, `"firstDay"`)},
		{source.ReasonSchema, changed(`"timeZone":"UTC"`, `"timeZone":"Europe/Atlantis"`)},
		{source.ReasonSchema, changed(`"effectiveDate":"20`, `"effectiveDate":"2026-02-30 of 20`)},
		{source.ReasonKeyMismatch, changed(`"workerId":"`, `"workerId":"9`)},
		{source.ReasonTombstone, nil},
	}

	r := startRig(t, stack.Options{})
	structured := map[string]string{"content-type": "application/cloudevents+json"}
	publish := func(value []byte) {
		require.NoError(t, r.Publisher.Publish(t.Context(), stack.TopicEvents,
			[]broker.Message{{Key: hired.PersonID, Value: value, Headers: structured}}))
	}
	for i, b := range bad {
		publish(b.value)
		if i == len(bad)/2 {
			publish(good)
		}
	}
	second, _ := hiredAndCutOff(1, false) // the record behind all others
	second.Recorded = hired.Recorded
	r.publish(t, second)
	r.awaitRest(t)

	assert.Equal(t, 3, r.enabled(t, hired.PersonID))
	assert.Equal(t, 4, r.enabled(t, second.PersonID), "who is in Sales has chat, wiki, crm and directory")
	people := r.people(t)
	require.Len(t, people, 2, "nobody else is known")
	letters := r.deadLetters(t, len(bad))
	for i, b := range bad {
		header := map[string]string{}
		for _, h := range letters[i].Headers {
			header[h.Key] = string(h.Value)
		}
		assert.Equal(t, b.reason, header[deadletter.HeaderReason], "%s", b.value)
		assert.NotEmpty(t, header[deadletter.HeaderText])
		assert.NotContains(t, header[deadletter.HeaderText], hired.Profile.FamilyName)
		assert.Equal(t, stack.TopicEvents, header[deadletter.HeaderTopic])
		assert.Equal(t, structured["content-type"], header["content-type"], "its own headers are kept")
		assert.Equal(t, b.value, letters[i].Value, "it is kept as it is")
		assert.Equal(t, hired.PersonID, string(letters[i].Key))
	}
}

// deadLetters reads the dead letters, and checks their number.
func (r *rig) deadLetters(t *testing.T, want int) []kafka.Message {
	t.Helper()
	ends, err := r.kafka.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{stack.TopicDeadLetters: {kafka.LastOffsetOf(0)}},
	})
	require.NoError(t, err)
	require.EqualValues(t, want, ends.Topics[stack.TopicDeadLetters][0].LastOffset)
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{r.Stack.KafkaAddress()}, Topic: stack.TopicDeadLetters, MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	letters := make([]kafka.Message, want)
	for i := range letters {
		letters[i], err = reader.ReadMessage(t.Context())
		require.NoError(t, err)
	}
	return letters
}
