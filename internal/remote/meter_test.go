package remote_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/remote"
)

// flooded returns a connection that receives endless bytes.
func flooded(t *testing.T, answers *remote.Answers) *remote.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = ours.Close() })
	go func() {
		defer func() { _ = theirs.Close() }()
		chunk := make([]byte, 64<<10)
		for {
			if _, err := theirs.Write(chunk); err != nil {
				return
			}
		}
	}()
	return answers.Conn(ours)
}

func read(conn *remote.Conn, n int64) error {
	_, err := io.CopyN(io.Discard, conn, n)
	return err
}

func TestAConnectionBringsAsMuchAsACallMayHave(t *testing.T) {
	conn := flooded(t, remote.NewAnswers())
	for range 3 { // one call after the other
		end := conn.Begin(t.Context(), 4*megabyte)
		require.NoError(t, read(conn, 3*megabyte))
		assert.False(t, conn.TooLong())
		require.ErrorIs(t, read(conn, 2*megabyte), remote.ErrTooLong)
		assert.True(t, conn.TooLong())
		end()
	}
	require.ErrorIs(t, read(conn, 2*megabyte), remote.ErrTooLong, "between calls little may come")
}

// Long answers share the same room over connections and over HTTP.
func TestConnectionsShareTheRoomOfLongAnswers(t *testing.T) {
	var ends []func()
	for range 4 {
		conn := flooded(t, remote.NewAnswers())
		ends = append(ends, conn.Begin(t.Context(), 8*megabyte))
		require.NoError(t, read(conn, 2*megabyte))
	}
	fifth := flooded(t, remote.NewAnswers())
	ctx, cancel := context.WithCancel(t.Context())
	end := fifth.Begin(ctx, 8*megabyte)
	require.NoError(t, read(fifth, megabyte-1<<16), "a short answer waits for nobody")
	waiting := make(chan error)
	go func() { waiting <- read(fifth, megabyte) }()
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled, "there is no room, and no time")
	end()

	end = fifth.Begin(t.Context(), 8*megabyte)
	go func() { waiting <- read(fifth, 2*megabyte) }()
	ends[0]()
	require.NoError(t, <-waiting, "there is room again")
	end()
	for _, end := range ends[1:] {
		end()
	}
	end = fifth.Begin(t.Context(), 8*megabyte)
	end()
	require.ErrorIs(t, read(fifth, 2*megabyte), remote.ErrTooLong)
}
