package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/internal/remote"
)

// read makes events of a record. What the record only refers to is fetched from
// the HR system, which is waited for: the error is ctx's. A refusal is what makes
// the record a dead letter.
func (c *Consumer) read(ctx context.Context, m kafka.Message, t Topic) (
	events []hr.Event, warnings []source.Warning, refusal *source.Error, err error,
) {
	r := broker.RecordOf(m)
	events, warnings, err = decode(t.Decode, r)
	var thin *source.ThinError
	if errors.As(err, &thin) {
		if t.Fetch == nil {
			return nil, nil, &source.Error{Reason: source.ReasonThin, Text: "only refers to what has to be fetched, and the topic's settings do not say how"}, nil
		}
		r.Fetched, refusal, err = c.fetch(ctx, t, thin.References)
		if refusal != nil || err != nil {
			return nil, nil, refusal, err
		}
		events, warnings, err = decode(t.Decode, r)
	}
	if err != nil {
		return nil, warnings, refusalOf(err), nil
	}
	if refusal := t.refuse(r, events); refusal != nil {
		return nil, warnings, refusal, nil
	}
	return events, warnings, nil, nil
}

// skippedBy returns the refusal of a message that stands for skipped records.
func skippedBy(m kafka.Message) (*source.Error, bool) {
	s, ok := broker.SkippedBy(m)
	if !ok {
		return nil, false
	}
	return &source.Error{
		Reason: deadletter.ReasonBatch,
		Text: fmt.Sprintf("stands for the records from offset %d to %d, one compressed batch that cannot be read (%s): "+
			"find out who wrote it, and have the HR system send again what it said", s.First, s.Last, s.Why),
		Urgent: true, // nobody can know whose access it was to end
	}, true
}

// headerEndpoint is the header in which the webhook intake names its endpoint.
const headerEndpoint = "tenure-webhook-endpoint"

// refuse says why the events may not come this way, whatever they claim; nil if they may.
func (t Topic) refuse(r source.Record, events []hr.Event) *source.Error {
	path, byWebhook := r.Headers[headerEndpoint]
	for _, e := range events {
		if refusal := t.Channel.Refuse(e, "kafka.topics ("+t.Name+") settings"); refusal != nil {
			return refusal
		}
		if !byWebhook {
			continue
		}
		if refusal := t.Endpoints[path].Refuse(e, "webhooks.endpoints (of its path)"); refusal != nil {
			return refusal
		}
	}
	return nil
}

// Refusal returns why the starter would refuse a record, or nil.
func Refusal(d source.Decoder, r source.Record) *source.Error {
	_, _, err := decode(d, r)
	var thin *source.ThinError
	if err == nil || errors.As(err, &thin) {
		return nil // what it refers to is fetched when it is consumed
	}
	return refusalOf(err)
}

// decode gives the decoder the record. A decoder that panics has met a record
// that it cannot read; one such record must not stop all that come after it.
func decode(d source.Decoder, r source.Record) (events []hr.Event, warnings []source.Warning, err error) {
	defer func() {
		if p := recover(); p != nil {
			events, warnings, err = nil, nil, &source.Error{Reason: deadletter.ReasonInternal, Text: fmt.Sprintf("made the decoder panic with a %T", p)}
		}
	}()
	return d(r)
}

// refusalOf is why a record cannot be read. What another error than a decoder's
// own says may quote the record, and goes no further.
func refusalOf(err error) *source.Error {
	var refusal *source.Error
	var thin *source.ThinError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &thin):
		return &source.Error{Reason: deadletter.ReasonInternal, Text: "made the decoder ask for more after it had what it asked for"}
	}
	return &source.Error{Reason: deadletter.ReasonInternal, Text: fmt.Sprintf("made the decoder fail with a %T", err)}
}

// fetch gets what a thin record refers to. What the HR system does not know is
// there with nil: the decoder says what that means.
func (c *Consumer) fetch(ctx context.Context, t Topic, references []string) (
	fetched map[string][]byte, refusal *source.Error, err error,
) {
	fetched = make(map[string][]byte, len(references))
	for _, reference := range references {
		err := c.hrSystems[t.Name].pass(ctx, "", func(ctx context.Context) error {
			answer, err := t.Fetch(ctx, reference)
			var failure *remote.Error
			switch {
			case err == nil:
				fetched[reference] = answer
			case !errors.As(err, &failure):
				refusal = &source.Error{Reason: deadletter.ReasonInternal, Text: fmt.Sprintf("made fetching fail with a %T", err)}
			case failure.Kind == remote.NotFound:
				fetched[reference] = nil
			default:
				return err
			}
			return nil
		})
		var why *notPassedError
		switch {
		case errors.As(err, &why):
			return nil, c.notFetched(t, why), nil
		case err != nil || refusal != nil:
			return nil, refusal, err
		}
	}
	return fetched, nil, nil
}

// notFetched is why a record is refused whose person cannot be fetched. Whether it was
// to end their access cannot be told: it may have been.
func (c *Consumer) notFetched(t Topic, why *notPassedError) *source.Error {
	c.log.Error("what a record refers to cannot be fetched, while others' can: it becomes a dead letter",
		zap.String("topic", t.Name), zap.String("reason", why.reason), zap.Error(why.cause))
	var failure *remote.Error
	if why.reason == source.ReasonRefused && errors.As(why.cause, &failure) {
		return &source.Error{Reason: source.ReasonFetchRefused, Text: "refers to what could not be fetched: " + failure.Message}
	}
	return &source.Error{Reason: why.reason, Text: why.text(c.tuning.GiveUp), Urgent: why.reason == source.ReasonGivenUp}
}

// waits reports whether the cause lies with no single record: credentials that are
// refused are refused for all, until somebody renews them.
func waits(k remote.Kind) bool { return k.Retryable() || k == remote.Unauthorized }
