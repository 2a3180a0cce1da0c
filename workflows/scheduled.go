package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
)

// Scheduled sleeps until the next date that matters to a person (a start date, a
// last day, the end of an overlap or of a retention) or until it is signalled, and
// then continues as the change that has to be made. It holds next to nothing, so that
// thousands of them are cheap.
//
// Started without a date, it assesses the person first: the sweeper and operators
// resume people in this way.
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

// sleep waits until the due instant, or until the run is signalled.
func (r *run) sleep(ctx workflow.Context) {
	r.board.scheduled(ctx, r.in.Due, r.todo)
	r.wait(ctx, &timer{r.in.Until.Sub(workflow.Now(ctx)), asleepUntil(r.in.Due)})
}

// wake finds out what has to be done, and reports whether the run is over; the error is
// then its result. If it is not over, the run sleeps again.
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
			next = plan.Mover // a Scheduled run cannot wait for the answer to a question
		}
		if next != plan.None {
			return true, r.continueAs(ctx, string(next), r.input(r.woken(ctx)))
		}
		if r.todo.Due.At.IsZero() {
			r.board.over(ctx, r.todo.Sparing)
			return true, nil
		}
		r.in = r.sleeper(ctx)
		if r.historyIsLong(ctx) {
			return true, r.continueAs(ctx, TypeScheduled, r.in)
		}
		return false, nil
	}
}

// woken returns why a run that slept goes on: the date has come, or it was signalled
// before.
func (r *run) woken(ctx workflow.Context) string {
	if r.in.Due.At.IsZero() || r.in.Until.After(workflow.Now(ctx)) {
		return "something new was said"
	}
	return "due: " + nextAction(r.in.Due)
}

// asleepUntil returns the summary of the timer of a run that sleeps.
func asleepUntil(due plan.Due) string {
	if due.At.IsZero() {
		return nextAction(due)
	}
	return nextAction(due) + " at " + when(due)
}
