package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Scheduled sleeps until the next date that matters to a person (a start date, a
// last day, the end of an overlap or of a retention period) or until something
// new is said, and then continues as the change that has to be made. It holds
// next to nothing, so that thousands of them are cheap.
//
// Started without a date it finds out by itself what there is to do: that is how
// the sweeper resumes people.
func Scheduled(ctx workflow.Context, in Input) error {
	r := newRun(ctx, plan.None, in)
	if err := r.begin(ctx); err != nil {
		return err
	}
	if !in.Until.IsZero() {
		r.sleep(ctx)
	}
	for {
		if done, err := r.wake(ctx); done || err != nil {
			return err
		}
		r.sleep(ctx)
	}
}

// sleep waits until the due instant or for a signal.
func (r *run) sleep(ctx workflow.Context) {
	r.board.scheduled(ctx, r.in.Due, r.todo)
	r.wait(ctx, &timer{r.in.Until.Sub(workflow.Now(ctx)), asleepUntil(r.in.Due)})
}

// wake finds out what there is to do, and reports whether the run is over: the error
// says how. Else it sleeps on.
func (r *run) wake(ctx workflow.Context) (bool, error) {
	for {
		if err := r.assess(ctx); err != nil {
			return true, err
		}
		if !r.readyToClose(ctx) {
			continue
		}
		next := r.todo.Change
		if next == plan.None && r.todo.NeedsAttention() {
			next = plan.Mover // a question to a human is asked by a run that can wait for the answer
		}
		if next != plan.None {
			return true, r.continueAs(ctx, string(next), r.input(r.woken(ctx)))
		}
		if r.todo.Due.At.IsZero() {
			r.board.over(ctx)
			return true, nil
		}
		r.in = r.sleeper(ctx)
		if r.historyIsLong(ctx) {
			return true, r.continueAs(ctx, TypeScheduled, r.in)
		}
		return false, nil
	}
}

// woken says why a run that slept goes on: what it waited for has come, or
// something was said before that.
func (r *run) woken(ctx workflow.Context) string {
	if r.in.Due.At.IsZero() || r.in.Until.After(workflow.Now(ctx)) {
		return "something new was said"
	}
	return "due: " + nextAction(r.in.Due)
}

// asleepUntil is what a timeline shows of a run that sleeps.
func asleepUntil(due plan.Due) string {
	if due.At.IsZero() {
		return nextAction(due)
	}
	return nextAction(due) + " at " + when(due)
}
