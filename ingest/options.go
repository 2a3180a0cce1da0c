package ingest

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
)

// Topic is a topic of HR events and how to read it.
type Topic struct {
	Name        string
	Source      string            // name of the decoder, for people
	Decode      source.Decoder    // must be safe for concurrent use
	Identify    source.Identifier // nil if the source has none; must be safe for concurrent use
	Fetch       source.Fetch      // for thin records; nil if they cannot be fetched
	DeadLetters string            // topic
	// Channel says which events its records may carry. Endpoints says the same of the records
	// that the webhook intake wrote, by the endpoint's path; a record with the path of no
	// endpoint may carry nothing.
	Channel   source.Channel
	Endpoints map[string]source.Channel
	// Snapshot says that the source's events hold what was so when they were made: see source.Source.
	Snapshot bool
	FromEnd  bool // a group that has never read the topic begins after its last record; else with the first one
}

// Options configures a Consumer. Metrics may be nil; a zero Tuning means the defaults.
type Options struct {
	Cluster broker.Cluster
	Group   string // consumer group
	Topics  []Topic

	Intake  ledger.Intake
	Nudger  Nudger
	Clock   clock.Clock
	Log     *zap.Logger
	Metrics prometheus.Registerer
	Tuning  Tuning
	// Settle is how long (product time) ordinary terminations wait before anything
	// comes of them. A run that begins with one begins after it: that costs nothing,
	// and a run that is open waits itself.
	Settle time.Duration
}

// Tuning holds the numbers that production has no reason to change, and tests
// do. Zero fields get the defaults.
type Tuning struct {
	Window      int           // records in flight per partition; default 256
	Span        int           // records from the first that is not done with to the last, per partition; default 64 windows
	Bytes       int           // in flight in all partitions together; default 64 MiB
	Nudges      int           // calls to Temporal under way at once; default 64
	CommitEvery time.Duration // default 500ms
	FetchWait   time.Duration // how long a broker may hold a fetch for records to come, and take to begin answering; default 3s
	DrainFor    time.Duration // how long what is in flight may take when a generation ends; default 5s
	StuckAfter  time.Duration // no acknowledgement for so long, with records there, is an alarm; default 2m
	Refetch     time.Duration // no record for so long, with records there, begins fetching anew; default 30s
	Rejoin      time.Duration // no membership for so long, with brokers there, begins it anew; default 2m
	WatchEvery  time.Duration // how often lag is measured; default 10s
	Attempt     time.Duration // how long one attempt at the ledger, Temporal or a broker may take; default 30s
	Answer      time.Duration // how long a broker may be silent when asked, joining a group apart; default 5s
	// GiveUp is after how long a record is given up, and becomes a dead letter, that
	// does not pass while others do; default 5m.
	GiveUp   time.Duration
	RetryMin time.Duration // first wait between attempts at what is unavailable; default 100ms
	RetryMax time.Duration // longest wait; default 10s

	TopicsEvery time.Duration // how often new partitions are looked for; default 5s

	// Session is after how long a member that is not heard of is out of the group;
	// its partitions rest meanwhile. Default 10s.
	Session time.Duration
	// Rebalance is how long a rebalance waits for members to let go. It must be
	// longer than DrainFor. Default 20s.
	Rebalance time.Duration
	// RejoinAfter is how long to wait after a failed attempt to join. Default 1s.
	RejoinAfter time.Duration
}

func (t Tuning) withDefaults() Tuning {
	for _, d := range []struct {
		field *int
		value int
	}{{&t.Window, 256}, {&t.Bytes, 64 << 20}, {&t.Nudges, 64}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if t.Span == 0 {
		t.Span = 64 * t.Window
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.CommitEvery, 500 * time.Millisecond},
		{&t.FetchWait, 3 * time.Second},
		{&t.DrainFor, 5 * time.Second},
		{&t.StuckAfter, 2 * time.Minute},
		{&t.WatchEvery, 10 * time.Second},
		{&t.Refetch, 30 * time.Second},
		{&t.Rejoin, 2 * time.Minute},
		{&t.Attempt, 30 * time.Second},
		{&t.Answer, 5 * time.Second},
		{&t.GiveUp, 5 * time.Minute},
		{&t.RetryMin, 100 * time.Millisecond},
		{&t.RetryMax, 10 * time.Second},
		{&t.TopicsEvery, 5 * time.Second},
		{&t.Session, 10 * time.Second},
		{&t.Rebalance, 20 * time.Second},
		{&t.RejoinAfter, time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
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
			return fmt.Errorf("ingest: topic %q is there twice", t.Name)
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
