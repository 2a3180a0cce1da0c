package sourcetest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/remote"
)

// Fetching describes a test of a kind's Fetch.
type Fetching struct {
	Kind source.Kind
	// Settings returns the settings of an HR system whose API is at a URL.
	Settings  func(url string) source.Settings
	Secret    string // a secret in the settings, which no error may contain
	Reference string // reference of somebody whom the API knows
	Unsafe    string // a reference that would lead elsewhere in the API
	// API answers as the vendor's documentation says, and fails the test for any request
	// that does not follow it.
	API    func(t *testing.T) http.HandlerFunc
	Answer []byte // the API's answer about Reference
}

// Fetch tests the Fetch of a kind.
func Fetch(t *testing.T, f Fetching) {
	t.Run("gets the record", func(t *testing.T) {
		got, err := f.fetch(t.Context(), t, f.API(t), f.Reference)
		require.NoError(t, err)
		assert.Equal(t, string(f.Answer), string(got))
	})
	t.Run("statuses", f.statuses)
	t.Run("references that lead elsewhere", func(t *testing.T) {
		_, err := f.fetch(t.Context(), t, func(http.ResponseWriter, *http.Request) { t.Error("was called") }, f.Unsafe)
		_ = f.is(t, err, remote.Invalid)
	})
	t.Run("redirects elsewhere", func(t *testing.T) {
		var called atomic.Bool
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
		defer elsewhere.Close()
		_, err := f.fetch(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}, f.Reference)
		_ = f.is(t, err, remote.Invalid)
		assert.False(t, called.Load(), "the credentials went elsewhere")
	})
	t.Run("no answer in time", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		_, err := f.fetchWith(t.Context(), t, func(http.ResponseWriter, *http.Request) { <-release }, f.Reference, "20ms")
		_ = f.is(t, err, remote.Unavailable)
		assert.ErrorContains(t, err, "20ms")
	})
	t.Run("cancelled", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := f.fetch(ctx, t, func(http.ResponseWriter, *http.Request) { cancel(); <-release }, f.Reference)
		_ = f.is(t, err, remote.Unavailable)
		assert.ErrorIs(t, err, context.Canceled)
	})
	t.Run("broken off", func(t *testing.T) {
		_, err := f.fetch(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
		}, f.Reference)
		_ = f.is(t, err, remote.Unavailable)
	})
	t.Run("huge answers", func(t *testing.T) {
		_, err := f.fetch(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("x"), 5<<20))
		}, f.Reference)
		_ = f.is(t, err, remote.Invalid)
	})
	t.Run("long answers that do not end", f.unending)
	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		_, err := Open(t, f.Kind, f.Settings(server.URL)).Fetch(t.Context(), f.Reference)
		_ = f.is(t, err, remote.Unavailable)
	})
}

// unending checks that an app's long answer can be read while several HR systems leave long
// answers unfinished.
func (f Fetching) unending(t *testing.T) {
	const systems = 4 // as many as would use up the room of the apps
	begun, release := make(chan struct{}, systems), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 4<<20-1))
		_ = http.NewResponseController(w).Flush()
		begun <- struct{}{}
		<-release
	}))
	var fetches sync.WaitGroup
	defer func() {
		close(release)
		fetches.Wait()
		server.Close()
	}()
	for range systems {
		fetches.Go(func() { _, _ = Open(t, f.Kind, f.Settings(server.URL)).Fetch(t.Context(), f.Reference) })
	}
	for range systems {
		<-begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := remote.NewAnswers().Read(ctx, bytes.NewReader(make([]byte, 2<<20)), 4<<20, func([]byte) error { return nil })
	require.NoError(t, err)
}

func (f Fetching) statuses(t *testing.T) {
	for status, kind := range map[int]remote.Kind{
		400: remote.Invalid, 401: remote.Unauthorized, 403: remote.Forbidden, 404: remote.NotFound,
		429: remote.RateLimited, 500: remote.Unavailable, 503: remote.Unavailable, 504: remote.Unavailable,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			_, err := f.fetch(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
				if status == 429 || status == 503 {
					w.Header().Set("Retry-After", "7")
				}
				http.Error(w, "Bryony Okafor is not for you", status)
			}, f.Reference)
			e := f.is(t, err, kind)
			assert.NotContains(t, err.Error(), "Okafor")
			if status == 429 || status == 503 {
				assert.Equal(t, 7*time.Second, e.RetryAfter)
			}
		})
	}
}

func (f Fetching) fetch(ctx context.Context, t *testing.T, api http.HandlerFunc, ref string) ([]byte, error) {
	return f.fetchWith(ctx, t, api, ref, "10s")
}

func (f Fetching) fetchWith(ctx context.Context, t *testing.T, api http.HandlerFunc, ref, timeout string) ([]byte, error) {
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	opened := Open(t, f.Kind, f.Settings(server.URL), source.Settings{"timeout": timeout})
	require.NotNil(t, opened.Fetch)
	return opened.Fetch(ctx, ref)
}

// is checks the error's kind, and that the error contains neither the secret nor other data
// that it must not show.
func (f Fetching) is(t *testing.T, err error, kind remote.Kind) *remote.Error {
	t.Helper()
	var e *remote.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, kind, e.Kind, "%v", err)
	assert.NotEmpty(t, e.Message)
	assert.False(t, strings.Contains(err.Error(), f.Secret), "the error holds the secret")
	assert.NotContains(t, err.Error(), f.Reference)
	return e
}
