package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// shown calls do in a workflow, because only a workflow can show a board. It returns what
// is shown.
func shown(t *testing.T, do func(ctx workflow.Context, b *board)) string {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	b := &board{person: "10004"}
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		do(ctx, b)
		return nil
	})
	require.NoError(t, env.GetWorkflowError())
	return b.markdown(nil)
}

func todo(app string, attention bool) provision.Todo {
	t := provision.Todo{Step: plan.Step{Key: app + "/Provision", App: app, Kind: plan.Provision}}
	if attention {
		t.Attention = &provision.Attention{Key: t.Key, Code: "conflict", Message: "the username is taken"}
	}
	return t
}

func TestBoardShowsWhatToDoAboutAttention(t *testing.T) {
	text := shown(t, func(ctx workflow.Context, b *board) {
		b.assessed(ctx, provision.Assessment{Status: "active", Todo: []provision.Todo{todo("crm", true), todo("wiki", false)}})
	})
	assert.Contains(t, text, "Employment: **active**")
	assert.Contains(t, text, "| crm | Provision | **needs attention** (`conflict`): the username is taken |")
	assert.Contains(t, text, "| wiki | Provision | waiting |")
	assert.Contains(t, text, "`tenure run retry 10004`")
}

func TestBoardBeginsWithWhatNeedsAttention(t *testing.T) {
	text := shown(t, func(ctx workflow.Context, b *board) {
		a := provision.Assessment{Todo: []provision.Todo{todo("chat", false), todo("wiki", false), todo("crm", true)}}
		b.assessed(ctx, a)
		b.step(ctx, a.Todo[0].Step, "done")
	})
	assert.Regexp(t, `(?s)\| crm .*\| wiki .*\| chat `, text)
}

func TestBoardShowsSinceWhenAnAppIsAtWork(t *testing.T) {
	transfer := todo("crm", false)
	transfer.Waiting = &provision.Waiting{Since: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), Wait: time.Minute}
	text := shown(t, func(ctx workflow.Context, b *board) {
		b.assessed(ctx, provision.Assessment{Todo: []provision.Todo{transfer}})
		b.attention(ctx, provision.Assessment{Todo: []provision.Todo{transfer}})
		stage, _ := workflow.GetTypedSearchAttributes(ctx).GetKeyword(AttrStage)
		assert.Equal(t, StageWaiting, stage)
	})
	assert.Contains(t, text, "| crm | Provision | the app is at work since 2026-11-02 09:00:00 UTC |")
	assert.NotContains(t, text, "attention")

	text = shown(t, func(ctx workflow.Context, b *board) {
		b.assessed(ctx, provision.Assessment{Todo: []provision.Todo{transfer}})
		b.assessed(ctx, provision.Assessment{})
	})
	assert.Contains(t, text, "no longer needed")
}

func TestBoardShowsThatAStepWasSkipped(t *testing.T) {
	text := shown(t, func(ctx workflow.Context, b *board) {
		b.assessed(ctx, provision.Assessment{Todo: []provision.Todo{todo("crm", true)}})
		b.assessed(ctx, provision.Assessment{Skipped: []string{"crm/Provision"}})
		b.assessed(ctx, provision.Assessment{Skipped: []string{"crm/Provision"}})
	})
	assert.Contains(t, text, "| crm | Provision | skipped |")
	assert.NotContains(t, text, "attention")
	assert.NotContains(t, text, "tenure run")
}

func TestBoardForgetsWhatIsNoLongerAskedFor(t *testing.T) {
	text := shown(t, func(ctx workflow.Context, b *board) {
		b.assessed(ctx, provision.Assessment{Todo: []provision.Todo{todo("crm", true), todo("wiki", false)}})
		b.assessed(ctx, provision.Assessment{Todo: []provision.Todo{todo("wiki", false)}})
	})
	assert.Contains(t, text, "| crm | Provision | no longer needed |")
	assert.Contains(t, text, "| wiki | Provision | waiting |")
}

func TestBoardOfARunThatWentOnAsAnother(t *testing.T) {
	due := plan.Due{At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), What: plan.DueDelete, App: "wiki"}
	text := shown(t, func(ctx workflow.Context, b *board) {
		b.why = "due: delete wiki"
		b.assessed(ctx, provision.Assessment{Due: due, Todo: []provision.Todo{todo("crm", false)}})
		b.continued(ctx, TypeLeaver)
	})
	assert.Equal(t, "due: delete wiki\n\nContinued as **Leaver**.\n", text)
}

// A run that has never shown anything but that it is at work does not write that it is over, unless
// its assessment is from before runs were sparing. Whatever else it has shown is taken back.
func TestARunThatIsOverWritesOnlyWhatSomebodyWouldSee(t *testing.T) {
	for name, c := range map[string]struct {
		sparing, attention bool
		want               string
	}{
		"sparing":              {true, false, StageApplying},
		"before it was":        {false, false, StageDone},
		"with something shown": {true, true, StageDone},
	} {
		t.Run(name, func(t *testing.T) {
			shown(t, func(ctx workflow.Context, b *board) {
				b.applying(ctx, provision.Assessment{})
				if c.attention {
					b.attention(ctx, provision.Assessment{Todo: []provision.Todo{todo("crm", true)}})
				}
				b.over(ctx, c.sparing)
				now := workflow.GetTypedSearchAttributes(ctx)
				stage, _ := now.GetKeyword(AttrStage)
				assert.Equal(t, c.want, stage)
				assert.False(t, now.ContainsKey(AttrAttention))
			})
		})
	}
}
