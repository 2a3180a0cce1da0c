package group

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/ingest/broker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	topic    = "hr.events"
	patience = 20 * time.Second // the bound for waiting for what must happen
	tick     = 2 * time.Millisecond
)

// counter counts the records that it is given, and lets them pass only once gate is
// closed.
type counter struct {
	gate chan struct{} // closed when records may pass

	mu        sync.Mutex
	begun     int
	delivered int
}

func (c *counter) Sift(_ context.Context, _ string, records []kafka.Message) []bool {
	return make([]bool, len(records))
}

func (c *counter) Deliver(ctx context.Context, _ kafka.Message) error {
	c.mu.Lock()
	c.begun++
	c.mu.Unlock()
	select {
	case <-c.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivered++
	return nil
}

func (c *counter) counts() (begun, delivered int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.begun, c.delivered
}

// rig is a broker with a topic, and a member that reads it.
type rig struct {
	t       *testing.T
	conn    *broker.Connection
	member  *Member
	handler *counter
	logs    *observer.ObservedLogs
}

func newRig(t *testing.T, partitions int, messages []broker.Message, tuning Tuning) *rig {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.SeedTopics(int32(partitions), topic))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	cluster := broker.Cluster{Brokers: fake.ListenAddrs()}
	publisher := broker.NewPublisher(cluster)
	require.NoError(t, publisher.Publish(t.Context(), topic, messages))
	require.NoError(t, publisher.Close())

	tuning.CommitEvery, tuning.FetchWait, tuning.WatchEvery = 10*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
	tuning.TopicsEvery, tuning.Session, tuning.RejoinAfter = 20*time.Millisecond, time.Second, 20*time.Millisecond
	core, logs := observer.New(zapcore.DebugLevel)
	r := &rig{t: t, conn: cluster.Connect(200 * time.Millisecond), handler: &counter{gate: make(chan struct{})}, logs: logs}
	r.member = New(Options{
		Connection: r.conn, Name: "tenure", Topics: []Topic{{Name: topic}}, Handler: r.handler, Log: zap.New(core), Tuning: tuning,
		Persist: func(ctx context.Context, f func(context.Context) error) error {
			for ctx.Err() == nil && f(ctx) != nil {
			}
			return ctx.Err()
		},
	})
	return r
}

// run runs the member until stop is called.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.member.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(r.t, <-done)
		r.conn.Close()
	})
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) eventually(cond func() bool, what string) {
	r.t.Helper()
	require.Eventually(r.t, cond, patience, tick, what)
}

func messages(n int, keys ...string) (all []broker.Message) {
	for i := range n {
		for _, key := range keys {
			all = append(all, broker.Message{Key: key, Value: fmt.Appendf(nil, "%3d", i)})
		}
	}
	return all
}

func TestRecordsInFlightAreBoundedInBytes(t *testing.T) {
	all := messages(20, "1", "2", "3", "4", "5", "6", "7", "8", "9")
	const one, bound = 4, 10 * 4
	r := newRig(t, 3, all, Tuning{Bytes: bound})
	stop := r.run()
	held := func() int64 {
		b := r.member.budget
		b.mu.Lock()
		defer b.mu.Unlock()
		return bound - b.free
	}
	r.eventually(r.member.budget.awaited, "as much is in flight as may be")
	assert.LessOrEqual(t, held(), int64(bound+2*one), "a partition that has nothing goes on")
	begun, _ := r.handler.counts()
	assert.LessOrEqual(t, begun, 10+2)
	close(r.handler.gate)
	r.eventually(func() bool { _, delivered := r.handler.counts(); return delivered == len(all) }, "all are delivered")
	stop()
	assert.Zero(t, held(), "all comes back")
}

// hungGroup is a kafka.ConsumerGroup in which no generation begins, and which cannot be closed.
type hungGroup struct{ release chan struct{} }

func (g hungGroup) Next(ctx context.Context) (*kafka.Generation, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (g hungGroup) Close() error {
	<-g.release
	return nil
}

func TestAMembershipThatDoesNotComeAboutBeginsAnew(t *testing.T) {
	r := newRig(t, 1, messages(3, "1"), Tuning{
		Rejoin: 50 * time.Millisecond, DrainFor: 10 * time.Millisecond, Answer: 200 * time.Millisecond, StuckAfter: 10 * time.Millisecond,
	})
	hung, joins, join := hungGroup{make(chan struct{})}, 0, r.member.join
	r.member.join = func(config kafka.ConsumerGroupConfig) (group, error) {
		if joins++; joins == 1 {
			return hung, nil
		}
		return join(config)
	}
	close(r.handler.gate)
	stop := r.run()
	r.eventually(func() bool { _, delivered := r.handler.counts(); return delivered == 3 }, "all are delivered")
	assert.Equal(t, 1, r.logs.FilterMessageSnippet("joining anew").Len())
	require.ErrorContains(t, r.member.Alive(t.Context()), "leaving the consumer group has not returned")
	close(hung.release)
	r.eventually(func() bool { return r.member.Alive(t.Context()) == nil }, "it has")
	stop()
	assert.Equal(t, 2, joins)
	var rejoins dto.Metric
	require.NoError(t, r.member.metrics.rejoins.Write(&rejoins))
	assert.EqualValues(t, 1, rejoins.GetCounter().GetValue())
}
