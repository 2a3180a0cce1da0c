//go:build real

package main

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/brokertest"
)

// TestHREventsDocumentOnRealKafka tries the document out with kcat, on Apache
// Kafka.
func TestHREventsDocumentOnRealKafka(t *testing.T) {
	_, err := exec.LookPath("kcat")
	require.NoError(t, err, "kcat is missing: scripts/test-real installs it")
	s := newSite(t)
	cluster := brokertest.Start(t, brokertest.Options{})
	cluster.CreateTopic("hr.events", 4, nil)
	d := &document{site: s, brokers: cluster.Brokers()[0], kcat: true}
	d.consume = func() []kafka.Message { return consumeAll(t, d.brokers, 4) }
	d.try()
	d.check()
}

// consumeAll reads all records of the partitions of hr.events.
func consumeAll(t *testing.T, broker string, partitions int) []kafka.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all []kafka.Message
	for p := range partitions {
		conn, err := kafka.DialLeader(ctx, "tcp", broker, "hr.events", p)
		require.NoError(t, err)
		first, last, err := conn.ReadOffsets()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{broker}, Topic: "hr.events", Partition: p, MaxWait: 20 * time.Millisecond, ReadLagInterval: -1,
		})
		for range last - first {
			m, err := reader.FetchMessage(ctx)
			require.NoError(t, err)
			all = append(all, m)
		}
		require.NoError(t, reader.Close())
	}
	return all
}
