package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
)

// run is one run of one person's change.
type run struct {
	kind    plan.Change
	in      Input
	signals workflow.ReceiveChannel // of LookAgain
	repairs workflow.Channel        // one message for each Update that changed something

	todo    activities.Assessment // the last assessment
	news    bool                  // something was said that the last assessment has not seen
	urgent  bool                  // ... and it is urgent
	began   bool                  // a step has been started by this run
	recheck bool                  // it is time to try again what is in attention
	done    map[string]int        // step key -> how often it was done
	board   board                 // what people see
}

func newRun(ctx workflow.Context, kind plan.Change, in Input) *run {
	return &run{
		kind:    kind,
		in:      in,
		signals: workflow.GetSignalChannel(ctx, SignalLookAgain),
		repairs: workflow.NewBufferedChannel(ctx, 100),
		done:    map[string]int{},
		board:   board{person: in.PersonID, why: in.Why},
	}
}

// change is the life of a run that changes something: assess, apply, wait for
// what needs attention, and again, until nothing is left to do now.
func (r *run) change(ctx workflow.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for {
		if err := r.assess(ctx); err != nil {
			return err
		}
		if next := r.nextKind(ctx); next != r.kind {
			if !r.leave(ctx) {
				continue
			}
			return r.continueAs(ctx, string(next), "this "+string(r.kind)+" has become a "+string(next))
		}
		if r.apply(ctx) || r.news {
			continue // what was done, or said meanwhile, may have left more to do
		}
		if _, waits := r.todo.Waits(); waits || r.todo.NeedsAttention() {
			r.settle(ctx)
			if !workflow.GetInfo(ctx).GetContinueAsNewSuggested() || !r.leave(ctx) {
				continue
			}
			return r.continueAs(ctx, string(r.kind), r.in.Why)
		}
		if r.todo.HeldBack() {
			r.hold(ctx)
			if !workflow.GetInfo(ctx).GetContinueAsNewSuggested() || !r.leave(ctx) {
				continue
			}
			return r.continueAs(ctx, string(r.kind), r.in.Why)
		}
		if !r.leave(ctx) {
			continue
		}
		if r.todo.Due.At.IsZero() {
			r.board.over(ctx)
			return nil
		}
		r.board.cohorts(ctx, r.todo)
		r.board.continued(ctx, TypeScheduled)
		return r.asleep(ctx)
	}
}

// begin refuses to work for another person than the one whose ID the run has: it would
// hold that ID, and nobody would do what is due to them.
func (r *run) begin(ctx workflow.Context) error {
	if whose, ok := PersonID(workflow.GetInfo(ctx).WorkflowExecution.ID); ok && whose != r.in.PersonID {
		return temporal.NewNonRetryableApplicationError("this run has the ID of another person than the one it is to work for: it is not Tenure's",
			typeForeign, nil)
	}
	return r.handleRepairs(ctx)
}

// typeForeign is the type of the error for a run that Tenure did not start.
const typeForeign = "foreign"

// continueAs ends the run, to go on as one of another type.
func (r *run) continueAs(ctx workflow.Context, next, why string) error {
	r.board.continued(ctx, next)
	return workflow.NewContinueAsNewError(r.onQueue(ctx), next, Input{PersonID: r.in.PersonID, Why: why})
}

// onQueue has the run that continues this one go on where it belongs: on the urgent
// queue as long as somebody is to be cut off.
func (r *run) onQueue(ctx workflow.Context) workflow.Context {
	if r.todo.Queue == "" {
		return ctx
	}
	return workflow.WithWorkflowTaskQueue(ctx, r.todo.Queue)
}

// asleep ends the run, to sleep until what is due next: on the urgent queue, since
// what wakes it may be that somebody is to be cut off. All else that wakes it costs
// one task there.
func (r *run) asleep(ctx workflow.Context) error {
	r.in = r.sleeper(ctx)
	if r.todo.Queue != "" {
		ctx = workflow.WithWorkflowTaskQueue(ctx, UrgentQueue)
	}
	return workflow.NewContinueAsNewError(ctx, TypeScheduled, r.in)
}

// assess looks at the ledger again, having taken note of all that was signalled.
func (r *run) assess(ctx workflow.Context) error {
	r.drain()
	r.news, r.urgent = false, false
	todo, err := assess(ctx, r.in.PersonID)
	if err != nil {
		return err
	}
	r.todo = todo
	r.board.assessed(ctx, todo)
	return nil
}

// nextKind is the kind of change that this has turned out to be. A joiner whose
// accounts are partly there is still one, unless the person has gone on leave.
func (r *run) nextKind(ctx workflow.Context) plan.Change {
	switch {
	case r.todo.Change == plan.None:
		return r.kind
	case r.kind == plan.Joiner && r.todo.Change == plan.Mover && r.began:
		if r.todo.Status == hr.StatusOnLeave && workflow.GetVersion(ctx, versionLeave, workflow.DefaultVersion, 1) == 1 {
			return plan.Mover
		}
		return r.kind
	}
	return r.todo.Change
}

// versionLeave marks histories in which a leave ends a Joiner.
const versionLeave = "leave-ends-joiner"

// leave gets the run ready to end: true if it may, false if something new was
// said at the last moment.
func (r *run) leave(ctx workflow.Context) bool {
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	r.drain()
	for r.repairs.ReceiveAsync(nil) {
		r.news = true
	}
	return !r.news
}

// drain takes note of the signals that have arrived.
func (r *run) drain() {
	var signal LookAgain
	for r.signals.ReceiveAsync(&signal) {
		r.note(signal)
	}
}

// note takes note of one signal. One about an event that the last assessment has
// seen is no news.
func (r *run) note(signal LookAgain) {
	if signal.Seq == 0 || signal.Seq > r.todo.Seq {
		r.news = true
		r.urgent = r.urgent || signal.Urgent
	}
}

// sleeper is the input of the run that sleeps until what is due next.
func (r *run) sleeper(ctx workflow.Context) Input {
	return Input{PersonID: r.in.PersonID, Until: workflow.Now(ctx).Add(r.todo.Wait), Due: r.todo.Due}
}

// settle waits for what can change the state of things in attention, or in the hands
// of a human: an operator decides, a human has done it, HR says something, something
// else is due, or it is time to try again or to remind somebody.
func (r *run) settle(ctx workflow.Context) {
	r.board.attention(ctx, r.todo)
	wait := r.todo.Recheck
	r.recheck = true
	if human, waits := r.todo.Waits(); waits && (human < wait || !r.todo.NeedsAttention()) {
		wait, r.recheck = human, false
	}
	if !r.todo.Due.At.IsZero() && r.todo.Wait < wait {
		wait, r.recheck = r.todo.Wait, false
	}
	if r.todo.Settle > 0 && r.todo.Settle < wait {
		wait, r.recheck = r.todo.Settle, false
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(timerCtx, max(wait, time.Second), workflow.TimerOptions{Summary: "until it is tried again"})

	selector := workflow.NewSelector(ctx)
	selector.AddFuture(timer, func(workflow.Future) {})
	selector.AddReceive(r.signals, func(c workflow.ReceiveChannel, _ bool) {
		var signal LookAgain
		c.Receive(ctx, &signal)
		r.note(signal)
		r.recheck = false
	})
	selector.AddReceive(r.repairs, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		r.recheck = false
	})
	selector.Select(ctx)
}
