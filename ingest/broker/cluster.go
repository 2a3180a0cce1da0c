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
	SASL    *SASL    // nil: Tenure signs in with TLS's certificate, if it has one
	// Dial opens the connections below TLS; nil stands for a net.Dialer. It must be safe
	// for concurrent use.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Identity returns the identity that Tenure has in the cluster, for people: "User:tenure
// (SCRAM-SHA-512)".
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

// principal returns Tenure's name in the ACLs of the cluster. Brokers may shorten the
// name in a certificate: see ssl.principal.mapping.rules.
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

// clientID is the client's name in the brokers' logs and quotas.
const clientID = "tenure"

// dialTimeout bounds how long opening a connection may take, including signing in.
const dialTimeout = 10 * time.Second

// transport returns the transport of a kafka.Client or kafka.Writer. With kafka-go's
// default metadata lifetime they would notice a new topic only after 6 s.
func (c Cluster) transport() *kafka.Transport {
	return &kafka.Transport{
		MetadataTTL: time.Second, ClientID: clientID,
		Dial: c.dial, DialTimeout: dialTimeout, SASL: c.signIn(),
	}
}

// dialer returns the dialer of a kafka.Reader or kafka.ConsumerGroup.
func (c Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{Timeout: dialTimeout, ClientID: clientID, DialFunc: c.dial, SASLMechanism: c.signIn()}
}

// signIn returns what kafka-go signs in with: an untyped nil without SASL.
func (c Cluster) signIn() sasl.Mechanism {
	if c.SASL == nil {
		return nil
	}
	return signer{SASL: c.SASL, encrypted: c.TLS != nil}
}

// dial connects to a broker, and encrypts the connection. kafka-go could encrypt too,
// but would read the files of certificates only once.
func (c Cluster) dial(ctx context.Context, network, address string) (net.Conn, error) {
	open := c.Dial
	if open == nil {
		open = new(net.Dialer).DialContext
	}
	conn, err := open(ctx, network, address)
	if err != nil || c.TLS == nil {
		return conn, err
	}
	settings, err := c.TLS.Settings(address, tlsKey)
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
