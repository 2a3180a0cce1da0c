package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// stalls guards the connections to brokers against silence. kafka-go makes some
// requests without a deadline, and always tries the first broker first if that one
// can be connected to: a broker that takes connections and answers nothing (it
// hangs, or a network that drops what is sent) would be waited for, for ever.
//
// So a broker has to answer within patience; a connection on which it did not is
// closed. And for as long again that broker is not connected to, so that others
// get their turn. Where kafka-go sets a deadline of its own (joining a group takes
// as long as a rebalance does), that one holds, once the connection has shown that
// somebody is there.
type stalls struct {
	patience time.Duration
	open     func(ctx context.Context, network, address string) (net.Conn, error)

	mu      sync.Mutex
	silent  map[string]time.Time // addresses, until when they are not connected to
	conns   map[*guarded]struct{}
	stopped bool
}

// stallError says that a broker takes connections and does not answer. It is not
// temporary as kafka-go understands it: trying again on the same connection is no
// use.
type stallError struct{ address string }

func (e *stallError) Error() string {
	return "the broker at " + e.address + " does not answer"
}

// guard returns the cluster with guarded connections.
func (c Cluster) guard(patience time.Duration) (Cluster, *stalls) {
	s := &stalls{
		patience: patience, open: c.Dial,
		silent: map[string]time.Time{}, conns: map[*guarded]struct{}{},
	}
	if s.open == nil {
		s.open = new(net.Dialer).DialContext
	}
	c.Dial = s.dial
	return c, s
}

func (s *stalls) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := s.avoid(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	conn, err := s.open(ctx, network, address)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			s.fell(address)
		}
		return nil, err
	}
	g := &guarded{Conn: conn, stalls: s, address: address}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	s.conns[g] = struct{}{}
	return g, nil
}

// avoid fails while an address is not to be connected to.
func (s *stalls) avoid(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.silent[address]
	if !ok {
		return nil
	}
	if left := time.Until(until); left > 0 {
		return fmt.Errorf("%w; it is asked again in %s", &stallError{address}, left.Round(time.Millisecond))
	}
	delete(s.silent, address)
	return nil
}

// fell notes that an address is silent.
func (s *stalls) fell(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent[address] = time.Now().Add(s.patience)
}

// close closes all connections and opens no more.
func (s *stalls) close() {
	s.mu.Lock()
	s.stopped = true
	conns := make([]*guarded, 0, len(s.conns))
	for g := range s.conns {
		conns = append(conns, g)
	}
	s.mu.Unlock()
	for _, g := range conns {
		_ = g.Close()
	}
}

// guarded is a connection to a broker that does not wait for ever.
type guarded struct {
	net.Conn
	stalls  *stalls
	address string

	mu       sync.Mutex
	deadline time.Time // for reading, as the user set it
	answered bool      // something has been read, ever
	asked    time.Time // when something was first written since something was read
}

// Read waits for an answer until the user's deadline, and for stalls.patience if
// there is none or nothing has ever been answered.
func (g *guarded) Read(b []byte) (int, error) {
	g.mu.Lock()
	limit := g.deadline
	if limit.IsZero() || !g.answered {
		if own := time.Now().Add(g.stalls.patience); limit.IsZero() || own.Before(limit) {
			limit = own
		}
	}
	_ = g.Conn.SetReadDeadline(limit)
	g.mu.Unlock()
	n, err := g.Conn.Read(b)

	g.mu.Lock()
	defer g.mu.Unlock()
	if n > 0 {
		g.answered, g.asked = true, time.Time{}
	}
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	if !g.answered || !g.asked.IsZero() && time.Since(g.asked) >= g.stalls.patience {
		g.stalls.fell(g.address)
	} else if !g.deadline.IsZero() {
		return n, err // the user's own
	}
	_ = g.Close()
	return n, &stallError{g.address}
}

// Write gives the broker patience for each part of what is sent, however slow the
// way is, and notes that an answer is to come.
func (g *guarded) Write(b []byte) (int, error) {
	g.mu.Lock()
	if g.asked.IsZero() {
		g.asked = time.Now()
	}
	g.mu.Unlock()
	const part = 32 << 10
	written := 0
	for {
		_ = g.Conn.SetWriteDeadline(time.Now().Add(g.stalls.patience))
		n, err := g.Conn.Write(b[written:min(written+part, len(b))])
		written += n
		switch {
		case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
			g.stalls.fell(g.address)
			_ = g.Close()
			return written, &stallError{g.address}
		case err != nil || written == len(b):
			return written, err
		}
	}
}

// SetDeadline implements net.Conn. Deadlines for writing are the guard's own: a
// broker that reads nothing for that long is silent.
func (g *guarded) SetDeadline(t time.Time) error { return g.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (g *guarded) SetReadDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deadline = t
	if t.IsZero() { // a read under way keeps the limit it has
		return nil
	}
	return g.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (g *guarded) SetWriteDeadline(time.Time) error { return nil }

// Close implements net.Conn.
func (g *guarded) Close() error {
	g.stalls.mu.Lock()
	delete(g.stalls.conns, g)
	g.stalls.mu.Unlock()
	return g.Conn.Close()
}
