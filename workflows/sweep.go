package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
)

// Sweep finds people who are due and have no open run, and resumes them. A
// Temporal Schedule starts it: see runs.Client.ScheduleSweeps.
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
