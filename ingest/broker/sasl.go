package broker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/tenurehq/tenure/internal/backoff"
)

// Credentials are a username and its password.
type Credentials struct{ Username, Password string }

// mechanisms makes each SASL mechanism that there is, by Kafka's name for it.
var mechanisms = map[string]func(Credentials) (sasl.Mechanism, error){
	saslPlain: func(c Credentials) (sasl.Mechanism, error) {
		return plain.Mechanism{Username: c.Username, Password: c.Password}, nil
	},
	"SCRAM-SHA-256": func(c Credentials) (sasl.Mechanism, error) {
		return scram.Mechanism(scram.SHA256, c.Username, c.Password)
	},
	"SCRAM-SHA-512": func(c Credentials) (sasl.Mechanism, error) {
		return scram.Mechanism(scram.SHA512, c.Username, c.Password)
	},
}

const saslPlain = "PLAIN"

// errReadable is why no password is sent.
var errReadable = errors.New("the mechanism plain would send the password for everybody on the way to read: set kafka.tls, or kafka.sasl.mechanism to a scram one")

// onLoopback reports whether a host is this machine.
func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// SASL signs in to brokers. It is to be shared by all that use a cluster as one
// identity, since it also sees to it that credentials which are refused are not
// tried over and over: that could lock out their account.
type SASL struct {
	mechanism string
	current   func() (Credentials, error)
	gate      gate
}

// NewSASL returns a way to sign in by a mechanism: PLAIN, SCRAM-SHA-256 or
// SCRAM-SHA-512. Current is asked for the credentials for every connection.
func NewSASL(mechanism string, current func() (Credentials, error)) (*SASL, error) {
	if _, ok := mechanisms[mechanism]; !ok {
		return nil, fmt.Errorf("ingest: there is no SASL mechanism %q", mechanism)
	}
	return &SASL{mechanism: mechanism, current: current, gate: gate{pace: backoff.Range{Min: time.Second, Max: 2 * time.Minute}}}, nil
}

func (s *SASL) username() string {
	c, err := s.current()
	if err != nil {
		return "?" // who signs in will be told
	}
	return c.Username
}

// signer is a SASL as kafka-go wants it.
type signer struct {
	*SASL
	encrypted bool // the connection
}

func (s signer) Name() string { return s.mechanism }

func (s signer) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	// The configuration is checked for this too; but here it is known where brokers
	// that were asked for their address, or given by hand, really are.
	if broker := sasl.MetadataFromContext(ctx); s.mechanism == saslPlain && !s.encrypted && (broker == nil || !onLoopback(broker.Host)) {
		return nil, nil, errReadable
	}
	credentials, err := s.gate.enter(ctx, s.current)
	if err != nil {
		return nil, nil, err
	}
	mechanism, err := mechanisms[s.mechanism](credentials)
	if err != nil {
		return nil, nil, fmt.Errorf("the credentials for Kafka (kafka.sasl): %w", err)
	}
	steps, first, err := mechanism.Start(ctx)
	return conversation{steps, func() { s.gate.succeeded(credentials) }}, first, err
}

// conversation tells of its success. Kafka tells of failure by an error that
// never gets here.
type conversation struct {
	sasl.StateMachine
	succeeded func()
}

func (c conversation) Next(ctx context.Context, challenge []byte) (done bool, response []byte, err error) {
	done, response, err = c.StateMachine.Next(ctx, challenge)
	if done && err == nil {
		c.succeeded()
	}
	return done, response, err
}

// gate lets attempts to sign in through: with credentials that have proved good,
// a few at a time; with others, one, and the next one after a pause that grows
// from attempt to attempt.
type gate struct {
	pace backoff.Range

	mu       sync.Mutex
	as       Credentials     // of the last attempt
	good     bool            // they have worked
	open     int             // attempts since one succeeded, or the credentials changed
	pauses   *backoff.Pauses // since there were too many of those
	next     time.Time       // when another one may be made, if there are too many of those
	reopened chan struct{}   // closed when one succeeds
}

// atOnce is how many attempts to sign in may be under way with credentials that
// have proved good.
const atOnce = 8

// lookAgain is how often whoever waits looks whether the credentials have changed.
const lookAgain = time.Second

// enter waits until it is time for an attempt with the current credentials, and
// says when that is if ctx is done before.
func (g *gate) enter(ctx context.Context, current func() (Credentials, error)) (Credentials, error) {
	for {
		as, err := current()
		if err != nil {
			return Credentials{}, fmt.Errorf("the credentials for Kafka (kafka.sasl): %w", err)
		}
		wait, reopened := g.try(as, time.Now())
		if wait == 0 {
			return as, nil
		}
		timer := time.NewTimer(min(wait, lookAgain))
		select {
		case <-timer.C:
		case <-reopened:
		case <-ctx.Done():
			timer.Stop()
			return Credentials{}, fmt.Errorf("signing in as %q has not succeeded: the same credentials are tried again in %s, new ones at once",
				as.Username, wait.Round(time.Second))
		}
		timer.Stop()
	}
}

// try makes an attempt, or says how long that has to wait at most.
func (g *gate) try(as Credentials, now time.Time) (wait time.Duration, reopened <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if as != g.as {
		g.as, g.good, g.open, g.next = as, false, 0, time.Time{}
	}
	if g.reopened == nil {
		g.reopened = make(chan struct{})
	}
	limit := 1
	if g.good {
		limit = atOnce
	}
	if g.open >= limit && now.Before(g.next) {
		return g.next.Sub(now), g.reopened
	}
	if g.open < limit {
		g.pauses = g.pace.Start()
	}
	g.next = now.Add(g.pauses.Next())
	g.open++
	return 0, nil
}

func (g *gate) succeeded(as Credentials) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if as != g.as {
		return
	}
	g.good, g.open = true, 0
	if g.reopened != nil {
		close(g.reopened)
		g.reopened = nil
	}
}
