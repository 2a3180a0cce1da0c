package broker

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/segmentio/kafka-go"
)

// explain says in words why the cluster does not do what it was asked, and what to
// do about it. What it has nothing to say to it returns as it is.
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

// hungUp reports whether the other side ended the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "connection reset")
}
