package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/workflows"
)

// TestOperatorTerminatesARun ends the run that waits for the end of somebody's access.
// The sweeper starts another run when the time has come, and access ends.
func TestOperatorTerminatesARun(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	hired, leaves := hiredAndCutOff(0, false)
	hired.Recorded = time.Now().UTC()
	r.publish(t, hired)
	require.Eventually(t, func() bool { return r.enabled(t, hired.PersonID) == 3 }, patience, 50*time.Millisecond)

	ends := time.Now().Add(12 * time.Second)
	leaves.Recorded = time.Now().UTC()
	leaves.Termination = &hr.Termination{AccessEndsAt: ends}
	r.publish(t, leaves)
	id := workflows.WorkflowID(hired.PersonID)
	var sleeping string
	require.Eventually(t, func() bool {
		run, err := r.temporal.DescribeWorkflowExecution(t.Context(), id, "")
		sleeping = run.GetWorkflowExecutionInfo().GetExecution().GetRunId()
		return err == nil && run.GetWorkflowExecutionInfo().GetType().GetName() == workflows.TypeScheduled &&
			run.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	}, patience, 50*time.Millisecond)
	require.NoError(t, r.temporal.TerminateWorkflow(t.Context(), id, sleeping, "an operator's mistake"))
	require.True(t, time.Now().Before(ends), "too slow a machine for this test")
	assert.Equal(t, 3, r.enabled(t, hired.PersonID), "access has not ended yet")

	require.Eventually(t, func() bool { return r.enabled(t, hired.PersonID) == 0 }, patience, 50*time.Millisecond)
	assert.False(t, time.Now().Before(ends))
	r.awaitRest(t)
	resumed := r.awaitLast(t, hired.PersonID, workflows.TypeScheduled, running) // it sleeps until retention ends
	assert.NotEqual(t, sleeping, resumed)
}

// enabled counts a person's enabled accounts in all apps.
func (r *rig) enabled(t *testing.T, person string) (n int) {
	for _, all := range r.accounts(t) {
		for _, u := range all[person] {
			if u.Active {
				n++
			}
		}
	}
	return n
}
