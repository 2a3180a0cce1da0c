package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// TestStrangersHoldNobodyUp has somebody with write access to Temporal, and to nothing
// else, put things of their own under people's IDs, pause a run and delete the sweeper's
// schedule. Somebody who is terminated meanwhile is cut off all the same, within the
// bound.
func TestStrangersHoldNobodyUp(t *testing.T) {
	t.Parallel()
	r, apps := startTwoApps(t, stack.Options{
		Template:      strings.Replace(twoApps, "every: 1s", "every: 1s, overdue: 2s", 1),
		DynamicConfig: map[string]any{"frontend.WorkflowPauseEnabled": true},
	})
	var people, ends []hr.Event
	for i := range 6 {
		hired, leaves := hiredAndCutOff(2*i, false)
		people, ends = append(people, hired), append(ends, leaves)
	}
	const late = 4 // the number of the person who is hired during an outage
	r.say(t, slices.Concat(people[:late], people[late+1:])...)
	r.awaitRest(t)
	on := func(i int) (n int) {
		for _, app := range []string{"directory", "wiki"} {
			if r.linked(t, people[i].PersonID, app).State == ledger.LinkActive {
				n++
			}
		}
		return n
	}
	for i := range people {
		require.Equal(t, i == late, on(i) == 0)
	}
	squat := func(i int, kind, queue string, input any) (run string) {
		t.Helper()
		started, err := r.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			ID: workflows.WorkflowID(people[i].PersonID), TaskQueue: queue, WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		}, kind, input)
		require.NoError(t, err)
		return started.GetRunID()
	}
	isOff := func(i int, why string) {
		t.Helper()
		require.Eventually(t, func() bool { return on(i) == 0 }, patience, 50*time.Millisecond, why)
	}
	isEnded := func(i int, run, why string) {
		t.Helper()
		require.Eventually(t, func() bool {
			d, err := r.temporal.DescribeWorkflowExecution(t.Context(), workflows.WorkflowID(people[i].PersonID), run)
			return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
		}, patience, 50*time.Millisecond, why)
		events := r.history(t, people[i].PersonID, run)
		assert.Contains(t, events[len(events)-1].GetWorkflowExecutionTerminatedEventAttributes().GetReason(), "ended by Tenure's sweeper: ")
	}

	// Nothing is due for these people yet.
	isEnded(0, squat(0, "Order", "shop", nil), "found by type and queue")
	isEnded(1, squat(1, workflows.TypeScheduled, "shop", workflows.Input{PersonID: people[1].PersonID}), "found by queue")

	// These people are terminated, and the starter signals a workflow that does not
	// listen.
	squat(2, "Order", "shop", nil)
	squat(3, workflows.TypeLeaver, workflows.TaskQueue, workflows.Input{PersonID: people[0].PersonID})
	r.say(t, ends[2], ends[3])
	isOff(2, "a stranger under their ID")
	isOff(3, "a run of Tenure's own that is for somebody else")
	assert.Equal(t, 2, on(0))

	// A run is paused during an outage.
	apps["wiki"].SetFaults(scimtest.Faults{Down: true})
	r.say(t, people[late])
	require.Eventually(t, func() bool { return on(late) == 1 }, patience, 20*time.Millisecond)
	run, _, status := r.last(t, people[late].PersonID)
	require.Equal(t, running, status)
	_, err := r.temporal.WorkflowService().PauseWorkflowExecution(t.Context(), &workflowservice.PauseWorkflowExecutionRequest{
		Namespace: stack.Namespace, WorkflowId: workflows.WorkflowID(people[late].PersonID), RunId: run, Reason: "mine", RequestId: uuid.NewString(),
	})
	require.NoError(t, err)
	apps["wiki"].SetFaults(scimtest.Faults{})
	r.say(t, ends[late])
	isEnded(late, run, "paused, and something is due")
	isOff(late, "their run was paused")

	// The sweeper's schedule is deleted.
	require.NoError(t, r.temporal.ScheduleClient().GetHandle(t.Context(), "tenure-sweep").Delete(t.Context()))
	squat(5, "Order", "shop", nil)
	r.say(t, ends[5])
	isOff(5, "and the sweeper's schedule is gone")
	r.awaitRest(t)
	for i := range people[:2] {
		assert.Equal(t, 2, on(i))
	}
}
