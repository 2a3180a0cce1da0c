package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 20 * time.Second
	tick     = 2 * time.Millisecond
)

// frontend fakes the part of a Temporal server that the starter calls.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer
	mu       sync.Mutex
	asked    int // how often whether it knows the search attributes
	signaled []*workflowservice.SignalWithStartWorkflowExecutionRequest
}

func (f *frontend) serve(t *testing.T, addr string) string {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	operatorservice.RegisterOperatorServiceServer(server, f)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	return ln.Addr().String()
}

func (f *frontend) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (f *frontend) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{}, nil
}

func (f *frontend) AddSearchAttributes(context.Context, *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

// learnsAfter is how often the server is asked before it knows its new search attributes.
const learnsAfter = 3

func (f *frontend) CountWorkflowExecutions(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked++; f.asked < learnsAfter {
		return nil, serviceerror.NewInvalidArgument("Namespace default has no mapping defined for search attribute TenureStage")
	}
	return &workflowservice.CountWorkflowExecutionsResponse{}, nil
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (f *frontend) SignalWithStartWorkflowExecution(_ context.Context, req *workflowservice.SignalWithStartWorkflowExecutionRequest) (*workflowservice.SignalWithStartWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signaled = append(f.signaled, req)
	return &workflowservice.SignalWithStartWorkflowExecutionResponse{}, nil
}

func (f *frontend) requests() []*workflowservice.SignalWithStartWorkflowExecutionRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.signaled
}

// site holds what a starter needs to run: a folder, a Kafka cluster, a log and metrics.
type site struct {
	t       *testing.T
	only    string // the part of the starter to run
	dir     string
	cluster *kfake.Cluster
	logs    *observer.ObservedLogs
	log     *zap.Logger
	metrics *prometheus.Registry
}

func newSite(t *testing.T, temporal string) *site {
	t.Helper()
	t.Setenv("TEMPORAL_CONFIG_FILE", filepath.Join(t.TempDir(), "none.toml"))
	t.Setenv("TEMPORAL_ADDRESS", temporal)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "hr.events"), kfake.SeedTopics(1, "hr.events.dlq"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	core, logs := observer.New(zapcore.InfoLevel)
	return &site{t: t, dir: t.TempDir(), cluster: cluster, logs: logs, log: zap.New(core), metrics: service.NewRegistry("starter")}
}

// start runs the starter with a configuration. The returned function stops it and
// returns the result of run.
func (s *site) start(yaml string) (stop func() error) {
	s.t.Helper()
	path := filepath.Join(s.dir, "tenure.yaml")
	require.NoError(s.t, os.WriteFile(path, []byte(yaml), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, &service.Process{Name: "starter", ConfigPath: path, Log: s.log, Metrics: s.metrics}, s.only)
	}()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	s.t.Cleanup(func() { _ = stop() })
	return stop
}

func (s *site) yaml(metrics string) string {
	return `kafka: {brokers: ["` + s.cluster.ListenAddrs()[0] + `"]}
ledger: {url: "sqlite:tenure.db"}
metrics: {starter: "` + metrics + `"}
`
}

func (s *site) logged(message string) bool { return s.logs.FilterMessageSnippet(message).Len() > 0 }

// probe calls an endpoint of the starter.
func (s *site) probe(path string) (status int, body string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.logged("serving metrics and probes") }, patience, tick)
	addr := s.logs.FilterMessageSnippet("serving metrics and probes").All()[0].ContextMap()["address"].(string)
	resp, err := http.Get("http://" + addr + path)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	text, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, string(text)
}

func TestAnEventReachesLedgerAndTemporal(t *testing.T) {
	f := &frontend{}
	s := newSite(t, f.serve(t, "127.0.0.1:0"))
	stop := s.start(s.yaml("127.0.0.1:0"))
	require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusOK }, patience, 10*time.Millisecond)

	day := hr.Date{Year: 2026, Month: 1, Day: 5}
	value, err := cloudevents.Encode(hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "e-1"}, Type: hr.EventHired, PersonID: "10001",
		Effective: day, Recorded: day.StartIn(time.UTC),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Georgi", FamilyName: "Facello",
			Location: hr.Location{TimeZone: "Europe/Vienna"}, StartDate: day,
		},
	})
	require.NoError(t, err)
	publisher := broker.NewPublisher(broker.Cluster{Brokers: s.cluster.ListenAddrs()})
	require.NoError(t, publisher.Publish(t.Context(), "hr.events", []broker.Message{{Key: "10001", Value: value}, {Key: "10002", Value: []byte("no event")}}))
	require.NoError(t, publisher.Close())

	require.Eventually(t, func() bool { return len(f.requests()) == 1 }, patience, tick)
	assert.Equal(t, learnsAfter, f.asked, "ready as soon as the server knows its search attributes")
	assert.Equal(t, "person:10001", f.requests()[0].GetWorkflowId())
	assert.Equal(t, "Joiner", f.requests()[0].GetWorkflowType().GetName())
	require.Eventually(t, func() bool { return s.cluster.PartitionInfo("hr.events.dlq", 0).HighWatermark == 1 }, patience, tick)
	require.Eventually(t, func() bool {
		_, metrics := s.probe("/metrics")
		return strings.Contains(metrics, `tenure_ingest_records_total{result="delivered",topic="hr.events"} 1`)
	}, patience, 10*time.Millisecond)
	require.NoError(t, stop())

	l, err := sqlite.Open(t.Context(), filepath.Join(s.dir, "tenure.db"))
	require.NoError(t, err)
	defer l.Close()
	person, err := l.Person(t.Context(), "10001")
	require.NoError(t, err)
	assert.Len(t, person.Events, 1)
	assert.EqualValues(t, 2, s.committed(), "committed when it stopped, at the latest")
}

func TestProbesAnswerWhileTemporalIsWaitedFor(t *testing.T) {
	s := newSite(t, "127.0.0.1:1")
	stop := s.start(s.yaml("127.0.0.1:0"))
	code, body := s.probe("/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.JSONEq(t, `{"ledger":"ok","temporal":"not connected yet","kafka":"not connected yet"}`, body)
	code, body = s.probe("/healthz")
	assert.Equal(t, http.StatusOK, code, "waiting is no reason to restart it")
	assert.JSONEq(t, `{"kafka":"ok"}`, body)
	require.Eventually(t, func() bool { return s.logged("waiting for Temporal") }, patience, tick)
	require.ErrorIs(t, stop(), context.Canceled, "which is no failure, since it was told to stop")
}

func TestWaitsForKafka(t *testing.T) {
	s := newSite(t, (&frontend{}).serve(t, "127.0.0.1:0"))
	yaml := s.yaml("127.0.0.1:0")
	s.cluster.Close()
	stop := s.start(yaml)
	require.Eventually(t, func() bool { return s.logged("Kafka is unavailable") }, patience, tick)
	_, body := s.probe("/readyz")
	assert.Contains(t, body, "not a member of the consumer group")
	require.NoError(t, stop())
}

func TestWhatCannotStart(t *testing.T) {
	s := newSite(t, "127.0.0.1:1")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "bad.db"), []byte("this is no database, however long one makes it"), 0o600))
	for name, tc := range map[string]struct{ yaml, err, only string }{
		"wrong configuration": {s.yaml("127.0.0.1:0") + "rols: []\n", "tenure.yaml:4:", ""},
		"port in use":         {s.yaml(busy.Addr().String()), "is another process using the port?", ""},
		"broken ledger":       {`{kafka: {brokers: ["127.0.0.1:1"]}, ledger: {url: "sqlite:bad.db"}}`, "bad.db", ""},
		"unknown part":        {s.yaml("127.0.0.1:0"), "--only worker: must be consumer or webhooks", "worker"},
		"nothing to take":     {s.yaml("127.0.0.1:0"), "there are no webhooks to take: add them, or leave --only out", "webhooks"},
		"webhooks in use":     {s.yaml("127.0.0.1:0") + s.webhooks(busy.Addr().String()), "cannot take webhooks on", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(s.dir, "tenure.yaml")
			require.NoError(t, os.WriteFile(path, []byte(tc.yaml), 0o600))
			err := run(t.Context(), &service.Process{ConfigPath: path, Log: s.log, Metrics: prometheus.NewRegistry()}, tc.only)
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestTopicsHaveTheDecoderOfTheirSource(t *testing.T) {
	topics, err := topicsOf(&config.Config{Kafka: config.Kafka{Topics: []config.Topic{{Name: "a", Source: "cloudevents", DeadLetters: "a.dlq"}}}})
	require.NoError(t, err)
	require.Len(t, topics, 1)
	assert.NotNil(t, topics[0].Decode)
	assert.Equal(t, "a.dlq", topics[0].DeadLetters)
	_, err = topicsOf(&config.Config{Kafka: config.Kafka{Topics: []config.Topic{{Name: "a", Source: "carrier-pigeon"}}}})
	assert.ErrorContains(t, err, `topic a: there is no source "carrier-pigeon"`)
}
