package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Joiner gives a person their accounts: at a hire, a rehire or a return from leave, and
// when a start date or its lead time has come.
//
// It creates accounts in the order that the configuration gives (after), and works in
// apps that do not depend on each other at the same time. An account of the person that
// exists already is adopted.
func Joiner(ctx workflow.Context, in Input) error {
	return newRun(ctx, plan.Joiner, in).change(ctx)
}
