package sender

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ingest/broker"
)

// chunk is how many messages are sent between two calls of Sender.Sent.
const chunk = 500

// Sender sends messages to one topic.
type Sender struct {
	Cluster broker.Cluster
	Topic   string
	Wait    time.Duration      // how long to wait for Kafka when it cannot be reached
	Waiting func(reason error) // is called with the reason why Send waits, once for each reason
	Sent    func(more int)     // is called with the number of further messages that were sent
}

// GaveUpError means that Send has waited for Kafka as long as it may.
type GaveUpError struct {
	After  time.Duration
	Reason error
}

func (e *GaveUpError) Error() string { return fmt.Sprintf("gave up after %s: %v", e.After, e.Reason) }

func (e *GaveUpError) Unwrap() error { return e.Reason }

// Send sends the messages in order, and returns how many were certainly sent. It is harmless
// to send all of them again.
func (s Sender) Send(ctx context.Context, messages []broker.Message) (sent int, err error) {
	publisher := broker.NewPublisher(s.Cluster)
	defer func() { err = errors.Join(err, publisher.Close()) }()
	var waitingFor error
	publisher.Waiting = func(reason error) {
		waitingFor = reason
		s.Waiting(reason)
	}
	for some := range slices.Chunk(messages, chunk) {
		err := s.publish(ctx, publisher, some)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && waitingFor != nil:
			return sent, &GaveUpError{After: s.Wait, Reason: waitingFor}
		case err != nil:
			return sent, err
		}
		sent += len(some)
		s.Sent(len(some))
	}
	return sent, nil
}

func (s Sender) publish(ctx context.Context, p *broker.Publisher, messages []broker.Message) error {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	return p.Publish(ctx, s.Topic, messages)
}
