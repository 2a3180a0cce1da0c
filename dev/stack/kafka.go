package stack

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tenurehq/tenure/dev/process"
)

// The topics that exist from the start.
const (
	TopicEvents      = "hr.events"
	TopicDeadLetters = "hr.events.dlq"

	eventPartitions = 4
)

// broker is one Kafka broker in this process.
type broker struct {
	cluster  *kfake.Cluster
	sessions *sessions
	address  string
}

// startKafka starts a broker on ln, which keeps its state in dir or in memory, and
// returns when the broker answers and has the topics.
func startKafka(ctx context.Context, ln net.Listener, dir string, inMemory bool) (*broker, error) {
	k := &broker{address: ln.Addr().String()}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("tenure"),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return ln, nil }),
	}
	if !inMemory {
		opts = append(opts, kfake.DataDir(filepath.Join(dir, "kafka")), kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("start Kafka: %w", err)
	}
	k.cluster = cluster
	if err := k.createTopics(); err != nil {
		k.Close()
		return nil, err
	}
	if err := k.awaitTopics(ctx); err != nil {
		k.Close()
		return nil, fmt.Errorf("reach Kafka on %s: %w", k.address, err)
	}
	if k.sessions, err = watchSessions(ctx, cluster, k.address); err != nil {
		k.Close()
		return nil, fmt.Errorf("watch the members of consumer groups: %w", err)
	}
	return k, nil
}

// Close stops the broker.
func (k *broker) Close() {
	if k.sessions != nil {
		k.sessions.close()
	}
	k.cluster.Close()
}

func (k *broker) createTopics() error {
	for topic, partitions := range map[string]int32{TopicEvents: eventPartitions, TopicDeadLetters: 1} {
		if k.cluster.TopicInfo(topic) != nil {
			continue
		}
		if err := k.cluster.CreateTopic(topic, partitions, nil); err != nil {
			return fmt.Errorf("create the Kafka topic %s: %w", topic, err)
		}
	}
	return nil
}

// awaitTopics waits until the broker has the topics. It asks over the wire, as a client
// does.
func (k *broker) awaitTopics(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.address))
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	for _, name := range []string{TopicEvents, TopicDeadLetters} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		request.Topics = append(request.Topics, topic)
	}
	return process.Await(ctx, func(ctx context.Context) error {
		response, err := request.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		for _, topic := range response.Topics {
			if topic.ErrorCode != 0 {
				return fmt.Errorf("topic %s: error code %d", *topic.Topic, topic.ErrorCode)
			}
		}
		return nil
	})
}
