package workflows_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/workflows"
)

// erased runs Erase with pages that do says, and returns the environment after that and how often
// files were scrubbed.
func erased(t *testing.T, in workflows.EraseInput, do func(req activities.EraseRequest) activities.ErasePage) (env *testsuite.TestWorkflowEnvironment, scrubbed int) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env = suite.NewTestWorkflowEnvironment()
	env.RegisterWorkflowWithOptions(workflows.Erase, workflow.RegisterOptions{Name: workflows.TypeErase})
	env.RegisterActivityWithOptions(func(_ context.Context, req activities.EraseRequest) (activities.ErasePage, error) {
		return do(req), nil
	},
		activity.RegisterOptions{Name: activities.NameErase})
	env.RegisterActivityWithOptions(func(context.Context) error { scrubbed++; return nil }, activity.RegisterOptions{Name: activities.NameScrub})
	env.ExecuteWorkflow(workflows.TypeErase, in)
	require.True(t, env.IsWorkflowCompleted())
	return env, scrubbed
}

func TestEraseGoesThroughAllPagesAndScrubsOnce(t *testing.T) {
	var after []string
	env, scrubbed := erased(t, workflows.EraseInput{}, func(req activities.EraseRequest) activities.ErasePage {
		after = append(after, req.After)
		return activities.ErasePage{After: req.After + "9", More: len(after) < 3, Erased: 2, Waiting: 1}
	})
	require.NoError(t, env.GetWorkflowError())
	var result workflows.EraseResult
	require.NoError(t, env.GetWorkflowResult(&result))
	assert.Equal(t, workflows.EraseResult{Erased: 6, Waiting: 3}, result)
	assert.Equal(t, []string{"", "9", "99"}, after)
	assert.Equal(t, 1, scrubbed)

	_, scrubbed = erased(t, workflows.EraseInput{}, func(activities.EraseRequest) activities.ErasePage { return activities.ErasePage{Waiting: 1} })
	assert.Zero(t, scrubbed, "nothing was erased")
	_, scrubbed = erased(t, workflows.EraseInput{After: "5", Erased: 1}, func(activities.EraseRequest) activities.ErasePage { return activities.ErasePage{} })
	assert.Equal(t, 1, scrubbed, "a run before has erased somebody")
	_, scrubbed = erased(t, workflows.EraseInput{}, func(req activities.EraseRequest) activities.ErasePage {
		return activities.ErasePage{After: "9", More: req.After == "", Scrub: req.After == ""}
	})
	assert.Equal(t, 1, scrubbed, "an attempt that was killed has erased somebody")
}

func TestEraseContinuesAsNew(t *testing.T) {
	pages := 0
	env, scrubbed := erased(t, workflows.EraseInput{}, func(activities.EraseRequest) activities.ErasePage {
		pages++
		return activities.ErasePage{After: "x", More: true, Erased: 1}
	})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &again)
	assert.Equal(t, 500, pages)
	assert.Zero(t, scrubbed)
}
