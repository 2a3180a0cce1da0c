package workflows

import (
	"errors"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/provision"
)

// apply starts each step as soon as the steps that it needs are done, as many at the
// same time as can be, and returns when no step is left that may start. It reports
// whether any step has ended.
//
// A signal or a repair stops it early: it cancels the steps that have not begun and
// waits for those that are under way; the caller then assesses again.
func (r *run) apply(ctx workflow.Context) (progress bool) {
	d := &dispatch{run: r, ended: map[string]bool{}, done: map[string]bool{}}
	for _, t := range r.todo.Todo {
		if t.Waiting == nil && (t.Attention == nil || r.recheck) {
			d.waiting = append(d.waiting, t)
		} else {
			d.ended[t.Key] = true
		}
	}
	r.recheck = false
	if len(d.waiting) > 0 {
		r.board.applying(ctx, r.todo)
	}

	work, cancel := workflow.WithCancel(ctx)
	defer cancel()
	selector := workflow.NewSelector(ctx)
	r.listen(ctx, selector)
	for {
		if r.news || r.repaired {
			cancel()
		} else {
			d.start(work, selector)
		}
		if d.underway == 0 {
			return d.progressed
		}
		selector.Select(ctx)
	}
}

// dispatch holds how far one call of apply has come.
type dispatch struct {
	*run
	waiting    []provision.Todo
	underway   int
	ended      map[string]bool // done, failed or left alone
	done       map[string]bool
	progressed bool
}

// start starts every waiting step that may start now.
func (d *dispatch) start(ctx workflow.Context, selector workflow.Selector) {
	var still []provision.Todo
	for _, t := range d.waiting {
		if !d.ready(t) {
			still = append(still, t)
			continue
		}
		d.underway++
		d.began = true
		d.board.step(ctx, t.Step, "under way")
		request := activities.StepRequest{PersonID: d.in.PersonID, Step: t.Step, Done: d.run.done[t.Key]}
		request.Step.Needs, request.Step.Follows = nil, nil // they say when, and that is now
		future := workflow.ExecuteActivity(stepOptions(ctx, t, d.todo.Urgent || d.urgent), string(t.Kind), request)
		selector.AddFuture(future, func(f workflow.Future) { d.finished(ctx, t, f) })
	}
	d.waiting = still
}

// ready reports whether every planned step that t needs is done, and every planned step
// that t follows has ended.
func (d *dispatch) ready(t provision.Todo) bool {
	planned := func(key string) bool {
		return slices.ContainsFunc(d.todo.Todo, func(t provision.Todo) bool { return t.Key == key })
	}
	for _, key := range t.Needs {
		if planned(key) && !d.done[key] {
			return false
		}
	}
	for _, key := range t.Follows {
		if planned(key) && !d.ended[key] {
			return false
		}
	}
	return true
}

// finished takes note of how one attempt at a step ended. A step that was moved, or
// that nobody took from the urgent queue, waits to be started on another queue.
func (d *dispatch) finished(ctx workflow.Context, t provision.Todo, f workflow.Future) {
	d.underway--
	var result activities.StepResult
	err := f.Get(ctx, &result)
	if err == nil && result.Result == activities.ResultMoved {
		t.Route = result.Route
		d.waiting = append(d.waiting, t)
		return
	}
	if t.Queue == UrgentQueue && neverBegun(err) {
		t.Route = provision.Route{}
		d.waiting = append(d.waiting, t)
		return
	}
	d.ended[t.Key] = true
	d.progressed = true
	if err != nil {
		// The activity has stored what is wrong in the ledger: the next assessment
		// shows it as attention. A cancelled step never began.
		d.board.step(ctx, t.Step, describe(err))
		return
	}
	d.board.step(ctx, t.Step, stateAfter(result.Result))
	if result.Result == provision.ResultWaiting || result.Result == provision.ResultUnderway {
		return
	}
	d.run.done[t.Key]++
	d.done[t.Key] = result.Result == provision.ResultDone
}

// neverBegun reports whether a step timed out because no worker took it from its queue.
func neverBegun(err error) bool {
	var timeout *temporal.TimeoutError
	return errors.As(err, &timeout) && timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START
}
