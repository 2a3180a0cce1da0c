package deadletter

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLettersWaitForABroker(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var reasons []error
	l := NewLetters(broker.Cluster{Brokers: []string{"127.0.0.1:1"}}, func(reason error) { reasons = append(reasons, reason); cancel() })
	defer l.Close()
	_, err := l.Read(ctx, ledger.Position{Topic: "x"})
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, reasons, 1)
}

func TestWhatOthersWroteIsFitForATerminal(t *testing.T) {
	entry := EntryOf(kafka.Message{Topic: "x", Headers: []kafka.Header{
		{Key: HeaderText, Value: []byte("\x1b[2J\xff" + strings.Repeat("é", 1000))}, {Key: HeaderReason, Value: []byte("a\nb")},
	}})
	assert.Equal(t, "a?b", entry.Reason)
	assert.Equal(t, "?[2J?"+strings.Repeat("é", 495)+"...", entry.Text)
}

func TestParsePosition(t *testing.T) {
	for text, want := range map[string]ledger.Position{
		"hr.events.dlq/2/17": {Topic: "hr.events.dlq", Partition: 2, Offset: 17},
		"":                   {}, "a/b/c": {}, "a/1": {}, "/1/2": {}, "a/-1/2": {}, "a/1/-2": {}, "a/1/2/3": {}, "a/99999999999/2": {},
	} {
		got, ok := parsePosition(text)
		assert.Equal(t, want, got, text)
		assert.Equal(t, want != ledger.Position{}, ok, text)
	}
}

// A letter that is too large fits without those parts that anybody may have made large.
func TestALetterWithoutItsRecordIsSmall(t *testing.T) {
	m := kafka.Message{
		Topic: "hr.events", Key: []byte(strings.Repeat("k", 1<<20)), Value: []byte("no json"),
		Headers: []kafka.Header{
			{Key: HeaderRedriveReason, Value: []byte(strings.Repeat("x", 1<<20))},
			{Key: HeaderRedriveOf, Value: []byte("hr.events.dlq/1/2")},
			{Key: HeaderRedriveOf, Value: []byte(strings.Repeat("x", 1<<20))},
			{Key: "tenure-redrive-" + strings.Repeat("y", 1<<20)},
			{Key: "ce_subject", Value: []byte(strings.Repeat("z", 1<<20))},
		},
	}
	e := &source.Error{Reason: source.ReasonMalformed, Field: strings.Repeat("f", 1<<20), Text: strings.Repeat("t", 1<<20), Person: strings.Repeat("p", 1<<20)}
	small := WithoutValue(New(m, "hr.events.dlq", "note", e, time.Unix(0, 0)))
	size := len(small.Key) + len(small.Value)
	for _, h := range small.Headers {
		size += len(h.Key) + len(h.Value)
	}
	assert.Less(t, size, 32<<10)
	assert.Equal(t, "hr.events.dlq/1/2", headersOf(small)[HeaderRedriveOf])
	assert.Equal(t, source.ReasonMalformed, headersOf(small)[HeaderReason])
}

func TestARedriveIsKnownByAllThatItHolds(t *testing.T) {
	m := kafka.Message{Key: []byte("1"), Value: []byte("{}"), Headers: []kafka.Header{{Key: "ce_id", Value: []byte("a")}, {Key: "ce_type", Value: []byte("b")}}}
	same := m
	same.Headers = []kafka.Header{m.Headers[1], m.Headers[0], {Key: HeaderRedriveOf, Value: []byte("x/1/2")}, {Key: HeaderReason, Value: []byte("schema")}}
	assert.Equal(t, RedriveDigest(m), RedriveDigest(same))
	for name, change := range map[string]func(*kafka.Message){
		"key":            func(m *kafka.Message) { m.Key = []byte("2") },
		"value":          func(m *kafka.Message) { m.Value = []byte("[]") },
		"header":         func(m *kafka.Message) { m.Headers = m.Headers[:1] },
		"header's value": func(m *kafka.Message) { m.Headers = []kafka.Header{{Key: "ce_id", Value: []byte("c")}, m.Headers[1]} },
		"key or value":   func(m *kafka.Message) { m.Key, m.Value = nil, []byte("1{}") },
	} {
		other := m
		change(&other)
		assert.NotEqual(t, RedriveDigest(m), RedriveDigest(other), name)
	}
}

func TestWhatHasNoRecordCannotBeSentAgain(t *testing.T) {
	for reason, want := range map[string]error{"schema": ErrNoValue, ReasonBatch: ErrBatch} {
		letter := Letter{WithoutValue(New(kafka.Message{Topic: "x", Value: []byte("x")}, "x.dlq", "note", &source.Error{Reason: reason}, time.Now()))}
		require.ErrorIs(t, new(Letters).Redrive(t.Context(), letter, Mend{}, Provenance{}), want)
	}
}

func headersOf(m kafka.Message) map[string]string {
	out := map[string]string{}
	for _, h := range m.Headers {
		out[h.Key] += string(h.Value) // a header that occurs twice shows
	}
	return out
}
