package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// changing returns how often each app was asked to change something.
func (r *rig) changing() map[string]int {
	all := map[string]int{}
	for _, app := range r.Stack.Apps() {
		for kind, n := range app.Service.Stats().ByKind {
			if !strings.HasPrefix(kind, "GET ") {
				all[app.Name] += n
			}
		}
	}
	return all
}

// last describes the person's last run: its ID, type and status.
func (r *rig) last(t *testing.T, person string) (run, kind string, status enums.WorkflowExecutionStatus) {
	t.Helper()
	d, err := r.temporal.DescribeWorkflowExecution(t.Context(), workflows.WorkflowID(person), "")
	if err != nil {
		return "", "", enums.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
	}
	info := d.GetWorkflowExecutionInfo()
	return info.GetExecution().GetRunId(), info.GetType().GetName(), info.GetStatus()
}

// awaitLast waits until the person's last run has this type and status.
func (r *rig) awaitLast(t *testing.T, person, kind string, status enums.WorkflowExecutionStatus) (run string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var k string
		var s enums.WorkflowExecutionStatus
		run, k, s = r.last(t, person)
		return k == kind && s == status
	}, patience, 50*time.Millisecond, "%s is to be %s", kind, status)
	return run
}

const (
	running   = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	completed = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
)

// say publishes events, recorded just now.
func (r *rig) say(t *testing.T, events ...hr.Event) {
	t.Helper()
	for i := range events {
		events[i].Recorded = time.Now().UTC()
	}
	r.publish(t, events...)
}

// breaks makes an app answer with errors only, until the returned function is called.
func (r *rig) breaks(app string) (mend func()) {
	s := r.Stack.App(app).Service
	s.SetFaults(scimtest.Faults{Down: true})
	return func() { s.SetFaults(scimtest.Faults{}) }
}

// onlyAccount asserts that the person has one account in each of these apps.
func (r *rig) onlyAccount(t *testing.T, person string, active bool, apps ...string) {
	t.Helper()
	all := r.accounts(t)
	for _, app := range apps {
		if assert.Len(t, all[app][person], 1, "accounts in %s", app) {
			assert.Equal(t, active, all[app][person][0].Active, app)
		}
	}
	links, err := r.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: person})
	require.NoError(t, err)
	assert.Len(t, links, len(apps))
}

// TestRunsEndedByHandAreResumed ends runs in the middle of their work. The sweeper sees
// that at once, long before the ledger counts them as overdue.
func TestRunsEndedByHandAreResumed(t *testing.T) {
	t.Parallel()
	end := map[string]func(r *rig, t *testing.T, id, run string) error{
		"cancelled": func(r *rig, t *testing.T, id, run string) error {
			return r.temporal.CancelWorkflow(t.Context(), id, run)
		},
		"terminated": func(r *rig, t *testing.T, id, run string) error {
			return r.temporal.TerminateWorkflow(t.Context(), id, run, "an operator's mistake")
		},
	}
	r := startRig(t, stack.Options{})
	mend := func() {}
	i := 0
	for name, ends := range end {
		hired, leaves := hiredAndCutOff(2*i, false)
		i++
		id := workflows.WorkflowID(hired.PersonID)
		ended := func(run string) bool {
			d, err := r.temporal.DescribeWorkflowExecution(t.Context(), id, run)
			return err == nil && d.GetWorkflowExecutionInfo().GetStatus() != running
		}
		endIt := func() {
			run, _, status := r.last(t, hired.PersonID)
			require.Equal(t, running, status)
			require.NoError(t, ends(r, t, id, run))
			require.Eventually(t, func() bool { return ended(run) }, patience, 20*time.Millisecond)
		}

		// In the middle of a joiner: the wiki is down, everything else is done.
		mend = r.breaks("wiki")
		r.say(t, hired)
		require.Eventually(t, func() bool { return r.linked(t, hired.PersonID, "chat").State == ledger.LinkActive }, patience, 20*time.Millisecond)
		before := r.changing()
		endIt()
		mend()
		require.Eventually(t, func() bool { return r.enabled(t, hired.PersonID) == 3 }, patience, 50*time.Millisecond, "a joiner that was %s", name)
		r.awaitRest(t)
		r.onlyAccount(t, hired.PersonID, true, "chat", "directory", "wiki")
		after := r.changing()
		assert.Equal(t, [2]int{before["directory"], before["chat"]}, [2]int{after["directory"], after["chat"]}, "what was done is not done again")

		// In the middle of cutting off.
		mend = r.breaks("wiki")
		r.say(t, leaves)
		require.Eventually(t, func() bool { return r.linked(t, hired.PersonID, "chat").State == ledger.LinkDisabled }, patience, 20*time.Millisecond)
		endIt()
		mend()
		require.Eventually(t, func() bool { return r.linked(t, hired.PersonID, "wiki").State == ledger.LinkDisabled }, patience, 50*time.Millisecond,
			"a leaver that was %s", name)
		r.awaitRest(t)
		sleeping := r.awaitLast(t, hired.PersonID, workflows.TypeScheduled, running)
		person, err := r.ledger.Person(t.Context(), hired.PersonID)
		require.NoError(t, err)

		// During the retention.
		before = r.changing()
		endIt()
		require.Eventually(t, func() bool {
			run, kind, status := r.last(t, hired.PersonID)
			return run != sleeping && kind == workflows.TypeScheduled && status == running
		}, patience, 50*time.Millisecond, "it sleeps again, having been %s", name)
		r.awaitRest(t)
		again, err := r.ledger.Person(t.Context(), hired.PersonID)
		require.NoError(t, err)
		assert.Equal(t, person.Links, again.Links)
		assert.Equal(t, person.DueAt, again.DueAt, "until the same day")
		assert.Equal(t, before, r.changing())
		r.onlyAccount(t, hired.PersonID, false, "chat", "directory", "wiki")
	}
	mend()
}

// history returns the history of a run.
func (r *rig) history(t *testing.T, person, run string) (events []*history.HistoryEvent) {
	t.Helper()
	all := r.temporal.GetWorkflowHistory(t.Context(), workflows.WorkflowID(person), run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		event, err := all.Next()
		require.NoError(t, err)
		events = append(events, event)
	}
	return events
}

// resetTo resets a run to the end of one of its workflow tasks: the first one, or one
// in its middle.
func (r *rig) resetTo(t *testing.T, person, run string, middle bool) (string, error) {
	t.Helper()
	var tasks []int64
	require.Eventually(t, func() bool { // the run may have started only now
		tasks = nil
		for _, event := range r.history(t, person, run) {
			if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
				tasks = append(tasks, event.GetEventId())
			}
		}
		return len(tasks) > 0
	}, patience, 50*time.Millisecond)
	to := tasks[0]
	if middle {
		to = tasks[len(tasks)/2]
	}
	answer, err := r.temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:         stack.Namespace,
		WorkflowExecution: &common.WorkflowExecution{WorkflowId: workflows.WorkflowID(person), RunId: run},
		Reason:            "an operator tries things out", WorkflowTaskFinishEventId: to, RequestId: uuid.NewString(),
	})
	return answer.GetRunId(), err
}

// TestResetsChangeNothing resets every run that a person has had, to its first task and
// to one in its middle. Nothing is done twice, nothing is undone, and everything that was
// pending is still pending.
func TestResetsChangeNothing(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	hired, leaves := hiredAndCutOff(0, false)
	id := hired.PersonID
	r.say(t, hired)
	r.awaitLast(t, id, workflows.TypeJoiner, completed)
	r.awaitRest(t)

	unchanged := func(t *testing.T, kind string, status enums.WorkflowExecutionStatus) {
		accounts, changes := r.accounts(t), r.changing()
		person, err := r.ledger.Person(t.Context(), id)
		require.NoError(t, err)
		for _, run := range r.runs(t, fmt.Sprintf("WorkflowId = '%s'", workflows.WorkflowID(id))) {
			for _, middle := range []bool{false, true} {
				what := fmt.Sprintf("%s, %s, in the middle: %t", run.GetType().GetName(), run.GetStatus(), middle)
				fresh, err := r.resetTo(t, id, run.GetExecution().GetRunId(), middle)
				require.NoError(t, err, what)
				require.Eventually(t, func() bool {
					d, err := r.temporal.DescribeWorkflowExecution(t.Context(), workflows.WorkflowID(id), fresh)
					if err != nil {
						return false
					}
					last, k, s := r.last(t, id)
					info := d.GetWorkflowExecutionInfo()
					return k == kind && s == status && (last != fresh && info.GetStatus() != running || last == fresh && info.GetStatus() == status)
				}, patience, 50*time.Millisecond, what)
				r.awaitRest(t)
				assert.Equal(t, accounts, r.accounts(t), what)
				assert.Equal(t, changes, r.changing(), what)
				again, err := r.ledger.Person(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, person.Links, again.Links, what)
				assert.Equal(t, person.DueAt, again.DueAt, what)
				assert.Equal(t, person.DueWhat, again.DueWhat, what)
			}
		}
	}
	unchanged(t, workflows.TypeJoiner, completed)

	r.say(t, leaves)
	r.awaitLast(t, id, workflows.TypeScheduled, running)
	r.awaitRest(t)
	r.onlyAccount(t, id, false, "chat", "directory", "wiki")
	unchanged(t, workflows.TypeScheduled, running)
}

// TestAnOpenRunIsReset resets a joiner while its app is down and a call is tried again
// and again. In the end there is one account.
func TestAnOpenRunIsReset(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	hired, _ := hiredAndCutOff(0, false)
	mend := r.breaks("wiki")
	r.say(t, hired)
	require.Eventually(t, func() bool { return r.linked(t, hired.PersonID, "chat").State == ledger.LinkActive }, patience, 20*time.Millisecond)
	before := r.changing()
	for _, middle := range []bool{false, true, false, true} {
		run, _, status := r.last(t, hired.PersonID)
		require.Equal(t, running, status)
		_, err := r.resetTo(t, hired.PersonID, run, middle)
		require.NoError(t, err)
	}
	mend()
	require.Eventually(t, func() bool { return r.enabled(t, hired.PersonID) == 3 }, patience, 50*time.Millisecond)
	require.Eventually(t, func() bool { // as a Mover, because some of the accounts exist
		_, _, status := r.last(t, hired.PersonID)
		return status == completed
	}, patience, 50*time.Millisecond)
	r.awaitRest(t)
	r.onlyAccount(t, hired.PersonID, true, "chat", "directory", "wiki")
	after := r.changing()
	assert.Equal(t, [2]int{before["directory"], before["chat"]}, [2]int{after["directory"], after["chat"]})
}

// TestAPausedRunHoldsUpItsPerson shows what the runbook says: while a run is paused,
// nothing is done for its person, and break glass cuts them off. When the run goes on, it
// finds that done.
func TestAPausedRunHoldsUpItsPerson(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{DynamicConfig: map[string]any{"frontend.WorkflowPauseEnabled": true}})
	hired, leaves := hiredAndCutOff(0, false)
	id := hired.PersonID
	mend := r.breaks("wiki")
	r.say(t, hired)
	require.Eventually(t, func() bool { return r.linked(t, id, "chat").State == ledger.LinkActive }, patience, 20*time.Millisecond)
	run := r.awaitLast(t, id, workflows.TypeJoiner, running)

	_, err := r.temporal.WorkflowService().PauseWorkflowExecution(t.Context(), &workflowservice.PauseWorkflowExecutionRequest{
		Namespace: stack.Namespace, WorkflowId: workflows.WorkflowID(id), RunId: run, Reason: "an operator's mistake", RequestId: uuid.NewString(),
	})
	require.NoError(t, err)
	r.awaitLast(t, id, workflows.TypeJoiner, enums.WORKFLOW_EXECUTION_STATUS_PAUSED)
	require.Eventually(t, func() bool { return len(r.runs(t, "ExecutionStatus = 'Paused'")) == 1 }, patience, 50*time.Millisecond)
	r.say(t, leaves)
	require.Eventually(t, func() bool { return r.unread(t) == "" }, patience, 50*time.Millisecond)
	mend()
	assert.Equal(t, 2, r.enabled(t, id), "in directory and chat")
	r.does(t, "person", "suspend", id, "--reason", "ticket 4711", "--break-glass")
	assert.Zero(t, r.enabled(t, id))
	_, err = r.temporal.WorkflowService().UnpauseWorkflowExecution(t.Context(), &workflowservice.UnpauseWorkflowExecutionRequest{
		Namespace: stack.Namespace, WorkflowId: workflows.WorkflowID(id), RunId: run, RequestId: uuid.NewString(),
	})
	require.NoError(t, err)
	r.awaitRest(t)
	assert.Zero(t, r.enabled(t, id))
	assert.Empty(t, r.attention(t))
}
