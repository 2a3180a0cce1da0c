package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Leaver takes a person's access away: the last day is over, a termination is
// immediate, a hire was rescinded, security suspends somebody, or a retention
// period has ended.
//
// It disables every account and ends its sessions, in all apps at once; no app waits
// for another. Then, in each app, it strips the account of its entitlements and hands
// its data over. Deletion comes after the retention: the run continues as a Scheduled
// one that sleeps until then, and that one continues as a Leaver to delete.
func Leaver(ctx workflow.Context, in Input) error {
	return newRun(ctx, plan.Leaver, in).change(ctx)
}
