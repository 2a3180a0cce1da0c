package bench

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/workflows"
)

const (
	bareQueue   = "bare"
	bareType    = "Bare"
	dressedType = "Dressed"
)

// bare is the smallest workflow with activities that do nothing. It runs them in waves,
// one after the other; each wave runs a number of activities at once.
func bare(ctx workflow.Context, waves, activities int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for range waves {
		futures := make([]workflow.Future, activities)
		for i := range futures {
			futures[i] = workflow.ExecuteActivity(ctx, nothing)
		}
		for _, f := range futures {
			if err := f.Get(ctx, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func nothing(context.Context) error { return nil }

// runBare runs a bare workflow to its end.
func (r *rig) runBare(ctx context.Context, id string, waves, activities int) error {
	run, err := r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue}, bareType, waves, activities)
	if err != nil {
		return err
	}
	return run.Get(ctx, nil)
}

// dressed is a bare workflow of one wave that shows people what a joiner shows them: it is started
// by a signal, its activities have summaries, and it writes its stage so many times.
func dressed(ctx workflow.Context, activities, upserts int) error {
	workflow.GetSignalChannel(ctx, workflows.SignalLookAgain).Receive(ctx, nil)
	show := func(stage string) error {
		if upserts--; upserts < 0 {
			return nil
		}
		return workflow.UpsertTypedSearchAttributes(ctx, workflows.AttrStage.ValueSet(stage))
	}
	if err := show("working"); err != nil {
		return err
	}
	futures := make([]workflow.Future, activities)
	for i := range futures {
		of := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, Summary: "provision " + appName(i)})
		futures[i] = workflow.ExecuteActivity(of, nothing)
	}
	for _, f := range futures {
		if err := f.Get(ctx, nil); err != nil {
			return err
		}
	}
	for upserts > 0 {
		if err := show("finished"); err != nil {
			return err
		}
	}
	return nil
}

// runDressed runs a dressed workflow to its end.
func (r *rig) runDressed(ctx context.Context, id string, activities, upserts int) error {
	run, err := r.temporal.SignalWithStartWorkflow(ctx, id, workflows.SignalLookAgain, id, client.StartWorkflowOptions{
		TaskQueue: bareQueue, StaticSummary: "benchmark",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.AttrStage.ValueSet(workflows.StageApplying), workflows.AttrUrgency.ValueSet(workflows.UrgencyStandard)),
	}, dressedType, activities, upserts)
	if err != nil {
		return err
	}
	return run.Get(ctx, nil)
}

// upserts returns how often a workflow wrote its search attributes.
func (r *rig) upserts(ctx context.Context, id string) (n int, err error) {
	history := r.temporal.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			return 0, err
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES {
			n++
		}
	}
	return n, nil
}
