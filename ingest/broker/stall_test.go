package broker

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASilentBrokerIsNotWaitedFor(t *testing.T) {
	address := silent(t)
	_, s := Cluster{}.guard(50 * time.Millisecond)
	defer s.close()
	conn, err := s.dial(t.Context(), "tcp", address)
	require.NoError(t, err)
	_, err = conn.Write([]byte("hello?"))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Hour)), "what kafka-go would wait")
	var stalled *stallError
	_, err = conn.Read(make([]byte, 1))
	require.ErrorAs(t, err, &stalled)
	assert.NotImplements(t, (*interface{ Temporary() bool })(nil), err, "or kafka-go tries again on the same connection")
	_, err = conn.Write([]byte("hello?"))
	require.ErrorIs(t, err, net.ErrClosed)

	_, err = s.dial(t.Context(), "tcp", address)
	require.ErrorAs(t, err, &stalled, "others get their turn")
	require.ErrorContains(t, err, address)
	require.Eventually(t, func() bool {
		conn, err := s.dial(t.Context(), "tcp", address)
		return err == nil && conn.Close() == nil
	}, patience, time.Millisecond, "it is asked again")
}

func TestADeadlineHoldsOnceABrokerHasAnswered(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	_, s := Cluster{}.guard(20 * time.Millisecond)
	defer s.close()
	conn, err := s.dial(t.Context(), "tcp", ln.Addr().String())
	require.NoError(t, err)
	broker, err := ln.Accept()
	require.NoError(t, err)
	defer broker.Close()
	exchange := func(after time.Duration) error {
		_, err := conn.Write([]byte("?"))
		require.NoError(t, err)
		time.AfterFunc(after, func() { _, _ = broker.Write([]byte("!")) })
		_, err = conn.Read(make([]byte, 1))
		return err
	}
	require.NoError(t, exchange(0))
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	require.NoError(t, exchange(60*time.Millisecond), "as long as joining a group takes")
	require.NoError(t, conn.SetDeadline(time.Time{}))
	require.Error(t, exchange(time.Hour), "without one, patience is what there is")
}

// silent returns the address of a broker that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return ln.Addr().String()
}
