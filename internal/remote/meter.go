package remote

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// Conn is a connection with bounded answers, for one call at a time. An answer that is
// longer than a small one takes room, as in Answers.Read, until the call ends. Conn is for
// protocols whose libraries read the connection themselves.
type Conn struct {
	net.Conn
	answers *Answers
	call    atomic.Pointer[metered]
}

// Conn returns a Conn. Before the first call and between calls, it may receive as much as one
// small answer.
func (a *Answers) Conn(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, answers: a}
	c.idle()
	return c
}

// Begin begins a call that may receive the given number of bytes; end ends it. A call that
// waits for room fails when ctx ends.
func (c *Conn) Begin(ctx context.Context, most int64) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	call := &metered{most: most}
	call.enter = func() (func(), error) { return c.answers.enter(ctx) }
	c.call.Store(call)
	return func() {
		cancel()
		call.end()
		c.idle()
	}
}

func (c *Conn) idle() {
	c.call.Store(&metered{most: smallAnswer})
}

// TooLong reports whether the call received too many bytes.
func (c *Conn) TooLong() bool {
	call := c.call.Load()
	return call.read.Load() > call.most
}

// Read implements net.Conn. It fails with ErrTooLong once the call has received too many
// bytes.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if metered := c.call.Load().count(int64(n)); metered != nil {
		return 0, metered
	}
	return n, err
}

// metered counts what one call has received.
type metered struct {
	most  int64
	read  atomic.Int64
	enter func() (leave func(), err error) // takes room for a long answer

	mu    sync.Mutex
	ended bool
	leave func() // nil if no room is taken
}

func (m *metered) count(n int64) error {
	read := m.read.Add(n)
	if read > m.most {
		return ErrTooLong
	}
	if read <= smallAnswer {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leave != nil {
		return nil
	}
	if m.ended {
		return context.Canceled
	}
	leave, err := m.enter()
	m.leave = leave
	return err
}

func (m *metered) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	if m.leave != nil {
		m.leave()
		m.leave = nil
	}
}
