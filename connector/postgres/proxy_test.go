//go:build real

package postgres_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// behaviour is what a proxy does with connections.
type behaviour int

const (
	forward        behaviour = iota
	dropNextCommit           // breaks the connection on which the next transaction was committed, before that is told
	stall                    // says nothing
)

// proxy stands between the connector and the server.
type proxy struct {
	address string
	server  string

	mu  sync.Mutex
	now behaviour
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	p := &proxy{address: listener.Addr().String(), server: server}
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

func (p *proxy) behave(b behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = b
}

// is says whether the behaviour is b.
func (p *proxy) is(b behaviour) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now == b
}

// dropped says whether what the server said tells of the commit that is to be
// kept from the client, and forgets that one is.
func (p *proxy) dropped(said []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != dropNextCommit || !bytes.Contains(said, []byte("COMMIT\x00")) {
		return false
	}
	p.now = forward
	return true
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if p.is(stall) {
		_, _ = io.Copy(io.Discard, client)
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	said := make([]byte, 64<<10)
	for {
		n, err := server.Read(said)
		if err != nil || p.dropped(said[:n]) {
			return
		}
		if _, err := client.Write(said[:n]); err != nil {
			return
		}
	}
}
