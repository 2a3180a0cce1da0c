package ingest

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
)

// Cluster is a Kafka cluster and how to reach it.
type Cluster struct {
	Brokers []string    // host:port of some of its brokers
	TLS     *tls.Config // nil: connections are not encrypted
	// Dial opens the connections, which TLS is then spoken on; nil: as net.Dialer
	// does. It must be safe for concurrent use.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// transport is for a kafka.Client or kafka.Writer. The default metadata lifetime
// of 6 s would be the time it takes to notice a topic that has just been made.
func (c Cluster) transport() *kafka.Transport {
	return &kafka.Transport{MetadataTTL: time.Second, ClientID: clientID, TLS: c.TLS, Dial: c.Dial}
}

// dialer is for a kafka.Reader or kafka.ConsumerGroup.
func (c Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{Timeout: 10 * time.Second, DualStack: true, ClientID: clientID, TLS: c.TLS, DialFunc: c.Dial}
}
