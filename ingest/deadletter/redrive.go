package deadletter

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/ledger"
)

// Header is one header of a record.
type Header struct {
	Name  string
	Value []byte
}

// Letter is a dead letter as it is in Kafka: the record byte for byte, and the
// headers that say why it is one. A nil key or value is none, which an empty one
// is not.
type Letter struct {
	message kafka.Message
}

// Key is the record's key, Value its value. Neither is to be changed.
func (l Letter) Key() []byte { return l.message.Key }

// Value is the record's value.
func (l Letter) Value() []byte { return l.message.Value }

// Time is when the letter was written.
func (l Letter) Time() time.Time { return l.message.Time }

// Headers are the record's own and those of the dead letter, in order.
func (l Letter) Headers() []Header {
	headers := make([]Header, len(l.message.Headers))
	for i, h := range l.message.Headers {
		headers[i] = Header{Name: h.Key, Value: h.Value}
	}
	return headers
}

// Entry returns the ledger's entry for the letter.
func (l Letter) Entry() ledger.DeadLetter { return EntryOf(l.message) }

// Mend holds what an operator changes in a record before it is sent again.
type Mend struct {
	Value   []byte            // nil leaves it
	Key     []byte            // nil leaves it
	Headers map[string]string // set, or with an empty value removed
}

// Changes reports whether anything is changed.
func (m Mend) Changes() bool { return m.Value != nil || m.Key != nil || len(m.Headers) > 0 }

// Provenance says who sends a record again, when and why.
type Provenance struct {
	Operator string
	Reason   string
	At       time.Time
}

// Mended returns the record as sources will know it once it is sent again.
func (l Letter) Mended(m Mend) source.Record { return broker.RecordOf(l.again(m, Provenance{})) }

// Sending is the digest of the record that Redrive sends, for ledger.LetterAction.
func (l Letter) Sending(m Mend) string { return RedriveDigest(l.again(m, Provenance{})) }

// again is the record, mended, as it goes to its topic once more.
func (l Letter) again(m Mend, p Provenance) kafka.Message {
	entry := l.Entry()
	out := kafka.Message{Topic: entry.Origin.Topic, Key: l.message.Key, Value: l.message.Value}
	if m.Key != nil {
		out.Key = m.Key
	}
	if m.Value != nil {
		out.Value = m.Value
	}
	var headers []kafka.Header
	for _, h := range l.message.Headers {
		if _, set := m.Headers[h.Key]; !set {
			headers = append(headers, h)
		}
	}
	var add [][2]string
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		add = append(add, [2]string{name, m.Headers[name]})
	}
	if p != (Provenance{}) {
		add = append(add, [][2]string{
			{HeaderRedriveOf, entry.At.String()},
			{HeaderRedriveBy, p.Operator},
			{HeaderRedriveAt, p.At.UTC().Format(time.RFC3339Nano)},
			{HeaderRedriveReason, p.Reason},
			{HeaderRedriveDigest, entry.Digest},
		}...)
	}
	out.Headers = withHeaders(headers, []string{deadLetterPrefix, redrivePrefix}, add)
	return out
}

// Letters reads dead letters and sends their records again. What cannot be
// reached it waits for, until the context is done.
type Letters struct {
	waiting   func(error)
	conn      *broker.Connection
	publisher *broker.Publisher
}

// NewLetters returns one that connects when it is first used. Waiting is told,
// once per reason, why there is something to wait for; it may be nil.
func NewLetters(cluster broker.Cluster, waiting func(reason error)) *Letters {
	conn := cluster.Connect(broker.Patience)
	p := conn.Publisher(math.MaxInt32) // what was on the topic once may go there again, whatever its size
	p.Waiting = waiting
	return &Letters{waiting: waiting, conn: conn, publisher: p}
}

// Close releases the connections.
func (l *Letters) Close() error { return l.publisher.Close() }

// Read reads the letter at a position. It fails with broker.ErrGone if it is not there.
func (l *Letters) Read(ctx context.Context, at ledger.Position) (letter Letter, err error) {
	err = l.patiently(ctx, func() error {
		m, err := l.conn.ReadRecord(ctx, at)
		if err == nil {
			m, err = l.whole(ctx, m)
		}
		letter = Letter{m}
		return err
	})
	return letter, err
}

// whole is the letter with its record's key, value and headers. A letter that was
// too large for its topic gets them from where the record was; if it is not there
// any more, it stays as it is.
func (l *Letters) whole(ctx context.Context, letter kafka.Message) (kafka.Message, error) {
	digest, is := missing(letter)
	if !is {
		return letter, nil
	}
	record, err := l.conn.ReadRecord(ctx, EntryOf(letter).Origin)
	if errors.Is(err, broker.ErrGone) || err == nil && Digest(record.Value) != digest {
		return letter, nil
	}
	if err != nil {
		return kafka.Message{}, err
	}
	full := letter
	full.Key, full.Value, full.Headers = record.Key, record.Value, nil
	for _, h := range record.Headers {
		if !strings.HasPrefix(h.Key, deadLetterPrefix) && !strings.HasPrefix(h.Key, redrivePrefix) {
			full.Headers = append(full.Headers, h)
		}
	}
	full.Headers = append(full.Headers, letter.Headers...)
	return full, nil
}

// ErrNoValue is returned for a letter that cannot be sent again as it is: the
// record was too large for the dead-letter topic, and is gone from its own.
var ErrNoValue = errors.New("the dead letter has no value: the record was too large for the dead-letter topic, " +
	"and is not on its own topic any more: give the value (edit), or have it sent anew")

// ErrBatch is returned for a letter that stands for a whole batch.
var ErrBatch = errors.New("the dead letter stands for a batch of records that cannot be read: there is nothing to send again; " +
	"have the HR system send what it said, then discard the letter")

// Redrive sends the letter's record to the topic where it was, mended, with
// headers that say where it comes from, and returns when all in-sync replicas
// have it.
func (l *Letters) Redrive(ctx context.Context, letter Letter, m Mend, p Provenance) error {
	if letter.Entry().Reason == ReasonBatch {
		return ErrBatch
	}
	if _, is := missing(letter.message); is && letter.message.Value == nil && m.Value == nil {
		return ErrNoValue
	}
	again := letter.again(m, p)
	return l.publisher.PublishAsIs(ctx, again)
}

// Each gives f every letter that is on the topic now, by partition and offset.
func (l *Letters) Each(ctx context.Context, topic string, f func(Letter) error) error {
	var partitions []kafka.Partition
	err := l.patiently(ctx, func() error {
		answer, err := l.conn.Client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err == nil && len(answer.Topics) == 1 {
			partitions, err = answer.Topics[0].Partitions, answer.Topics[0].Error
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range partitions {
		if err := l.eachOf(ctx, topic, p.ID, f); err != nil {
			return err
		}
	}
	return nil
}

func (l *Letters) eachOf(ctx context.Context, topic string, partition int, f func(Letter) error) error {
	var bounds kafka.PartitionOffsets
	err := l.patiently(ctx, func() error {
		answer, err := l.conn.Client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
			topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
		}})
		if err == nil && len(answer.Topics[topic]) == 1 {
			bounds = answer.Topics[topic][0]
			err = bounds.Error
		}
		return err
	})
	if err != nil {
		return err
	}
	at := ledger.Position{Topic: topic, Partition: partition, Offset: bounds.FirstOffset}
	for at.Offset < bounds.LastOffset {
		var batch []kafka.Message
		err := l.patiently(ctx, func() error {
			batch = nil
			return l.conn.ReadBatch(ctx, at, func(m kafka.Message) error { batch = append(batch, m); return nil })
		})
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return nil // nothing is left up to the end as it was
		}
		for _, m := range batch {
			at.Offset = m.Offset + 1
			if ends, _ := broker.EndsTransaction(m); ends {
				continue
			}
			if err := f(Letter{m}); err != nil {
				return err
			}
		}
	}
	return nil
}

// retries is how often whoever waits for a letter tries.
var retries = backoff.Range{Min: 100 * time.Millisecond, Max: 5 * time.Second}

// patiently repeats f until it succeeds, says that there is nothing, or ctx is
// done.
func (l *Letters) patiently(ctx context.Context, f func() error) error {
	said := ""
	for pauses := retries.Start(); ; {
		err := f()
		if err == nil || errors.Is(err, broker.ErrGone) || errors.Is(err, kafka.UnknownTopicOrPartition) || broker.Permanent(err) {
			return l.conn.Explain(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if reason := l.conn.Explain(err); l.waiting != nil && reason.Error() != said {
			said = reason.Error()
			l.waiting(reason)
		}
		if err := pauses.Wait(ctx, 0); err != nil {
			return err
		}
	}
}
