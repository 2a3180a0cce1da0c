package main_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/webhook"
	"github.com/tenurehq/tenure/schemas"
	"github.com/tenurehq/tenure/secret"
)

const (
	good    = "whsec_a2VlcC10aGlzLXRvLXlvdXJzZWxmLXBsZWFzZS0wMQ=="
	another = "whsec_YW5vdGhlci1vbmUtdGhhdC1ub2JvZHkta25vd3MtMDI="
)

// serve builds the server and runs it as a process of its own.
func serve(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "webhook-server")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	server := exec.Command(program, "--listen", "127.0.0.1:0", "--file", filepath.Join(dir, "accounts.json"))
	server.Env = append(os.Environ(), "TENURE_SECRET="+good)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		assert.NoError(t, server.Wait(), "it ends when it is told to")
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return line[:len(line)-1]
}

// between is a proxy between Tenure and the service. It makes requests fail as a test wants,
// and checks requests and answers against the schemas.
type between struct {
	*httptest.Server
	t *testing.T

	mu   sync.Mutex
	now  func(w http.ResponseWriter, r *http.Request, pass func(http.ResponseWriter)) // nil if it passes everything on
	last *http.Request
}

func newBetween(t *testing.T, service string) *between {
	t.Helper()
	target, err := url.Parse(service)
	require.NoError(t, err)
	requests, err := schemas.Load("webhook-request")
	require.NoError(t, err)
	answers, err := schemas.Load("webhook-answer")
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		conforms(t, answers, body)
		return err
	}
	b := &between{t: t}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		conforms(t, requests, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		kept := r.Clone(t.Context())
		kept.Body = io.NopCloser(bytes.NewReader(body))
		b.mu.Lock()
		now := b.now
		b.last = kept
		b.mu.Unlock()
		if now == nil {
			proxy.ServeHTTP(w, r)
			return
		}
		now(w, r, func(w http.ResponseWriter) { proxy.ServeHTTP(w, r) })
	}))
	t.Cleanup(b.Close)
	return b
}

func conforms(t *testing.T, schema *schemas.Schema, body []byte) {
	t.Helper()
	var doc any
	if assert.NoError(t, json.Unmarshal(body, &doc), string(body)) {
		assert.NoError(t, schema.Validate(doc), string(body))
	}
}

func (b *between) behave(now func(w http.ResponseWriter, r *http.Request, pass func(http.ResponseWriter))) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// refuse makes the proxy answer all requests with an error.
func (b *between) refuse(kind connector.ErrorKind, after time.Duration, header func(time.Duration) string) {
	status := map[connector.ErrorKind]int{connector.KindUnavailable: 503, connector.KindRateLimited: 429}[kind]
	b.behave(func(w http.ResponseWriter, _ *http.Request, _ func(http.ResponseWriter)) {
		if after > 0 {
			w.Header().Set("Retry-After", header(after))
		}
		w.WriteHeader(status)
	})
}

func TestConformance(t *testing.T) {
	b := newBetween(t, serve(t))
	var mu sync.Mutex
	now := good
	sign := func(with string) {
		mu.Lock()
		defer mu.Unlock()
		now = with
	}
	signing := secret.New(func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return now, nil
	})
	connectortest.Run(t, connectortest.Target{
		Kind: webhook.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := webhook.Kind.Open(t.Context(), connector.Env{App: "door"}, connector.Settings{
				"url": b.URL, "secret": signing, "keys": []any{"email"},
			})
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Disable: true, Reversible: true, Delete: true, Entitlements: true,
			ListEntitlements: true, Sessions: true, HandOver: true, List: true, Page: true, LastUse: webhook.Kind.LastUse,
		},
		Entitlements:  [2]string{"staff", "admins"},
		Attributes:    [2]string{"title", "department"},
		KeyAttributes: map[connector.MatchKey]string{connector.ByEmail: "email"},
		Secrets:       []string{good, another, b.URL},
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				b.behave(nil)
				sign(good)
			},
			FailAfterApply: func(*testing.T) {
				var once sync.Once
				b.behave(func(w http.ResponseWriter, _ *http.Request, pass func(http.ResponseWriter)) {
					failed := false
					once.Do(func() {
						pass(httptest.NewRecorder())
						w.WriteHeader(http.StatusBadGateway)
						failed = true
					})
					if !failed {
						pass(w)
					}
				})
			},
			Unauthorize: func(*testing.T) { sign(another) },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				b.refuse(kind, after, func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) })
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				b.refuse(kind, after, func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) })
			},
			Stall: func(*testing.T) {
				b.behave(func(_ http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) { <-r.Context().Done() })
			},
		},
	})
}

// sign signs a request as Tenure does at that time.
func sign(header http.Header, at time.Time, body []byte) {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(good, "whsec_"))
	header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(header.Get("webhook-id") + "." + header.Get("webhook-timestamp") + "." + string(body)))
	header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// send sends a request without the connector.
func send(t *testing.T, to string, request *http.Request, raw []byte, change func(http.Header)) (status int, body string) {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, bytes.NewReader(raw))
	require.NoError(t, err)
	again.Header = request.Header.Clone()
	change(again.Header)
	response, err := http.DefaultClient.Do(again)
	require.NoError(t, err)
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(got)
}

func TestWhatIsRepeatedIsDoneOnce(t *testing.T) {
	service := serve(t)
	b := newBetween(t, service)
	c, err := webhook.Kind.Open(t.Context(), connector.Env{App: "door"}, connector.Settings{"url": b.URL, "secret": good})
	require.NoError(t, err)
	create := func(step string) (connector.Account, error) {
		ctx := connector.WithStep(t.Context(), step)
		return c.Create(ctx, connector.Spec{PersonID: "p-1", Username: "zoe", Active: true})
	}
	first, err := create("run/1")
	require.NoError(t, err)
	again, err := create("run/1")
	require.NoError(t, err, "the same step gets the answer that it had")
	assert.Equal(t, first, again)
	_, err = create("run/2")
	require.ErrorContains(t, err, "exists", "another step is another request")

	sent, err := io.ReadAll(b.last.Body)
	require.NoError(t, err)
	for name, change := range map[string]func(http.Header){
		"as it was":        func(http.Header) {},
		"four minutes old": func(h http.Header) { sign(h, time.Now().Add(-4*time.Minute), sent) },
	} {
		status, _ := send(t, service, b.last, sent, change)
		assert.Equal(t, http.StatusConflict, status, "%s: what Tenure sent, the service takes", name)
	}
	for name, change := range map[string]func(http.Header){
		"another ID":        func(h http.Header) { h.Set("webhook-id", "msg_1") },
		"another time":      func(h http.Header) { h.Set("webhook-timestamp", strconv.FormatInt(time.Now().Unix()+1, 10)) },
		"six minutes old":   func(h http.Header) { sign(h, time.Now().Add(-6*time.Minute), sent) },
		"six minutes early": func(h http.Header) { sign(h, time.Now().Add(6*time.Minute), sent) },
		"another signature": func(h http.Header) { h.Set("webhook-signature", "v1,AAAA") },
		"no signature":      func(h http.Header) { h.Del("webhook-signature") },
	} {
		status, body := send(t, service, b.last, sent, change)
		assert.Equal(t, http.StatusUnauthorized, status, name)
		assert.JSONEq(t, `{"error":"unauthorized"}`, body, name)
	}
}
