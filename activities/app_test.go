package activities_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// wiki holds Activities with one app, in which everybody has an account, and one person
// who was hired.
type wiki struct {
	*activities.Activities
	memory *memory.App
	step   provision.Todo
}

func newWiki(t *testing.T, rate pace.Rate) wiki {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	compiled, err := policy.Compile(policy.Rules{
		Apps:  map[string]policy.AppRules{"wiki": {}},
		Roles: []policy.Role{{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "wiki"}}}},
	})
	require.NoError(t, err)
	pacer := pace.New(t.Context(), "wiki", rate, store, pace.NewMetrics(prometheus.NewRegistry()))
	c, err := memory.Kind.Open(t.Context(), connector.Env{App: "wiki", Pace: pacer.Wait}, connector.Settings{"name": t.Name()})
	require.NoError(t, err)
	require.NoError(t, hire(t, store, "1"))
	w := wiki{memory: memory.Shared(t.Name()), Activities: &activities.Activities{Engine: &provision.Engine{
		Ledger: store, Policy: compiled, Clock: clock.Real(), Log: zap.NewNop(),
		Apps: map[string]*provision.App{"wiki": {Connector: c, Rate: rate, Pacer: pacer}},
	}}}
	assessment, err := w.Assess(t.Context(), "1")
	require.NoError(t, err)
	require.Len(t, assessment.Todo, 1)
	w.step = assessment.Todo[0]
	return w
}

// hire records that somebody was hired two days ago.
func hire(t *testing.T, store ledger.Ledger, personID string) error {
	t.Helper()
	now := time.Now()
	_, err := store.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: personID}, Type: hr.EventHired, PersonID: personID, Recorded: now, Effective: hr.DateOf(now).AddDays(-2),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", StartDate: hr.DateOf(now).AddDays(-2), Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	return err
}

// What a run is told is kept in its history, twice for each step. An attempt plans the step again.
func TestARunIsToldNoMoreThanItReads(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	planned, err := w.Engine.Assess(t.Context(), "1")
	require.NoError(t, err)
	require.NotEmpty(t, planned.Todo[0].Why)
	require.True(t, planned.Todo[0].Enabled)
	told, err := json.Marshal(w.step.Step)
	require.NoError(t, err)
	assert.JSONEq(t, `{"key": "`+w.step.Key+`", "app": "wiki", "kind": "Provision"}`, string(told))
}

// apply runs the step as Temporal does, from the main queue.
func (w wiki) apply() (activities.StepResult, error) { return w.applyFor("1", w.step) }

func (w wiki) applyFor(personID string, todo provision.Todo) (activities.StepResult, error) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivityWithOptions(w.Apply, activity.RegisterOptions{Name: string(todo.Kind)})
	var result activities.StepResult
	value, err := env.ExecuteActivity(string(todo.Kind), activities.StepRequest{PersonID: personID, Step: todo.Step})
	if err == nil {
		err = value.Get(&result)
	}
	return result, err
}

// attempts returns how often the step was tried.
func (w wiki) attempts(t *testing.T) int {
	t.Helper()
	p, err := w.Ledger.Person(t.Context(), "1")
	require.NoError(t, err)
	require.Len(t, p.Steps, 1)
	require.Equal(t, ledger.StepOpen, p.Steps[0].State)
	return p.Steps[0].Attempts
}

// A step that was planned before its app had a rate is sent to the app's queue.
func TestStepsForALimitedAppGoOverItsQueue(t *testing.T) {
	w := newWiki(t, pace.Rate{Calls: 10, Per: time.Second})
	own := provision.Route{Queue: "tenure-app-wiki", Patience: 142_560 * time.Millisecond}
	assert.Equal(t, own, w.step.Route)
	result, err := w.apply()
	require.NoError(t, err)
	assert.Equal(t, activities.StepResult{Result: activities.ResultMoved, Route: own}, result)
	assert.Zero(t, w.attempts(t))
}

func TestStepsForOtherAppsStayInTheMainQueue(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	assert.Zero(t, w.step.Route)
	result, err := w.apply()
	require.NoError(t, err)
	assert.Equal(t, activities.StepResult{Result: provision.ResultDone}, result)
}

// If the app asks one step for a pause, the next step waits for the end of the pause, and
// does not count as failed.
func TestAnAppThatAsksForAPauseIsLeftAlone(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	w.AttentionAfter = time.Hour
	w.memory.SetFaults(memory.Faults{Kind: connector.KindRateLimited, RetryAfter: 2 * time.Hour})
	for range 3 {
		_, err := w.apply()
		var failure *temporal.ApplicationError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, string(connector.KindRateLimited), failure.Type())
		assert.InDelta(t, 2*time.Hour, failure.NextRetryDelay(), float64(time.Minute))
		assert.False(t, failure.NonRetryable())
		assert.Equal(t, 1, w.memory.Calls(connector.OpFind))
		assert.Equal(t, 1, w.attempts(t))
	}
}

// However long a step waits for the rate, it does not need an operator.
func TestWaitingForTheRateNeedsNoAttention(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	w.Apps["wiki"].Pacer = nil // so the attempt begins, and the app asks for a pause
	w.memory.OnCall(func(context.Context, string, string) error {
		return &connector.Error{Kind: connector.KindUnavailable, Op: connector.OpFind, Cause: &pace.NoTurnError{After: time.Minute}}
	})
	_, err := w.apply()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, time.Minute, failure.NextRetryDelay())
	assert.False(t, failure.NonRetryable())
	assert.Equal(t, 1, w.attempts(t))
}

// However long a step waits in a queue between attempts that fail, that needs no operator. What
// fails for AttentionAfter without such waits does.
func TestWaitingInAQueueNeedsNoAttention(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	w.AttentionAfter = 5 * time.Minute
	w.memory.SetFaults(memory.Faults{Kind: connector.KindUnavailable})
	later := time.Duration(0)
	w.Clock = clock.Func(func() time.Time { return time.Now().Add(later) })
	failsAfter := func(pause time.Duration) (final bool) {
		later += pause
		return w.applyWithin(t, 30*time.Second, false).NonRetryable()
	}
	for range 3 {
		assert.False(t, failsAfter(3*time.Hour))
	}
	tries := 1
	for ; !failsAfter(time.Minute); tries++ {
		require.Less(t, tries, 10)
	}
	assert.InDelta(t, 4, tries, 1, "it has been failing for two minutes")
}

// To cut somebody off now, a step does not wait for as long as the app asks: it waits a
// minute, and then needs an operator.
func TestAnUrgentStepWaitsAMinuteAtMost(t *testing.T) {
	for name, kind := range map[string]connector.ErrorKind{"quota": connector.KindRateLimited, "down": connector.KindUnavailable} {
		t.Run(name, func(t *testing.T) {
			w := newWiki(t, pace.Rate{})
			w.AttentionAfter = time.Hour
			w.memory.SetFaults(memory.Faults{Kind: kind, RetryAfter: 24 * time.Hour})
			w.Apps["wiki"].Pacer = nil // each attempt calls the app
			failure := w.applyUrgently(t)
			assert.Equal(t, string(kind), failure.Type())
			assert.Equal(t, pace.UrgentPatience, failure.NextRetryDelay())
			assert.False(t, failure.NonRetryable())

			w.Clock = clock.Func(func() time.Time { return time.Now().Add(pace.UrgentPatience) })
			failure = w.applyUrgently(t)
			assert.Equal(t, string(kind), failure.Type())
			assert.Equal(t, kind == connector.KindRateLimited, failure.NonRetryable(), "needs attention")
		})
	}
}

// To cut off somebody who has left, a step waits until it would need attention, and not for
// as long as the app asks.
func TestADisableDoesNotWaitForAsLongAsTheAppAsks(t *testing.T) {
	e := provision.Engine{AttentionAfter: time.Hour}
	asks := provision.ErrorOf(&connector.Error{Kind: connector.KindRateLimited, Op: connector.OpDisable, RetryAfter: 24 * time.Hour})
	for kind, wait := range map[plan.Kind]time.Duration{plan.Disable: time.Hour, plan.Provision: 24 * time.Hour, plan.Delete: 24 * time.Hour} {
		assert.Equal(t, wait, asks.Bounded(false, e.Patience(kind, false)).RetryAfter, kind)
		assert.Equal(t, pace.UrgentPatience, asks.Bounded(true, e.Patience(kind, true)).RetryAfter, kind)
	}
}

// The same holds if the app has asked another worker for the pause.
func TestAnUrgentStepKeepsAPauseForAMinute(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	require.NoError(t, w.Apps["wiki"].Pacer.Pause(t.Context(), 24*time.Hour))
	failure := w.applyUrgently(t)
	assert.Equal(t, string(connector.KindRateLimited), failure.Type())
	assert.InDelta(t, pace.UrgentPatience, failure.NextRetryDelay(), float64(30*time.Second))
	assert.False(t, failure.NonRetryable())
	assert.Zero(t, w.memory.Calls(connector.OpFind))
}

// Somebody who has left is not left with their access for as long as the app asks.
func TestADisableKeepsAPauseUntilItWouldNeedAttention(t *testing.T) {
	for kind, wait := range map[plan.Kind]time.Duration{plan.Disable: time.Hour, plan.Provision: 24 * time.Hour} {
		w := newWiki(t, pace.Rate{})
		w.AttentionAfter = time.Hour
		require.NoError(t, w.Apps["wiki"].Pacer.Pause(t.Context(), 24*time.Hour))
		w.step.Kind = kind
		failure := w.applyWithin(t, 30*time.Second, false)
		assert.Equal(t, string(connector.KindRateLimited), failure.Type())
		assert.InDelta(t, wait, failure.NextRetryDelay(), float64(time.Minute), kind)
		assert.Zero(t, w.memory.Calls(connector.OpFind))
	}
}

// applyUrgently runs the step as Temporal does, from the urgent queue.
func (w wiki) applyUrgently(t *testing.T) *temporal.ApplicationError {
	t.Helper()
	return w.applyWithin(t, 30*time.Second, true)
}

// applyWithin runs the step as Temporal does, with the time within for the attempt.
func (w wiki) applyWithin(t *testing.T, within time.Duration, urgent bool) *temporal.ApplicationError {
	t.Helper()
	queue := activities.MainQueue
	if urgent {
		queue = activities.UrgentQueue
	}
	env := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
	env.RegisterActivityWithOptions(w.Apply, activity.RegisterOptions{Name: string(plan.Provision)})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue: queue, StartToCloseTimeout: within, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
		return workflow.ExecuteActivity(ctx, string(plan.Provision), activities.StepRequest{PersonID: "1", Step: w.step.Step}).Get(ctx, nil)
	})
	var failure *temporal.ApplicationError
	require.ErrorAs(t, env.GetWorkflowError(), &failure)
	return failure
}

// However many people join at the same time, no more steps call an app than it has places
// for. The others have not begun.
func TestManyJoinersCallAnAppAFewAtATime(t *testing.T) {
	const joiners, places = activities.GivingSlots, 10
	const common = 8 // the other places are for people who have to be cut off now
	w := newWiki(t, pace.Rate{})
	waiting := w.limit(t, places)
	steps := map[string]provision.Todo{"1": w.step}
	for i := 2; i <= joiners; i++ {
		id := strconv.Itoa(i)
		require.NoError(t, hire(t, w.Ledger, id))
		assessment, err := w.Assess(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, assessment.Todo, 1)
		steps[id] = assessment.Todo[0]
	}
	// The first calls return only after all other steps have begun to wait.
	come := make(chan struct{})
	var now, peak atomic.Int64
	w.memory.OnCall(func(ctx context.Context, _, _ string) error {
		n := now.Add(1)
		for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
		}
		select {
		case <-come:
		case <-ctx.Done():
		}
		return nil
	})
	w.memory.AfterCall(func(context.Context, string, string) error {
		now.Add(-1)
		return nil
	})
	var all sync.WaitGroup
	for id, step := range steps {
		all.Go(func() {
			_, err := w.applyFor(id, step)
			assert.NoError(t, err)
		})
	}
	assert.Eventually(t, func() bool { return waiting() == joiners-common && now.Load() == common }, 30*time.Second, time.Millisecond)
	close(come)
	all.Wait()
	assert.EqualValues(t, common, peak.Load())
	assert.Zero(t, waiting())
	assert.Len(t, w.memory.Accounts(), joiners)
}

// limit gives the app a number of places, and returns how many steps wait for one.
func (w wiki) limit(t *testing.T, places int) (waiting func() int) {
	t.Helper()
	reg := prometheus.NewRegistry()
	w.Apps["wiki"].Places = pace.NewPlaces(t.Context(), "wiki", places, pace.NewMetrics(reg))
	return func() int {
		families, err := reg.Gather()
		if !assert.NoError(t, err) {
			return 0
		}
		for _, family := range families {
			if family.GetName() == "tenure_app_waiting_steps" {
				return int(family.GetMetric()[0].GetGauge().GetValue())
			}
		}
		return 0
	}
}

// A step that gets no place in time has not begun: the app was not called, nothing is in
// doubt, and the step has not failed, however often it happens.
func TestAStepWithoutAPlaceHasNotBegun(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	w.limit(t, 1)
	leave, ok := w.Apps["wiki"].Places.Enter(t.Context(), pace.Claim{})
	require.True(t, ok)
	before, err := w.Ledger.Person(t.Context(), "1")
	require.NoError(t, err)
	for urgent, soon := range map[bool]time.Duration{false: 3 * time.Second, true: time.Second} {
		failure := w.applyWithin(t, 300*time.Millisecond, urgent)
		assert.Equal(t, provision.CodeBusy, failure.Type())
		assert.False(t, failure.NonRetryable())
		assert.LessOrEqual(t, failure.NextRetryDelay(), soon)
		assert.GreaterOrEqual(t, failure.NextRetryDelay(), time.Second)
	}
	assert.Zero(t, w.memory.Calls(connector.OpFind))
	after, err := w.Ledger.Person(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, before, after)
	leave()
	result, err := w.apply()
	require.NoError(t, err)
	assert.Equal(t, activities.StepResult{Result: provision.ResultDone}, result)
}

// The time that a step waits for its place is not taken from its calls, nor from storing
// their outcome.
func TestWaitingForAPlaceTakesNoTimeFromTheCalls(t *testing.T) {
	const all = 3 * time.Second // a third of it is for the wait
	w := newWiki(t, pace.Rate{})
	waiting := w.limit(t, 1)
	w.AttentionAfter = time.Hour
	leave, ok := w.Apps["wiki"].Places.Enter(t.Context(), pace.Claim{})
	require.True(t, ok)
	begun := time.Now()
	left := make(chan time.Duration, 1)
	w.memory.OnCall(func(ctx context.Context, _, _ string) error {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		<-ctx.Done() // the app hangs
		return ctx.Err()
	})
	go func() {
		defer leave()
		assert.Eventually(t, func() bool { return waiting() == 1 && time.Since(begun) > all/6 }, 5*time.Second, time.Millisecond)
	}()
	failure := w.applyWithin(t, all, false)
	assert.Equal(t, string(connector.KindUnavailable), failure.Type())
	assert.Greater(t, <-left, all/2-all/20)
	assert.Equal(t, 1, w.attempts(t))
	p, err := w.Ledger.Person(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, string(connector.KindUnavailable), p.Steps[0].Code, "it was stored")
}

// Steps that take access do not wait for those that give it.
func TestLeaversCallAnAppBeforeJoiners(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	result, err := w.apply()
	require.NoError(t, err)
	require.Equal(t, provision.ResultDone, result.Result)
	now := time.Now()
	yesterday := hr.DateOf(now).AddDays(-1)
	_, err = w.Ledger.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "leaves"}, Type: hr.EventTerminated, PersonID: "1", Recorded: now, Effective: yesterday,
		Termination: &hr.Termination{LastDay: yesterday},
	}}})
	require.NoError(t, err)
	leaver, err := w.Assess(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, plan.Disable, leaver.Todo[0].Kind)

	waiting := w.limit(t, 1)
	leave, ok := w.Apps["wiki"].Places.Enter(t.Context(), pace.Claim{})
	require.True(t, ok)
	const joiners = 5
	var all sync.WaitGroup
	apply := func(personID string, step provision.Todo, already int) {
		all.Go(func() {
			_, err := w.applyFor(personID, step)
			assert.NoError(t, err)
		})
		require.Eventually(t, func() bool { return waiting() == already+1 }, 5*time.Second, time.Millisecond)
	}
	for i := range joiners {
		id := strconv.Itoa(i + 2)
		require.NoError(t, hire(t, w.Ledger, id))
		assessment, err := w.Assess(t.Context(), id)
		require.NoError(t, err)
		apply(id, assessment.Todo[0], i)
	}
	apply("1", leaver.Todo[0], joiners)
	var mu sync.Mutex
	var order []string
	w.memory.OnCall(func(_ context.Context, op, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, op)
		return nil
	})
	leave()
	all.Wait()
	assert.Equal(t, connector.OpDisable, order[0], "of %v", order)
}

// However many joiners wait for an app, slots are left for leavers, whose steps then need
// not wait in the app's own queue.
func TestJoinersLeaveRoomForLeavers(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	waiting := w.limit(t, 1)
	leave, ok := w.Apps["wiki"].Places.Enter(t.Context(), pace.Claim{})
	require.True(t, ok)
	var all sync.WaitGroup
	for range activities.GivingSlots { // all of them are the same step, which makes no difference here
		all.Go(func() {
			_, err := w.applyFor("1", w.step)
			assert.NoError(t, err)
		})
	}
	require.Eventually(t, func() bool { return waiting() == activities.GivingSlots }, 20*time.Second, time.Millisecond)
	result, err := w.apply()
	require.NoError(t, err)
	assert.Equal(t, activities.ResultMoved, result.Result)
	takes := provision.Todo{Step: plan.Step{Key: "wiki/Disable/x", App: "wiki", Kind: plan.Disable}}
	all.Go(func() {
		result, err := w.applyFor("1", takes)
		assert.NoError(t, err)
		assert.Equal(t, provision.ResultSuperseded, result.Result, "nobody has asked for it")
	})
	require.Eventually(t, func() bool { return waiting() == activities.GivingSlots+1 }, 20*time.Second, time.Millisecond)
	leave()
	all.Wait()
}

// A run can cancel a step that has not begun.
func TestAStepThatWaitsForAPlaceIsCancelled(t *testing.T) {
	w := newWiki(t, pace.Rate{})
	waiting := w.limit(t, 1)
	_, ok := w.Apps["wiki"].Places.Enter(t.Context(), pace.Claim{})
	require.True(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	env.RegisterActivityWithOptions(w.Apply, activity.RegisterOptions{Name: string(plan.Provision)})
	go func() {
		defer cancel()
		assert.Eventually(t, func() bool { return waiting() == 1 }, 5*time.Second, time.Millisecond)
	}()
	_, err := env.ExecuteActivity(string(plan.Provision), activities.StepRequest{PersonID: "1", Step: w.step.Step})
	require.ErrorContains(t, err, context.Canceled.Error())
	assert.Zero(t, w.memory.Calls(connector.OpFind))
}
