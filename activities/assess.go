package activities

import (
	"context"
	"errors"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// Assess decides what has to be done for a person, and over which task queues. It returns no more
// of it than the run reads, since the run's history keeps that.
func (a *Activities) Assess(ctx context.Context, personID string) (provision.Assessment, error) {
	out, err := a.Engine.Assess(ctx, personID)
	if errors.Is(err, provision.ErrUnknownPerson) {
		return provision.Assessment{Status: hr.StatusUnknown}, nil
	}
	if err != nil {
		return provision.Assessment{}, temporalError(err)
	}
	out.Queue, out.Sparing = MainQueue, true
	if out.Urgent {
		out.Queue = UrgentQueue
	}
	for i, todo := range out.Todo {
		app := a.Apps[todo.App]
		out.Todo[i].Step = todo.Brief()
		out.Todo[i].Route = firstRoute(app, todo.App)
		if out.Urgent && todo.Kind == plan.Disable {
			out.Todo[i].Route = urgentRoute(app)
		}
	}
	return out, nil
}
