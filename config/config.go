package config

import (
	"time"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/review"
)

// Config is a checked configuration, defaults filled in, secrets resolved.
type Config struct {
	Path   string
	Kafka  Kafka
	Ledger Ledger
	Apps   map[string]App
	Policy *policy.Policy // compiled

	Webhooks *Webhooks // nil: none are taken

	Audit   Audit
	Privacy Privacy

	Attention Attention
	Sweep     Sweep
	// Breaker says how many people may lose access, or be given more, at once before an
	// operator is asked; nil: any number.
	Breaker     *ledger.Limits
	Notices     *Notices // nil: nobody is told anything
	Reviews     []review.Terms
	Governance  Governance
	Snapshot    *Snapshot // nil: no snapshots can be compared
	Metrics     Metrics
	Development *Development // nil in production

	// Warnings lists probable mistakes, in the order of the file.
	Warnings []*FieldError
}

// Kafka names the brokers and topics that HR events come from.
type Kafka struct {
	Brokers []string
	TLS     *broker.TLS // nil: connections are not encrypted
	SASL    *SASL       // nil: nobody signs in, unless by a certificate
	Topics  []Topic
	Group   string // consumer group; default "tenure"
	// GiveUpAfter is how long a record is tried that fails while others pass, before it
	// becomes a dead letter; default 5m.
	GiveUpAfter time.Duration
	// ReadAhead is how many people may have open work before others wait for their turn;
	// default 500. 0 means no limit.
	ReadAhead int
}

// Topic is one topic of HR events.
type Topic struct {
	Name        string
	Source      string         // name of the kind of HR system in hr/source; default "cloudevents"
	Settings    map[string]any // of that kind; texts that refer to secrets are secret.Secret
	Channel     source.Channel // which events its records may carry: sources and types among the settings
	DeadLetters string         // default Name + ".dlq"
	StartOffset string         // StartFirst or StartLast: where to begin when the group has never read it; default StartFirst
}

// The values of Topic.StartOffset.
const (
	StartFirst = "first" // the oldest record that there is
	StartLast  = "last"  // after the newest one
)

// Ledger holds the address of the ledger. URL is "sqlite:PATH" (already made relative to
// the working directory) or "postgres://...". It may hold a password: never log it.
type Ledger struct{ URL string }

// App is one app: which kind of connector, and its settings.
type App struct {
	Connector string
	Settings  map[string]any // texts that refer to secrets are secret.Secret
	Rate      pace.Rate      // zero: unlimited
	AtOnce    int            // calls that a worker has under way at a time; zero: as its kind has it
	// Settling is how long after a change the app may answer as if there had been none; nil:
	// as its kind has it.
	Settling *time.Duration
	// LongestOperation is how long something that the app has begun may be under way before it
	// needs an operator; default 24h.
	LongestOperation time.Duration
	// Licences says how many free seats of each licence are enough; default 5%, and the seats
	// of those who start within 30 days.
	Licences ledger.EnoughSeats
	// Reconcile says how often the app is scanned, and what is done about what is found.
	Reconcile reconcile.Terms
}

// Attention says when a failing step is shown to an operator.
type Attention struct {
	After   time.Duration // a step that keeps failing this long needs attention; default 15m
	Recheck time.Duration // how often a step in attention is tried again by itself; default 1h
}

// Sweep says how often the sweeper looks for people who are due and have no run.
type Sweep struct {
	Every time.Duration // default 1m
	// Overdue is how long something may be due without progress before the person counts
	// as overdue and a run that makes no progress is replaced; default 10m.
	Overdue time.Duration
}

// OverdueAfter returns how long (in real time) something may be due without progress. A
// leaver who waits for the breaker to settle is not late.
func (c *Config) OverdueAfter() time.Duration {
	if c.Breaker == nil {
		return c.Sweep.Overdue
	}
	return c.Sweep.Overdue + c.Breaker.Settle
}

// Metrics says where Prometheus metrics are served; empty means not at all.
type Metrics struct{ Worker, Starter string } // listen addresses, e.g. "127.0.0.1:9464"

// Development holds settings that no production configuration has.
type Development struct {
	Clock *AcceleratedClock
}

// AcceleratedClock makes the product's time pass Rate times as fast as real
// time, showing Start at the real instant Epoch. Refused unless Temporal's
// address is on loopback.
type AcceleratedClock struct {
	Epoch, Start time.Time
	Rate         float64
}

// Clock returns the product's clock: the machine's, unless Development accelerates it.
func (c *Config) Clock() clock.Clock {
	if c.Development == nil || c.Development.Clock == nil {
		return clock.Real()
	}
	accelerated := c.Development.Clock
	return clock.Accelerated(accelerated.Epoch, accelerated.Start, accelerated.Rate)
}
