package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// TestSomebodyIsCutOffNow suspends and reinstates people with the real command line:
// without Kafka, while their run sleeps, and without Temporal and a worker.
func TestSomebodyIsCutOffNow(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	first, _ := hiredAndCutOff(0, false)
	second, _ := hiredAndCutOff(1, false)
	second.Profile.EndDate = second.Effective.AddDays(100) // so a run sleeps
	first.Recorded, second.Recorded = time.Now().UTC(), time.Now().UTC()
	r.publish(t, first, second)
	r.awaitRest(t)
	before := r.accounts(t)
	had := map[string]int{}
	for _, person := range []string{first.PersonID, second.PersonID} {
		had[person] = r.enabled(t, person)
		require.GreaterOrEqual(t, had[person], 2)
	}
	sleeper := r.runs(t, "WorkflowId = '"+workflows.WorkflowID(second.PersonID)+"' AND ExecutionStatus = 'Running'")
	require.Len(t, sleeper, 1)
	assert.Equal(t, workflows.UrgentQueue, sleeper[0].GetTaskQueue(), "it need not wait for others to be woken")

	// No starter reads from Kafka.
	r.Stack.Starter().Stop()
	for _, person := range []string{first.PersonID, second.PersonID} {
		said := r.does(t, "person", "suspend", person, "--reason", "stolen laptop", "--operator", "grace")
		assert.Contains(t, said, "cut off in", said)
		assert.Zero(t, r.enabled(t, person))
		said = r.does(t, "person", "reinstate", person, "--reason", "found", "--operator", "grace")
		assert.Contains(t, said, "reinstated in", said)
		assert.Equal(t, had[person], r.enabled(t, person))
	}
	r.awaitRest(t)
	assert.Equal(t, states(before), states(r.accounts(t)), "exactly what was taken is back")

	// Without Temporal and without a worker, break glass cuts somebody off.
	r.Stack.Worker().Stop()
	code, shown := r.withoutTemporal(t, "person", "suspend", first.PersonID, "--reason", "ticket 4711", "--operator", "grace")
	assert.Equal(t, 1, code)
	assert.Contains(t, shown, "--break-glass", "it is said what can be done")
	assert.Equal(t, had[first.PersonID], r.enabled(t, first.PersonID))
	code, shown = r.withoutTemporal(t, "person", "suspend", first.PersonID, "--reason", "ticket 4711", "--operator", "grace", "--break-glass")
	assert.Zero(t, code, shown)
	assert.Zero(t, r.enabled(t, first.PersonID))
	requests := r.changes()

	// When Temporal and the worker are back, the run finds the work done.
	require.NoError(t, r.Stack.Worker().Start(t.Context()))
	require.NoError(t, r.Stack.Starter().Start(t.Context()))
	r.awaitRest(t)
	assert.Equal(t, requests, r.changes(), "nothing is done twice")
	assert.Empty(t, r.attention(t))
	rows, err := r.ledger.Audit(t.Context(), first.PersonID, 0, 1000)
	require.NoError(t, err)
	byHand := 0
	for _, row := range rows {
		if row.Detail["breakGlass"] == true && row.App != "" {
			byHand++
			assert.Equal(t, []string{"grace", "ticket 4711"}, []string{row.Actor, row.Detail["reason"].(string)}, row.Action)
		}
	}
	assert.Equal(t, had[first.PersonID], byHand, "each account is on the record")
	p, err := r.ledger.Person(t.Context(), first.PersonID)
	require.NoError(t, err)
	assert.Equal(t, hr.StatusSuspended, p.Status)
	assert.False(t, slices.ContainsFunc(p.Links, func(l ledger.Link) bool { return l.State == ledger.LinkActive }))
	r.does(t, "person", "reinstate", first.PersonID, "--reason", "found")
	assert.Equal(t, had[first.PersonID], r.enabled(t, first.PersonID))
}

// withoutTemporal runs the command line with a Temporal that does not answer.
func (r *rig) withoutTemporal(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	stdout, stderr, err := r.tenureIn(t, append(r.Stack.Env(), "TEMPORAL_ADDRESS=127.0.0.1:1"), r.Stack.ConfigFile(), args...)
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
		code = exit.ExitCode()
	}
	return code, stdout + stderr
}

// changes counts the requests to all apps that change something.
func (r *rig) changes() (n int) {
	for _, app := range r.Stack.Apps() {
		for kind, count := range app.Service.Stats().ByKind {
			if !strings.HasPrefix(kind, "GET ") {
				n += count
			}
		}
	}
	return n
}
