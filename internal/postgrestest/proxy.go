package postgrestest

import (
	"bytes"
	"io"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Behaviour is the way in which a proxy treats connections.
type Behaviour int

// The behaviours.
const (
	Forward        Behaviour = iota
	DropNextCommit           // breaks the connection after the next transaction was committed, before the client is told
	LoseNextCommit           // breaks the connection when the next transaction is to be committed, before the server is told
	Stall                    // passes nothing on
	Refuse                   // ends every connection, old or new
)

// Proxy stands between the code under test and the server.
type Proxy struct {
	Address string
	server  string

	mu    sync.Mutex
	now   Behaviour
	conns map[net.Conn]bool // while they are served

	trips atomic.Int64
}

// RoundTrips returns how often a client has said something after a server had answered.
func (p *Proxy) RoundTrips() int64 { return p.trips.Load() }

// NewProxy starts a proxy in front of the server at an address.
func NewProxy(t *testing.T, server string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	p := &Proxy{Address: listener.Addr().String(), server: server, conns: map[net.Conn]bool{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

// Behave changes how the proxy behaves from now on.
func (p *Proxy) Behave(b Behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = b
	if b == Refuse {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

// enter adds a client, unless the proxy refuses it.
func (p *Proxy) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	return p.now != Refuse
}

func (p *Proxy) leave(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// Is reports whether the proxy behaves like this: one that broke a connection forwards again.
func (p *Proxy) Is(b Behaviour) bool { return p.is(b) }

// is reports whether the behaviour is b.
func (p *Proxy) is(b Behaviour) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now == b
}

// breaks reports whether the connection has to break after one side said this. It happens
// once: breaks then resets the behaviour.
func (p *Proxy) breaks(b Behaviour, said []byte, commit string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != b || !bytes.Contains(said, []byte(commit)) {
		return false
	}
	p.now = Forward
	return true
}

// preparing matches the message by which a client has a COMMIT prepared, and the name that it
// gives to it.
var preparing = regexp.MustCompile(`(?s)P....([^\x00]+)\x00COMMIT\x00`)

func (p *Proxy) serve(client net.Conn) {
	defer p.leave(client)
	if !p.enter(client) {
		return
	}
	if p.is(Stall) {
		_, _ = io.Copy(io.Discard, client)
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var answered atomic.Bool
	answered.Store(true)
	go func() {
		p.pass(server, client, LoseNextCommit, func() {
			if answered.Swap(false) {
				p.trips.Add(1)
			}
		})
		_ = server.Close()
	}()
	p.pass(client, server, DropNextCommit, func() { answered.Store(true) })
}

// pass passes on what one side says to the other, until the connection is to break. heard is told
// of each word before the other side is.
func (p *Proxy) pass(to, from net.Conn, breaking Behaviour, heard func()) {
	said := make([]byte, 64<<10)
	commit := "COMMIT\x00" // the server's word; a client has a name for it
	if breaking == LoseNextCommit {
		commit = "not prepared yet"
	}
	for {
		n, err := from.Read(said)
		if err != nil || p.breaks(breaking, said[:n], commit) {
			return
		}
		heard()
		if name := preparing.FindSubmatch(said[:n]); breaking == LoseNextCommit && name != nil {
			commit = "\x00" + string(name[1]) + "\x00" // as it is bound to no portal's name
		}
		if _, err := to.Write(said[:n]); err != nil {
			return
		}
	}
}
