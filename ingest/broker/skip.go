package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
)

// Skipped describes the records of a batch that cannot be read. One message stands for
// all of them: it has the Skipped as its WriterData, which no record has.
type Skipped struct {
	First, Last int64 // offsets
	Why         string
}

// message returns the message that stands for the skipped records. It has the offset of
// the last one, so that reading goes on behind the batch.
func (s Skipped) message(topic string, partition int) kafka.Message {
	return kafka.Message{Topic: topic, Partition: partition, Offset: s.Last, Time: time.Now(), WriterData: s}
}

// SkippedBy reports whether a message stands for skipped records, and returns these.
func SkippedBy(m kafka.Message) (Skipped, bool) {
	s, ok := m.WriterData.(Skipped)
	return s, ok
}

// skip passes on a message that stands for a batch that cannot be read, so that reading
// goes on behind the batch. First is the batch's first offset.
func (f *Fetcher) skip(ctx context.Context, first int64, pass func(context.Context, kafka.Message) error) error {
	f.mu.Lock()
	wanted := max(first, f.next) // part of the batch may have been read before, or removed by retention
	f.mu.Unlock()
	found, err := f.measure(ctx, wanted)
	if err != nil {
		return err
	}
	found.First = wanted
	f.log.Error("a compressed batch cannot be read, and its records are skipped: see the dead letter",
		zap.Int64("first", found.First), zap.Int64("last", found.Last), zap.String("why", found.Why))
	m := found.message(f.topic, f.id)
	if err := pass(ctx, m); err != nil {
		return err
	}
	f.passed(m)
	return nil
}

// measure reads the batch with that offset once more, to find where it ends: a
// kafka.Reader does not tell, and a batch that was damaged in transit may be whole now.
func (f *Fetcher) measure(ctx context.Context, offset int64) (Skipped, error) {
	ctx, cancel := context.WithTimeout(ctx, f.options.Attempt)
	defer cancel()
	var conn *kafka.Conn
	err := errors.New("no broker is configured")
	for _, broker := range f.c.cluster.Brokers {
		if conn, err = f.c.dialer.DialLeader(ctx, "tcp", broker, f.topic, f.id); err == nil {
			break
		}
	}
	if err != nil {
		return Skipped{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	if _, err := conn.Seek(offset, kafka.SeekAbsolute); err != nil {
		return Skipped{}, err
	}
	batch := conn.ReadBatchWith(kafka.ReadBatchConfig{MinBytes: 1, MaxBytes: fetchBytes, MaxWait: f.options.Wait})
	m, err := batch.ReadMessage()
	if err != nil {
		return Skipped{}, err
	}
	begins, why, is := standsIn(m)
	if !is {
		return Skipped{}, errors.New("the batch can be read after all")
	}
	found := Skipped{First: begins, Why: why}
	switch next, err := batch.ReadMessage(); {
	case err == nil: // the batch has one record, and the next batch has come along
		found.Last = next.Offset - 1
		if begins, _, is := standsIn(next); is {
			found.Last = begins - 1
		}
	case errors.Is(err, io.EOF):
		found.Last = batch.Offset() - 1
	default:
		return Skipped{}, err
	}
	if found.Last < found.First || found.Last >= m.Offset {
		return Skipped{}, fmt.Errorf("its end is not known: it seems to be %d", found.Last)
	}
	return found, nil
}
