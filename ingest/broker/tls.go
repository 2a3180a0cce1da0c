package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// TLS says how connections to brokers are encrypted, by the names of PEM files.
// They are read for every connection: certificates are renewed while Tenure runs.
// Brokers' certificates are always verified.
type TLS struct {
	CA          string // the authorities that sign brokers' certificates; empty: those that the system trusts
	Certificate string // what to sign in with, and what signed it; empty: nothing
	Key         string // the private key of Certificate
	ServerName  string // what brokers' certificates are for; empty: the host of each address
}

// settings are those for a connection to address, made now.
func (t *TLS) settings(address string) (*tls.Config, error) {
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
			return nil, fmt.Errorf("the authorities of brokers' certificates (kafka.tls.ca): %w", err)
		}
		s.RootCAs = x509.NewCertPool()
		if !s.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("the authorities of brokers' certificates (kafka.tls.ca): %s holds no certificate in PEM form", t.CA)
		}
	}
	if t.Certificate != "" {
		certificate, err := t.certificate()
		if err != nil {
			return nil, err
		}
		// Offered whatever authorities the broker says it knows: it says best itself
		// what it does not like.
		s.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return s, nil
}

// certificate loads the certificate to sign in with.
func (t *TLS) certificate() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the certificate to sign in to Kafka with (kafka.tls.certificate and key): %w", err)
	case time.Now().After(c.Leaf.NotAfter):
		return nil, fmt.Errorf("the certificate to sign in to Kafka with expired at %s: renew %s (no restart is needed)",
			c.Leaf.NotAfter.UTC().Format(time.RFC3339), t.Certificate)
	}
	return &c, nil
}

// subject is the certificate's, as brokers write it (RFC 2253).
func (t *TLS) subject() string {
	c, err := t.certificate()
	if err != nil {
		return "?" // who connects will be told
	}
	return c.Leaf.Subject.String()
}

// handshakeError is that no encrypted connection came about.
type handshakeError struct {
	address string
	err     error
}

func (e *handshakeError) Error() string { return "TLS with " + e.address + ": " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// explainTLS says in words what is wrong with an encrypted connection, and what to
// do; nil if err is about something else.
func (c Cluster) explainTLS(err error) error {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		shaking  *handshakeError
	)
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("the broker's certificate is signed by nobody who is trusted here: name the authority in kafka.tls.ca: %w", err)
	case errors.As(err, &hostname):
		return fmt.Errorf("the broker's certificate is for another name: use that in kafka.brokers and in the broker's advertised.listeners, or say kafka.tls.serverName: %w", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the broker's certificate has expired, or the clock of this machine is wrong: renew it on the broker: %w", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("the broker's certificate is not valid: %w", err)
	case errors.As(err, &record), errors.As(err, &shaking) && hungUp(err):
		return fmt.Errorf("the broker's port does not speak TLS: use the port of its SSL or SASL_SSL listener, or leave out kafka.tls: %w", err)
	case strings.Contains(err.Error(), "remote error: tls:"): // the alert's type is not exported
		return fmt.Errorf("the broker refuses the certificate to sign in with, or wants one: see kafka.tls.certificate, and the broker's ssl.truststore: %w", err)
	}
	return nil
}
