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

// stalls guards the connections to brokers against silence. kafka-go makes some requests
// without a deadline, and always tries the first broker first if it accepts connections.
// If that broker never answers (it hangs, or the network drops packets), kafka-go waits
// for ever.
//
// So a broker has to answer within patience. If it does not, stalls closes the
// connection, and refuses to connect to that broker for as long again, so that others
// get their turn. Once a broker has answered on a connection, the deadlines that
// kafka-go sets itself apply: joining a group takes as long as a rebalance does.
type stalls struct {
	patience time.Duration
	open     func(ctx context.Context, network, address string) (net.Conn, error)

	mu      sync.Mutex
	silent  map[string]time.Time // by address: the time before which nothing connects to it
	conns   map[*guarded]struct{}
	stopped bool
}

// stallError is the error of a broker that accepts connections and does not answer. It
// has no method Temporary, or kafka-go would try again on the same connection.
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
			s.silence(address)
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

// avoid returns an error while an address is not to be connected to.
func (s *stalls) avoid(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.silent[address]
	if !ok {
		return nil
	}
	if left := time.Until(until); left > 0 {
		return fmt.Errorf("%w; Tenure connects to it again in %s", &stallError{address}, left.Round(time.Millisecond))
	}
	delete(s.silent, address)
	return nil
}

// silence notes that an address is silent.
func (s *stalls) silence(address string) {
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

// guarded is a connection on which nothing waits for ever.
type guarded struct {
	net.Conn
	stalls  *stalls
	address string

	mu       sync.Mutex
	deadline time.Time // for reading, as kafka-go set it
	answered bool      // whether anything has been read
	asked    time.Time // when something was first written since the last read
}

// Read waits for an answer until kafka-go's deadline. If there is none, or the broker has
// not answered yet, it waits for stalls.patience.
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
		g.stalls.silence(g.address)
	} else if !g.deadline.IsZero() {
		return n, err // kafka-go's own deadline
	}
	_ = g.Close()
	return n, &stallError{g.address}
}

// Write gives the broker stalls.patience for each part of what is sent, because a network
// may be slow, and notes that an answer has to come.
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
			g.stalls.silence(g.address)
			_ = g.Close()
			return written, &stallError{g.address}
		case err != nil || written == len(b):
			return written, err
		}
	}
}

// SetDeadline implements net.Conn. It sets no deadline for writing: see Write.
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
