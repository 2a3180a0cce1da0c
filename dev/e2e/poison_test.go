package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// poisoned is a bad version of every workflow: its commands are not those that open runs
// have in their histories.
func poisoned(ctx workflow.Context, _ workflows.Input) error {
	_ = workflow.SideEffect(ctx, func(workflow.Context) any { return "poison" })
	return workflow.Sleep(ctx, 24*time.Hour)
}

// deployPoison lets a worker of the bad version take all workflow tasks, until the
// returned function is called.
func (r *rig) deployPoison(t *testing.T) (rollBack func()) {
	t.Helper()
	r.Stack.Worker().Stop()
	var workers []worker.Worker
	for _, queue := range []string{workflows.TaskQueue, workflows.UrgentQueue} {
		w := worker.New(r.temporal, queue, worker.Options{LocalActivityWorkerOnly: true})
		for _, kind := range []string{workflows.TypeJoiner, workflows.TypeMover, workflows.TypeLeaver, workflows.TypeScheduled} {
			w.RegisterWorkflowWithOptions(poisoned, workflow.RegisterOptions{Name: kind})
		}
		require.NoError(t, w.Start())
		workers = append(workers, w)
	}
	stop := func() {
		for _, w := range workers {
			w.Stop()
		}
		workers = nil
	}
	t.Cleanup(stop)
	return func() {
		stop()
		require.NoError(t, r.Stack.Worker().Start(t.Context()))
	}
}

// fails reports whether the last workflow task of the person's last run failed because
// the code does not fit the history.
func (r *rig) fails(t *testing.T, person string) bool {
	t.Helper()
	run, _, status := r.last(t, person)
	if status != running {
		return false
	}
	failed := false
	for _, event := range r.history(t, person, run) {
		switch event.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			failed = false
		case enums.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			failed = event.GetWorkflowTaskFailedEventAttributes().GetCause() == enums.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
		}
	}
	return failed
}

// TestAPoisonedDeployIsRolledBack deploys workflow code that does not fit the histories
// of open runs: a leaver who is being cut off, and one whose access has to end meanwhile.
// Nobody's account is touched, and after the rollback both go on by themselves. Runs that
// began under the bad code do not fit the good one: one is reset, one is terminated.
func TestAPoisonedDeployIsRolledBack(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	var people, ends []hr.Event
	for i := range 4 {
		hired, leaves := hiredAndCutOff(2*i, false) // all people have the same three apps
		people, ends = append(people, hired), append(ends, leaves)
	}
	midst, later, joiner, other := people[0].PersonID, people[1].PersonID, people[2].PersonID, people[3].PersonID
	r.say(t, people[:2]...)
	require.Eventually(t, func() bool { return r.enabled(t, midst)+r.enabled(t, later) == 6 }, patience, 50*time.Millisecond)
	r.awaitRest(t)
	last := time.Now().Add(15 * time.Second)
	ends[1].Termination = &hr.Termination{AccessEndsAt: last}
	r.say(t, ends[1])
	require.Eventually(t, func() bool { // the run has to sleep, and not only to have started
		run, kind, _ := r.last(t, later)
		return kind == workflows.TypeScheduled && slices.ContainsFunc(r.history(t, later, run), func(e *history.HistoryEvent) bool {
			return e.GetEventType() == enums.EVENT_TYPE_TIMER_STARTED
		})
	}, patience, 50*time.Millisecond)
	mend := r.breaks("wiki")
	r.say(t, ends[0])
	require.Eventually(t, func() bool {
		return r.linked(t, midst, "chat").State == ledger.LinkDisabled && r.linked(t, midst, "directory").State == ledger.LinkDisabled
	}, patience, 50*time.Millisecond)

	rollBack := r.deployPoison(t)
	mend()
	r.does(t, "replay", "--person", midst) // any signal makes a worker replay the run
	r.say(t, people[2:]...)
	require.Eventually(t, func() bool { return r.fails(t, midst) && r.fails(t, later) }, patience, 100*time.Millisecond)
	for _, id := range []string{joiner, other} {
		r.awaitLast(t, id, workflows.TypeJoiner, running)
	}
	require.Eventually(t, func() bool {
		return len(r.runs(t, "TemporalReportedProblems IN ('cause=WorkflowTaskFailedCauseNonDeterministicError')")) == 2
	}, 2*patience, 200*time.Millisecond, "it is seen in the Temporal UI")
	assert.Equal(t, 1, r.enabled(t, midst), "cut off as far as it had come")
	assert.Equal(t, 3, r.enabled(t, later))
	assert.True(t, time.Now().After(last))
	assert.Zero(t, r.enabled(t, joiner)+r.enabled(t, other))

	rollBack()
	require.Eventually(t, func() bool { return r.enabled(t, midst)+r.enabled(t, later) == 0 }, 2*patience, 100*time.Millisecond,
		"the runs go on by themselves")
	for _, id := range []string{midst, later} {
		r.awaitLast(t, id, workflows.TypeScheduled, running)
		assert.False(t, r.fails(t, id))
		r.onlyAccount(t, id, false, "chat", "directory", "wiki")
	}

	r.does(t, "replay", "--person", joiner)
	r.does(t, "replay", "--person", other)
	require.Eventually(t, func() bool { return r.fails(t, joiner) && r.fails(t, other) }, patience, 100*time.Millisecond,
		"what began under the bad code does not fit the good one")
	run, _, _ := r.last(t, joiner)
	_, err := r.resetTo(t, joiner, run, false)
	require.NoError(t, err)
	require.NoError(t, r.temporal.TerminateWorkflow(t.Context(), workflows.WorkflowID(other), "", "began under a bad version"))
	require.Eventually(t, func() bool { return r.enabled(t, joiner)+r.enabled(t, other) == 6 }, patience, 100*time.Millisecond)
	r.awaitRest(t)
	for _, id := range []string{joiner, other} {
		r.onlyAccount(t, id, true, "chat", "directory", "wiki")
	}
}
