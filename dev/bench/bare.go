package bench

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
)

const (
	bareQueue = "bare"
	bareType  = "Bare"
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
