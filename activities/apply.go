package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/provision"
)

// heartbeatEvery is well below the heartbeat timeout that workflows set, so that only a dead
// process misses it.
const heartbeatEvery = 3 * time.Second

// Apply makes one attempt at one step: see provision.Engine.Apply. It is registered under the
// name of every plan.Kind.
func (a *Activities) Apply(ctx context.Context, req StepRequest) (StepResult, error) {
	defer keepAlive(ctx)()
	info := activity.GetInfo(ctx)
	app := a.Apps[req.Step.App]
	// A step for which the urgent queue had no slot is urgent on another queue too.
	urgent := info.TaskQueue == UrgentQueue || info.Priority.PriorityKey == PriorityUrgent
	if info.TaskQueue != AppQueue(req.Step.App) {
		leave, elsewhere := a.takeSlot(req.Step.App, info.TaskQueue == UrgentQueue, req.Step.Kind.Gives())
		if elsewhere != nil {
			return StepResult{Result: ResultMoved, Route: *elsewhere}, nil
		}
		defer leave()
	}
	// A call that was sent is completed even if the run has cancelled the step: only its
	// outcome shows what has to be undone.
	call, cancel := context.WithDeadline(context.WithoutCancel(ctx), info.Deadline)
	defer cancel()
	patience := a.Patience(req.Step.Kind, urgent)
	if call = pace.Patient(call, patience); urgent {
		call = pace.Urgent(call)
	}
	times := timesOf(info.Deadline.Sub(info.StartedTime))
	if err := app.Soon(call, info.Deadline); err != nil {
		return StepResult{}, temporalError(provision.ErrorOf(err).Bounded(urgent, patience))
	}
	leave, err := place(ctx, app, times.place, claimOf(info, req.Step.Kind, urgent))
	if err != nil {
		return StepResult{}, temporalError(err)
	}
	defer leave()
	deadline := time.Now().Add(times.calls)
	if last := info.Deadline.Add(-times.finish); last.Before(deadline) {
		deadline = last
	}
	if err := app.Soon(call, deadline); err != nil { // the app may have asked for a pause meanwhile
		return StepResult{}, temporalError(provision.ErrorOf(err).Bounded(urgent, patience))
	}
	result, _, err := a.Engine.Apply(call, provision.Attempt{
		PersonID: req.PersonID, Step: req.Step, Done: req.Done, Again: info.Attempt > 1,
		Deadline: deadline,
		Token:    info.WorkflowExecution.RunID + "/" + info.ActivityID,
		Urgent:   urgent,
		Detail:   map[string]any{"change": info.WorkflowType.Name, "runId": info.WorkflowExecution.RunID},
	})
	return StepResult{Result: result}, temporalError(err)
}

// keepAlive sends heartbeats until the returned function is called, so that Temporal notices
// the death of this process long before the attempt's deadline.
func keepAlive(ctx context.Context) (stop func()) {
	quit := make(chan struct{})
	go func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(quit) }
}
