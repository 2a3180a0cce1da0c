package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Mover changes the access of a person who stays: another department, title,
// name or manager, another contract, a leave of absence.
//
// It gives at once what policy newly grants. What policy no longer grants it takes at
// once or after the overlap; in that case the run continues as a Scheduled one.
func Mover(ctx workflow.Context, in Input) error {
	return newRun(ctx, plan.Mover, in).change(ctx)
}
