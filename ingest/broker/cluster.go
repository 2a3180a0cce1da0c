package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

// Cluster is a Kafka cluster and how to reach it.
type Cluster struct {
	Brokers []string // host:port of some of its brokers
	TLS     *TLS     // nil: connections are not encrypted
	SASL    *SASL    // nil: nobody signs in, unless by TLS's certificate
	// Dial opens the connections, which TLS is then spoken on; nil: as net.Dialer
	// does. It must be safe for concurrent use.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Identity is as whom the cluster is used, for people: "User:tenure (SCRAM-SHA-512)".
func (c Cluster) Identity() string {
	switch {
	case c.SASL != nil:
		return fmt.Sprintf("%s (%s)", c.principal(), c.SASL.mechanism)
	case c.TLS != nil && c.TLS.Certificate != "":
		return c.principal() + " (certificate)"
	default:
		return c.principal() + " (nobody signs in)"
	}
}

// principal is the name that ACLs have for who uses the cluster. Brokers may be
// configured to shorten that of a certificate: ssl.principal.mapping.rules.
func (c Cluster) principal() string {
	switch {
	case c.SASL != nil:
		return "User:" + c.SASL.username()
	case c.TLS != nil && c.TLS.Certificate != "":
		return "User:" + c.TLS.subject()
	default:
		return "User:ANONYMOUS"
	}
}

// clientID is the name under which brokers see who connects.
const clientID = "tenure"

// Connection is the one way to a cluster's brokers, guarded against what kafka-go
// would wait for without end.
type Connection struct {
	Client *kafka.Client

	cluster   Cluster
	stalls    *stalls
	transport *kafka.Transport
	dialer    *kafka.Dialer
	abandoned abandoned
}

// Connect returns a connection that connects when it is first used. A broker that
// is silent for longer than patience is left for another.
func (c Cluster) Connect(patience time.Duration) *Connection {
	cluster, stalls := c.guard(patience)
	transport := cluster.transport()
	return &Connection{
		cluster: cluster, stalls: stalls, transport: transport, dialer: cluster.dialer(),
		Client: &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport},
	}
}

// Close closes what is open, and opens no more.
func (c *Connection) Close() {
	c.stalls.close()
	c.abandoned.settle(time.Second) // without connections, it soon is
	c.transport.CloseIdleConnections()
}

// Explain says in words why the cluster does not do what it was asked, and what to
// do about it. What it has nothing to say to it returns as it is.
func (c *Connection) Explain(err error) error { return c.cluster.explain(err) }

// Abandon calls f and does not wait for it. What says what is done, for people.
func (c *Connection) Abandon(what string, f func()) { c.abandoned.leave(what, f) }

// Overdue returns an error if a call that was abandoned longer ago than patience has
// not returned.
func (c *Connection) Overdue(patience time.Duration) error { return c.abandoned.check(patience) }

// JoinGroup returns a consumer group of the cluster.
func (c *Connection) JoinGroup(config kafka.ConsumerGroupConfig) (*kafka.ConsumerGroup, error) {
	config.Brokers, config.Dialer = c.cluster.Brokers, c.dialer
	return kafka.NewConsumerGroup(config)
}

// Writer makes w write to the cluster.
func (c *Connection) Writer(w *kafka.Writer) *kafka.Writer {
	w.Addr, w.Transport = c.Client.Addr, c.transport
	return w
}

// dialTimeout bounds a connection's making, up to being signed in.
const dialTimeout = 10 * time.Second

// transport is for a kafka.Client or kafka.Writer. The default metadata lifetime
// of 6 s would be the time it takes to notice a topic that has just been made.
func (c Cluster) transport() *kafka.Transport {
	return &kafka.Transport{
		MetadataTTL: time.Second, ClientID: clientID,
		Dial: c.dial, DialTimeout: dialTimeout, SASL: c.signIn(),
	}
}

// dialer is for a kafka.Reader or kafka.ConsumerGroup.
func (c Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{Timeout: dialTimeout, ClientID: clientID, DialFunc: c.dial, SASLMechanism: c.signIn()}
}

// signIn is for kafka-go: without SASL, a nil that is one.
func (c Cluster) signIn() sasl.Mechanism {
	if c.SASL == nil {
		return nil
	}
	return signer{SASL: c.SASL, encrypted: c.TLS != nil}
}

// dial connects to a broker, and encrypts. kafka-go would do the latter too, but
// with what was in the files when it began.
func (c Cluster) dial(ctx context.Context, network, address string) (net.Conn, error) {
	open := c.Dial
	if open == nil {
		open = new(net.Dialer).DialContext
	}
	conn, err := open(ctx, network, address)
	if err != nil || c.TLS == nil {
		return conn, err
	}
	settings, err := c.TLS.settings(address)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	encrypted := tls.Client(conn, settings)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &handshakeError{address, err}
	}
	return encrypted, nil
}
