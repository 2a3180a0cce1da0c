package scim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/secret"
)

const clientSecret = "s3cret-of-the-client"

// tokenService issues tokens by RFC 6749 section 4.4. Each token is a new one.
type tokenService struct {
	url     string
	key     atomic.Value // the client's secret
	given   atomic.Int32
	expires int                // seconds
	status  atomic.Int32       // if not 0, the status that it answers with
	issued  func(token string) // called with each token
}

func startTokenService(t *testing.T, expires int, issued func(token string)) *tokenService {
	t.Helper()
	s := &tokenService{expires: expires, issued: issued}
	s.key.Store(clientSecret)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/token"
	return s
}

func (s *tokenService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, key, _ := r.BasicAuth()
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"error": "invalid_client", "error_description": "anna.smith " + key}
	status := int(s.status.Load())
	switch {
	case status != 0:
		w.Header().Set("Retry-After", "7")
	case id != "tenure" || key != s.key.Load() || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "scim users":
		status = http.StatusUnauthorized
	default:
		status = http.StatusOK
		token := fmt.Sprintf("token-%d", s.given.Add(1))
		s.issued(token)
		answer = map[string]any{"access_token": token, "token_type": "bearer", "expires_in": s.expires}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *tokenService) settings(url string, key any) connector.Settings {
	return connector.Settings{
		"url": url, "tokenURL": s.url, "clientID": "tenure", "clientSecret": key, "scopes": []any{"scim", "users"},
	}
}

func TestClientCredentials(t *testing.T) {
	check := func(c connector.Connector) error { _, err := c.Check(t.Context()); return err }

	t.Run("one token is used until it is refused", func(t *testing.T) {
		app, url := serve(t)
		tokens := startTokenService(t, 3600, app.SetToken)
		c := open(t, tokens.settings(url, clientSecret))
		for range 3 {
			require.NoError(t, check(c))
		}
		assert.EqualValues(t, 1, tokens.given.Load())
		app.SetToken("revoked")
		before := app.Stats().Requests
		require.NoError(t, check(c), "a token that is refused is got anew, once")
		assert.EqualValues(t, 2, tokens.given.Load())
		assert.Equal(t, before+2, app.Stats().Requests)
	})
	t.Run("a new token that is refused too is an error", func(t *testing.T) {
		_, url := serve(t)
		tokens := startTokenService(t, 3600, func(string) {})
		err := check(open(t, tokens.settings(url, clientSecret)))
		assert.Equal(t, connector.KindUnauthorized, failure(t, err).Kind)
		assert.EqualValues(t, 2, tokens.given.Load(), "and no third is asked for")
	})
	t.Run("a token that expired is got anew", func(t *testing.T) {
		app, url := serve(t)
		tokens := startTokenService(t, 1, app.SetToken) // expires sooner than the time that Tenure allows for a request
		c := open(t, tokens.settings(url, clientSecret))
		require.NoError(t, check(c))
		require.NoError(t, check(c))
		assert.EqualValues(t, 2, tokens.given.Load())
	})
	t.Run("the client's secret is rotated", func(t *testing.T) {
		app, url := serve(t)
		tokens := startTokenService(t, 1, app.SetToken)
		now := clientSecret
		c := open(t, tokens.settings(url, secret.New(func() (string, error) { return now, nil })))
		require.NoError(t, check(c))
		tokens.key.Store("another")
		failed := failure(t, check(c))
		assert.Equal(t, connector.KindUnauthorized, failed.Kind)
		assert.Contains(t, failed.Message, "clientSecret")
		assert.NotContains(t, failed.Error(), clientSecret)
		now = "another"
		require.NoError(t, check(c), "without a restart")
	})
	t.Run("the token service fails", func(t *testing.T) {
		app, url := serve(t)
		tokens := startTokenService(t, 1, app.SetToken)
		c := open(t, tokens.settings(url, clientSecret))
		for status, kind := range map[int]connector.ErrorKind{
			500: connector.KindUnavailable, 429: connector.KindRateLimited, 400: connector.KindUnauthorized,
			403: connector.KindUnauthorized, 404: connector.KindInvalid,
		} {
			tokens.status.Store(int32(status))
			failed := failure(t, check(c))
			assert.Equal(t, kind, failed.Kind, status)
			if failed.Kind.Retryable() {
				assert.Equal(t, 7*time.Second, failed.RetryAfter, status)
			}
			for err := error(failed); err != nil; err = errors.Unwrap(err) {
				assert.NotContains(t, err.Error(), "anna")
			}
		}
		gone := tokens.settings(url, clientSecret)
		gone["tokenURL"] = "http://127.0.0.1:1/token"
		assert.Equal(t, connector.KindUnavailable, failure(t, check(open(t, gone))).Kind)
	})
	t.Run("a token service that hangs heeds the context", func(t *testing.T) {
		_, url := serve(t)
		ctx, cancel := context.WithCancel(t.Context())
		hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then is a client that leaves noticed
			cancel()
			<-r.Context().Done()
		}))
		defer hanging.Close()
		settings := (&tokenService{url: hanging.URL}).settings(url, clientSecret)
		_, err := open(t, settings).Check(ctx)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
	})
}

func TestBasicAuthentication(t *testing.T) {
	password := "first"
	var username, sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, sent, _ = r.BasicAuth()
		_, _ = w.Write([]byte(`{"totalResults":0}`))
	}))
	defer server.Close()
	c := open(t, connector.Settings{
		"url": server.URL, "username": "tenure", "password": secret.New(func() (string, error) { return password, nil }),
	})
	for _, password = range []string{"first", "rötated"} {
		identity, err := c.Check(t.Context())
		require.NoError(t, err)
		assert.Contains(t, identity, "user tenure at 127.0.0.1")
		assert.Equal(t, "tenure", username)
		assert.Equal(t, password, sent)
	}
}

func TestTokenIsRotated(t *testing.T) {
	app, url := serve(t)
	now := token
	c := open(t, connector.Settings{"url": url, "token": secret.New(func() (string, error) { return now, nil })})
	_, err := c.Check(t.Context())
	require.NoError(t, err)
	app.SetToken("another")
	_, err = c.Check(t.Context())
	assert.Equal(t, connector.KindUnauthorized, failure(t, err).Kind)
	now = "another"
	_, err = c.Check(t.Context())
	require.NoError(t, err)
}

// Each request waits for its turn. If it does not get one, it is not sent.
func TestPace(t *testing.T) {
	app, url := serve(t, "staff")
	var paced atomic.Int32
	var refuse error
	c, err := scim.Kind.Open(t.Context(), connector.Env{App: "wiki", Pace: func(context.Context) error {
		paced.Add(1)
		return refuse
	}}, connector.Settings{"url": url, "token": token})
	require.NoError(t, err)
	account, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true})
	require.NoError(t, err)
	require.NoError(t, c.Grant(t.Context(), account.ID, []string{"staff"}))
	assert.EqualValues(t, app.Stats().Requests, paced.Load())

	requests := app.Stats().Requests
	refuse = context.DeadlineExceeded
	_, err = c.Read(t.Context(), account.ID)
	assert.Equal(t, connector.KindUnavailable, failure(t, err).Kind)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, requests, app.Stats().Requests)
}

// Probe names the rights that the credentials lack.
func TestProbe(t *testing.T) {
	problems := func(refuse func(*http.Request) bool) map[string]string {
		app, _ := serve(t)
		c := handlingAt(t, scimtest.BasePath, func(w http.ResponseWriter, r *http.Request) {
			if refuse(r) {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			app.ServeHTTP(w, r)
		})
		found := map[string]string{}
		for _, finding := range c.Probe(t.Context()) {
			found[finding.What] = finding.Problem
		}
		assert.Empty(t, app.Users())
		return found
	}
	assert.Equal(t, map[string]string{"may read users": "", "may read groups": "", "may change users": ""},
		problems(func(*http.Request) bool { return false }))
	readOnly := problems(func(r *http.Request) bool { return r.Method != http.MethodGet })
	assert.Contains(t, readOnly["may change users"], "lacks a right")
	assert.Empty(t, readOnly["may read users"])
	assert.Contains(t, problems(func(r *http.Request) bool { return r.URL.Path == scimtest.BasePath+"/Groups" })["may read groups"], "lacks a right")
}

// The error tells a token service that answers too slowly from an app that does.
func TestATokenServiceThatDripsIsNamed(t *testing.T) {
	drip := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}))
	t.Cleanup(drip.Close)
	_, url := serve(t)
	for name, c := range map[string]struct {
		timeout string
		within  time.Duration
		want    string
	}{
		"within the timeout setting": {"100ms", time.Minute, "no answer within 100ms: check that it is up, and the tokenURL setting"},
		"within the caller's time":   {"1m", 100 * time.Millisecond, "the call ran out of time"},
	} {
		t.Run(name, func(t *testing.T) {
			app := open(t, connector.Settings{
				"url": url, "tokenURL": drip.URL + "/token", "clientID": "tenure", "clientSecret": clientSecret, "timeout": c.timeout,
			})
			ctx, cancel := context.WithTimeout(t.Context(), c.within)
			defer cancel()
			_, err := app.Check(ctx)
			failed := failure(t, err)
			assert.Equal(t, connector.KindUnavailable, failed.Kind)
			assert.Equal(t, "the token service gave no token: "+c.want, failed.Message)
		})
	}
}
