package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		reads bool
		err   error
		calls int
	}{
		"done":                          {true, nil, 1},
		"a problem of its own":          {true, &Error{Kind: Unavailable, Passing: true}, 2},
		"a change with such a problem":  {false, &Error{Kind: Unavailable, Passing: true}, 1},
		"declined":                      {false, &Error{Kind: Unavailable, Declined: true, RetryAfter: time.Millisecond}, 2},
		"declined for long":             {true, &Error{Kind: Unavailable, Declined: true, Passing: true, RetryAfter: time.Minute}, 1},
		"a failure that stays":          {true, &Error{Kind: Invalid}, 1},
		"another error":                 {true, errors.New("no turn"), 1},
		"a problem of its own, wrapped": {true, fmt.Errorf("page 2: %w", &Error{Kind: Unavailable, Passing: true}), 2},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			err := Again(t.Context(), tt.reads, func() error { calls++; return tt.err })
			assert.Equal(t, tt.err, err, "of a call that goes on failing")
			assert.Equal(t, tt.calls, calls)
			calls = 0
			err = Again(t.Context(), tt.reads, func() error {
				if calls++; calls == 1 {
					return tt.err
				}
				return nil
			})
			assert.Equal(t, tt.err != nil && tt.calls == 1, err != nil, "of a call that fails once")
		})
	}
	t.Run("without time for it", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		passing, calls := &Error{Kind: Unavailable, Declined: true, RetryAfter: longestRest}, 0
		assert.Equal(t, error(passing), Again(ctx, true, func() error { calls++; return passing }))
		assert.Equal(t, 1, calls)
		require.NoError(t, ctx.Err(), "it does not wait for nothing")
	})
	t.Run("cancelled meanwhile", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		passing, calls := &Error{Kind: Unavailable, Passing: true}, 0
		assert.Equal(t, error(passing), Again(ctx, true, func() error { calls++; cancel(); return passing }))
		assert.Equal(t, 1, calls)
	})
}

// TestWhatBreaksOff: a connection that breaks is a failure in passing. One that cannot be made,
// and an answer that does not come in time, are not.
func TestWhatBreaksOff(t *testing.T) {
	breaking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	defer breaking.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())

	ask := func(url string) *Error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
		require.NoError(t, err)
		client := NewHTTPClient(200 * time.Millisecond)
		_, err = Call(client, NewAnswers(), "read", "the app", req)
		var failed *Error
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, Unavailable, failed.Kind)
		return failed
	}
	assert.True(t, ask(breaking.URL).Passing)
	assert.False(t, ask(slow.URL).Passing)
	assert.False(t, ask("http://"+closed.Addr().String()).Passing)
	assert.True(t, brokeOff(fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)))
	for status, passing := range map[int]bool{500: true, 502: true, 503: true, 504: false, 501: false, 404: false, 429: false} {
		assert.Equal(t, passing, InPassing(status), status)
	}
}
