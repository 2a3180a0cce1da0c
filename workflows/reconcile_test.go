package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/reconcile/scan"
	"github.com/tenurehq/tenure/workflows"
)

// reconciled runs Reconcile with an activity that answers as do says, and returns the
// environment after that.
func reconciled(t *testing.T, do func(req activities.ScanRequest) (scan.Progress, error)) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterWorkflowWithOptions(workflows.Reconcile, workflow.RegisterOptions{Name: workflows.TypeReconcile})
	env.RegisterActivityWithOptions(func(_ context.Context, req activities.ScanRequest) (scan.Progress, error) { return do(req) },
		activity.RegisterOptions{Name: activities.NameScan})
	env.ExecuteWorkflow(workflows.TypeReconcile, workflows.ReconcileInput{App: "wiki"})
	require.True(t, env.IsWorkflowCompleted())
	return env
}

func TestReconcileGoesOnUntilNothingIsLeft(t *testing.T) {
	var keys []string
	env := reconciled(t, func(req activities.ScanRequest) (scan.Progress, error) {
		keys = append(keys, req.Key)
		return scan.Progress{Scan: 7, State: ledger.ScanDone, More: len(keys) < 3}, nil
	})
	require.NoError(t, env.GetWorkflowError())
	var p scan.Progress
	require.NoError(t, env.GetWorkflowResult(&p))
	assert.Equal(t, ledger.ScanDone, p.State)
	require.Len(t, keys, 3)
	assert.NotEmpty(t, keys[0])
	assert.Equal(t, []string{keys[0], keys[0], keys[0]}, keys, "it is one scan")
}

func TestReconcileContinuesAsNewWithItsKey(t *testing.T) {
	parts := 0
	env := reconciled(t, func(activities.ScanRequest) (scan.Progress, error) {
		parts++
		return scan.Progress{State: ledger.ScanListing, More: true}, nil
	})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	assert.Equal(t, 200, parts)
}

func TestReconcileGivesAScanUpThatCannotBeMade(t *testing.T) {
	var asked []activities.ScanRequest
	env := reconciled(t, func(req activities.ScanRequest) (scan.Progress, error) {
		asked = append(asked, req)
		if req.GiveUp {
			return scan.Progress{State: ledger.ScanFailed}, nil
		}
		return scan.Progress{}, temporal.NewNonRetryableApplicationError("the app is not there", "no_app", errors.New("x"))
	})
	require.ErrorContains(t, env.GetWorkflowError(), "the app is not there")
	require.Len(t, asked, 2)
	assert.Equal(t, []any{true, asked[0].Key}, []any{asked[1].GiveUp, asked[1].Key})
}
