package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/workflows"
)

// A biography plays one person's life through the real workflows, the real
// activities, a real ledger and apps in memory, with skipped time. It does what
// the starter does (record, signal or start) and what the server does (continue
// as new).
type biography struct {
	t      *testing.T
	person string
	ledger ledger.Ledger
	apps   map[string]*memory.App
	acts   *activities.Activities

	mu     sync.Mutex
	env    *testsuite.TestWorkflowEnvironment
	at     time.Time // the time between runs
	events []happening
	runs   []string       // the workflow types that ran, in order
	queues map[string]int // the number of activities begun, by task queue
	ended  error          // how the last run ended

	interceptors []interceptor.WorkerInterceptor // of the worker

	noCRM, adminForAll bool // what an oracle has to know of a changed policy

	refused int // how often an oracle found a grant that a rule of separation of duties does not let through
}

// happening is something that happens at an instant of the biography.
type happening struct {
	at time.Time
	do func()
	// starts is the workflow type to start if none is open; empty starts none.
	starts string
	signal workflows.LookAgain
}

const day = 24 * time.Hour

// patient are the options of a worker that takes a slow machine for no deadlock.
var patient = worker.Options{DeadlockDetectionTimeout: time.Minute}

var epoch = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// testRules is the policy of the tests: everybody is in the directory and in
// chat, engineers are in the wiki too.
func testRules() policy.Rules {
	attributes := map[string]string{"title": "person.jobTitle", "displayName": "person.givenName + ' ' + person.familyName"}
	return policy.Rules{
		Apps: map[string]policy.AppRules{
			"directory": {Attributes: attributes},
			"chat":      {Attributes: attributes, After: []string{"directory"}},
			"wiki":      {After: []string{"directory"}},
		},
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "directory", Entitlements: []string{"staff"}}, {App: "chat"}}},
			{Name: "engineering", When: "person.department == 'Development'", Grants: []policy.Grant{
				{App: "wiki", Entitlements: []string{"engineers"}}, {App: "directory", Entitlements: []string{"engineers"}},
			}},
			{Name: "sales", When: "person.department == 'Sales'", Grants: []policy.Grant{{App: "directory", Entitlements: []string{"sales"}}}},
		},
		Leaver: policy.LeaverRules{Retain: 30 * day, Delete: true},
	}
}

func newBiography(t *testing.T, rules policy.Rules) *biography {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	compiled, err := policy.Compile(rules)
	require.NoError(t, err)

	b := &biography{t: t, person: "10001", ledger: store, apps: map[string]*memory.App{}, at: epoch, queues: map[string]int{}}
	open := map[string]*provision.App{}
	kind, ok := catalog.Lookup("memory")
	require.True(t, ok)
	for _, name := range compiled.Apps() {
		instance := t.Name() + "/" + name
		b.apps[name] = memory.Shared(instance)
		b.apps[name].Reset()
		c, err := kind.Open(t.Context(), connector.Env{App: name}, connector.Settings{"name": instance})
		require.NoError(t, err)
		open[name] = &provision.App{Connector: c}
	}
	b.addManager()
	b.acts = &activities.Activities{Engine: &provision.Engine{
		Ledger: store, Policy: compiled, Apps: open, Log: zap.NewNop(),
		Clock:          clock.Func(b.now),
		AttentionAfter: 15 * time.Minute,
		Recheck:        time.Hour,
	}}
	return b
}

const manager = "10000"

// addManager gives the person's manager an account in every app.
func (b *biography) addManager() {
	for name := range b.apps {
		b.addLinked(name, manager, "boss", ledger.LinkActive)
	}
}

// addLinked gives somebody an account in an app, and a link to it in the state.
func (b *biography) addLinked(app, person, username string, state ledger.LinkState) {
	id := b.apps[app].Put(connector.Account{Username: username, ExternalID: person, Active: state == ledger.LinkActive})
	require.NoError(b.t, b.ledger.FinishStep(context.Background(), ledger.Outcome{
		PersonID: person, App: app, Key: app, Kind: "Provision", At: epoch, State: ledger.StepDone,
		Link: &ledger.Link{PersonID: person, App: app, AccountID: id, Username: username, State: state},
	}))
}

// now returns the time of the biography: the time of the open run, if there is one.
func (b *biography) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.env != nil {
		return b.env.Now()
	}
	return b.at
}

// on adds something that happens to the person and that HR does not say.
func (b *biography) on(after time.Duration, do func()) {
	b.events = append(b.events, happening{at: epoch.Add(after), do: do})
}

// hears adds an event of HR at the given time after the epoch.
func (b *biography) hears(after time.Duration, event hr.Event) {
	at := epoch.Add(after)
	event.PersonID = b.person
	event.Source = "/hr/test"
	if event.ID == "" {
		event.ID = fmt.Sprintf("e%d", len(b.events)+1)
	}
	if event.Recorded.IsZero() {
		event.Recorded = at
	}
	if event.Effective.IsZero() {
		event.Effective = hr.DateOf(at)
	}
	i := len(b.events)
	b.events = append(b.events, happening{at: at, starts: workflows.TypeFor(event.Type)})
	b.events[i].do = func() {
		receipts, err := b.ledger.Record(context.Background(), []ledger.Received{{Event: event, At: at}})
		require.NoError(b.t, err)
		urgent := event.Type == hr.EventSuspended ||
			event.Termination != nil && event.Termination.Urgency == hr.UrgencyImmediate
		b.events[i].signal = workflows.LookAgain{Seq: receipts[0].Seq, Urgent: urgent}
	}
}

// live plays everything that happens, until nothing is left and no run is open, or until
// the given time.
func (b *biography) live(until time.Duration) {
	end := epoch.Add(until)
	slices.SortStableFunc(b.events, func(x, y happening) int { return x.at.Compare(y.at) })
	pending := b.events
	for len(pending) > 0 {
		first := &pending[0]
		pending = pending[1:]
		if first.at.After(end) {
			return
		}
		b.at = later(b.at, first.at)
		first.do()
		if first.starts == "" {
			continue
		}
		kind, input := first.starts, workflows.Input{PersonID: b.person}
		for kind != "" {
			kind, input, pending = b.run(kind, input, pending, end)
		}
	}
}

// run plays one run, and returns the run that continues it if there is one.
func (b *biography) run(kind string, in workflows.Input, pending []happening, end time.Time) (string, workflows.Input, []happening) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	options := patient
	options.Interceptors = b.interceptors
	env.SetWorkerOptions(options)
	env.SetStartTime(b.at)
	workflows.Register(env, b.acts)
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.queues[info.TaskQueue]++
	})
	happened := 0
	for i := range pending {
		event := &pending[i]
		env.RegisterDelayedCallback(func() {
			event.do()
			happened++
			if event.starts != "" {
				env.SignalWorkflow(workflows.SignalLookAgain, event.signal)
			}
		}, max(event.at.Sub(b.at), 0))
	}
	env.RegisterDelayedCallback(func() { env.CancelWorkflow() }, max(end.Sub(b.at), 0))
	b.runs = append(b.runs, kind)
	b.setEnv(env)
	env.ExecuteWorkflow(kind, in)
	b.setEnv(nil)
	b.at = env.Now()
	require.True(b.t, env.IsWorkflowCompleted())
	pending = pending[happened:]

	err := env.GetWorkflowError()
	b.ended = err
	var again *workflow.ContinueAsNewError
	if errors.As(err, &again) {
		var next workflows.Input
		require.NoError(b.t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
		return again.WorkflowType.Name, next, pending
	}
	if !b.at.Before(end) {
		return "", in, nil // the biography ends here, even if a run is open
	}
	require.NoError(b.t, err)
	return "", in, pending
}

func (b *biography) setEnv(env *testsuite.TestWorkflowEnvironment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.env = env
}

// account returns the person's account in an app, if there is one. It fails if there are
// several.
func (b *biography) account(app string) (connector.Account, bool) {
	b.t.Helper()
	accounts := slices.DeleteFunc(b.apps[app].Accounts(), func(a connector.Account) bool { return a.ExternalID == manager })
	require.LessOrEqual(b.t, len(accounts), 1, "accounts in %s", app)
	if len(accounts) == 0 {
		return connector.Account{}, false
	}
	return accounts[0], true
}

// state returns the state of an account: "none", "off", or "on" with its entitlements.
func (b *biography) state(app string) string {
	b.t.Helper()
	account, ok := b.account(app)
	switch {
	case !ok:
		return "none"
	case account.Active:
		return fmt.Sprint("on ", account.Entitlements)
	default:
		return fmt.Sprint("off ", account.Entitlements)
	}
}

func (b *biography) states() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for name := range b.apps {
		out[name] = b.state(name)
	}
	return out
}

// actions lists the actions in the audit record as app:action.
func (b *biography) actions() []string {
	b.t.Helper()
	rows, err := b.ledger.Audit(context.Background(), b.person, 0, 1000)
	require.NoError(b.t, err)
	var out []string
	for _, r := range rows {
		out = append(out, r.App+":"+r.Action)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// profile returns the profile of somebody in a department.
func profile(department string) *hr.Profile {
	return &hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", JobTitle: "Engineer", Department: department,
		Location:  hr.Location{TimeZone: "Europe/Berlin"},
		ManagerID: manager,
		StartDate: hr.DateOf(epoch),
	}
}
