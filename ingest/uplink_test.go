package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// uplink is the network between one member and the brokers. It can be cut or stalled, and
// calls onCommit for each commit that leaves.
type uplink struct {
	onCommit func(partition int, offset int64) // may be nil

	mu    sync.Mutex
	open  chan struct{} // closed unless it is stalled
	isCut bool
	conns map[net.Conn]struct{}
}

func newUplink() *uplink {
	n := &uplink{open: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(n.open)
	return n
}

// stall holds everything that is sent, until flow. Connections stay open.
func (n *uplink) stall() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.open:
		n.open = make(chan struct{})
	default: // it is stalled already
	}
}

// flow ends a stall, and lets go what was held.
func (n *uplink) flow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.open:
	default:
		close(n.open)
	}
}

// cut ends all connections and makes new ones impossible, until mend.
func (n *uplink) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.isCut = true
	for conn := range n.conns {
		_ = conn.Close()
	}
	clear(n.conns)
}

func (n *uplink) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.isCut = false
}

func (n *uplink) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isCut {
		_ = conn.Close()
		return nil, errors.New("the uplink is cut")
	}
	n.conns[conn] = struct{}{}
	return &link{conn, n}, nil
}

// link is one connection through an uplink.
type link struct {
	net.Conn
	uplink *uplink
}

func (l *link) Close() error {
	l.uplink.mu.Lock()
	defer l.uplink.mu.Unlock()
	delete(l.uplink.conns, l.Conn)
	return l.Conn.Close()
}

func (l *link) Write(b []byte) (int, error) {
	l.uplink.mu.Lock()
	open := l.uplink.open
	l.uplink.mu.Unlock()
	<-open
	if l.uplink.onCommit != nil {
		for partition, offset := range commitsIn(b) {
			l.uplink.onCommit(partition, offset)
		}
	}
	return l.Conn.Write(b)
}

// commitsIn returns the offsets, by partition, that a request asks to commit; none if it
// is another kind of request. kafka-go writes each such request at once.
func commitsIn(b []byte) map[int]int64 {
	const head = 4 + 2 + 2 + 4 + 2 // size, key, version, correlation ID, length of the client's ID
	if len(b) < head || int(binary.BigEndian.Uint32(b)) != len(b)-4 ||
		kmsg.Key(binary.BigEndian.Uint16(b[4:])) != kmsg.OffsetCommit {
		return nil
	}
	request := kmsg.NewPtrOffsetCommitRequest()
	request.SetVersion(int16(binary.BigEndian.Uint16(b[6:])))
	if err := request.ReadFrom(b[head+int(binary.BigEndian.Uint16(b[head-2:])):]); err != nil {
		panic(err)
	}
	commits := map[int]int64{}
	for _, t := range request.Topics {
		for _, p := range t.Partitions {
			commits[int(p.Partition)] = p.Offset
		}
	}
	return commits
}
