package group

import (
	"cmp"
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ingest/broker"
)

// Topic is a topic that a group reads.
type Topic struct {
	Name    string
	FromEnd bool // a group that has never read the topic begins after its last record, not with its first one
}

// Handler does what has to be done with records. Its methods have to be safe for
// concurrent use.
type Handler interface {
	// Sift reports for each record of a topic whether it was delivered when it was read
	// before: then it is acknowledged, and not delivered again.
	Sift(ctx context.Context, topic string, records []kafka.Message) []bool
	// Deliver returns when the record may be acknowledged. It fails only when ctx is
	// done, and the record is read again then.
	Deliver(ctx context.Context, record kafka.Message) error
}

// Options configures a Member. Metrics may be nil; a zero Tuning means the defaults.
type Options struct {
	Connection *broker.Connection
	Name       string // the name of the group
	Topics     []Topic
	Handler    Handler
	// Persist calls f until the brokers answer. It fails only with ctx's error.
	Persist func(ctx context.Context, f func(ctx context.Context) error) error
	Log     *zap.Logger
	Metrics prometheus.Registerer
	Tuning  Tuning
}

// Tuning holds the numbers that production has no reason to change, and tests
// do. Zero fields get the defaults.
type Tuning struct {
	Window      int           // records in flight per partition; default 256
	Span        int           // records from the first that is not acknowledged to the last, per partition; default 64 windows
	Spare       time.Duration // how often one more record is read of a partition that has no room; default 10s
	Bytes       int           // in flight in all partitions together; default 64 MiB
	CommitEvery time.Duration // default 500ms
	FetchWait   time.Duration // how long a broker may hold a fetch until records come; default 3s
	DrainFor    time.Duration // how long records in flight may take when a generation ends; default 5s
	StuckAfter  time.Duration // how long a partition with records may acknowledge none before an alarm; default 2m
	Refetch     time.Duration // how long a partition with records may deliver none before fetching begins anew; default 30s
	Rejoin      time.Duration // how long there may be no membership while the brokers answer, before joining begins anew; default 2m
	WatchEvery  time.Duration // how often lag is measured; default 10s
	Attempt     time.Duration // how long one attempt at a dependency may take; default 30s
	Answer      time.Duration // how long a broker may be silent when asked, except when joining; default 5s
	RetryMax    time.Duration // longest wait between attempts; default 10s
	TopicsEvery time.Duration // how often new partitions are looked for; default 5s

	// Session is how long a member may be silent before the group expels it. Nobody
	// reads its partitions meanwhile. Default 10s.
	Session time.Duration
	// Rebalance is how long a rebalance waits for members to let their partitions go. It
	// must be longer than DrainFor. Default 20s.
	Rebalance time.Duration
	// RejoinAfter is how long to wait after a failed attempt to join. Default 1s.
	RejoinAfter time.Duration
}

// WithDefaults returns t with defaults in place of zeros.
func (t Tuning) WithDefaults() Tuning {
	t.Window = cmp.Or(t.Window, 256)
	t.Span = cmp.Or(t.Span, 64*t.Window)
	t.Spare = cmp.Or(t.Spare, 10*time.Second)
	t.Bytes = cmp.Or(t.Bytes, 64<<20)
	t.CommitEvery = cmp.Or(t.CommitEvery, 500*time.Millisecond)
	t.FetchWait = cmp.Or(t.FetchWait, 3*time.Second)
	t.DrainFor = cmp.Or(t.DrainFor, 5*time.Second)
	t.StuckAfter = cmp.Or(t.StuckAfter, 2*time.Minute)
	t.Refetch = cmp.Or(t.Refetch, 30*time.Second)
	t.Rejoin = cmp.Or(t.Rejoin, 2*time.Minute)
	t.WatchEvery = cmp.Or(t.WatchEvery, 10*time.Second)
	t.Attempt = cmp.Or(t.Attempt, 30*time.Second)
	t.Answer = cmp.Or(t.Answer, 5*time.Second)
	t.RetryMax = cmp.Or(t.RetryMax, 10*time.Second)
	t.TopicsEvery = cmp.Or(t.TopicsEvery, 5*time.Second)
	t.Session = cmp.Or(t.Session, 10*time.Second)
	t.Rebalance = cmp.Or(t.Rebalance, 20*time.Second)
	t.RejoinAfter = cmp.Or(t.RejoinAfter, time.Second)
	return t
}
