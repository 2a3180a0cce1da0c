package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/service/runs"
	"github.com/tenurehq/tenure/service/worker"
	"github.com/tenurehq/tenure/workflows"
)

// limited is a configuration of one app, outside the stack, with a rate.
const limited = `
kafka: {brokers: ["{{.Kafka}}"], topics: [{name: {{.Topic}}, source: cloudevents, settings: {types: [worker.*, security.*]}}]}
ledger: {url: "sqlite:tenure.db"}
metrics: {worker: "{{.WorkerMetrics}}", starter: "{{.StarterMetrics}}"}
sweep: {every: 1s}
person:
  username: "ascii(lower(person.givenName.substring(0, 1) + person.familyName))"
  email: "person.username + '@example.com'"
apps:
  wiki:
    connector: scim
    settings: {url: "%s", token: demo, userAgent: first}
    rate: %d/s
roles:
  - {name: everyone, when: "true", grants: [{app: wiki, entitlements: [readers]}]}
`

// request is a request that an app got.
type request struct {
	at   time.Time
	from string // User-Agent
}

// TestWorkersHoldARateTogether has two workers provision a crowd in an app with a rate.
// The app is paused until both workers have taken as many steps as they can. From then
// on, at any instant, no more calls may have come than the rate allows. A busy machine
// only makes calls later, so it cannot fail this test.
func TestWorkersHoldARateTogether(t *testing.T) {
	t.Parallel()
	const (
		people = 50 // more than the steps that one worker has under way for such an app
		rate   = 20 // a second
		burst  = rate / 10
		pause  = 5 * time.Second
	)
	app, err := scimtest.New(scimtest.Options{Name: "wiki", Token: "demo", Groups: []string{"readers"}})
	require.NoError(t, err)
	var mu sync.Mutex
	var seen []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, request{time.Now(), r.UserAgent()})
		mu.Unlock()
		app.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	r := startRig(t, stack.Options{Template: fmt.Sprintf(limited, server.URL+scimtest.BasePath, rate)})
	r.startSecondWorker(t)
	r.awaitWorkers(t, activities.AppQueue("wiki"), 2)
	from := time.Now().Add(pause)
	require.NoError(t, r.ledger.PauseCalls(t.Context(), "wiki", pause))
	var events []hr.Event
	for i := range people {
		hired, _ := hiredAndCutOff(i, false)
		hired.Recorded = time.Now().UTC()
		events = append(events, hired)
	}
	r.publish(t, events...)
	r.awaitRest(t)

	assert.Empty(t, r.attention(t))
	links, err := r.ledger.Links(t.Context(), ledger.LinkFilter{State: ledger.LinkActive})
	require.NoError(t, err)
	assert.Len(t, links, people)
	mu.Lock()
	defer mu.Unlock()
	by := map[string]int{}
	for i, call := range seen {
		by[call.from]++
		elapsed := call.at.Sub(from)
		require.LessOrEqual(t, float64(i+1), burst+rate*elapsed.Seconds(), "calls within %s, by worker: %v", elapsed, by)
	}
	assert.Positive(t, by["first"])
	assert.Positive(t, by["second"])
	t.Logf("%d requests in %s, by worker: %v", len(seen), seen[len(seen)-1].at.Sub(from), by)
}

// awaitWorkers returns when this number of workers poll a task queue.
func (r *rig) awaitWorkers(t *testing.T, queue string, workers int) {
	t.Helper()
	require.Eventually(t, func() bool {
		found, err := r.temporal.DescribeTaskQueue(t.Context(), queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
		asking := map[string]bool{}
		for _, p := range found.GetPollers() {
			asking[p.GetIdentity()] = true
		}
		return err == nil && len(asking) == workers
	}, rest, 100*time.Millisecond)
}

// startSecondWorker starts a worker besides the stack's own, with the stack's
// configuration.
func (r *rig) startSecondWorker(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(r.Stack.ConfigFile())
	require.NoError(t, err)
	second := strings.NewReplacer(r.config.Metrics.Worker, "127.0.0.1:0", "userAgent: first", "userAgent: second").Replace(string(text))
	path := filepath.Join(filepath.Dir(r.Stack.ConfigFile()), "second.yaml")
	require.NoError(t, os.WriteFile(path, []byte(second), 0o600))
	p := process.New(process.Options{
		Name: "second worker", Path: filepath.Join(binaries, "worker"), Args: []string{"--config", path},
		Env: r.Stack.Env(), Log: r.log,
	})
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(p.Stop)
}

// site is the product with apps in memory, hosted by the test itself.
type site struct {
	apps   map[string]*memory.App
	ledger ledger.Ledger
	path   string // of the ledger
	client client.Client
	runs   *runs.Client
}

// works hosts the site by a worker that is embedded, and returns once it takes work. Stop stops it,
// and returns what it came to.
func (s *site) works(t *testing.T, cfg *config.Config, log *zap.Logger, metrics *prometheus.Registry) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- worker.Run(ctx, worker.Options{
			Config: cfg, Ledger: s.ledger, Temporal: s.client, Runs: s.runs, Log: log, Metrics: metrics,
			Started: func() { close(started) },
		})
	}()
	select {
	case <-started:
	case err := <-ended:
		require.NoError(t, err)
	}
	return func() error {
		cancel()
		return <-ended
	}
}

// startTemporal starts the servers of a site that no worker hosts yet: Temporal, and a
// ledger.
func startTemporal(t *testing.T) *site {
	t.Helper()
	server, err := stack.Start(t.Context(), stack.Options{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	s := &site{apps: map[string]*memory.App{}}
	s.client, err = client.Dial(client.Options{
		HostPort: server.TemporalAddress(), Namespace: stack.Namespace,
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	s.path = filepath.Join(t.TempDir(), "ledger.db")
	s.ledger, err = sqlite.Open(t.Context(), s.path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.ledger.Close() })
	s.runs = runs.New(s.client, stack.Namespace)
	require.NoError(t, s.runs.RegisterAttributes(t.Context()))
	return s
}

// startSite starts a site with an app for each department.
func startSite(t *testing.T, apps ...string) *site {
	t.Helper()
	s := startTemporal(t)
	rules := policy.Rules{Apps: map[string]policy.AppRules{}, Leaver: policy.LeaverRules{Retain: time.Hour}}
	open := map[string]*provision.App{}
	for _, name := range apps {
		s.apps[name] = memory.Shared(t.Name() + "/" + name)
		c, err := memory.Kind.Open(t.Context(), connector.Env{App: name}, connector.Settings{"name": t.Name() + "/" + name})
		require.NoError(t, err)
		open[name] = &provision.App{Connector: c}
		rules.Apps[name] = policy.AppRules{}
		rules.Roles = append(rules.Roles, policy.Role{
			Name: name, When: "person.department == '" + name + "'", Grants: []policy.Grant{{App: name}},
		})
	}
	compiled, err := policy.Compile(rules)
	require.NoError(t, err)
	host := worker.NewHost(s.client, &activities.Activities{Runs: s.runs, Engine: &provision.Engine{
		Ledger: s.ledger, Policy: compiled, Apps: open, Clock: clock.Real(), Log: zap.NewNop(),
		AttentionAfter: time.Hour, Recheck: time.Hour,
	}})
	require.NoError(t, host.Start())
	t.Cleanup(host.Stop)
	return s
}

// hears does what the starter does with an event.
func (s *site) hears(t *testing.T, e hr.Event) {
	e.Recorded = time.Now()
	receipts, err := s.ledger.Record(t.Context(), []ledger.Received{{Event: e, At: e.Recorded}})
	if assert.NoError(t, err) {
		assert.NoError(t, s.runs.Nudge(t.Context(), workflows.Nudge{PersonID: e.PersonID, Seq: receipts[0].Seq, Type: workflows.TypeFor(e.Type)}))
	}
}

// knows records somebody who has had an account in an app for a long time.
func (s *site) knows(t *testing.T, hired hr.Event, app string) {
	id := s.apps[app].Put(connector.Account{Username: hired.PersonID, ExternalID: hired.PersonID, Active: true})
	_, err := s.ledger.Record(t.Context(), []ledger.Received{{Event: hired, At: time.Now()}})
	assert.NoError(t, err)
	assert.NoError(t, s.ledger.FinishStep(t.Context(), ledger.Outcome{
		PersonID: hired.PersonID, App: app, Key: app, Kind: "Provision", At: time.Now(), State: ledger.StepDone,
		Link: &ledger.Link{AccountID: id, Username: hired.PersonID, State: ledger.LinkActive},
	}))
}

// active counts the accounts of an app that are enabled.
func (s *site) active(app string) (n int) {
	for _, a := range s.apps[app].Accounts() {
		if a.Active {
			n++
		}
	}
	return n
}

// TestAnAppThatHangsDelaysNoOther lets an app hang while more people leave it than a
// worker has steps under way at a time.
func TestAnAppThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	const leavers = 2*activities.MainSlots + 200
	s := startSite(t, "hangs", "works")
	var stalled atomic.Int64
	released := make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	s.apps["hangs"].OnCall(func(ctx context.Context, _, _ string) error {
		stalled.Add(1)
		defer stalled.Add(-1)
		select {
		case <-released:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})

	var all sync.WaitGroup
	for lane := range 20 {
		all.Go(func() {
			for i := lane; i < leavers; i += 20 {
				hired, left := hiredAndCutOff(i, false)
				hired.Profile.Department = "hangs"
				s.knows(t, hired, "hangs")
				s.hears(t, left)
			}
		})
	}
	all.Wait()
	const most = activities.UrgentSlots + activities.MainSlots + activities.OverflowSlots
	require.Eventually(t, func() bool { return stalled.Load() >= most }, rest, 50*time.Millisecond, "as many hang as may")

	hired, _ := hiredAndCutOff(leavers, false)
	hired.Profile.Department = "works"
	s.hears(t, hired)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.client.GetWorkflow(ctx, workflows.WorkflowID(hired.PersonID), "").Get(ctx, nil))
	assert.Equal(t, 1, s.active("works"))
	assert.Equal(t, leavers, s.active("hangs"), "all the others still wait")
	assert.LessOrEqual(t, stalled.Load(), int64(most))

	release()
	require.Eventually(t, func() bool { return s.active("hangs") == 0 }, rest, 100*time.Millisecond, "none is forgotten")
}
