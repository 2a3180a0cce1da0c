package ingest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
)

func headersOf(m kafka.Message) map[string]string {
	out := map[string]string{}
	for _, h := range m.Headers {
		out[h.Key] += string(h.Value) // a header that occurs twice shows
	}
	return out
}

func TestDeadLettersSayWhereFromAndWhy(t *testing.T) {
	r := newRig(t, 1)
	r.publish(notes(1, "1")...)
	value := append([]byte("\xff\x00{"), bytes.Repeat([]byte("x"), 1000)...)
	r.publish(broker.Message{Key: "1", Value: value, Headers: map[string]string{
		"content-type": "application/json", deadletter.HeaderReason: "an earlier one",
	}})
	r.publish(notes(1, "2")...)
	r.run()
	r.awaitCommitted(0, 3)
	assert.Len(t, r.nudger.nudges(""), 2)

	letter := r.letters(1)[0]
	assert.Equal(t, "1", string(letter.Key))
	assert.Equal(t, value, letter.Value)
	headers := headersOf(letter)
	at, err := time.Parse(time.RFC3339Nano, headers[deadletter.HeaderAt])
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), at, time.Minute)
	assert.NotEmpty(t, headers[deadletter.HeaderText])
	delete(headers, deadletter.HeaderAt)
	delete(headers, deadletter.HeaderText)
	assert.Equal(t, map[string]string{
		"content-type":          "application/json",
		deadletter.HeaderReason: "not_json", deadletter.HeaderSource: "note",
		deadletter.HeaderTopic: r.events, deadletter.HeaderPartition: "0", deadletter.HeaderOffset: "1",
	}, headers)
	entry := r.logs.FilterMessageSnippet("is a dead letter now").All()
	require.Len(t, entry, 1)
}

func TestRecordIsNotDoneBeforeTheBrokerHasItsDeadLetter(t *testing.T) {
	r := newFakeRig(t, 1)
	fault := r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topicLetters, Err: kerr.NotEnoughReplicas, Count: -1})
	r.publish(broker.Message{Key: "1", Value: []byte("{")})
	r.publish(notes(3, "2")...)
	_, stop := r.run(func(o *Options) { o.Tuning.DrainFor = 20 * time.Millisecond })
	r.eventually(func() bool { return len(r.nudger.nudges("")) == 3 }, "the others go on")
	require.NoError(t, fault.Wait(bounded(t), 5))
	assert.LessOrEqual(t, r.committed(0), int64(0))
	assert.Equal(t, 1, r.logged("the dead-letter topic is unavailable"))

	stop() // it gives up after a while
	assert.LessOrEqual(t, r.committed(0), int64(0), "nor when it stops")
	assert.Zero(t, r.letterCount())
	fault.Remove()
	r.run()
	r.awaitCommitted(0, 4)
	r.letters(1)
	assert.EqualValues(t, 1, r.letterCount())
}

func TestDecoderThatPanicsMakesADeadLetter(t *testing.T) {
	r := newRig(t, 1)
	r.publish(note{ID: "panic", Person: "1"}.message(), note{ID: "2", Person: "1"}.message())
	r.run()
	r.awaitCommitted(0, 2)
	headers := headersOf(r.letters(1)[0])
	assert.Equal(t, deadletter.ReasonInternal, headers[deadletter.HeaderReason])
	assert.NotContains(t, headers[deadletter.HeaderText], "a decoder with a bug", "a panic may quote the record")
	assert.Equal(t, []string{"2"}, r.intake.ids(""))
}

func TestRecordOfSeveralEvents(t *testing.T) {
	r := newRig(t, 1)
	decode := func(rec source.Record) ([]hr.Event, []source.Warning, error) {
		events, _, err := decodeNote(rec)
		if err != nil {
			return nil, nil, err
		}
		second := events[0]
		second.ID += "-second"
		return append(events, second), nil, nil
	}
	none := func(source.Record) ([]hr.Event, []source.Warning, error) { return nil, nil, nil }
	r.publish(notes(2, "1")...)
	_, stop := r.run(func(o *Options) { o.Topics[0].Decode = decode })
	r.awaitCommitted(0, 2)
	assert.Equal(t, []string{"1-1", "1-1-second", "1-2", "1-2-second"}, r.intake.ids("1"))
	assert.Len(t, r.nudger.nudges("1"), 4)
	stop()
	r.publish(notes(2, "2")...)
	r.run(func(o *Options) { o.Topics[0].Decode = none })
	r.awaitCommitted(0, 4)
	assert.Len(t, r.nudger.nudges(""), 4, "a record may hold nothing that matters")
}

func TestErrorsThatAreNoRefusalsAreDeadLettersToo(t *testing.T) {
	e := refusalOf(errors.New("Georgi is no date"))
	assert.EqualValues(t, deadletter.ReasonInternal, e.Reason)
	assert.NotContains(t, e.Text, "Georgi")
}
