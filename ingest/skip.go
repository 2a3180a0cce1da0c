package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr/source"
)

// reasonBatch is the reason of the dead letter for a batch that cannot be read.
const reasonBatch = "batch"

// skipped are the records of a batch that cannot be read. A message whose WriterData
// it is, as no record's is, stands for all of them.
type skipped struct {
	first, last int64 // offsets
	why         string
}

// message stands for the skipped records. It has the last one's offset: reading goes
// on behind it.
func (s skipped) message(topic string, partition int) kafka.Message {
	return kafka.Message{Topic: topic, Partition: partition, Offset: s.last, Time: time.Now(), WriterData: s}
}

// skippedBy returns the refusal of a message that stands for skipped records.
func skippedBy(m kafka.Message) (*source.Error, bool) {
	s, ok := m.WriterData.(skipped)
	if !ok {
		return nil, false
	}
	return &source.Error{
		Reason: reasonBatch,
		Text: fmt.Sprintf("stands for the records from offset %d to %d, one compressed batch that cannot be read (%s): "+
			"find out who wrote it, and have the HR system send again what it said", s.first, s.last, s.why),
		Urgent: true, // nobody can know whose access it was to end
	}, true
}

// skip passes on what stands for a batch that cannot be read, and returns when the
// next record is wanted from behind it. first is the batch's first offset.
func (f *fetcher) skip(ctx context.Context, first int64, pass func(context.Context, kafka.Message) error) error {
	f.mu.Lock()
	wanted := max(first, f.next) // a part of the batch may have been read before, or removed by retention
	f.mu.Unlock()
	found, err := f.measure(ctx, wanted)
	if err != nil {
		return err
	}
	found.first = wanted
	f.log.Error("a compressed batch cannot be read, and its records are skipped: a dead letter says which",
		zap.Int64("first", found.first), zap.Int64("last", found.last), zap.String("why", found.why))
	m := found.message(f.topic, f.id)
	if err := pass(ctx, m); err != nil {
		return err
	}
	f.passed(m)
	return nil
}

// measure reads the batch that an offset is in once more, to find its end: a Reader
// does not tell it, and what was spoiled on its way may be whole now.
func (f *fetcher) measure(ctx context.Context, offset int64) (skipped, error) {
	ctx, cancel := context.WithTimeout(ctx, f.c.tuning.Attempt)
	defer cancel()
	var conn *kafka.Conn
	err := errors.New("no broker is configured")
	for _, broker := range f.c.cluster.Brokers {
		if conn, err = f.c.dialer.DialLeader(ctx, "tcp", broker, f.topic, f.id); err == nil {
			break
		}
	}
	if err != nil {
		return skipped{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	if _, err := conn.Seek(offset, kafka.SeekAbsolute); err != nil {
		return skipped{}, err
	}
	batch := conn.ReadBatchWith(kafka.ReadBatchConfig{MinBytes: 1, MaxBytes: fetchBytes, MaxWait: f.c.tuning.FetchWait})
	m, err := batch.ReadMessage()
	if err != nil {
		return skipped{}, err
	}
	begins, why, is := standsIn(m)
	if !is {
		return skipped{}, errors.New("the batch can be read after all")
	}
	found := skipped{first: begins, why: why}
	switch next, err := batch.ReadMessage(); {
	case err == nil: // the batch is of one record, and the next one has come along
		found.last = next.Offset - 1
		if begins, _, is := standsIn(next); is {
			found.last = begins - 1
		}
	case errors.Is(err, io.EOF):
		found.last = batch.Offset() - 1
	default:
		return skipped{}, err
	}
	if found.last < found.first || found.last >= m.Offset {
		return skipped{}, fmt.Errorf("its end cannot be told: it seems to be %d", found.last)
	}
	return found, nil
}
