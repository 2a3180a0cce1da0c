package receiver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tenurehq/tenure/receiver/scheme"
	"github.com/tenurehq/tenure/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 20 * time.Second
	tick     = 2 * time.Millisecond

	key     = "0123456789abcdef0123456789abcdef"
	token   = "fedcba9876543210fedcba9876543210"
	payload = `{"employees":[{"id":"7","fields":{"firstName":{"value":"Georgi"}}}]}`
)

// topic is a broker that keeps what is published. A test can make it fail or wait.
type topic struct {
	mu      sync.Mutex
	records []Message
	err     error
	stalled chan struct{} // if set, a publish waits until it is closed
	waiting int
}

func (b *topic) publish(ctx context.Context, _ string, m Message) error {
	b.mu.Lock()
	stalled := b.stalled
	b.waiting++
	b.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if b.err == nil {
		b.records = append(b.records, m)
	}
	return b.err
}

// set changes how the topic treats messages.
func (b *topic) set(change func(*topic)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

func (b *topic) all() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.records
}

func (b *topic) inFlight() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting
}

// rig holds a running intake.
type rig struct {
	t       *testing.T
	intake  *Intake
	broker  *topic
	metrics *prometheus.Registry
	logs    *observer.ObservedLogs
	url     string
	client  *http.Client
	stop    func() error
}

func newRig(t *testing.T, adjust ...func(*Options)) *rig {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	r := &rig{t: t, broker: &topic{}, metrics: prometheus.NewRegistry(), logs: logs, client: &http.Client{Timeout: patience}}
	o := Options{
		Listen:  "127.0.0.1:0",
		MaxBody: 1024,
		Endpoints: []Endpoint{
			{Path: "/bamboohr", Topic: "hr.bamboohr", Verifier: scheme.BambooHR(), Secrets: []secret.Secret{secret.Of(key)}, Rate: 1000, Burst: 1000},
			{Path: "/rippling", Topic: "hr.rippling", Verifier: scheme.Bearer{}, Secrets: []secret.Secret{secret.Of(token)}, Rate: 1000, Burst: 1000},
			{Path: "/in", Topic: "hr.events", Verifier: scheme.Generic(), Secrets: []secret.Secret{secret.Of(key)}, Rate: 1000, Burst: 1000},
		},
		Publish: r.broker.publish,
		Log:     zap.New(core),
		Metrics: r.metrics,
	}
	for _, f := range adjust {
		f(&o)
	}
	var err error
	r.intake, err = New(o)
	require.NoError(t, err)
	r.url = "http://" + r.intake.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.intake.Run(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		r.client.CloseIdleConnections()
		return <-done
	})
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// answered is the answer to a request.
type answered struct {
	status int
	header http.Header
	Request,
	Text string
}

func (r *rig) do(req *http.Request) answered {
	r.t.Helper()
	resp, err := r.client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	a := answered{status: resp.StatusCode, header: resp.Header}
	require.NoError(r.t, json.Unmarshal(content, &a), "%s", content)
	return a
}

// post returns a request that is not signed.
func (r *rig) post(path, contentType, body string) *http.Request {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url+path, bytes.NewReader([]byte(body)))
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", contentType)
	return req
}

// bamboo returns a request that is signed as BambooHR does it, at the given time.
func (r *rig) bamboo(body string, at time.Time) *http.Request {
	r.t.Helper()
	req := r.post("/bamboohr", "application/json", body)
	stamp := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set("X-BambooHR-Timestamp", stamp)
	req.Header.Set("X-BambooHR-Signature", sign(body+stamp))
	return req
}

// generic returns a request that is signed by HMAC over its body.
func (r *rig) generic(body string) *http.Request {
	r.t.Helper()
	req := r.post("/in", "application/cloudevents+json", body)
	req.Header.Set("X-Signature", sign(body))
	return req
}

func sign(text string) string { return signWith(key, text) }

func signWith(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// counted returns how many requests had an outcome.
func (r *rig) counted(endpoint, outcome string) int {
	r.t.Helper()
	families, err := r.metrics.Gather()
	require.NoError(r.t, err)
	for _, family := range families {
		if family.GetName() != "tenure_webhook_requests_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["endpoint"] == endpoint && labels["outcome"] == outcome {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	return 0
}

func (r *rig) eventually(cond func() bool, msg string) {
	r.t.Helper()
	require.Eventually(r.t, cond, patience, tick, msg)
}

// noSecrets fails if a log line contains part of a body, a signature or a token.
func (r *rig) noSecrets() {
	r.t.Helper()
	for _, entry := range r.logs.All() {
		line, err := json.Marshal(entry.ContextMap())
		require.NoError(r.t, err)
		for _, private := range []string{"Georgi", key, token, sign(payload), "employees"} {
			assert.NotContains(r.t, entry.Message+string(line), private)
		}
	}
}
