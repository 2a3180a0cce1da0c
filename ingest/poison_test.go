package ingest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
)

// hired returns a record that Tenure's own decoder can read.
func hired(t *testing.T, id, person string) broker.Message {
	t.Helper()
	day := hr.Date{Year: 2026, Month: 1, Day: 5}
	value, err := cloudevents.Encode(hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: hr.EventHired, PersonID: person, Effective: day,
		Recorded: day.StartIn(time.UTC),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Georgi", FamilyName: "Facello",
			Location: hr.Location{TimeZone: "Europe/Vienna"}, StartDate: day,
		},
	})
	require.NoError(t, err)
	return broker.Message{Key: person, Value: value}
}

// A record that no decoder can read becomes a dead letter, byte for byte. It holds up
// nobody, not even the person whose key it has.
func TestPoisonRecords(t *testing.T) {
	r := newRig(t, 1)
	good := string(hired(t, "e-1", "1").Value)
	poison := []struct {
		name   string
		record broker.Message
		reason string
	}{
		{"tombstone", broker.Message{Key: "1"}, source.ReasonTombstone},
		{"empty", broker.Message{Key: "1", Value: []byte{}}, source.ReasonTombstone},
		{"not JSON", broker.Message{Key: "1", Value: []byte("hello")}, source.ReasonMalformed},
		{"half of it", broker.Message{Key: "1", Value: []byte(good[:len(good)/2])}, source.ReasonMalformed},
		{"not UTF-8", broker.Message{Key: "1", Value: []byte(strings.Replace(good, "Georgi", "G\xff", 1))}, source.ReasonNotUTF8},
		{"deep JSON", broker.Message{Key: "1", Value: []byte(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000))}, source.ReasonMalformed},
		{"a number", broker.Message{Key: "1", Value: []byte("7")}, source.ReasonSchema},
		{"wrong type", broker.Message{Key: "1", Value: []byte(strings.Replace(good, ".hired.", ".promoted.", 1))}, source.ReasonUnknownType},
		{"future version", broker.Message{Key: "1", Value: []byte(strings.Replace(good, ".hired.v1", ".hired.v2", 1)), Headers: map[string]string{"x-trace": "\x00\xff"}}, source.ReasonUnsupportedVersion},
		{"key mismatch", broker.Message{Key: "2", Value: []byte(good)}, source.ReasonKeyMismatch},
		{"no time zone", broker.Message{Key: "1", Value: []byte(strings.Replace(good, "Europe/Vienna", "Mars/Base", 1))}, source.ReasonSchema},
		{"other content", broker.Message{Key: "1", Value: []byte(good), Headers: map[string]string{"Content-Type": "text/xml"}}, source.ReasonWrongContentType},
	}
	var records []broker.Message
	for i, p := range poison {
		records = append(records, p.record, hired(t, fmt.Sprintf("after-%d", i), "1"))
	}
	r.publish(records...)
	kind, ok := catalog.Lookup(catalog.Default)
	require.True(t, ok)
	opened, err := kind.Open(nil)
	require.NoError(t, err)
	r.run(func(o *Options) { o.Topics[0].Decode, o.Topics[0].Source = opened.Decode, catalog.Default })
	r.awaitCommitted(0, int64(len(records)))

	assert.Len(t, r.nudger.nudges("1"), len(poison))
	letters := map[string]kafka.Message{}
	for _, letter := range r.letters(len(poison)) {
		letters[headersOf(letter)[deadletter.HeaderOffset]] = letter
	}
	for i, p := range poison {
		letter := letters[strconv.Itoa(2*i)]
		assert.Equal(t, p.record.Key, string(letter.Key), p.name)
		assert.Equal(t, string(p.record.Value), string(letter.Value), p.name)
		headers := headersOf(letter)
		for name, value := range p.record.Headers {
			assert.Equal(t, value, headers[name], p.name)
		}
		assert.Equal(t, r.events, headers[deadletter.HeaderTopic], p.name)
		assert.Equal(t, "0", headers[deadletter.HeaderPartition], p.name)
		assert.Equal(t, p.reason, headers[deadletter.HeaderReason], "%s: %s", p.name, headers[deadletter.HeaderText])
	}
	for _, entry := range r.logs.All() {
		for _, personal := range []string{"Georgi", "Facello", "Vienna"} {
			assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), personal)
		}
	}
}
