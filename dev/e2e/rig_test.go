package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/demo"
	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

// rest bounds how long it may take until nothing is left to do: a killed worker leaves
// attempts in doubt for 75 s, and machines may be busy.
const rest = 4 * time.Minute

// rig holds a running stack, and what a test needs to look into it.
type rig struct {
	*story.Stage
	config   *config.Config
	ledger   ledger.Ledger
	temporal client.Client
	kafka    *kafka.Client
	log      *output // the output of worker and starter
}

// startRig starts a stack with worker and starter that ends with the test.
func startRig(t *testing.T, opts stack.Options) *rig {
	t.Helper()
	r := &rig{log: &output{}}
	opts.Apps = stack.DemoApps(0)
	opts.Log = r.log
	opts.WorkerBinary, opts.StarterBinary = filepath.Join(binaries, "worker"), filepath.Join(binaries, "starter")
	if opts.Template == "" {
		opts.Template = withBreaker("{enabled: false}") + "\nsweep: {every: 1s}\n" // in most tests many people leave
	}
	s, err := stack.Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)

	r.Stage = &story.Stage{
		Stack: s, Clock: clock.Real(), Publisher: broker.NewPublisher(broker.Cluster{Brokers: []string{s.KafkaAddress()}}),
		TenureBinary: filepath.Join(binaries, "tenure"),
	}
	if c := opts.Clock; c != nil {
		r.Clock = clock.Accelerated(c.Epoch, c.Start, c.Rate)
	}
	t.Cleanup(func() { _ = r.Publisher.Close() })
	r.config, err = config.Load(s.ConfigFile())
	require.NoError(t, err)
	r.ledger, err = open.Open(t.Context(), r.config.Ledger.URL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.ledger.Close() })
	r.temporal, err = client.Dial(client.Options{
		HostPort: s.TemporalAddress(), Namespace: stack.Namespace,
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(r.temporal.Close)
	r.kafka = &kafka.Client{Addr: kafka.TCP(s.KafkaAddress()), Timeout: 10 * time.Second}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last lines of worker and starter:\n%s", tail(r.log.String(), 80))
		}
	})
	return r
}

// twoApps is a configuration in which everybody is in two apps outside the stack. Steps
// that fail need attention soon, and are not tried again by themselves.
const twoApps = `
kafka: {brokers: ["{{.Kafka}}"], topics: [{name: {{.Topic}}, source: cloudevents, settings: {types: [worker.*, security.*]}}]}
ledger: {url: "sqlite:tenure.db"}
metrics: {worker: "{{.WorkerMetrics}}", starter: "{{.StarterMetrics}}"}
sweep: {every: 1s}
attention: {after: 1s, recheck: 24h}
breaker: {enabled: false} # this is about what is done when it is meant
person: {username: "ascii(lower(person.familyName))", email: "person.username + '@example.com'"}
apps:
  directory: {connector: scim, settings: {url: "%s", token: demo}}
  wiki: {connector: scim, settings: {url: "%s", token: demo}}
roles:
  - {name: everyone, when: "true", grants: [{app: directory}, {app: wiki}]}
`

// startTwoApps starts a stack with the template twoApps, or a similar one, and returns
// the two apps, too.
func startTwoApps(t *testing.T, opts stack.Options) (*rig, map[string]*scimtest.Service) {
	t.Helper()
	apps := map[string]*scimtest.Service{}
	var urls []any
	for _, name := range []string{"directory", "wiki"} {
		app, err := scimtest.New(scimtest.Options{Name: name, Token: "demo"})
		require.NoError(t, err)
		server := httptest.NewServer(app)
		t.Cleanup(server.Close)
		apps[name] = app
		urls = append(urls, server.URL+scimtest.BasePath)
	}
	opts.Template = fmt.Sprintf(opts.Template, urls...)
	return startRig(t, opts), apps
}

// withBreaker returns the stack's tenure.yaml with other limits of the breaker.
func withBreaker(breaker string) string {
	const its = "breaker: {settle: 0s}"
	if !strings.Contains(stack.DefaultTemplate, its) {
		panic("the stack's own tenure.yaml has no such breaker any more")
	}
	return strings.Replace(stack.DefaultTemplate, its, "breaker: "+breaker, 1)
}

// startStory starts the stack of the story, in which a day is this long.
func startStory(t *testing.T, day time.Duration) *rig {
	t.Helper()
	return startRig(t, stack.Options{Template: demo.Template(), Clock: &config.AcceleratedClock{
		Epoch: time.Now().Add(3 * time.Second).Truncate(time.Second), // by then everything runs
		Start: story.Start,
		Rate:  float64(24*time.Hour) / float64(day),
	}})
}

// seeded returns a source of randomness, whose seed a failed test prints. With this seed
// in E2E_SEED, the test repeats what it did, as far as processes can.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("E2E_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "E2E_SEED")
	}
	t.Logf("E2E_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// pause waits, and returns early if the test is over.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// publish sends events in the order given.
func (r *rig) publish(t *testing.T, events ...hr.Event) {
	t.Helper()
	require.NoError(t, r.tryPublish(t.Context(), events...))
}

// tryPublish is publish for where a test cannot end.
func (r *rig) tryPublish(ctx context.Context, events ...hr.Event) error {
	messages := make([]broker.Message, len(events))
	for i, e := range events {
		value, err := cloudevents.Encode(e)
		if err != nil {
			return err
		}
		messages[i] = broker.Message{
			Key: e.PersonID, Value: value,
			Headers: map[string]string{"content-type": "application/cloudevents+json"},
		}
	}
	return r.Publisher.Publish(ctx, stack.TopicEvents, messages)
}

// keepRunning starts a process again at once, each time it has been killed, until the
// test ends.
func keepRunning(t *testing.T, p *process.Process) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-p.Ended():
				_ = p.Start(ctx) // an error is expected: the process may be killed while it starts
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// awaitRest returns when every record on the topic of events was consumed and
// nothing is left to do now, for anybody.
func (r *rig) awaitRest(t *testing.T) {
	t.Helper()
	var busy string
	if !assert.Eventually(t, func() bool {
		busy = r.unread(t)
		if busy == "" {
			busy = r.unfinished(t)
		}
		return busy == ""
	}, rest, 100*time.Millisecond) {
		require.FailNow(t, "it does not come to rest", busy)
	}
}

// unread names a partition with records that the starter has not acknowledged. An
// acknowledged record is in the ledger, and its person has been nudged.
func (r *rig) unread(t *testing.T) string {
	ctx := t.Context()
	topics, err := r.kafka.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{stack.TopicEvents}})
	if err != nil {
		return err.Error()
	}
	var partitions []int
	var ask []kafka.OffsetRequest
	for _, p := range topics.Topics[0].Partitions {
		partitions = append(partitions, p.ID)
		ask = append(ask, kafka.LastOffsetOf(p.ID))
	}
	ends, err := r.kafka.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{stack.TopicEvents: ask},
	})
	if err != nil {
		return err.Error()
	}
	committed, err := r.kafka.OffsetFetch(ctx, &kafka.OffsetFetchRequest{
		GroupID: r.config.Kafka.Group, Topics: map[string][]int{stack.TopicEvents: partitions},
	})
	if err != nil {
		return err.Error()
	}
	read := map[int]int64{}
	for _, p := range committed.Topics[stack.TopicEvents] {
		read[p.Partition] = max(p.CommittedOffset, 0)
	}
	for _, p := range ends.Topics[stack.TopicEvents] {
		if read[p.Partition] != p.LastOffset {
			return fmt.Sprintf("partition %d: %d records of %d consumed", p.Partition, read[p.Partition], p.LastOffset)
		}
	}
	return ""
}

// unfinished names somebody for whom something has to be done now according to the
// ledger: they wait for their turn, they are due, a step is open, or the state of an account is in doubt.
func (r *rig) unfinished(t *testing.T) string {
	if b, err := r.ledger.Backlog(t.Context()); err != nil || b.People > 0 {
		return fmt.Sprintf("%d people wait for their turn: %v", b.People, err)
	}
	for _, s := range r.people(t) {
		p, err := r.ledger.Person(t.Context(), s.PersonID)
		if err != nil {
			return err.Error()
		}
		waiting := false // whether a step waits for a human
		for _, step := range p.Steps {
			if step.State == ledger.StepOpen {
				return fmt.Sprintf("person %s: %s of %s is open after %d attempts: %s", p.PersonID, step.Kind, step.App, step.Attempts, step.Message)
			}
			waiting = waiting || step.State == ledger.StepAttention
		}
		for _, link := range p.Links {
			if !link.DoubtUntil.IsZero() {
				return fmt.Sprintf("person %s: %s is in doubt until %s", p.PersonID, link.App, link.DoubtUntil)
			}
		}
		due := !p.DueAt.IsZero() && !p.DueAt.After(r.Clock.Now())
		if due || p.DueWhat == "working" && !waiting || p.AssessedAt.IsZero() {
			return fmt.Sprintf("person %s is due: %q at %s", p.PersonID, p.DueWhat, p.DueAt)
		}
	}
	return ""
}

func (r *rig) people(t *testing.T) []ledger.Summary {
	all, err := r.ledger.People(t.Context(), "", 10_000)
	require.NoError(t, err)
	return all
}

// attention lists the steps and questions that wait for a human.
func (r *rig) attention(t *testing.T) []string {
	var all []string
	for _, s := range r.people(t) {
		p, err := r.ledger.Person(t.Context(), s.PersonID)
		require.NoError(t, err)
		for _, step := range p.Steps {
			if step.State == ledger.StepAttention {
				all = append(all, strings.Join([]string{p.PersonID, step.App, step.Kind, step.Code, step.Message}, " "))
			}
		}
	}
	return all
}

// accounts asks every app for its accounts: app -> person -> accounts.
func (r *rig) accounts(t *testing.T) map[string]map[string][]story.User {
	t.Helper()
	all := map[string]map[string][]story.User{}
	for _, app := range r.Stack.Apps() {
		var err error
		all[app.Name], err = r.Accounts(t.Context(), app.Name)
		require.NoError(t, err)
	}
	return all
}

// runs lists every run of every workflow that Temporal has.
func (r *rig) runs(t *testing.T, query string) []*workflow.WorkflowExecutionInfo {
	t.Helper()
	var all []*workflow.WorkflowExecutionInfo
	request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: stack.Namespace, Query: query, PageSize: 500}
	for {
		page, err := r.temporal.ListWorkflow(t.Context(), request)
		require.NoError(t, err)
		all = append(all, page.GetExecutions()...)
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return all
		}
	}
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
