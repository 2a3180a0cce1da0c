package broker_test

import (
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tenurehq/tenure/ingest/broker"
)

func TestBrokersTellHowLongTopicsKeepTheirRecords(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(1, "plain"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &kafka.Client{Addr: kafka.TCP(cluster.ListenAddrs()...), Transport: transport}
	request := &kafka.CreateTopicsRequest{}
	for topic, configs := range map[string][]kafka.ConfigEntry{
		"week": {{ConfigName: "retention.ms", ConfigValue: "604800000"}}, "ever": {{ConfigName: "retention.ms", ConfigValue: "-1"}},
		"newest": {{ConfigName: "retention.ms", ConfigValue: "86400000"}, {ConfigName: "cleanup.policy", ConfigValue: "compact,delete"}},
	} {
		request.Topics = append(request.Topics, kafka.TopicConfig{Topic: topic, NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: configs})
	}
	made, err := client.CreateTopics(t.Context(), request)
	require.NoError(t, err)
	for topic, err := range made.Errors {
		require.NoError(t, err, topic)
	}
	kept, err := broker.Cluster{Brokers: cluster.ListenAddrs()}.Retentions(t.Context(), []string{"week", "ever", "newest", "none"})
	require.NoError(t, err)
	assert.Equal(t, map[string]broker.Retention{
		"week": {For: 7 * 24 * time.Hour}, "ever": {}, "newest": {For: 24 * time.Hour, Compact: true},
	}, kept)

	_, err = broker.Cluster{Brokers: []string{"127.0.0.1:1"}}.Retentions(t.Context(), []string{"week"})
	require.Error(t, err)
}
