package broker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"
)

// TLS says how connections to servers are encrypted: it holds the paths of PEM files,
// which are read for every connection, because certificates are renewed while Tenure
// runs. Servers' certificates are always verified.
type TLS struct {
	CA          string // the authorities that sign servers' certificates; empty: the system's
	Certificate string // the certificate to sign in with, and its chain; empty: none
	Key         string // the private key of Certificate
	ServerName  string // the name in servers' certificates; empty: the host of each address
}

// Settings returns the settings of a new connection to address. Errors name the key under which t is
// configured, such as kafka.tls.
func (t *TLS) Settings(address, key string) (*tls.Config, error) {
	s := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if s.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		s.ServerName = host
	}
	if t.CA != "" {
		authorities, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("the authorities of the server's certificate (%s.ca): %w", key, err)
		}
		s.RootCAs = x509.NewCertPool()
		if !s.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("the authorities of the server's certificate (%s.ca): %s holds no certificate in PEM form", key, t.CA)
		}
	}
	if t.Certificate != "" {
		certificate, err := t.certificate(key)
		if err != nil {
			return nil, err
		}
		// The certificate is offered whatever authorities the server lists: the server's
		// own error says best what is wrong with it.
		s.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return s, nil
}

// tlsKey is the key under which the TLS of Kafka is configured.
const tlsKey = "kafka.tls"

// certificate loads the certificate to sign in with. key is that of Settings.
func (t *TLS) certificate(key string) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the certificate to sign in with (%[1]s.certificate and %[1]s.key): %[2]w", key, err)
	case time.Now().After(c.Leaf.NotAfter):
		return nil, fmt.Errorf("the certificate to sign in with expired at %s: renew %s (no restart is needed)",
			c.Leaf.NotAfter.UTC().Format(time.RFC3339), t.Certificate)
	}
	return &c, nil
}

// subject returns the certificate's subject as brokers write it (RFC 2253).
func (t *TLS) subject() string {
	c, err := t.certificate(tlsKey)
	if err != nil {
		return "?" // connecting fails, with the reason
	}
	return c.Leaf.Subject.String()
}

// handshakeError is the error of a TLS handshake.
type handshakeError struct {
	address string
	err     error
}

func (e *handshakeError) Error() string { return "TLS with " + e.address + ": " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }
