// Package directorytest simulates failures of networks and servers: it has a proxy between an
// LDAP client and a real server that stalls, or breaks the connection instead of an answer.
// It is for tests, and imports go-ldap.
package directorytest

import (
	"bufio"
	"crypto/tls"
	"net"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// Proxy stands between clients and a server, and can be made to fail.
type Proxy struct {
	Address string // the proxy's own host and port

	dial func() (net.Conn, error)

	mu      sync.Mutex
	stalled bool // pass nothing on
	cut     bool // pass on the next change, and break off instead of its answer
}

// Plain returns a proxy of the server at a host and port. It ends with the test.
func Plain(t *testing.T, server string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return start(t, listener, func() (net.Conn, error) { return net.Dial("tcp", server) })
}

// TLS returns a proxy of the LDAPS server at a host and port. client is the proxy's
// configuration towards the server, own the one towards its clients, with its certificate. It
// ends with the test.
func TLS(t *testing.T, server string, client, own *tls.Config) *Proxy {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", own)
	require.NoError(t, err)
	return start(t, listener, func() (net.Conn, error) { return tls.Dial("tcp", server, client) })
}

func start(t *testing.T, listener net.Listener, dial func() (net.Conn, error)) *Proxy {
	t.Cleanup(func() { _ = listener.Close() })
	p := &Proxy{Address: listener.Addr().String(), dial: dial}
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

// Stall makes the proxy pass nothing on.
func (p *Proxy) Stall() { p.set(true, false) }

// Cut makes the proxy pass on the next change, and break the connection instead of passing
// back the answer.
func (p *Proxy) Cut() { p.set(false, true) }

// Heal makes the proxy work, for connections that are opened from now on.
func (p *Proxy) Heal() { p.set(false, false) }

func (p *Proxy) set(stalled, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled, p.cut = stalled, cut
}

func (p *Proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := p.dial()
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var doomed int64 = -1 // the message that gets no answer
	var mu sync.Mutex
	go p.each(client, server, func(message *ber.Packet) bool {
		mu.Lock()
		defer mu.Unlock()
		if p.dooms(message) {
			doomed = message.Children[0].Value.(int64)
		}
		return true
	})
	p.each(server, client, func(message *ber.Packet) bool {
		mu.Lock()
		defer mu.Unlock()
		return message.Children[0].Value.(int64) != doomed
	})
}

// each passes messages on until pass returns false, or either side ends.
func (p *Proxy) each(from, to net.Conn, pass func(message *ber.Packet) bool) {
	defer func() { _ = to.Close() }()
	reader := bufio.NewReader(from)
	for {
		message, err := ber.ReadPacket(reader)
		if err != nil || !pass(message) {
			return
		}
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled {
			continue
		}
		if _, err := to.Write(message.Bytes()); err != nil {
			return
		}
	}
}

// dooms reports whether a message is the change that is to get no answer.
func (p *Proxy) dooms(message *ber.Packet) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch message.Children[1].Tag {
	case ldap.ApplicationModifyRequest, ldap.ApplicationAddRequest, ldap.ApplicationDelRequest, ldap.ApplicationModifyDNRequest:
		doomed := p.cut
		p.cut = false
		return doomed
	}
	return false
}
