package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/segmentio/kafka-go"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/service/runs"
)

const (
	letters = "bench.dlq"
	poll    = 10 * time.Millisecond // so long that polling does not change the measurement
)

// rig is a Temporal server and a Kafka cluster.
type rig struct {
	Options
	kind      string // the kind of the cluster, for people
	dir       string // the directory for ledgers, configurations and logs
	stack     *stack.Stack
	temporal  client.Client
	runs      *runs.Client
	kafka     *kafka.Client
	publisher *broker.Publisher
	name      string // begins the names of topics and groups, because a cluster may have some of an earlier run
	topics    int    // how many topics were made so far
}

func openRig(ctx context.Context, o Options) (_ *rig, err error) {
	r := &rig{Options: o, kind: "as given", name: fmt.Sprintf("bench-%d", time.Now().UnixMilli())}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "tenure-bench-"); err != nil {
		return nil, err
	}
	if r.stack, err = stack.Start(ctx, stack.Options{}); err != nil {
		return nil, err
	}
	if len(r.Brokers) == 0 {
		r.kind, r.Brokers = "embedded", []string{r.stack.KafkaAddress()}
	}
	if r.Temporal == "" {
		r.Temporal = r.stack.TemporalAddress()
	}
	r.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: r.Temporal, Namespace: stack.Namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return nil, fmt.Errorf("dial Temporal: %w", err)
	}
	r.runs = runs.New(r.temporal, stack.Namespace)
	if err := r.runs.RegisterAttributes(ctx); err != nil {
		return nil, err
	}
	r.kafka = &kafka.Client{Addr: kafka.TCP(r.Brokers...), Transport: &kafka.Transport{MetadataTTL: time.Second}}
	r.publisher = broker.NewPublisher(r.cluster())
	return r, r.createTopic(ctx, letters, 1)
}

func (r *rig) close() {
	if r.publisher != nil {
		_ = r.publisher.Close()
		r.kafka.Transport.(*kafka.Transport).CloseIdleConnections()
	}
	if r.temporal != nil {
		r.temporal.Close()
	}
	if r.stack != nil {
		r.stack.Close()
	}
	_ = os.RemoveAll(r.dir)
}

func (r *rig) cluster() broker.Cluster { return broker.Cluster{Brokers: r.Brokers} }

// file returns the path of a file of the rig.
func (r *rig) file(name string) string { return filepath.Join(r.dir, name) }

// newTopic makes a new topic, which is empty.
func (r *rig) newTopic(ctx context.Context, partitions int) (string, error) {
	r.topics++
	topic := fmt.Sprintf("%s-%d", r.name, r.topics)
	return topic, r.createTopic(ctx, topic, partitions)
}

func (r *rig) createTopic(ctx context.Context, topic string, partitions int) error {
	answer, err := r.kafka.CreateTopics(ctx, &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
	})
	if err == nil {
		err = answer.Errors[topic]
	}
	if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
		return fmt.Errorf("make the topic %s: %w", topic, err)
	}
	return nil
}

// committed returns the number of records of a topic that a group has committed.
func (r *rig) committed(ctx context.Context, group, topic string, partitions int) (int, error) {
	ids := make([]int, partitions)
	for i := range ids {
		ids[i] = i
	}
	answer, err := r.kafka.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: ids}})
	if err != nil {
		return 0, err
	}
	total := 0
	for _, p := range answer.Topics[topic] {
		total += int(max(0, p.CommittedOffset))
	}
	return total, nil
}

// awaitCommitted waits until a group has committed n records of a topic.
func (r *rig) awaitCommitted(ctx context.Context, group, topic string, partitions, n int) error {
	return await(ctx, func() (bool, error) {
		done, err := r.committed(ctx, group, topic, partitions)
		return done >= n, err
	})
}

// await waits until done returns true.
func await(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
