package broker

import (
	"context"

	"github.com/segmentio/kafka-go"
)

// Reach returns nil if every partition of a topic has a broker that answers for
// it, so that a message would have been taken just now.
func (p *Publisher) Reach(ctx context.Context, topic string) error {
	client := p.conn.Client
	cluster, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return p.explain(topic, err)
	}
	var ends []kafka.OffsetRequest
	for _, t := range cluster.Topics {
		if t.Error != nil {
			return p.explain(topic, t.Error)
		}
		for _, partition := range t.Partitions {
			ends = append(ends, kafka.LastOffsetOf(partition.ID))
		}
	}
	// What is known of the cluster may be old; this asks the leaders themselves.
	answer, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ends}})
	if err != nil {
		return p.explain(topic, err)
	}
	for _, partition := range answer.Topics[topic] {
		if partition.Error != nil {
			return p.explain(topic, partition.Error)
		}
	}
	return nil
}
