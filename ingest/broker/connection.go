package broker

import (
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Connection is the one way to a cluster's brokers, guarded against what kafka-go
// would wait for without end.
type Connection struct {
	Client *kafka.Client

	cluster   Cluster
	stalls    *stalls
	transport *kafka.Transport
	dialer    *kafka.Dialer
	abandoned abandoned
}

// Connect returns a connection that connects when it is first used. A broker that
// is silent for longer than patience is left for another.
func (c Cluster) Connect(patience time.Duration) *Connection {
	cluster, stalls := c.guard(patience)
	transport := cluster.transport()
	return &Connection{
		cluster: cluster, stalls: stalls, transport: transport, dialer: cluster.dialer(),
		Client: &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport},
	}
}

// Close closes what is open, and opens no more.
func (c *Connection) Close() {
	c.stalls.close()
	c.abandoned.settle(time.Second) // without connections, it soon is
	c.transport.CloseIdleConnections()
}

// Explain says in words why the cluster does not do what it was asked, and what to
// do about it. What it has nothing to say to it returns as it is.
func (c *Connection) Explain(err error) error { return c.cluster.explain(err) }

// Abandon calls f and does not wait for it. What says what is done, for people.
func (c *Connection) Abandon(what string, f func()) { c.abandoned.leave(what, f) }

// Overdue returns an error if a call that was abandoned longer ago than patience has
// not returned.
func (c *Connection) Overdue(patience time.Duration) error { return c.abandoned.check(patience) }

// JoinGroup returns a consumer group of the cluster.
func (c *Connection) JoinGroup(config kafka.ConsumerGroupConfig) (*kafka.ConsumerGroup, error) {
	config.Brokers, config.Dialer = c.cluster.Brokers, c.dialer
	return kafka.NewConsumerGroup(config)
}

// Writer makes w write to the cluster.
func (c *Connection) Writer(w *kafka.Writer) *kafka.Writer {
	w.Addr, w.Transport = c.Client.Addr, c.transport
	return w
}

// abandoned are calls that were given up and have not returned. Nothing waits
// for them; that they pile up is the one fault that only a new process cures.
type abandoned struct {
	mu    sync.Mutex
	calls map[*string]time.Time // by what is done, since when
	wait  sync.WaitGroup
}

// leave calls f and does not wait for it. What says what is done, for people.
func (a *abandoned) leave(what string, f func()) {
	a.mu.Lock()
	if a.calls == nil {
		a.calls = map[*string]time.Time{}
	}
	a.calls[&what] = time.Now()
	a.mu.Unlock()
	a.wait.Go(func() {
		defer func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			delete(a.calls, &what)
		}()
		f()
	})
}

// check fails if a call has not returned for longer than that.
func (a *abandoned) check(patience time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for what, since := range a.calls {
		if age := time.Since(since); age > patience {
			return fmt.Errorf("%s has not returned for %s, long after it was given up: restart the process",
				*what, age.Round(time.Second))
		}
	}
	return nil
}

// settle waits until all have returned, but no longer than that.
func (a *abandoned) settle(patience time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); a.wait.Wait() }()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
