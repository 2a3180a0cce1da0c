package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Leaver takes a person's access away: the last day is over, a termination is
// immediate, a hire was rescinded, security suspends somebody, or a retention
// period has ended.
//
// Every account is disabled and its sessions ended, in all apps at once, no app
// waiting for another. Then, app by app, entitlements are taken and data is
// handed over. Deletion comes after retention: the run sleeps until then as a
// Scheduled one, and comes back as a Leaver to delete.
func Leaver(ctx workflow.Context, in Input) error {
	return newRun(ctx, plan.Leaver, in).change(ctx)
}
