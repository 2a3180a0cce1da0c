package sink

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/secret"
)

func messages(from, n int) (all []export.Message) {
	for i := range n {
		all = append(all, export.Message{ID: fmt.Sprint("log:", from+i), Leaf: int64(from + i), At: time.UnixMicro(1790000000000123), Action: "created", Text: []byte(fmt.Sprint("line ", from+i))})
	}
	return all
}

func TestAFileMayBeRenamedAndCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	f := File{path}
	require.NoError(t, f.Send(t.Context(), messages(0, 2)))
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, f.Send(t.Context(), messages(2, 1)))
	require.NoError(t, os.WriteFile(path, []byte("line 2\nlin"), 0o600))
	require.NoError(t, f.Send(t.Context(), messages(3, 1)))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "line 2\nlin\nline 3\n", string(text))
	require.Error(t, File{filepath.Join(path, "x")}.Send(t.Context(), messages(0, 1)))
}

func TestHTTPS(t *testing.T) {
	var bodies, keys []string
	status := http.StatusAccepted
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies, keys = append(bodies, string(body)), append(keys, r.Header.Get("Idempotency-Key"))
		assert.Equal(t, []string{"Splunk t0ken", "text/x", r.Header.Get("Idempotency-Key")}, []string{r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Webhook-Id")})
		assert.True(t, strings.HasPrefix(r.Header.Get("Webhook-Signature"), "v1,"))
		w.WriteHeader(status)
	}))
	defer server.Close()
	h := HTTPS{URL: server.URL, ContentType: "text/x", Token: secret.Of("t0ken"), TokenType: "Splunk", Signs: secret.Of("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"), Client: server.Client()}
	require.NoError(t, h.Send(t.Context(), messages(0, 2)))
	assert.Equal(t, []string{"line 0\nline 1\n"}, bodies)
	status = http.StatusServiceUnavailable
	require.ErrorContains(t, h.Send(t.Context(), messages(0, 2)), "503")
	assert.Equal(t, keys[0], keys[1], "what comes again says so")
	long := messages(0, 3)
	long[0].Text, long[1].Text = make([]byte, longestRequest), make([]byte, 10)
	status, bodies = http.StatusOK, nil
	require.NoError(t, h.Send(t.Context(), long))
	assert.Len(t, bodies, 2)
}

type topic struct{ got []broker.Message }

func (p *topic) Publish(_ context.Context, _ string, m []broker.Message) error {
	p.got = append(p.got, m...)
	return nil
}

func TestKafka(t *testing.T) {
	p := &topic{}
	require.NoError(t, Kafka{Topic: "audit", Key: "log", Publisher: p}.Send(t.Context(), messages(0, 1)))
	assert.Equal(t, []broker.Message{{Key: "log", Value: []byte("line 0"), Headers: map[string]string{"id": "log:0"}}}, p.got)
}

// receiver is a syslog receiver, which takes messages as RFC 5425 frames them, from whoever connects.
func receiver(t *testing.T, take func(conn *tls.Conn)) Syslog {
	t.Helper()
	return receiverOf(t, tls.NoClientCert, take)
}

// receiverOf is a syslog receiver that asks for the certificates of senders or does not.
func receiverOf(t *testing.T, asks tls.ClientAuthType, take func(conn *tls.Conn)) Syslog {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(certified.Close)
	settings := certified.TLS.Clone()
	settings.ClientAuth = asks
	listener, err := tls.Listen("tcp", "127.0.0.1:0", settings)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			take(conn.(*tls.Conn))
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	return Syslog{listener.Addr().String(), func() (*tls.Config, error) {
		return &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}, nil
	}}
}

func frames(conn *tls.Conn) (all []string) {
	in := bufio.NewReader(conn)
	for {
		length, err := in.ReadString(' ')
		if err != nil {
			return all
		}
		n, _ := strconv.Atoi(strings.TrimSpace(length))
		text := make([]byte, n)
		if _, err := io.ReadFull(in, text); err != nil {
			return all
		}
		all = append(all, string(text))
	}
}

func TestSyslog(t *testing.T) {
	got := make(chan []string, 1)
	s := receiver(t, func(conn *tls.Conn) { got <- frames(conn); _ = conn.Close() })
	m := messages(0, 2)
	m[1].Alarm, m[1].Action, m[1].Text = true, "ledger exported", []byte("a\nb\x1b\u0085é")
	require.NoError(t, s.Send(t.Context(), m))
	lines := <-got
	require.Len(t, lines, 2)
	assert.Regexp(t, `^<85>1 2026-09-21T14:13:20\.000123Z \S+ tenure - created - line 0$`, lines[0])
	assert.Regexp(t, `^<81>1 \S+ \S+ tenure - ledger_exported - a b  é$`, lines[1])
}

// Syslog has no acknowledgement: what a receiver has not read to its end does not count as sent.
func TestAReceiverThatDoesNotReadToTheEnd(t *testing.T) {
	s := receiver(t, func(conn *tls.Conn) { // dies with what it has not read
		_ = conn.Handshake()
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.NetConn().Close()
	})
	m := messages(0, 1)
	m[0].Text = []byte(strings.Repeat("x", 1<<20))
	require.Error(t, s.Send(t.Context(), m))

	s = receiver(t, func(conn *tls.Conn) { // says good-bye, as rsyslog does when it has taken a good connection for a bad one
		_ = conn.Handshake()
		_, _ = conn.Read(make([]byte, 1))
		_, _ = conn.NetConn().Read(make([]byte, 1))
		_ = conn.CloseWrite()
		_ = conn.NetConn().Close()
	})
	m[0].Text = m[0].Text[:100_000]
	require.Error(t, s.Send(t.Context(), m))

	var begun atomic.Bool
	end := make(chan struct{})
	s = receiver(t, func(conn *tls.Conn) { frames(conn); begun.Store(true); <-end; _ = conn.Close() })
	ctx, cancel := context.WithCancelCause(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- s.Send(ctx, messages(0, 1)) }()
	require.Eventually(t, begun.Load, time.Minute, time.Millisecond)
	assert.Empty(t, sent, "it waits")
	cancel(errors.New("over"))
	require.ErrorIs(t, <-sent, context.Canceled)
	close(end)
}

func TestAReceiverMustBeTheRightOne(t *testing.T) {
	s := receiver(t, func(conn *tls.Conn) { frames(conn); _ = conn.Close() })
	s.TLS = func() (*tls.Config, error) {
		return &tls.Config{ServerName: "example.com", MinVersion: tls.VersionTLS12}, nil
	}
	require.ErrorContains(t, s.Send(t.Context(), messages(0, 1)), "certificate")
}

// A receiver may find out that it does not know the sender after the sender has begun.
func TestAReceiverThatDoesNotKnowUs(t *testing.T) {
	s := receiverOf(t, tls.RequireAnyClientCert, func(conn *tls.Conn) {
		_ = conn.Handshake()
		_, _ = io.Copy(io.Discard, conn.NetConn()) // so that nothing is left to read
		_ = conn.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.ErrorContains(t, s.Send(ctx, messages(0, 1)), "certificate required")
}
