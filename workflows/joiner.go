package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Joiner gives a person their accounts: a hire, a rehire, a return from leave, a
// start date that has come or whose lead time has begun.
//
// Accounts are made in the order that the apps ask for (after), apps that do not
// depend on each other at the same time. One that exists already is adopted.
func Joiner(ctx workflow.Context, in Input) error {
	return newRun(ctx, plan.Joiner, in).change(ctx)
}
