package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
)

// wire is a connection to one broker, signed in, for questions that a kafka.Client cannot
// ask or answers from its cache.
type wire struct{ *protocol.Conn }

// wire connects to the broker at address. The connection ends with ctx's deadline.
func (c Cluster) wire(ctx context.Context, address string) (_ *wire, err error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", address)
	if err != nil {
		return nil, c.explain(err)
	}
	w := &wire{protocol.NewConn(conn, clientID)}
	defer func() {
		if err != nil {
			_ = w.Close()
		}
	}()
	if deadline, ok := ctx.Deadline(); ok {
		if err := w.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if err := w.negotiate(); err != nil {
		return nil, c.explain(err)
	}
	if err := w.signIn(ctx, c.signIn(), address); err != nil {
		return nil, c.explain(err)
	}
	return w, nil
}

// negotiate agrees with the broker on the versions of requests.
func (w *wire) negotiate() error {
	answer, err := request[*apiversions.Response](w, &apiversions.Request{})
	if err == nil {
		err = brokerError(answer.ErrorCode)
	}
	if err != nil {
		return err
	}
	versions := make(map[protocol.ApiKey]int16, len(answer.ApiKeys))
	for _, k := range answer.ApiKeys {
		key := protocol.ApiKey(k.ApiKey)
		versions[key] = key.SelectVersion(k.MinVersion, k.MaxVersion)
	}
	w.SetVersions(versions)
	return nil
}

// signIn signs in as kafka-go's own connections do.
func (w *wire) signIn(ctx context.Context, mechanism sasl.Mechanism, address string) error {
	if mechanism == nil {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	answer, err := request[*saslhandshake.Response](w, &saslhandshake.Request{Mechanism: mechanism.Name()})
	if err == nil {
		err = brokerError(answer.ErrorCode)
	}
	if err != nil {
		return err
	}
	steps, message, err := mechanism.Start(sasl.WithMetadata(ctx, &sasl.Metadata{Host: host, Port: number}))
	for done := false; err == nil && !done; {
		var answer *saslauthenticate.Response
		answer, err = request[*saslauthenticate.Response](w, &saslauthenticate.Request{AuthBytes: message})
		switch {
		case errors.Is(err, io.EOF):
			return kafka.SASLAuthenticationFailed // some brokers only hang up
		case err == nil && answer.ErrorCode != 0:
			return fmt.Errorf("%w: %s", brokerError(answer.ErrorCode), answer.ErrorMessage)
		case err == nil:
			done, message, err = steps.Next(ctx, answer.AuthBytes)
		}
	}
	return err
}

// request sends a request and returns its answer.
func request[R protocol.Message](w *wire, m protocol.Message) (R, error) {
	answer, err := w.RoundTrip(m)
	if err != nil {
		var none R
		return none, err
	}
	typed, ok := answer.(R)
	if !ok {
		return typed, fmt.Errorf("the broker answers with a %T", answer)
	}
	return typed, nil
}

// brokerError returns the error with that code in a broker's answer; nil for 0.
func brokerError(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}
