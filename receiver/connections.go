package receiver

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many connections are open. Anybody can open connections and send
// nothing. If there are too many, the one that has been without a verified request for the
// longest time is closed. So strangers cannot keep an HR system out or use up the memory.
// A connection whose request was verified is not closed.
type connections struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]*list.Element
	idle *list.List // net.Conns without a verified request, the oldest in front
}

func newConnections(most int) *connections {
	return &connections{most: most, open: map[net.Conn]*list.Element{}, idle: list.New()}
}

// changed is the ConnState hook of the server.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		c.waits(conn)
	case http.StateClosed, http.StateHijacked:
		c.forget(conn)
	case http.StateActive: // only the first byte of a request has come
	}
	for c.idle.Len() > 0 && len(c.open) > c.most {
		oldest := c.idle.Front().Value.(net.Conn)
		c.forget(oldest)
		_ = oldest.Close()
	}
}

// waits puts a connection at the end of idle. The caller holds mu.
func (c *connections) waits(conn net.Conn) {
	if e := c.open[conn]; e != nil {
		c.idle.Remove(e)
	}
	c.open[conn] = c.idle.PushBack(conn)
}

// forget removes a connection from the books without closing it. The caller holds mu.
func (c *connections) forget(conn net.Conn) {
	if e := c.open[conn]; e != nil {
		c.idle.Remove(e)
	}
	delete(c.open, conn)
}

// serves notes that a request of the connection was verified. The connection is not closed
// before the request is answered.
func (c *connections) serves(ctx context.Context) {
	conn, ok := ctx.Value(connKey{}).(net.Conn)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.open[conn]; e != nil {
		c.idle.Remove(e) // a no-op if it was removed before
	}
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}
