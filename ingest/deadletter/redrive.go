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

// Letter is a dead letter as Kafka has it: the record byte for byte, and the headers
// that say why it was refused. A nil key or value means that there is none, and differs
// from an empty one.
type Letter struct {
	message kafka.Message
}

// Key returns the record's key. Do not change it.
func (l Letter) Key() []byte { return l.message.Key }

// Value returns the record's value. Do not change it.
func (l Letter) Value() []byte { return l.message.Value }

// Time returns when the letter was written.
func (l Letter) Time() time.Time { return l.message.Time }

// Headers returns the record's own headers and those of the letter, in order.
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
	Value   []byte            // nil: is not changed
	Key     []byte            // nil: is not changed
	Headers map[string]string // are set; those with an empty value are removed
}

// Changes reports whether the mend changes anything.
func (m Mend) Changes() bool { return m.Value != nil || m.Key != nil || len(m.Headers) > 0 }

// Provenance says who sends a record again, when and why.
type Provenance struct {
	Operator string
	Reason   string
	At       time.Time
}

// Mended returns the record that sources will see once it is sent again.
func (l Letter) Mended(m Mend) source.Record { return broker.RecordOf(l.again(m, Provenance{})) }

// Sending returns the digest of the record that Redrive sends, for ledger.LetterAction.
func (l Letter) Sending(m Mend) string { return RedriveDigest(l.again(m, Provenance{})) }

// again returns the mended record, for its topic.
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

// Letters reads dead letters and sends their records again. It waits for brokers that
// cannot be reached, until the context is done.
type Letters struct {
	waiting   func(error)
	conn      *broker.Connection
	publisher *broker.Publisher
}

// NewLetters returns Letters that connect when they are first used. They call waiting,
// once per reason, with the reason why they wait; it may be nil.
func NewLetters(cluster broker.Cluster, waiting func(reason error)) *Letters {
	conn := cluster.Connect(broker.Patience)
	p := conn.Publisher(math.MaxInt32) // the topic took the record once, so its size is no obstacle
	p.Waiting = waiting
	return &Letters{waiting: waiting, conn: conn, publisher: p}
}

// Close releases the connections.
func (l *Letters) Close() error { return l.publisher.Close() }

// Read reads the letter at a position. It returns broker.ErrGone if there is none.
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

// whole returns the letter with its record's key, value and headers. A letter without
// its value gets them from the record's own topic. If the record is not there any more,
// the letter stays as it is.
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

// ErrNoValue is the error of a letter that can be sent again only if an operator gives
// the value: the dead-letter topic did not take the record, and it is gone from its own
// topic.
var ErrNoValue = errors.New("the dead letter has no value: the record was too large for the dead-letter topic, " +
	"and is not on its own topic any more: give the value (edit), or have it sent anew")

// ErrBatch is the error of a letter that stands for a whole batch.
var ErrBatch = errors.New("the dead letter stands for a batch of records that cannot be read: there is nothing to send again; " +
	"have the HR system send what it said, then discard the letter")

// Redrive sends the letter's record, mended, to the topic where it was, with headers
// that say where it comes from. It returns when all in-sync replicas have the record.
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

// Each calls f with every letter that is on the topic now, by partition and offset.
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
		offsets, err := l.conn.Offsets(ctx, topic, partition)
		bounds = offsets[partition]
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
			return nil // nothing is left before the end
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

// retries holds the pauses between attempts. They are short, because a human waits at a
// terminal.
var retries = backoff.Range{Min: 100 * time.Millisecond, Max: 5 * time.Second}

// patiently repeats f until it succeeds, finds that there is nothing to read, or ctx is
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
