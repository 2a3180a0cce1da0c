package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
)

// Topic is a topic of HR events and how to read it.
type Topic struct {
	Name        string
	Source      string            // the decoder's name, for people
	Decode      source.Decoder    // must be safe for concurrent use
	Identify    source.Identifier // nil if the source has none; must be safe for concurrent use
	Fetch       source.Fetch      // for thin records; nil if they cannot be fetched
	DeadLetters string            // the topic of its dead letters
	// Channel says which events the records may carry. A record that the webhook intake
	// wrote may carry only what Endpoints allows too, by the endpoint's path. A path
	// without an endpoint allows nothing.
	Channel   source.Channel
	Endpoints map[string]source.Channel
	// Snapshot is true if the source's events hold the state at the time they were made:
	// see source.Source.
	Snapshot bool
	FromEnd  bool // a group that has never read the topic begins after its last record, not with its first one
}

// Options configures a Consumer. Metrics may be nil; a zero Tuning means the defaults.
type Options struct {
	Cluster broker.Cluster
	Group   string // consumer group
	Topics  []Topic

	Intake ledger.Intake
	Nudger Nudger
	// Turns keeps the line of people who wait for their turn; nil means that nobody waits.
	// ReadAhead is how many people may be at work before others wait; 0 means no limit. Then
	// only those who wait already have their turn.
	Turns     Turns
	ReadAhead int
	Clock     clock.Clock
	Log       *zap.Logger
	Metrics   prometheus.Registerer
	Tuning    Tuning
	// Settle is how long (product time) an ordinary termination waits before it takes
	// effect. If it begins a run, the run begins after that time; a run that is open
	// waits by itself.
	Settle time.Duration
}

// Tuning holds the numbers that production has no reason to change, and tests
// do. Zero fields get the defaults.
type Tuning struct {
	group.Tuning
	Nudges int // calls to Temporal under way at once; default 64
	Turns  TurnPaces
	// GiveUp is how long a record may fail while others pass, before it is given up and
	// becomes a dead letter; default 5m.
	GiveUp   time.Duration
	RetryMin time.Duration // first wait between attempts at what is unavailable; default 100ms
}

func (t Tuning) withDefaults() Tuning {
	t.Tuning = t.WithDefaults()
	t.Nudges = cmp.Or(t.Nudges, 64)
	t.GiveUp = cmp.Or(t.GiveUp, 5*time.Minute)
	t.Turns.Idle = cmp.Or(t.Turns.Idle, 2*time.Second)
	t.Turns.Busy = cmp.Or(t.Turns.Busy, 100*time.Millisecond)
	t.Turns.Again = cmp.Or(t.Turns.Again, 30*time.Second)
	t.Turns.Tell = cmp.Or(t.Turns.Tell, 10*time.Second)
	t.RetryMin = cmp.Or(t.RetryMin, 100*time.Millisecond)
	return t
}

func (o Options) validate() error {
	if len(o.Cluster.Brokers) == 0 || o.Group == "" || len(o.Topics) == 0 {
		return errors.New("ingest: brokers, a group and a topic are needed")
	}
	seen := map[string]bool{}
	for _, t := range o.Topics {
		switch {
		case t.Name == "" || t.DeadLetters == "" || t.Decode == nil:
			return fmt.Errorf("ingest: topic %q needs a name, a decoder and a dead-letter topic", t.Name)
		case seen[t.Name]:
			return fmt.Errorf("ingest: topic %q is listed twice", t.Name)
		}
		seen[t.Name] = true
	}
	for _, t := range o.Topics {
		if seen[t.DeadLetters] {
			return fmt.Errorf("ingest: topic %q cannot take the dead letters of %q: it is consumed itself", t.DeadLetters, t.Name)
		}
	}
	return nil
}
