package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/running"
)

const patience = 20 * time.Second

func start(t *testing.T, opts Options) *Stack {
	t.Helper()
	s, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func fetch(t *testing.T, url string, header http.Header) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", body)
	return string(body)
}

func TestStartedMeansThatEverythingAnswers(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "elsewhere.example.com:7233")
	t.Setenv("TEMPORAL_API_KEY", "somebody's key")
	s := start(t, Options{Apps: DemoApps(0), WorkerBinary: binary(t, "worker"), StarterBinary: binary(t, "starter")})

	temporal, err := client.Dial(client.Options{HostPort: s.TemporalAddress(), Namespace: Namespace})
	require.NoError(t, err)
	defer temporal.Close()
	assert.Contains(t, fetch(t, s.UIURL()+"/api/v1/namespaces/"+Namespace, nil), `"default"`)
	assert.Contains(t, fetch(t, s.UIURL(), nil), "<html")

	admin := &kafka.Client{Addr: kafka.TCP(s.KafkaAddress())}
	metadata, err := admin.Metadata(t.Context(), &kafka.MetadataRequest{})
	require.NoError(t, err)
	partitions := make(map[string]int)
	for _, topic := range metadata.Topics {
		partitions[topic.Name] = len(topic.Partitions)
	}
	assert.Equal(t, map[string]int{TopicEvents: 4, TopicDeadLetters: 1}, partitions)
	writer := &kafka.Writer{Addr: kafka.TCP(s.KafkaAddress()), AllowAutoTopicCreation: true, MaxAttempts: 1}
	defer writer.Close()
	err = writer.WriteMessages(t.Context(), kafka.Message{Topic: "misspelt"})
	assert.ErrorIs(t, err, kafka.UnknownTopicOrPartition, "topics are not made by mistake")

	require.Len(t, s.Apps(), 4)
	for _, app := range s.Apps() {
		groups := fetch(t, app.SCIMURL()+"/Groups", http.Header{"Authorization": {"Bearer demo"}})
		for _, declared := range s.declared.groupsAt(app.Address) {
			assert.Contains(t, groups, fmt.Sprintf("%q", declared), "what roles grant in %s is there", app.Name)
		}
	}
	assert.Contains(t, s.declared.groupsAt(s.App("wiki").Address), "engineers")

	for _, url := range []string{s.declared.Metrics.Worker, s.declared.Metrics.Starter} {
		assert.Equal(t, s.TemporalAddress(), fetch(t, "http://"+url+"/readyz", nil))
	}
	for _, variable := range s.Env() {
		assert.NotContains(t, variable, "somebody's key")
	}
	for _, endpoint := range s.Endpoints() {
		assert.True(t, strings.Contains(endpoint.Address, "127.0.0.1:") || endpoint.Address == s.ConfigFile(), endpoint.Address)
	}
	assert.Equal(t, s.ConfigFile(), running.Configuration(s.Dir()), "the command line finds it")
}

func TestOwnConfigurationIsAccepted(t *testing.T) {
	s := start(t, Options{Apps: DemoApps(0), NoApps: true, Clock: &config.AcceleratedClock{
		Epoch: time.Date(2026, 11, 21, 9, 0, 0, 5000, time.UTC), Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Rate: 86400,
	}})
	cfg, err := config.Load(s.ConfigFile())
	require.NoError(t, err)
	assert.Len(t, cfg.Apps, 4)
	assert.Equal(t, []string{s.KafkaAddress()}, cfg.Kafka.Brokers)
	assert.Equal(t, s.opts.Clock, cfg.Development.Clock)
}

func TestAnotherConfigurationIsUsedAsItIs(t *testing.T) {
	path := t.TempDir() + "/mine.yaml"
	apps := DemoApps(0)[:1]
	var err error
	apps[0].Port, err = claim(0, true, "", "")
	require.NoError(t, err)
	text := fmt.Sprintf("apps:\n  intranet:\n    connector: scim\n    settings: {url: %q}\n"+
		"roles: [{name: all, when: 'true', grants: [{app: intranet, entitlements: [mine]}]}]\n", scimURL(apps[0].Port))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))

	s := start(t, Options{Apps: apps, ConfigFile: path})
	assert.Equal(t, path, s.ConfigFile())
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text, string(kept))
	assert.Contains(t, fetch(t, s.Apps()[0].SCIMURL()+"/Groups", http.Header{"Authorization": {"Bearer demo"}}), `"mine"`)
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := portOf(taken)

	apps := DemoApps(0)
	apps[2].Port = port
	tests := map[string]struct {
		opts       Options
		what, flag string
	}{
		"Temporal":        {Options{Ports: Ports{Temporal: port}}, "Temporal", "temporal-port"},
		"UI":              {Options{Ports: Ports{UI: port}}, "Temporal's UI", "ui-port"},
		"Kafka":           {Options{Ports: Ports{Kafka: port}}, "Kafka", "kafka-port"},
		"worker metrics":  {Options{Ports: Ports{WorkerMetrics: port}, WorkerBinary: "worker"}, "the worker's metrics", "worker-metrics-port"},
		"starter metrics": {Options{Ports: Ports{StarterMetrics: port}, StarterBinary: "starter"}, "the starter's metrics", "starter-metrics-port"},
		"app":             {Options{Apps: apps}, "the app wiki", "wiki-port"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), tc.opts)
			var inUse *PortInUseError
			require.ErrorAs(t, err, &inUse)
			assert.Equal(t, &PortInUseError{Port: port, For: tc.what, Flag: tc.flag}, inUse)
			assert.Contains(t, err.Error(), fmt.Sprintf("port %d, wanted for %s, is in use", port, tc.what))
			assert.Contains(t, err.Error(), "--"+tc.flag)
		})
	}
}

func TestPortsOfWhatDoesNotRunMayBeTaken(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := portOf(taken)
	s := start(t, Options{
		Ports: Ports{WorkerMetrics: port, StarterMetrics: port}, Apps: []App{{Name: "directory", Port: port}}, NoApps: true,
		Template: "apps: {directory: {settings: {url: {{(index .Apps 0).URL}}}}}\n",
	})
	assert.Empty(t, s.Apps())
	assert.Nil(t, s.Worker())
	text, err := os.ReadFile(s.ConfigFile())
	require.NoError(t, err)
	assert.Contains(t, string(text), fmt.Sprint(port), "the configuration still says where the app is")
}

func TestChildThatCannotStartFailsTheStart(t *testing.T) {
	dir := t.TempDir()
	opts := Options{
		DataDir: dir, Apps: DemoApps(0),
		WorkerBinary: binary(t, "misconfigured"), StarterBinary: binary(t, "starter"),
	}
	_, err := Start(t.Context(), opts)
	require.ErrorContains(t, err, "worker: it ended before it was ready: exit status 2")
	require.ErrorContains(t, err, "tenure.yaml:3: unknown key", "what it said is not hidden in a file")

	opts.WorkerBinary = binary(t, "worker")
	start(t, opts) // nothing holds the directory any more
}

func TestStartIsGivenUpWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestOneStackPerDirectory(t *testing.T) {
	dir := t.TempDir()
	start(t, Options{DataDir: dir})
	_, err := Start(t.Context(), Options{DataDir: dir})
	require.ErrorContains(t, err, dir+" is in use by another stack")
}

func TestKilledChildIsStartedAgain(t *testing.T) {
	notices := make(chan string, 1)
	s := start(t, Options{
		Apps: DemoApps(0), WorkerBinary: binary(t, "worker"),
		OnRestart: func(line string) { notices <- line },
	})
	first := s.Worker().PID()
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	assert.Equal(t, "worker ended (signal: killed): starting it again", <-notices)
	require.Eventually(t, func() bool { return s.Worker().Running() && s.Worker().PID() != first }, patience, 10*time.Millisecond)
	s.Close()
	assert.False(t, s.Worker().Running(), "and not again when everything stops")
}

func TestKillAndRestartByHand(t *testing.T) {
	var out output
	s := start(t, Options{
		Apps: DemoApps(0), WorkerBinary: binary(t, "worker"), StarterBinary: binary(t, "starter"), Log: &out,
	})
	for _, p := range s.children() {
		p.Kill()
		require.False(t, p.Running())
		require.NoError(t, p.Start(t.Context()))
		require.Eventually(t, func() bool {
			return strings.Count(out.String(), p.Name()+" | "+p.Name()+" is up\n") == 2
		}, patience, 10*time.Millisecond)
	}
}

func TestTemporaryStackLeavesNothing(t *testing.T) {
	s, err := Start(t.Context(), Options{Apps: DemoApps(0)})
	require.NoError(t, err)
	dir, address := s.Dir(), s.TemporalAddress()
	require.DirExists(t, dir)
	s.Close()
	assert.NoDirExists(t, dir)
	_, err = net.Dial("tcp", address)
	assert.True(t, errors.Is(err, syscall.ECONNREFUSED), err)
}

// output holds the output of children; it can be read while they run.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
