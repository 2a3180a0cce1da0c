package ingest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// network is the network between clients and brokers: a proxy in front of each broker,
// which can be slow, or stop forwarding without closing anything, as a broken network
// does. Brokers tell clients their own addresses; dial replaces these by the addresses of
// the proxies.
type network struct {
	t  *testing.T
	mu sync.Mutex
	// flows is closed while bytes pass.
	flows   chan struct{}
	latency time.Duration
	proxies map[string]net.Listener // by the broker's address
	conns   []net.Conn
	all     sync.WaitGroup
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t, flows: make(chan struct{}), proxies: map[string]net.Listener{}}
	close(n.flows)
	t.Cleanup(n.close)
	return n
}

// dial connects to a broker through its proxy.
func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	proxy, ok := n.proxies[address]
	if !ok {
		var err error
		if proxy, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			n.mu.Unlock()
			return nil, err
		}
		n.proxies[address] = proxy
		n.all.Go(func() { n.serve(proxy, address) })
	}
	n.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, proxy.Addr().String())
}

func (n *network) serve(proxy net.Listener, broker string) {
	for {
		client, err := proxy.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", broker)
		if err != nil {
			_ = client.Close()
			continue
		}
		n.mu.Lock()
		n.conns = append(n.conns, client, server)
		n.mu.Unlock()
		n.all.Go(func() { n.forward(client, server) })
		n.all.Go(func() { n.forward(server, client) })
	}
}

// forward passes on bytes after the latency, and holds them while the network is stalled.
// It closes the connection when one end closes it, but not while the network is stalled:
// the other end would not notice.
func (n *network) forward(from, to net.Conn) {
	type parcel struct {
		bytes []byte
		due   time.Time
	}
	parcels := make(chan parcel, 1024)
	n.all.Go(func() {
		defer func() { _ = to.Close() }()
		for p := range parcels {
			timer := time.NewTimer(time.Until(p.due))
			<-timer.C
			n.await()
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close()
			}
		}
		n.await()
	})
	defer close(parcels)
	buffer := make([]byte, 32<<10)
	for {
		k, err := from.Read(buffer)
		if k > 0 {
			n.mu.Lock()
			due := time.Now().Add(n.latency)
			n.mu.Unlock()
			parcels <- parcel{append([]byte(nil), buffer[:k]...), due}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_ = to.Close()
			}
			return
		}
	}
}

// await returns while bytes pass.
func (n *network) await() {
	for {
		n.mu.Lock()
		flows := n.flows
		n.mu.Unlock()
		<-flows
		n.mu.Lock()
		same := flows == n.flows
		n.mu.Unlock()
		if same {
			return
		}
	}
}

// stall stops all bytes until resume.
func (n *network) stall() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.flows = make(chan struct{})
}

// resume ends stall.
func (n *network) resume() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.flows:
	default:
		close(n.flows)
	}
}

// slow delays everything by the latency, each way.
func (n *network) slow(latency time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = latency
}

func (n *network) close() {
	n.resume()
	n.mu.Lock()
	for _, proxy := range n.proxies {
		_ = proxy.Close()
	}
	for _, conn := range n.conns {
		_ = conn.Close()
	}
	n.mu.Unlock()
	n.all.Wait()
}

// silent returns the address of a listener that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return ln.Addr().String()
}
