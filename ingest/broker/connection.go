package broker

import (
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Connection is the door to a cluster's brokers: it guards all that goes through it.
// See the package documentation.
type Connection struct {
	Client *kafka.Client // asks the brokers, through the guarded connections

	cluster   Cluster
	stalls    *stalls
	transport *kafka.Transport
	dialer    *kafka.Dialer
	abandoned abandoned
}

// Connect returns a Connection that connects when it is first used. It leaves a broker
// that is silent for longer than patience for another one.
func (c Cluster) Connect(patience time.Duration) *Connection {
	cluster, stalls := c.guard(patience)
	transport := cluster.transport()
	return &Connection{
		cluster: cluster, stalls: stalls, transport: transport, dialer: cluster.dialer(),
		Client: &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: transport},
	}
}

// Close closes all connections, and opens no more.
func (c *Connection) Close() {
	c.stalls.close()
	c.abandoned.settle(time.Second) // without connections, calls soon return
	c.transport.CloseIdleConnections()
}

// Explain wraps an error of the cluster in words: what is wrong, and what to do. It
// returns an error that it does not know as it is.
func (c *Connection) Explain(err error) error { return c.cluster.explain(err) }

// Abandon calls f and does not wait for it. what names the call, for people.
func (c *Connection) Abandon(what string, f func()) { c.abandoned.leave(what, f) }

// Overdue returns an error if a call was abandoned longer ago than patience and has not
// returned.
func (c *Connection) Overdue(patience time.Duration) error { return c.abandoned.check(patience) }

// JoinGroup joins a consumer group of the cluster.
func (c *Connection) JoinGroup(config kafka.ConsumerGroupConfig) (*kafka.ConsumerGroup, error) {
	config.Brokers, config.Dialer = c.cluster.Brokers, c.dialer
	return kafka.NewConsumerGroup(config)
}

// Writer sets w up to write to the cluster, and returns it.
func (c *Connection) Writer(w *kafka.Writer) *kafka.Writer {
	w.Addr, w.Transport = c.Client.Addr, c.transport
	return w
}

// abandoned holds the calls that were given up and have not returned. Nothing waits for
// them. If they pile up, only a new process helps.
type abandoned struct {
	mu    sync.Mutex
	calls map[*string]time.Time // by name: when the call was abandoned
	wait  sync.WaitGroup
}

// leave calls f and does not wait for it. what names the call, for people.
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

// check returns an error if a call has not returned for longer than patience.
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

// settle waits until all calls have returned, but no longer than patience.
func (a *abandoned) settle(patience time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); a.wait.Wait() }()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
