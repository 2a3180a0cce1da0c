// Package redrive reads the records of dead letters from Kafka and sends them again. The
// operator layer decides which.
package redrive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service/formats"
)

// Records reads the records of dead letters in one cluster. It implements
// operator.Records, and is not safe for concurrent use.
type Records struct {
	Letters *deadletter.Letters
	Config  *config.Config
	Mend    deadletter.Mend // the correction that each record gets when it is sent
	Wait    time.Duration   // how long to wait for Kafka

	decoders map[string]source.Decoder // by topic
}

// Open implements operator.Records.
func (r *Records) Open(ctx context.Context, letter ledger.DeadLetter) (operator.Record, error) {
	read, err := Read(ctx, r.Letters, letter, r.Wait)
	if errors.Is(err, broker.ErrGone) {
		return nil, fmt.Errorf("%w: %w", operator.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	return &record{records: r, entry: letter, letter: read}, nil
}

// decoder returns the decoder that the configuration has for the topic of the record. If
// the topic is no longer configured, it returns the decoder that refused the record.
func (r *Records) decoder(entry ledger.DeadLetter) (source.Decoder, error) {
	topic := entry.Origin.Topic
	if decode, ok := r.decoders[topic]; ok {
		return decode, nil
	}
	name := entry.Format
	if i := slices.IndexFunc(r.Config.Kafka.Topics, func(t config.Topic) bool { return t.Name == topic }); i >= 0 {
		name = r.Config.Kafka.Topics[i].Source
	}
	_, opened, err := formats.Open(name, topic, func() (*config.Config, error) { return r.Config, nil })
	if err != nil {
		return nil, err
	}
	if r.decoders == nil {
		r.decoders = map[string]source.Decoder{}
	}
	r.decoders[topic] = opened.Decode
	return opened.Decode, nil
}

// record implements operator.Record: the record of one dead letter.
type record struct {
	records *Records
	entry   ledger.DeadLetter
	letter  deadletter.Letter
}

// Refusal implements operator.Record.
func (r *record) Refusal() error {
	decode, err := r.records.decoder(r.entry)
	if err != nil {
		return fmt.Errorf("cannot be checked: %w", err)
	}
	if refusal := ingest.Refusal(decode, r.letter.Mended(r.records.Mend)); refusal != nil {
		return fmt.Errorf("would be refused: %w", refusal)
	}
	return nil
}

// Digest implements operator.Record.
func (r *record) Digest() string { return r.letter.Sending(r.records.Mend) }

// Mended implements operator.Record.
func (r *record) Mended() bool { return r.records.Mend.Changes() }

// Send implements operator.Record.
func (r *record) Send(ctx context.Context, by operator.Request, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, r.records.Wait)
	defer cancel()
	err := r.records.Letters.Redrive(ctx, r.letter, r.records.Mend, deadletter.Provenance{Operator: by.Actor, Reason: by.Reason, At: at})
	topic := r.entry.Origin.Topic
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("dead letter %d could not be sent to %s within %s: check kafka.brokers in the configuration, and that Kafka is up", r.entry.ID, topic, r.records.Wait)
	}
	if err != nil {
		return fmt.Errorf("dead letter %d was not taken by %s: %w", r.entry.ID, topic, err)
	}
	return nil
}

// Read reads a dead letter from Kafka, and waits for wait at most.
func Read(ctx context.Context, letters *deadletter.Letters, l ledger.DeadLetter, wait time.Duration) (deadletter.Letter, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	letter, err := letters.Read(ctx, l.At)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return letter, fmt.Errorf("dead letter %d could not be read from %s within %s: check kafka.brokers in the configuration, and that Kafka is up", l.ID, l.At, wait)
	case errors.Is(err, broker.ErrGone):
		return letter, err
	case err != nil:
		return letter, fmt.Errorf("dead letter %d: %w", l.ID, err)
	case deadletter.Digest(letter.Value()) != l.Digest:
		return letter, fmt.Errorf("%s: %w: another is in its place", l.At, broker.ErrGone)
	}
	return letter, nil
}
