package receiver

import (
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Strangers who open connections and send nothing, or only the beginning of a header, keep
// nobody out. Never are more connections open than allowed.
func TestConnectionsThatSayNothingMakeRoom(t *testing.T) {
	const most = 20
	stalled := make(chan struct{})
	r := newRig(t, func(o *Options) {
		o.Tuning.Header, o.Tuning.Idle, o.Tuning.Connections = time.Minute, time.Minute, most
	})
	open := func() int {
		r.intake.connections.mu.Lock()
		defer r.intake.connections.mu.Unlock()
		return len(r.intake.connections.open)
	}
	r.broker.set(func(b *topic) { b.stalled = stalled })
	answered := make(chan int, 1)
	go func() { answered <- r.do(r.generic(payload)).status }()
	r.eventually(func() bool { return r.broker.inFlight() == 1 }, "one is being written")
	var all []net.Conn
	for i := range 5 * most {
		conn, err := net.Dial("tcp", r.intake.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		all = append(all, conn)
		if i%2 == 0 {
			_, err = io.WriteString(conn, "POST /in HTTP/1.1\r\nHost: x\r\n")
			require.NoError(t, err)
		}
	}
	r.eventually(func() bool { return open() <= most }, "the others were closed")
	require.NoError(t, all[0].SetReadDeadline(time.Now().Add(patience)))
	_, err := all[0].Read(make([]byte, 1))
	require.Error(t, err)
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it was closed")
	close(stalled)
	assert.Equal(t, http.StatusOK, <-answered, "what was read is answered")
	r.broker.set(func(b *topic) { b.stalled = nil })
	for range 3 {
		r.client.CloseIdleConnections()
		assert.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "and who comes is heard")
	}
	assert.LessOrEqual(t, open(), most)
}
