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

// read decodes the events of a record. It fetches what the record only refers to, and
// waits for the HR system: the error is ctx's. A refusal makes the record a dead
// letter.
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
	if refusal := t.unauthorized(r, events); refusal != nil {
		return nil, warnings, refusal, nil
	}
	return events, warnings, nil, nil
}

// skippedBy returns the refusal of a message that stands for a batch that cannot be
// read.
func skippedBy(m kafka.Message) (*source.Error, bool) {
	s, ok := broker.SkippedBy(m)
	if !ok {
		return nil, false
	}
	return &source.Error{
		Reason: deadletter.ReasonBatch,
		Text: fmt.Sprintf("stands for the records from offset %d to %d, one compressed batch that cannot be read (%s): "+
			"find out who wrote it, and have the HR system send again what it said", s.First, s.Last, s.Why),
		Urgent: true, // it may have been to end somebody's access
	}, true
}

// headerEndpoint is the header in which the webhook intake names its endpoint.
const headerEndpoint = "tenure-webhook-endpoint"

// unauthorized returns the refusal of events that the topic, or the webhook endpoint
// that wrote the record, has no authority to send; nil if it may send them all.
func (t Topic) unauthorized(r source.Record, events []hr.Event) *source.Error {
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

// Refusal returns why the starter would refuse a record; nil if it would not.
func Refusal(d source.Decoder, r source.Record) *source.Error {
	_, _, err := decode(d, r)
	var thin *source.ThinError
	if err == nil || errors.As(err, &thin) {
		return nil // the starter fetches what it refers to
	}
	return refusalOf(err)
}

// decode calls the decoder. A panic of the decoder is an error of this record: it must
// not stop the records behind it.
func decode(d source.Decoder, r source.Record) (events []hr.Event, warnings []source.Warning, err error) {
	defer func() {
		if p := recover(); p != nil {
			events, warnings, err = nil, nil, &source.Error{Reason: deadletter.ReasonInternal, Text: fmt.Sprintf("made the decoder panic with a %T", p)}
		}
	}()
	return d(r)
}

// refusalOf returns the refusal that a decoder's error stands for. The text of an error
// that is not a *source.Error may quote the record, and is left out.
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

// fetch fetches what a thin record refers to. A reference that the HR system does not
// know has the value nil: the decoder decides what that means.
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

// notFetched returns the refusal of a record whose person cannot be fetched. A record
// that is given up is urgent: it may have been to end access.
func (c *Consumer) notFetched(t Topic, why *notPassedError) *source.Error {
	c.log.Error("what a record refers to cannot be fetched, while others can: the record becomes a dead letter",
		zap.String("topic", t.Name), zap.String("reason", why.reason), zap.Error(why.cause))
	var failure *remote.Error
	if why.reason == source.ReasonRefused && errors.As(why.cause, &failure) {
		return &source.Error{Reason: source.ReasonFetchRefused, Text: "refers to what could not be fetched: " + failure.Message}
	}
	return &source.Error{Reason: why.reason, Text: why.text(c.tuning.GiveUp), Urgent: why.reason == source.ReasonGivenUp}
}

// concernsAll reports whether a failed call to the HR system says nothing of the single
// record: credentials that are refused are refused for all, until they are renewed.
func concernsAll(k remote.Kind) bool { return k.Retryable() || k == remote.Unauthorized }
