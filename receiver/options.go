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

// ErrRefused is wrapped by the error for a message that no broker takes. The sender is told
// so, and does not send it again for ever.
var ErrRefused = errors.New("the broker refuses the message")

// Publish writes a message to a topic. It returns nil only when the broker has the
// message. It may wait until ctx is done, and then fails with ctx's error.
//
// It fails with ErrRefused if the broker refuses the message for good.
type Publish func(ctx context.Context, topic string, m Message) error

// Endpoint is a path that takes the webhooks of one HR system.
type Endpoint struct {
	Path     string // "/bamboohr"
	Topic    string // where they go
	Verifier scheme.Verifier
	Secrets  []secret.Secret // any of them will do: they are several while they are replaced
	Rate     rate.Limit      // requests a second that are taken, on average and as a burst
	Burst    int
	// Key finds the person's ID in the record's headers and value; it returns an empty
	// text if there is none. Nil if the HR system's format is not known.
	Key func(headers map[string]string, body []byte) string
}

// Options are what an Intake needs. Certificate nil means plain HTTP, Metrics may
// be nil; zero fields of Tuning get the defaults.
type Options struct {
	Listen      string // host:port
	Certificate *Certificate
	BehindProxy bool  // X-Forwarded-For names the sender of a request
	MaxBody     int64 // bytes
	Endpoints   []Endpoint

	Publish Publish
	Log     *zap.Logger
	Metrics prometheus.Registerer
	Tuning  Tuning
}

// Tuning holds numbers that only tests have a reason to change.
type Tuning struct {
	Header  time.Duration // how long a request's header may take; default 5s
	Read    time.Duration // how long a whole request may take to come; default 15s
	Publish time.Duration // how long the broker may take; default 8s
	Idle    time.Duration // how long a connection without a request is kept; default 1m
	Drain   time.Duration // how long requests under way may take when it stops; default 10s
	Refresh time.Duration // how old what was read of secrets and certificates may be; default 1s
	// Connections is how many connections may be open; default 1024.
	Connections int
	AtOnce      int // requests that wait for the broker at the same time; default 64

	// Of requests whose bodies are being read, for each endpoint:
	Reading     int           // how many at the same time; default 64
	ReadingEach int           // how many of one address; default 16
	Grace       time.Duration // how long one is safe from making room for another; default 1s
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
