package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
)

// hold waits for what can change that the breaker does not let something pass: an
// operator decides about the cohort, HR says something, something else is due, or
// what waits has settled.
func (r *run) hold(ctx workflow.Context) {
	summary, wait := "until it is seen whether others are concerned too", r.todo.Settle
	if due := r.todo.Wait; !r.todo.Due.At.IsZero() && (wait == 0 || due < wait) {
		summary, wait = nextAction(r.todo.Due), max(due, time.Second)
	}
	r.board.holding(ctx, r.todo)

	selector := workflow.NewSelector(ctx)
	if wait > 0 {
		timerCtx, cancel := workflow.WithCancel(ctx)
		defer cancel()
		timer := workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: summary})
		selector.AddFuture(timer, func(workflow.Future) {})
	}
	selector.AddReceive(r.signals, func(c workflow.ReceiveChannel, _ bool) {
		var signal LookAgain
		c.Receive(ctx, &signal)
		r.note(signal)
	})
	selector.AddReceive(r.repairs, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {}) // it may be cancelled by hand
	selector.Select(ctx)
}

// holding shows what waits for an operator's decision. What only has to settle shows no
// stage of its own: that would be another event in the history of every leaver.
func (b *board) holding(ctx workflow.Context, a activities.Assessment) {
	if len(a.Held) > 0 {
		upsert(ctx, withCohorts(ctx, a, AttrStage.ValueSet(StageHeld), attentionIn(a), nextActionIn(a.Due), nextDueIn(a.Due))...)
	}
	b.show(ctx, a.Questions)
}

// cohorts shows the cohorts that hold something which falls due later.
func (b *board) cohorts(ctx workflow.Context, a activities.Assessment) {
	upsert(ctx, withCohorts(ctx, a)...)
}

// cohortsOf lists the cohorts that hold something.
func cohortsOf(held []activities.Held) []string {
	var names []string
	for _, h := range held {
		names = append(names, h.Cohort)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// withCohorts adds the cohorts to updates, if there are any or were: histories from
// before there were cohorts know nothing of the attribute.
func withCohorts(ctx workflow.Context, a activities.Assessment, updates ...temporal.SearchAttributeUpdate) []temporal.SearchAttributeUpdate {
	now, _ := workflow.GetTypedSearchAttributes(ctx).GetKeywordList(AttrCohort)
	switch names := cohortsOf(a.Held); {
	case len(names) > 0:
		return append(updates, AttrCohort.ValueSet(names))
	case len(now) > 0:
		return append(updates, AttrCohort.ValueUnset())
	}
	return updates
}
