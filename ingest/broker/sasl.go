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

// mechanisms makes each SASL mechanism, by Kafka's name for it.
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

// errReadable is the error of a password that would be sent without encryption.
var errReadable = errors.New("the mechanism plain would send the password unencrypted: set kafka.tls, or a scram mechanism in kafka.sasl.mechanism")

// onLoopback reports whether a host is this machine.
func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// SASL signs in to brokers. Share one among all users of a cluster with the same
// identity: it does not try refused credentials over and over, because that could lock
// their account.
type SASL struct {
	mechanism string
	current   func() (Credentials, error)
	gate      gate
}

// NewSASL returns a SASL for a mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. It
// calls current for the credentials of every connection.
func NewSASL(mechanism string, current func() (Credentials, error)) (*SASL, error) {
	if _, ok := mechanisms[mechanism]; !ok {
		return nil, fmt.Errorf("ingest: there is no SASL mechanism %q", mechanism)
	}
	return &SASL{mechanism: mechanism, current: current, gate: gate{pace: backoff.Range{Min: time.Second, Max: 2 * time.Minute}}}, nil
}

func (s *SASL) username() string {
	c, err := s.current()
	if err != nil {
		return "?" // signing in fails, with the reason
	}
	return c.Username
}

// signer makes a SASL a mechanism of kafka-go.
type signer struct {
	*SASL
	encrypted bool // whether the connection is encrypted
}

func (s signer) Name() string { return s.mechanism }

func (s signer) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	// Loading the configuration checks this too, but only here are the addresses known
	// that brokers announce.
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

// conversation calls succeeded when the broker accepts the credentials. A refusal does
// not get here: kafka-go returns it.
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

// gate limits the attempts to sign in: with credentials that have worked, a few at a
// time; with others one, and the next after a pause that grows from attempt to attempt.
type gate struct {
	pace backoff.Range

	mu       sync.Mutex
	as       Credentials     // those of the last attempt
	good     bool            // whether they have worked
	open     int             // attempts since one succeeded, or the credentials changed
	pauses   *backoff.Pauses // between attempts beyond the limit
	next     time.Time       // when the next attempt beyond the limit may be made
	reopened chan struct{}   // is closed when an attempt succeeds
}

// atOnce is how many attempts may be under way with credentials that have worked.
const atOnce = 8

// lookAgain is how often a waiting attempt checks whether the credentials have changed.
const lookAgain = time.Second

// enter waits until an attempt with the current credentials may be made, and returns
// them. Its error says when that is, if ctx is done before.
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

// try counts an attempt, or returns how long the attempt has to wait at most.
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
