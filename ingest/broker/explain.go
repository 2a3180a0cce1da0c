package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/segmentio/kafka-go"
)

// explain wraps an error in words: what is wrong, and what to do. It returns an error
// that it does not know as it is.
func (c Cluster) explain(err error) error {
	if err == nil {
		return nil
	}
	if explained := c.explainTLS(err); explained != nil {
		return explained
	}
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fmt.Errorf("the broker refuses to sign in %s: check username and password in kafka.sasl, and that the user exists for this mechanism: %w", c.Identity(), err)
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return fmt.Errorf("the broker does not know the mechanism of kafka.sasl: see sasl.enabled.mechanisms of its listener: %w", err)
	case errors.Is(err, kafka.IllegalSASLState):
		return fmt.Errorf("the broker does not expect anybody to sign in at this port: use the port of its SASL listener, or leave out kafka.sasl: %w", err)
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.GroupAuthorizationFailed),
		errors.Is(err, kafka.ClusterAuthorizationFailed):
		return fmt.Errorf("%s lacks a permission; tenure config check --connect says which: %w", c.Identity(), err)
	case hungUp(err) && c.TLS == nil:
		return fmt.Errorf("the broker ends the connection: its port may want TLS (kafka.tls): %w", err)
	case hungUp(err) && c.SASL == nil:
		return fmt.Errorf("the broker ends the connection: its port may want somebody to sign in (kafka.sasl): %w", err)
	}
	return err
}

// hungUp reports whether the other side closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "connection reset")
}

// explainTLS wraps an error of an encrypted connection in words; nil if err is not
// about encryption.
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
