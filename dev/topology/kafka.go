package topology

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/tenurehq/tenure/dev/process"
)

// The topics and the consumer group of the configuration.
const (
	TopicEvents      = "hr.events"
	TopicDeadLetters = "hr.events.dlq"
	Group            = "tenure"

	kafkaUser = "tenure"
)

// startKafka runs one broker. The tests talk to it on a plain listener; so does
// Tenure, unless the topology is secure.
func (t *Topology) startKafka(ctx context.Context) error {
	dir := filepath.Join(t.dir, "kafka")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(file, []byte(t.kafkaProperties(dir)), 0o600); err != nil {
		return err
	}
	java := []string{
		"-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-cp", filepath.Join(t.opts.KafkaLibs, "*"),
	}
	format := append(slices.Clone(java), "kafka.tools.StorageTool", "format", "-t", "dGVudXJlLXJlYWwtdGVzdA", "-c", file)
	if t.opts.Secure {
		format = append(format, "--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", kafkaUser, t.kafkaPassword))
	}
	if said, err := exec.CommandContext(ctx, "java", format...).CombinedOutput(); err != nil {
		return fmt.Errorf("kafka cannot format its storage: %w\n%s", err, said)
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return err
	}
	return t.run(ctx, process.Options{
		Name: "kafka", Path: path, Args: append(java, "kafka.Kafka", file), Grace: 30 * time.Second, Ready: t.askKafka,
	})
}

func (t *Topology) kafkaProperties(dir string) string {
	listeners := []string{"PLAINTEXT://" + t.ports.address("kafka")}
	protocols := "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENTS:SASL_SSL"
	p := map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        "1",
		"controller.quorum.voters":       "1@" + t.ports.address("kafka-controller"),
		"controller.listener.names":      "CONTROLLER",
		"listener.security.protocol.map": protocols,
		"inter.broker.listener.name":     "PLAINTEXT",
		"log.dirs":                       filepath.Join(dir, "data"),

		"offsets.topic.replication.factor":         "1",
		"offsets.topic.num.partitions":             "4",
		"transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr":            "1",
		"auto.create.topics.enable":                "false",
		"group.initial.rebalance.delay.ms":         "0",
		"num.network.threads":                      "2",
		"num.io.threads":                           "4",
		"log.cleaner.dedupe.buffer.size":           "4194304",
	}
	if t.opts.Secure {
		listeners = append(listeners, "CLIENTS://"+t.ports.address("kafka-clients"))
		maps.Copy(p, map[string]string{
			"ssl.keystore.type":                                    "PEM",
			"ssl.keystore.location":                                filepath.Join(t.certs.dir, "kafka.both"),
			"ssl.truststore.type":                                  "PEM",
			"ssl.truststore.location":                              t.certs.ca(),
			"listener.name.clients.sasl.enabled.mechanisms":        "SCRAM-SHA-512",
			"listener.name.clients.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		})
	}
	p["listeners"] = strings.Join(append(listeners, "CONTROLLER://"+t.ports.address("kafka-controller")), ",")
	var lines strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&lines, "%s=%s\n", key, p[key])
	}
	return lines.String()
}

// Brokers returns the addresses at which the tests reach Kafka.
func (t *Topology) Brokers() []string { return []string{t.ports.address("kafka")} }

func (t *Topology) kafkaClient() (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(t.Brokers()...), kgo.RetryTimeout(5*time.Second),
		kgo.MaxVersions(kversion.V3_6_0())) // of requests that name topics, not their IDs
}

func (t *Topology) partitions() int32 { return int32(t.opts.Partitions) }

func (t *Topology) askKafka(ctx context.Context) error {
	client, err := t.kafkaClient()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answer, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err == nil && len(answer.Brokers) == 0 {
		err = errors.New("the broker does not know itself yet")
	}
	return err
}

func (t *Topology) makeTopics(ctx context.Context) error {
	client, err := t.kafkaClient()
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrCreateTopicsRequest()
	for name, count := range map[string]int32{TopicEvents: t.partitions(), TopicDeadLetters: 1} {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, count, 1
		request.Topics = append(request.Topics, topic)
	}
	return process.Await(ctx, func(ctx context.Context) error {
		answer, err := request.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		for _, topic := range answer.Topics {
			if err := kerr.ErrorForCode(topic.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
				return err
			}
		}
		return nil
	})
}

// Ends returns the offsets after the last record of each partition of a topic.
func (t *Topology) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	client, err := t.kafkaClient()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	count := t.partitions()
	if topic == TopicDeadLetters {
		count = 1
	}
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = topic
	for p := range count {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = p, -1
		asked.Partitions = append(asked.Partitions, partition)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.Topics = append(request.Topics, asked)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			ends[p.Partition] = p.Offset
		}
	}
	return ends, nil
}

// Committed returns the consumer group's offsets of the events' partitions.
func (t *Topology) Committed(ctx context.Context) (map[int32]int64, error) {
	client, err := t.kafkaClient()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic = TopicEvents
	for p := range t.partitions() {
		topic.Partitions = append(topic.Partitions, p)
	}
	request := kmsg.NewPtrOffsetFetchRequest()
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group, group.Topics = Group, append(group.Topics, topic)
	request.Groups = append(request.Groups, group)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	committed := map[int32]int64{}
	for _, group := range answer.Groups {
		if err := kerr.ErrorForCode(group.ErrorCode); err != nil {
			return nil, err
		}
		for _, topic := range group.Topics {
			for _, p := range topic.Partitions {
				committed[p.Partition] = max(0, p.Offset)
			}
		}
	}
	return committed, nil
}
