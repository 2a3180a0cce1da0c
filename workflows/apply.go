package workflows

import (
	"errors"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
)

// apply starts each step as soon as the steps that it needs are done, all that
// can at the same time, and returns when nothing is left that may start. It says
// whether anything was done.
//
// Something new (a signal, a repair) stops it early: what has not begun is
// cancelled, what is under way is waited for, and the caller assesses again.
func (r *run) apply(ctx workflow.Context) (progress bool) {
	p := &progressOf{run: r, ended: map[string]bool{}, done: map[string]bool{}}
	for _, t := range r.todo.Todo {
		if t.Waiting == nil && (t.Attention == nil || r.recheck) {
			p.waiting = append(p.waiting, t)
		} else {
			p.ended[t.Key] = true
		}
	}
	r.recheck = false
	if len(p.waiting) > 0 {
		r.board.applying(ctx, r.todo)
	}

	work, cancel := workflow.WithCancel(ctx)
	defer cancel()
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(r.signals, func(c workflow.ReceiveChannel, _ bool) {
		var signal LookAgain
		c.Receive(ctx, &signal)
		r.note(signal)
	})
	selector.AddReceive(r.repairs, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		r.news = true
	})
	for {
		if r.news {
			cancel()
		} else {
			p.start(work, selector)
		}
		if p.underway == 0 {
			return p.progressed
		}
		selector.Select(ctx)
	}
}

// progressOf is how far one call of apply has come.
type progressOf struct {
	*run
	waiting    []activities.Todo
	underway   int
	ended      map[string]bool // done, failed or left alone
	done       map[string]bool
	progressed bool
}

// start starts every waiting step that may start now.
func (p *progressOf) start(ctx workflow.Context, selector workflow.Selector) {
	var still []activities.Todo
	for _, t := range p.waiting {
		if !p.ready(t) {
			still = append(still, t)
			continue
		}
		p.underway++
		p.began = true
		p.board.step(ctx, t.Step, "under way")
		future := workflow.ExecuteActivity(stepOptions(ctx, t, p.todo.Urgent || p.urgent), string(t.Kind),
			activities.StepRequest{PersonID: p.in.PersonID, Step: t.Step, Done: p.run.done[t.Key]})
		selector.AddFuture(future, func(f workflow.Future) { p.finished(ctx, t, f) })
	}
	p.waiting = still
}

func (p *progressOf) ready(t activities.Todo) bool {
	planned := func(key string) bool {
		return slices.ContainsFunc(p.todo.Todo, func(t activities.Todo) bool { return t.Key == key })
	}
	for _, key := range t.Needs {
		if planned(key) && !p.done[key] {
			return false
		}
	}
	for _, key := range t.Follows {
		if planned(key) && !p.ended[key] {
			return false
		}
	}
	return true
}

func (p *progressOf) finished(ctx workflow.Context, t activities.Todo, f workflow.Future) {
	p.underway--
	var result activities.StepResult
	err := f.Get(ctx, &result)
	if err == nil && result.Result == activities.ResultMoved {
		t.Route = result.Route
		p.waiting = append(p.waiting, t)
		return
	}
	if t.Queue == UrgentQueue && neverBegun(err) {
		t.Route = activities.Route{}
		p.waiting = append(p.waiting, t)
		return
	}
	p.ended[t.Key] = true
	p.progressed = true
	if err != nil {
		// The activity has put what is wrong into the ledger: the next assessment
		// shows it as attention. A cancelled one was never begun.
		p.board.step(ctx, t.Step, describe(err))
		return
	}
	p.board.step(ctx, t.Step, string(result.Result))
	if result.Result == activities.ResultWaiting {
		return
	}
	p.run.done[t.Key]++
	p.done[t.Key] = result.Result == activities.ResultDone
}

// neverBegun says whether a step was given up because nobody took it from its queue.
func neverBegun(err error) bool {
	var timeout *temporal.TimeoutError
	return errors.As(err, &timeout) && timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START
}
