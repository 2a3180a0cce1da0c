package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/receiver/scheme"
	"github.com/tenurehq/tenure/secret"
)

// Message is the record that a webhook becomes.
type Message struct {
	Key     string
	Value   []byte
	Headers map[string]string
}

// ErrRefused is wrapped by the error for a message that the broker will never take. The
// sender gets a final answer, so that it does not send the request again for ever.
var ErrRefused = errors.New("the broker refuses the message")

// Publish writes a message to a topic. It returns nil only when the broker has the
// message. It may wait until ctx is done, and then fails with ctx's error.
//
// It fails with ErrRefused if the broker refuses the message for good.
type Publish func(ctx context.Context, topic string, m Message) error

// Endpoint is a path that takes the webhooks of one HR system.
type Endpoint struct {
	Path     string // "/bamboohr"
	Topic    string // that their records go to
	Verifier scheme.Verifier
	Secrets  []secret.Secret // a signature by any of them is accepted; there are several during a rotation
	Rate     rate.Limit      // requests a second that are taken, on average and as a burst
	Burst    int
	// Key finds the person's ID in the record's headers and value. It returns an empty text
	// if it finds none. Nil if the HR system's format is not known.
	Key func(headers map[string]string, body []byte) string
}

// Options holds what an Intake needs. With a nil Certificate it serves plain HTTP. Metrics
// may be nil. Zero fields of Tuning get the defaults.
type Options struct {
	Listen      string // host:port
	Certificate *Certificate
	BehindProxy bool  // take a request's sender from X-Forwarded-For
	MaxBody     int64 // bytes
	Endpoints   []Endpoint

	Publish Publish
	Log     *zap.Logger
	Metrics prometheus.Registerer
	Tuning  Tuning
}

// Tuning holds limits that only tests have a reason to change.
type Tuning struct {
	Header  time.Duration // how long a request's header may take; default 5s
	Read    time.Duration // how long a whole request may take to come; default 15s
	Publish time.Duration // how long the broker may take; default 8s
	Idle    time.Duration // how long a connection without a request is kept; default 1m
	Drain   time.Duration // how long requests under way may take when it stops; default 10s
	Refresh time.Duration // how often secrets and certificates are read again; default 1s
	// Connections bounds how many connections are open; default 1024.
	Connections int
	AtOnce      int // how many requests may wait for the broker at the same time; default 64

	// For each endpoint, about requests whose bodies are being read:
	Reading     int           // how many at the same time; default 64
	ReadingEach int           // how many from one address; default 16
	Grace       time.Duration // how long a request is read before it may have to make room for another; default 1s
}

func (t Tuning) withDefaults() Tuning {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Header, 5 * time.Second},
		{&t.Read, 15 * time.Second},
		{&t.Publish, 8 * time.Second},
		{&t.Idle, time.Minute},
		{&t.Drain, 10 * time.Second},
		{&t.Refresh, time.Second},
		{&t.Grace, time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, n := range []struct {
		field *int
		value int
	}{{&t.Connections, 1024}, {&t.AtOnce, 64}, {&t.Reading, 64}, {&t.ReadingEach, 16}} {
		if *n.field == 0 {
			*n.field = n.value
		}
	}
	return t
}

func (o Options) validate() error {
	if o.Publish == nil || o.Log == nil || o.MaxBody <= 0 || len(o.Endpoints) == 0 {
		return errors.New("receiver: Publish, Log, MaxBody and an endpoint are needed")
	}
	seen := map[string]bool{}
	for _, e := range o.Endpoints {
		switch {
		case len(e.Path) < 2 || e.Path[0] != '/' || e.Topic == "" || e.Verifier == nil || len(e.Secrets) == 0 || e.Rate <= 0 || e.Burst <= 0:
			return fmt.Errorf("receiver: endpoint %q needs a path, a topic, a verifier, a secret and a rate", e.Path)
		case seen[e.Path]:
			return fmt.Errorf("receiver: endpoint %q is there twice", e.Path)
		}
		seen[e.Path] = true
	}
	return nil
}
