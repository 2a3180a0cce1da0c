//go:build real

package ldap_test

import (
	"bufio"
	"net"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// proxy stands between a connector and a server, and makes a nuisance of itself.
type proxy struct {
	server string // host and port

	mu      sync.Mutex
	stalled bool // pass nothing on
	cut     bool // pass on the next change, and break off instead of its answer
}

// listen returns the address of a proxy of that server.
func listen(t *testing.T, server string) (*proxy, string) {
	t.Helper()
	p := &proxy{server: server}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p, listener.Addr().String()
}

func (p *proxy) set(stalled, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled, p.cut = stalled, cut
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
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

// each passes messages on until one is not to be, or either side ends.
func (p *proxy) each(from, to net.Conn, pass func(message *ber.Packet) bool) {
	defer to.Close()
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

// dooms says whether a message is the change that is to get no answer.
func (p *proxy) dooms(message *ber.Packet) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch message.Children[1].Tag {
	case goldap.ApplicationModifyRequest, goldap.ApplicationAddRequest, goldap.ApplicationDelRequest, goldap.ApplicationModifyDNRequest:
		doomed := p.cut
		p.cut = false
		return doomed
	}
	return false
}
