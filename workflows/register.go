package workflows

import (
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/plan"
)

// byType maps every workflow type to its function.
var byType = map[string]any{
	TypeJoiner:    Joiner,
	TypeMover:     Mover,
	TypeLeaver:    Leaver,
	TypeScheduled: Scheduled,
	TypeSweep:     Sweep,
	TypeRequest:   Request,
	TypeReview:    Review,
	TypeReconcile: Reconcile,
	TypeErase:     Erase,
}

// Register registers every workflow and activity with a worker.
func Register(r worker.Registry, a *activities.Activities) {
	for name, fn := range byType {
		r.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
	RegisterSteps(r, a)
	r.RegisterActivityWithOptions(a.Assess, activity.RegisterOptions{Name: activities.NameAssess})
	r.RegisterActivityWithOptions(a.Repair, activity.RegisterOptions{Name: activities.NameRepair})
	r.RegisterActivityWithOptions(a.Scan, activity.RegisterOptions{Name: activities.NameScan})
	r.RegisterActivityWithOptions(a.Erase, activity.RegisterOptions{Name: activities.NameErase})
	r.RegisterActivityWithOptions(a.Scrub, activity.RegisterOptions{Name: activities.NameScrub})
	r.RegisterActivityWithOptions(a.Sweep, activity.RegisterOptions{Name: activities.NameSweep})
	r.RegisterActivityWithOptions(a.LookAtReview, activity.RegisterOptions{Name: activities.NameLookAtReview})
	r.RegisterActivityWithOptions(a.LookAtRequest, activity.RegisterOptions{Name: activities.NameLookAtRequest})
}

// RegisterSteps registers the activities that apply steps: all that a worker on the
// queue of one app needs.
func RegisterSteps(r worker.ActivityRegistry, a *activities.Activities) {
	for _, kind := range plan.Kinds() {
		r.RegisterActivityWithOptions(a.Apply, activity.RegisterOptions{Name: string(kind)})
	}
}
