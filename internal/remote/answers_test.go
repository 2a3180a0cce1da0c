package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/remote"
)

const megabyte = 1 << 20

func TestAnswersAreAsLongAsTheyMayBe(t *testing.T) {
	for _, c := range []struct {
		size, most int
		tooLong    bool
	}{
		{0, 10, false}, {10, 10, false}, {11, 10, true},
		{megabyte, megabyte, false}, {megabyte + 1, megabyte, true},
		{megabyte + 1, 3 * megabyte, false}, {3 * megabyte, 3 * megabyte, false}, {3*megabyte + 1, 3 * megabyte, true},
	} {
		sent := bytes.Repeat([]byte("x"), c.size)
		body := bytes.NewReader(sent)
		var got []byte
		err := remote.NewAnswers().Read(t.Context(), body, int64(c.most), func(raw []byte) error { got = raw; return nil })
		if c.tooLong {
			require.ErrorIs(t, err, remote.ErrTooLong)
			continue
		}
		require.NoError(t, err)
		assert.True(t, bytes.Equal(sent, got))
	}
	endless := &counting{}
	err := remote.NewAnswers().Read(t.Context(), endless, megabyte, func([]byte) error { return nil })
	require.ErrorIs(t, err, remote.ErrTooLong)
	assert.LessOrEqual(t, endless.n, 2*megabyte, "no more is read than may be")
}

// counting is an endless reader that counts the bytes read.
type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// Long answers wait for one another, short ones do not. No service can take up all the room.
func TestFewLongAnswersAtOnce(t *testing.T) {
	long := func() io.Reader { return bytes.NewReader(make([]byte, 2*megabyte)) }
	const most = 4 * megabyte
	release, reading := make(chan struct{}), make(chan struct{}, 10)
	done := make(chan error, 10)
	hold := func(a *remote.Answers) {
		go func() {
			done <- a.Read(context.Background(), long(), most, func([]byte) error {
				reading <- struct{}{}
				<-release
				return nil
			})
		}()
	}
	greedy := remote.NewAnswers()
	for range 4 { // one of them holds an answer, the others wait
		hold(greedy)
	}
	<-reading
	for range 3 { // there is room for three more
		hold(remote.NewAnswers())
		<-reading
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	other := remote.NewAnswers()
	require.ErrorIs(t, other.Read(gone, long(), most, func([]byte) error { return errors.New("there was room") }), context.Canceled)
	require.NoError(t, other.Read(gone, bytes.NewReader(make([]byte, megabyte)), most, func([]byte) error { return nil }))
	close(release)
	for range 7 {
		require.NoError(t, <-done)
	}
}
