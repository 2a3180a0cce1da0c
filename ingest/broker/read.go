package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ledger"
)

// ErrGone is the error of a record that is not on its topic: retention removed it, or
// somebody deleted the topic.
var ErrGone = errors.New("the record is not there (any more)")

// The bounds of what one request for records returns. A larger record is returned all the
// same, alone.
const (
	recordBytes = 10 << 20
	recordWait  = 500 * time.Millisecond
)

// ReadRecord reads one record exactly as the broker has it: it tells null from empty.
func (c *Connection) ReadRecord(ctx context.Context, at ledger.Position) (kafka.Message, error) {
	found := kafka.Message{Offset: -1}
	err := c.ReadBatch(ctx, at, func(m kafka.Message) error {
		if m.Offset == at.Offset {
			found = m
		}
		return nil
	})
	if err == nil && found.Offset < 0 {
		err = ErrGone
	}
	if err != nil {
		return kafka.Message{}, fmt.Errorf("%s: %w", at, err)
	}
	return found, nil
}

// ReadBatch calls f with the records that one request brings, from an offset on.
func (c *Connection) ReadBatch(ctx context.Context, at ledger.Position, f func(kafka.Message) error) error {
	answer, err := c.Client.Fetch(ctx, &kafka.FetchRequest{
		Topic: at.Topic, Partition: at.Partition, Offset: at.Offset,
		MinBytes: 1, MaxBytes: recordBytes, MaxWait: recordWait,
	})
	if err == nil {
		err = answer.Error
	}
	switch {
	case errors.Is(err, kafka.OffsetOutOfRange):
		return ErrGone
	case errors.Is(err, protocol.ErrNoTopic), errors.Is(err, protocol.ErrNoPartition):
		return c.whyNotKnown(ctx, at, err)
	}
	if err != nil {
		return err
	}
	for {
		r, err := answer.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.Offset < at.Offset {
			continue // the batch began before
		}
		m := kafka.Message{Topic: at.Topic, Partition: at.Partition, Offset: r.Offset, Time: r.Time, Headers: r.Headers}
		if m.Key, err = kafka.ReadAll(r.Key); err != nil {
			return err
		}
		if m.Value, err = kafka.ReadAll(r.Value); err != nil {
			return err
		}
		if err := f(m); err != nil {
			return err
		}
	}
}

// whyNotKnown finds out whether the topic or partition does not exist, or no broker can
// say: kafka-go's transport has one error for both.
func (c *Connection) whyNotKnown(ctx context.Context, at ledger.Position, err error) error {
	answer, metadataErr := c.Client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{at.Topic}})
	if metadataErr != nil {
		return metadataErr
	}
	for _, t := range answer.Topics {
		there := slices.ContainsFunc(t.Partitions, func(p kafka.Partition) bool { return p.ID == at.Partition })
		if errors.Is(t.Error, kafka.UnknownTopicOrPartition) || t.Error == nil && !there {
			return ErrGone
		}
	}
	return err
}

// RecordOf returns the message in the form that sources decode.
func RecordOf(m kafka.Message) source.Record {
	headers := make(map[string]string, len(m.Headers))
	for _, h := range m.Headers {
		headers[strings.ToLower(h.Key)] = string(h.Value)
	}
	return source.Record{Key: m.Key, Headers: headers, Value: m.Value, Time: m.Time}
}

// The type of a marker is in the last byte of its key, of two.
const (
	markerType   = 3
	markerAbort  = 0
	markerCommit = 1
)

// EndsTransaction reports whether the message is the marker by which the broker ends a
// transaction, and whether that was aborted. kafka-go does not tell markers from
// records. See EndTransactionMarker in Kafka's protocol: the key is a version and a
// type (abort or commit), the value a version and the coordinator's epoch.
func EndsTransaction(m kafka.Message) (ends, aborted bool) {
	ends = len(m.Headers) == 0 && len(m.Key) == 4 && len(m.Value) == 6 &&
		m.Key[0] == 0 && m.Key[1] == 0 && m.Key[2] == 0 && m.Key[markerType] <= markerCommit && m.Value[0] == 0 && m.Value[1] == 0
	return ends, ends && m.Key[markerType] == markerAbort
}

// Offsets asks the leaders of a topic's partitions for the first offset of each, and for
// the offset after its last record.
func (c *Connection) Offsets(ctx context.Context, topic string, partitions ...int) (map[int]kafka.PartitionOffsets, error) {
	var requests []kafka.OffsetRequest
	for _, id := range partitions {
		requests = append(requests, kafka.FirstOffsetOf(id), kafka.LastOffsetOf(id))
	}
	answer, err := c.Client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: requests}})
	if err != nil {
		return nil, err
	}
	offsets := map[int]kafka.PartitionOffsets{}
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("partition %d of %s: %w", p.Partition, topic, p.Error)
		}
		offsets[p.Partition] = p
	}
	for _, id := range partitions {
		if _, ok := offsets[id]; !ok {
			return nil, fmt.Errorf("partition %d of %s: %w", id, topic, kafka.UnknownTopicOrPartition)
		}
	}
	return offsets, nil
}

// PartitionsOf returns the numbers of a topic's partitions.
func PartitionsOf(t kafka.Topic) []int {
	ids := make([]int, len(t.Partitions))
	for i, p := range t.Partitions {
		ids[i] = p.ID
	}
	return ids
}
