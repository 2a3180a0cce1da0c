package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// write writes messages to the topic of events as they are: a nil key or value becomes a
// null.
func (r *rig) write(messages ...kafka.Message) {
	r.t.Helper()
	w := &kafka.Writer{Addr: kafka.TCP(r.brokers...), Transport: r.client.Transport, Topic: r.events, RequiredAcks: kafka.RequireAll, BatchSize: 1}
	defer w.Close()
	require.NoError(r.t, w.WriteMessages(bounded(r.t), messages...))
}

func (r *rig) openLetters() *deadletter.Letters {
	l := deadletter.NewLetters(broker.Cluster{Brokers: r.brokers}, nil)
	r.t.Cleanup(func() { assert.NoError(r.t, l.Close()) })
	return l
}

// indexedLetters waits for the ledger to know of n letters.
func (r *rig) indexedLetters(n int) []ledger.DeadLetter {
	r.t.Helper()
	r.eventually(func() bool { return len(r.intake.indexed()) == n }, "%d dead letters in the ledger", n)
	return r.intake.indexed()
}

func (r *rig) read(l *deadletter.Letters, at ledger.Position) deadletter.Letter {
	r.t.Helper()
	letter, err := l.Read(bounded(r.t), at)
	require.NoError(r.t, err)
	return letter
}

func refuseAll(source.Record) ([]hr.Event, []source.Warning, error) {
	return nil, nil, &source.Error{Reason: source.ReasonSchema, Field: "/x", Text: "is wrong"}
}

// without returns the headers that do not begin with the prefix.
func without(prefix string, headers []kafka.Header) (rest []kafka.Header) {
	for _, h := range headers {
		if !strings.HasPrefix(h.Key, prefix) {
			rest = append(rest, h)
		}
	}
	return rest
}

// A null is not an empty value: a letter holds the record byte for byte, and so does the
// record that is sent again.
func TestLettersAndWhatIsRedrivenAreByteExact(t *testing.T) {
	r := newRig(t, 1)
	empty := []byte{}
	records := []kafka.Message{
		{},
		{Key: empty, Value: empty},
		{Key: []byte("1")},
		{Key: []byte("1"), Value: empty},
		{Value: []byte("\xff\x00")},
		{Key: empty, Value: []byte("{")},
		{Key: []byte("\xff"), Value: []byte("{"), Headers: []kafka.Header{{Key: "a", Value: empty}, {Key: "b"}, {Key: "a", Value: []byte("\xff")}}},
		{Key: []byte("1"), Value: bytes.Repeat([]byte("x"), 900_000)},
	}
	r.write(records...)
	_, stop := r.run(func(o *Options) { o.Topics[0].Decode = refuseAll })
	entries := r.indexedLetters(len(records))
	r.awaitCommitted(0, int64(len(records)))
	stop()

	letters := r.openLetters()
	again := map[int64]int64{} // by a record's offset: the offset at which it was sent again
	for i, entry := range entries {
		letter, was := r.read(letters, entry.At), records[entry.Origin.Offset]
		assert.Equal(t, was.Key, letter.Key(), "key of %d", entry.Origin.Offset)
		assert.Equal(t, was.Value, letter.Value(), "value of %d", entry.Origin.Offset)
		var headers []kafka.Header
		for _, h := range letter.Headers() {
			headers = append(headers, kafka.Header{Key: h.Name, Value: h.Value})
		}
		assert.Equal(t, was.Headers, without("tenure-dlq-", headers), "headers of %d", entry.Origin.Offset)
		require.NoError(t, letters.Redrive(bounded(t), letter, deadletter.Mend{}, deadletter.Provenance{Operator: "ops", Reason: "why", At: time.Now()}))
		again[entry.Origin.Offset] = int64(len(records) + i)
	}
	for old, offset := range again {
		m, err := r.conn().ReadRecord(bounded(t), ledger.Position{Topic: r.events, Offset: offset})
		require.NoError(t, err)
		assert.Equal(t, records[old].Key, m.Key)
		assert.Equal(t, records[old].Value, m.Value)
		assert.Equal(t, records[old].Headers, without("tenure-redrive-", m.Headers))
	}
}

func TestTheLedgerKnowsWhatCanBeToldOfALetter(t *testing.T) {
	r := newRig(t, 2)
	r.write(kafka.Message{
		Key: []byte("1"), Value: []byte(`{"type":"com.tenurehq.worker.terminated.v1","source":"/hr","id":"e-1","data":{"name":"Georgi"}}`),
	})
	r.run(func(o *Options) { o.Topics[0].Decode = refuseAll })
	got := r.indexedLetters(1)[0]
	letter := r.read(r.openLetters(), got.At)
	assert.Equal(t, got, letter.Entry(), "the topic says the same")
	assert.WithinDuration(t, time.Now(), got.ReceivedAt, time.Minute)
	assert.Equal(t, r.dlq, got.At.Topic)
	assert.Equal(t, r.events, got.Origin.Topic)
	got.ReceivedAt, got.At, got.Origin = time.Time{}, ledger.Position{}, ledger.Position{}
	assert.Equal(t, ledger.DeadLetter{
		Digest: deadletter.Digest(letter.Value()), Format: "note", Reason: "schema", Field: "/x", Text: "is wrong",
		PersonID: "1", EventType: "com.tenurehq.worker.terminated.v1", EventSource: "/hr", EventID: "e-1", Urgent: true,
	}, got)
}

func TestADecoderMayKnowBetterWhomALetterIsAbout(t *testing.T) {
	r := newRig(t, 1)
	r.write(kafka.Message{Key: []byte("company-7"), Value: []byte(`{"event":"fired"}`)})
	r.run(func(o *Options) {
		o.Topics[0].Decode = func(source.Record) ([]hr.Event, []source.Warning, error) {
			return nil, nil, &source.Error{Reason: source.ReasonSchema, Text: "is wrong", Person: "10001", Urgent: true}
		}
	})
	got := r.indexedLetters(1)[0]
	assert.Equal(t, "10001", got.PersonID)
	assert.True(t, got.Urgent)
	assert.Equal(t, got, r.read(r.openLetters(), got.At).Entry(), "and the topic says so too")
}

func TestATerminationThatCannotBeReadIsLoud(t *testing.T) {
	r := newRig(t, 1)
	r.intake.known["1"] = true
	urgent := func(person string) kafka.Message {
		return kafka.Message{Key: []byte(person), Value: []byte(`{"data":{"termination":{"lastDay":1}},"` + person + `":1}`)}
	}
	plain := kafka.Message{Key: []byte("1"), Value: []byte(`{"type":"hired"}`)}
	r.write(plain, urgent("1"), urgent("2"))
	c, stop := r.run(func(o *Options) { o.Topics[0].Decode = refuseAll })
	r.awaitCommitted(0, 3)
	stop()
	first := r.nudger.nudges("")
	require.Len(t, first, 1, "the person's run, if the ledger knows the person")
	assert.Equal(t, "1", first[0].PersonID)
	assert.Equal(t, workflows.TypeScheduled, first[0].Type)
	assert.NotEmpty(t, first[0].RequestID)
	loud := r.logs.FilterLevelExact(zapcore.ErrorLevel).FilterMessageSnippet("end somebody's access").Len()
	assert.Equal(t, 2, loud)
	assert.EqualValues(t, 2, counter(t, c.metrics.urgentLetters, r.events))

	r.run(func(o *Options) { o.Group += ".again"; o.Topics[0].Decode = refuseAll })
	r.eventually(func() bool { return len(r.nudger.nudges("")) == 2 }, "told again")
	assert.Equal(t, first[0], r.nudger.nudges("")[1], "which Temporal takes for the one it had")
	assert.Len(t, r.intake.indexed(), 3)
}

func TestARecordIsNotDoneBeforeTheLedgerKnowsOfItsDeadLetter(t *testing.T) {
	r := newRig(t, 1)
	r.intake.setDown(true)
	r.write(kafka.Message{Key: []byte("1"), Value: []byte("{")})
	_, stop := r.run()
	r.eventually(func() bool { return r.logged("the ledger is unavailable") > 0 }, "it waits")
	assert.LessOrEqual(t, r.committed(0), int64(0))
	r.intake.setDown(false)
	r.awaitCommitted(0, 1)
	stop()
	assert.EqualValues(t, 1, r.letterCount(), "and is not written again")
	assert.Len(t, r.intake.indexed(), 1)
}

func TestAMendedRecordSaysWhereItComesFrom(t *testing.T) {
	r := newRig(t, 1)
	poison := kafka.Message{Key: []byte("1"), Value: []byte("{"), Headers: []kafka.Header{{Key: "content-type", Value: []byte("x")}, {Key: "trace", Value: []byte("t")}}}
	r.write(poison)
	r.run()
	entry := r.indexedLetters(1)[0]
	letters := r.openLetters()
	letter := r.read(letters, entry.At)
	require.NotNil(t, Refusal(decodeNote, letter.Mended(deadletter.Mend{})))

	value, err := json.Marshal(note{ID: "mended", Person: "1", Type: hr.EventTerminated})
	require.NoError(t, err)
	mend := deadletter.Mend{Value: value, Headers: map[string]string{"content-type": "", "extra": "e"}}
	require.Nil(t, Refusal(decodeNote, letter.Mended(mend)))
	now := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	require.NoError(t, letters.Redrive(bounded(t), letter, mend, deadletter.Provenance{Operator: "ops", Reason: "HR's typo", At: now}))
	r.eventually(func() bool { return len(r.intake.ids("1")) == 1 }, "applied")

	m, err := r.conn().ReadRecord(bounded(t), ledger.Position{Topic: r.events, Offset: 1})
	require.NoError(t, err)
	assert.Equal(t, poison.Key, m.Key)
	assert.Equal(t, value, m.Value)
	assert.Equal(t, map[string]string{
		"trace": "t", "extra": "e", deadletter.HeaderRedriveOf: entry.At.String(), deadletter.HeaderRedriveBy: "ops", deadletter.HeaderRedriveReason: "HR's typo",
		deadletter.HeaderRedriveAt: "2026-11-22T01:02:03Z", deadletter.HeaderRedriveDigest: deadletter.Digest(poison.Value),
	}, headersOf(m))
	r.intake.mu.Lock()
	defer r.intake.mu.Unlock()
	assert.Equal(t, entry.At, r.intake.events[0].RedriveOf)
}

func TestARedrivenRecordThatFailsAgainNamesItsAncestor(t *testing.T) {
	r := newRig(t, 1)
	r.write(kafka.Message{Key: []byte("1"), Value: []byte("{")})
	r.run()
	letters := r.openLetters()
	provenance := deadletter.Provenance{Operator: "ops", Reason: "why", At: time.Now()}
	first := r.indexedLetters(1)[0]
	require.NoError(t, letters.Redrive(bounded(t), r.read(letters, first.At), deadletter.Mend{}, provenance))
	second := r.indexedLetters(2)[1]
	assert.Equal(t, first.At, second.RedriveOf)
	assert.Equal(t, ledger.Position{}, first.RedriveOf)
	require.NoError(t, letters.Redrive(bounded(t), r.read(letters, second.At), deadletter.Mend{}, provenance))
	third := r.indexedLetters(3)[2]
	assert.Equal(t, second.At, third.RedriveOf, "the nearest one")
	headers := r.read(letters, third.At).Headers()
	seen := map[string]int{}
	for _, h := range headers {
		seen[h.Name]++
	}
	for name, n := range seen {
		assert.Equal(t, 1, n, name)
	}
}

func TestEachLetterOfATopic(t *testing.T) {
	r := newRig(t, 2)
	var records []kafka.Message
	for range 300 {
		records = append(records, kafka.Message{Value: bytes.Repeat([]byte("x"), 100_000)})
	}
	w := &kafka.Writer{Addr: kafka.TCP(r.brokers...), Transport: r.client.Transport, Topic: r.events, RequiredAcks: kafka.RequireAll, BatchBytes: 500_000, BatchTimeout: time.Millisecond, Balancer: &kafka.RoundRobin{}}
	defer w.Close()
	require.NoError(t, w.WriteMessages(bounded(t), records...))
	seen := map[ledger.Position]bool{}
	require.NoError(t, r.openLetters().Each(bounded(t), r.events, func(l deadletter.Letter) error {
		entry := l.Entry()
		assert.Equal(t, entry.At, entry.Origin, "of another's letter nothing else is known")
		assert.Equal(t, "unknown", entry.Reason)
		seen[entry.At] = true
		return nil
	}))
	assert.Len(t, seen, len(records))
}

func TestALetterThatIsGoneIsSaidToBe(t *testing.T) {
	r := newRig(t, 1)
	letters := r.openLetters()
	_, err := letters.Read(bounded(t), ledger.Position{Topic: r.dlq, Offset: 7})
	require.ErrorIs(t, err, broker.ErrGone)
	_, err = letters.Read(bounded(t), ledger.Position{Topic: r.dlq})
	require.ErrorIs(t, err, broker.ErrGone, "at the end there is none yet")
	_, err = letters.Read(bounded(t), ledger.Position{Topic: r.dlq + ".none"})
	require.ErrorIs(t, err, broker.ErrGone, "nor where there is no topic")
	err = letters.Each(bounded(t), r.dlq+".none", func(deadletter.Letter) error { return nil })
	require.ErrorIs(t, err, kafka.UnknownTopicOrPartition)
}
