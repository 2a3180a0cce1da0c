package broker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Retention is how long a topic keeps its records.
type Retention struct {
	For     time.Duration // zero: for ever
	Compact bool          // the newest record of each key is kept, however old it is
}

// Retentions asks the brokers how long topics keep their records. A topic that they do not know,
// or do not tell of, is missing.
func (c Cluster) Retentions(ctx context.Context, topics []string) (map[string]Retention, error) {
	transport := c.transport()
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport}
	request := &kafka.DescribeConfigsRequest{}
	for _, topic := range topics {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"retention.ms", "cleanup.policy"},
		})
	}
	answer, err := client.DescribeConfigs(ctx, request)
	if err != nil {
		return nil, c.explain(fmt.Errorf("ask how long topics keep their records: %w", err))
	}
	known := map[string]Retention{}
	for _, r := range answer.Resources {
		if r.Error != nil {
			continue
		}
		var found Retention
		told := false
		for _, entry := range r.ConfigEntries {
			switch entry.ConfigName {
			case "retention.ms":
				ms, err := strconv.ParseInt(entry.ConfigValue, 10, 64)
				told = err == nil
				if ms > 0 {
					found.For = time.Duration(ms) * time.Millisecond
				}
			case "cleanup.policy":
				found.Compact = strings.Contains(entry.ConfigValue, "compact")
			}
		}
		if told {
			known[r.ResourceName] = found
		}
	}
	return known, nil
}
