package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/internal/backoff"
)

// maxMessage bounds a message (key, value and headers): it is a broker's default.
const maxMessage = 1 << 20

// Message is a message to be published. Messages with the same key, the person
// ID, keep their order.
type Message struct {
	Key     string
	Value   []byte
	Headers map[string]string
}

// Publisher writes messages to Kafka: each is acknowledged by all in-sync
// replicas before Publish returns.
type Publisher struct {
	// Waiting, if set, is called with the reason why Publish has to wait, once per
	// reason. Set it before the first call of Publish.
	Waiting func(reason error)

	conn    *Connection
	writer  *kafka.Writer
	largest int // bytes of a message
	backoff backoff.Range
}

// patiently holds the pauses between attempts. They are short, because a human may wait
// at a terminal.
var patiently = backoff.Range{Min: 100 * time.Millisecond, Max: 5 * time.Second}

// publishBatch is how many messages go to a partition in one request.
const publishBatch = 500

// Patience is how long a broker may be silent before another is tried.
const Patience = 5 * time.Second

// NewPublisher returns a publisher to the cluster. It connects when it is first
// used.
func NewPublisher(cluster Cluster) *Publisher {
	return cluster.Connect(Patience).Publisher(maxMessage)
}

// Publisher returns a Publisher of messages of at most largest bytes. Its Close closes
// the connection too.
func (c *Connection) Publisher(largest int) *Publisher {
	return &Publisher{
		conn:    c,
		largest: largest,
		backoff: patiently,
		writer: c.Writer(&kafka.Writer{
			Balancer:     kafka.Murmur2Balancer{}, // as Kafka's own clients do it: every sender uses the same partition for a person
			RequiredAcks: kafka.RequireAll,
			BatchSize:    publishBatch,
			BatchBytes:   int64(largest),
			BatchTimeout: 5 * time.Millisecond,
			MaxAttempts:  1, // Publish tries again
		}),
	}
}

// Close releases the connections.
func (p *Publisher) Close() error {
	err := p.writer.Close()
	p.conn.Close()
	return err
}

// PublishError is the error of messages that the broker refused. All others have been
// written.
type PublishError struct {
	Refused map[int]error // by index of the message
}

func (e *PublishError) Error() string {
	for i := 0; ; i++ {
		if err, ok := e.Refused[i]; ok {
			return fmt.Sprintf("%d messages were refused, the first (number %d) because: %v", len(e.Refused), i+1, err)
		}
	}
}

// RefusedForGood reports whether err is a *PublishError of messages that no broker will
// ever take.
func RefusedForGood(err error) bool {
	var refusals *PublishError
	if !errors.As(err, &refusals) {
		return false
	}
	for _, refusal := range refusals.Refused {
		if !RefusesMessage(refusal) {
			return false
		}
	}
	return true
}

// Publish writes the messages to the topic and returns when all of them are written.
// While the topic is missing or no broker can be reached, it waits and tries again. It
// returns a *PublishError for messages that the broker refuses for good, or ctx's error:
// then it is unknown which messages were written, so publish all of them again.
func (p *Publisher) Publish(ctx context.Context, topic string, messages []Message) error {
	refused := map[int]error{}
	for from := 0; from < len(messages); {
		chunk := chunkOf(messages[from:], topic, p.largest)
		if err := p.publish(ctx, topic, chunk, func(i int, err error) { refused[from+i] = err }); err != nil {
			return err
		}
		from += len(chunk)
	}
	if len(refused) > 0 {
		return &PublishError{Refused: refused}
	}
	return nil
}

// chunkOf returns the first ones of some messages: so many that they are one batch of their partition.
// Of two batches the first one may have to be tried again when the second one is written.
func chunkOf(messages []Message, topic string, largest int) (chunk []kafka.Message) {
	bytes := 0
	for i, m := range messages {
		out := m.kafka(topic)
		bytes += outgoing{i, out}.size()
		if i > 0 && (i == publishBatch || bytes > largest) {
			break
		}
		chunk = append(chunk, out)
	}
	return chunk
}

// PublishAsIs writes a message byte for byte, to the topic that it names.
func (p *Publisher) PublishAsIs(ctx context.Context, m kafka.Message) error {
	var refused error
	if err := p.publish(ctx, m.Topic, []kafka.Message{m}, func(_ int, err error) { refused = err }); err != nil {
		return err
	}
	return refused
}

// publish writes one chunk. Messages of one key that have to be tried again do
// not fall behind later ones: those are in later chunks.
func (p *Publisher) publish(ctx context.Context, topic string, chunk []kafka.Message, refuse func(int, error)) error {
	var pending []outgoing
	for i, m := range chunk {
		o := outgoing{index: i, message: m}
		if size := o.size(); size > p.largest {
			refuse(i, fmt.Errorf("%d bytes are more than the %d that a message may have: %w", size, p.largest, kafka.MessageSizeTooLarge))
			continue
		}
		pending = append(pending, o)
	}
	told := ""
	for pauses := p.backoff.Start(); len(pending) > 0; {
		again, cause := p.write(ctx, pending, refuse)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pending = again
		if len(pending) == 0 {
			return nil
		}
		if reason := p.explain(topic, cause); p.Waiting != nil && reason.Error() != told {
			told = reason.Error()
			p.Waiting(reason)
		}
		if err := pauses.Wait(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// write tries once. It returns what has to be tried again, and a cause.
func (p *Publisher) write(ctx context.Context, pending []outgoing, refuse func(int, error)) (again []outgoing, cause error) {
	batch := make([]kafka.Message, len(pending))
	for i, o := range pending {
		batch[i] = o.message
	}
	err := p.writer.WriteMessages(ctx, batch...)
	if err == nil {
		return nil, nil
	}
	var each kafka.WriteErrors
	if !errors.As(err, &each) {
		each = make(kafka.WriteErrors, len(pending))
		for i := range each {
			each[i] = err
		}
	}
	for i, err := range each {
		switch {
		case err == nil:
		case errors.Is(err, kafka.MessageSizeTooLarge) && len(pending) > 1:
			// The batch was too large for the broker. Sent one by one, a message that is
			// too large itself is found.
			more, err := p.write(ctx, pending[i:i+1], refuse)
			again, cause = append(again, more...), errors.Join(cause, err)
		case Permanent(err):
			refuse(pending[i].index, err)
		default:
			again, cause = append(again, pending[i]), err
		}
	}
	return again, cause
}

// RefusesMessage reports whether err says that the message itself is at fault.
func RefusesMessage(err error) bool {
	return isAny(err, kafka.MessageSizeTooLarge, kafka.InvalidMessage, kafka.InvalidMessageSize, kafka.InvalidRecord, kafka.InvalidTimestamp)
}

func isAny(err error, targets ...kafka.Error) bool {
	return slices.ContainsFunc(targets, func(target kafka.Error) bool { return errors.Is(err, target) })
}

// Permanent reports whether the broker will not take the message however often it
// is sent.
func Permanent(err error) bool {
	return isAny(err, kafka.MessageSizeTooLarge, kafka.InvalidMessage, kafka.InvalidRecord, kafka.InvalidTopic,
		kafka.TopicAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.PolicyViolation)
}

func (p *Publisher) explain(topic string, err error) error {
	if errors.Is(err, kafka.UnknownTopicOrPartition) {
		return fmt.Errorf("topic %q does not exist on %s", topic, strings.Join(p.conn.cluster.Brokers, ", "))
	}
	if explained := p.conn.cluster.explain(err); explained != err { //nolint:errorlint // is it the very same error?
		return explained
	}
	var broker kafka.Error
	if errors.As(err, &broker) {
		return fmt.Errorf("the broker cannot take messages for %q at the moment: %w", topic, err)
	}
	return fmt.Errorf("no Kafka broker can be reached at %s: %w", strings.Join(p.conn.cluster.Brokers, ", "), err)
}

// outgoing is a message of a chunk that is to be written.
type outgoing struct {
	index   int
	message kafka.Message
}

// size returns a generous estimate of the message's size in bytes.
func (o outgoing) size() int {
	const overhead = 64
	size := overhead + len(o.message.Key) + len(o.message.Value)
	for _, h := range o.message.Headers {
		size += overhead + len(h.Key) + len(h.Value)
	}
	return size
}

func (m Message) kafka(topic string) kafka.Message {
	out := kafka.Message{Topic: topic, Key: []byte(m.Key), Value: m.Value}
	for name, value := range m.Headers {
		out.Headers = append(out.Headers, kafka.Header{Key: name, Value: []byte(value)})
	}
	return out
}

// Reach returns nil if a broker answers for every partition of the topic, so that it
// would accept a message now.
func (p *Publisher) Reach(ctx context.Context, topic string) error {
	cluster, err := p.conn.Client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return p.explain(topic, err)
	}
	var ids []int
	for _, t := range cluster.Topics {
		if t.Error != nil {
			return p.explain(topic, t.Error)
		}
		ids = PartitionsOf(t)
	}
	// The metadata may be old. This asks the leaders themselves.
	if _, err := p.conn.Offsets(ctx, topic, ids...); err != nil {
		return p.explain(topic, err)
	}
	return nil
}
