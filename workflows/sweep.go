package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
)

// Sweep finds people for whom something is due and who have no run that makes
// progress, and starts one for each. A Temporal Schedule starts the sweeps: see
// runs.Client.ScheduleSweeps.
func Sweep(ctx workflow.Context) (activities.SweepResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 5 * time.Minute,
		HeartbeatTimeout:    30 * time.Second,
		RetryPolicy:         ledgerRetry,
	})
	var result activities.SweepResult
	err := workflow.ExecuteActivity(ctx, activities.NameSweep).Get(ctx, &result)
	return result, err
}
