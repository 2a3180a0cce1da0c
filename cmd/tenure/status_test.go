package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/health"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/runs"
)

// status runs the command and returns its parts by name.
func (s *site) status(code int) map[string]health.Part {
	s.t.Helper()
	got := s.run("status", "--timeout", "5s", "-o", "json")
	require.Equal(s.t, code, got.code, "%s%s", got.stdout, got.err)
	var v statusView
	require.NoError(s.t, json.Unmarshal([]byte(got.stdout), &v))
	assert.Equal(s.t, code == service.ExitDone, v.Well)
	parts := map[string]health.Part{}
	for _, p := range v.Parts {
		assert.NotEmpty(s.t, p.Text, p.Part)
		parts[p.Part] = p
	}
	return parts
}

// A part that does not answer says so, and hides no other part.
func TestStatusOfPartsThatAreAway(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	parts := s.status(service.ExitAttention)
	for _, name := range []string{"workers", "sweeper", "starters", "lag", "people", "steps", "dead letters"} {
		assert.Equal(t, health.Away, parts[name].State, name)
	}
	assert.Contains(t, parts["workers"].Text, "Temporal at 127.0.0.1:1")
	assert.Contains(t, parts["starters"].Text, "Kafka at 127.0.0.1:1")
	assert.Contains(t, parts["people"].Text, "there is no ledger at")
	assert.NoFileExists(t, "tenure.db")

	s.people()
	parts = s.status(service.ExitAttention)
	assert.Equal(t, health.Away, parts["workers"].State)
	assert.Equal(t, health.Away, parts["starters"].State)
	assert.Equal(t, health.Attention, parts["steps"].State)
	assert.Equal(t, map[string]int{"attention": 2}, parts["steps"].Numbers)
	assert.Equal(t, "2 need attention: questions 1, chat 1", parts["steps"].Text)
	assert.Equal(t, health.OK, parts["dead letters"].State)
	shown := s.run("status", "--timeout", "5s").stdout
	assert.Contains(t, shown, "configuration:  "+s.dir)
	assert.Contains(t, shown, "needs somebody: workers, sweeper, starters, lag, people, steps")
}

// Without the secrets of Kafka, or of an app, status shows all other parts.
func TestStatusWithoutSecrets(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	s.write("tenure.yaml", strings.Replace(configuration, "  topics:", "  tls: {}\n  sasl: {mechanism: plain, username: tenure, password: '${env:NO_SUCH_PASSWORD}'}\n  topics:", 1))
	require.NoError(t, s.ledger().Close())
	parts := s.status(service.ExitAttention)
	assert.Equal(t, health.Away, parts["starters"].State)
	assert.Contains(t, parts["starters"].Text, "NO_SUCH_PASSWORD")
	assert.Equal(t, health.OK, parts["steps"].State)
}

// No starter reads the topic, and status says how much waits there.
func TestStatusOfWhatIsNotRead(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "hr.events", "vendor"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	s.write("tenure.yaml", "kafka: {brokers: [\""+cluster.ListenAddrs()[0]+"\"], topics: [{name: hr.events}, {name: vendor, startOffset: last}]}\nledger: {url: \"sqlite:tenure.db\"}\n")
	s.write("events.jsonl", hired(t, "e-1", "10001"))
	require.Zero(t, s.run("event", "send", "events.jsonl").code)
	parts := s.status(service.ExitAttention)
	assert.Equal(t, health.Attention, parts["starters"].State)
	assert.Contains(t, parts["starters"].Text, "no starter is at work (group tenure)")
	assert.Equal(t, 4, parts["starters"].Numbers["partitions"])
	assert.Equal(t, 1, parts["lag"].Numbers["records"])
	assert.Contains(t, parts["lag"].Text, "1 record not read yet: hr.events 1; the oldest waits for")
	assert.Equal(t, health.Note, parts["lag"].State, "it has only just come")
}

func TestStatusOfTheLedger(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	l := s.ledger()
	recordMany(t, l, 3)
	require.NoError(t, l.PauseCalls(t.Context(), "wiki", time.Hour))
	letter := ledger.DeadLetter{
		State: ledger.LetterOpen, Reason: "schema", Digest: "sha256:x", ReceivedAt: at("2026-03-01 00:00:00"), Urgent: true,
		Origin: ledger.Position{Topic: "hr.events"}, At: ledger.Position{Topic: "hr.events.dlq"},
	}
	_, err := l.RecordDeadLetter(t.Context(), letter)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	parts := s.status(service.ExitAttention)
	assert.Equal(t, health.Attention, parts["people"].State)
	assert.Equal(t, 3, parts["people"].Numbers["overdue"])
	assert.Equal(t, health.Note, parts["apps"].State)
	assert.Regexp(t, `wiki for (1h0m0s|59m\d+s)`, parts["apps"].Text, "some of the hour may have passed")
	assert.Equal(t, map[string]int{"open": 1, "urgent": 1}, parts["dead letters"].Numbers)
	assert.Equal(t, health.Attention, parts["dead letters"].State)
}

// TestProbe asks the endpoints that the processes serve.
func TestProbe(t *testing.T) {
	s := newSite(t)
	var ledger error
	server, err := service.ServeHTTP("0.0.0.0:0", zap.NewNop(), prometheus.NewRegistry(), service.Checks{
		Ready: map[string]service.Check{
			"ledger":   func(context.Context) error { return ledger },
			"temporal": func(context.Context) error { return nil },
		},
	})
	require.NoError(t, err)
	defer func() { _ = server.Close() }()
	_, port, err := net.SplitHostPort(server.Addr())
	require.NoError(t, err)
	s.write("tenure.yaml", configuration+"metrics: {worker: \"0.0.0.0:"+port+"\"}\n")

	r := s.run("probe", "worker")
	assert.Zero(t, r.code, r.err)
	assert.Equal(t, "CHECK     ANSWER\nledger    ok\ntemporal  ok\n", r.stdout)

	ledger = errors.New("the disk is full")
	r = s.run("probe", "worker")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stdout, "ledger    the disk is full")
	assert.Contains(t, r.err, "the worker is not ready")
	r = s.run("probe", "worker", "--alive", "-o", "json")
	assert.Zero(t, r.code, r.err)
	assert.Contains(t, r.stdout, `"good": true`)

	r = s.run("probe", "starter")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "metrics.starter is not set")
	r = s.run("probe", "kafka")
	assert.Equal(t, 2, r.code)

	require.NoError(t, server.Close())
	r = s.run("probe", "worker")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "the worker does not answer")
}

func TestTheViewsOfTheTemporalUI(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_NAMESPACE", "people & access")
	got := s.run("ui", "--address", "https://temporal.example.com/ui/", "-o", "json")
	require.Equal(t, 0, got.code, got.err)
	var views []runs.View
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &views))
	require.Len(t, views, 10)
	for _, v := range views {
		link, err := url.Parse(v.Link)
		require.NoError(t, err)
		assert.Equal(t, "/ui/namespaces/people & access/workflows", link.Path)
		assert.NotEmpty(t, v.Query)
		assert.Equal(t, v.Query, link.Query().Get("query"))
		assert.Equal(t, v.Name, link.Query().Get("savedQuery"))
	}

	refused := s.run("ui", "--address", "temporal.example.com")
	assert.Equal(t, 2, refused.code)
	assert.Contains(t, refused.err, "--address wants the Temporal UI's URL")
}
