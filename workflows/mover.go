package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Mover changes the access of a person who stays: another department, title,
// name or manager, another contract, a leave of absence.
//
// What policy newly grants is given at once; what it no longer grants is taken
// at once, or when the overlap is over: the run then ends as a Scheduled one.
func Mover(ctx workflow.Context, in Input) error {
	return newRun(ctx, plan.Mover, in).change(ctx)
}
