//go:build real

package crash

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// point is a place in the work of a process at which it may die.
type point string

const (
	afterFetch       point = "after fetch"
	afterLedgerWrite point = "after ledger write"
	afterSignal      point = "after signal"
	beforeCommit     point = "before commit" // the request was made, and not sent
	afterCommit      point = "after commit"  // the broker has answered, and nobody has read it
)

var points = []point{afterFetch, afterLedgerWrite, afterSignal, beforeCommit, afterCommit}

// death says when a process dies: when the After-th event passes the point or, at the
// points of a commit, at the first commit after as many signals.
type death struct {
	Point point
	After int64
}

// firstWords is the line that a process writes once a SIGTERM no longer kills it.
const firstWords = "listens for SIGTERM"

// lastWords begins the line that a process writes before it dies; a point follows.
const lastWords = "killed "

// reaper kills its process at the death that was chosen.
type reaper struct {
	death   death
	passed  atomic.Int64
	signals atomic.Int64
}

func (r *reaper) pass(p point) {
	if p == afterSignal {
		r.signals.Add(1)
	}
	if p == r.death.Point && r.passed.Add(1) == r.death.After {
		r.kill()
	}
}

// passCommit is called before a commit is sent and after its answer has come.
func (r *reaper) passCommit(p point) {
	if p == r.death.Point && r.signals.Load() >= r.death.After {
		r.kill()
	}
}

func (r *reaper) kill() {
	fmt.Fprintf(os.Stderr, "%s%s\n", lastWords, r.death.Point)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // this goroutine does nothing more until the kernel has killed the process
}

// dial connects to a broker, and watches the connection for commits.
func (r *reaper) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &watched{Conn: conn, reaper: r}
	w.sent = frames{head: 8, see: w.request}
	w.received = frames{head: 4, see: w.response}
	return w, nil
}

// watched is a connection to a broker, which tells the reaper of commits.
type watched struct {
	net.Conn
	reaper         *reaper
	commit         atomic.Int64 // 1 + the correlation ID of a commit that is not answered; 0 if there is none
	sent, received frames
}

// offsetCommit is the API key of Kafka's OffsetCommit.
const offsetCommit = 8

// request gets the beginning of a request: key (2 bytes), version (2) and correlation ID
// (4).
func (w *watched) request(head []byte) {
	if binary.BigEndian.Uint16(head) == offsetCommit {
		w.reaper.passCommit(beforeCommit)
		w.commit.Store(1 + int64(binary.BigEndian.Uint32(head[4:])))
	}
}

// response gets the beginning of a response: its correlation ID (4 bytes).
func (w *watched) response(head []byte) {
	if w.commit.CompareAndSwap(1+int64(binary.BigEndian.Uint32(head)), 0) {
		w.reaper.passCommit(afterCommit)
	}
}

func (w *watched) Write(b []byte) (int, error) {
	w.sent.feed(b)
	return w.Conn.Write(b)
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.received.feed(b[:n])
	return n, err
}

// frames splits a stream of Kafka's protocol into frames. Each is a size (4 bytes) and as
// many bytes, the first few of which are passed to see.
type frames struct {
	head int // how many bytes see gets; no frame has fewer
	see  func(head []byte)
	have []byte // the beginning of the present frame: at most its size and head
	rest int    // bytes of the present frame to come after those
}

func (f *frames) feed(b []byte) {
	const size = 4
	for len(b) > 0 {
		if f.rest > 0 {
			n := min(f.rest, len(b))
			f.rest -= n
			b = b[n:]
			continue
		}
		n := min(size+f.head-len(f.have), len(b))
		f.have = append(f.have, b[:n]...)
		b = b[n:]
		if len(f.have) == size+f.head {
			f.rest = int(binary.BigEndian.Uint32(f.have)) - f.head
			f.see(f.have[size:])
			f.have = f.have[:0]
		}
	}
}
