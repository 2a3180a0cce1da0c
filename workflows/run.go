package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// run holds the state of one run of a person. The kind of a Scheduled run is plan.None.
type run struct {
	kind    plan.Change
	in      Input
	signals workflow.ReceiveChannel // of LookAgain
	repairs workflow.Channel        // one message for each Update that changed something, in histories of earlier versions

	todo     provision.Assessment // the last assessment
	news     bool                 // a signal came that the last assessment has not seen
	urgent   bool                 // ... and it is urgent
	repaired bool                 // such an Update changed something since the last assessment
	began    bool                 // this run has started a step
	recheck  bool                 // it is time to try steps in attention again
	becomes  plan.Change          // the kind of change that this is, by the last assessment
	done     map[string]int       // step key -> how often it was done
	board    board                // what the Temporal UI shows
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

// outcome says how a run stands after an assessment and the steps that could be applied.
type outcome int

// The outcomes.
const (
	becameAnother outcome = iota // the change turned out to be of another kind
	progressed                   // a step has ended, or a signal came meanwhile: there may be more to do
	needsHuman                   // a step or question needs attention, or a human works on a task
	held                         // the breaker holds all that is left
	later                        // nothing is left to do now, and a date is known
	finished                     // nothing is left to do
)

// change runs a Joiner, Mover or Leaver: it assesses, applies, waits for what needs a
// human, and does so again until nothing is left to do now.
func (r *run) change(ctx workflow.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for {
		if err := r.assess(ctx); err != nil {
			return err
		}
		switch next := r.advance(ctx); next {
		case becameAnother:
			if r.readyToClose(ctx) {
				return r.continueAs(ctx, string(r.becomes), r.input("this "+string(r.kind)+" has become a "+string(r.becomes)))
			}
		case progressed:
		case needsHuman, held:
			if next == held {
				r.awaitRelease(ctx)
			} else {
				r.awaitIntervention(ctx)
			}
			if r.historyIsLong(ctx) && r.readyToClose(ctx) {
				return r.continueAs(ctx, string(r.kind), r.input(r.in.Why))
			}
		case later:
			if r.readyToClose(ctx) {
				r.board.cohorts(ctx, r.todo)
				return r.continueAs(ctx, TypeScheduled, r.sleeper(ctx))
			}
		case finished:
			if r.readyToClose(ctx) {
				r.board.over(ctx, r.todo.Sparing)
				return nil
			}
		}
	}
}

// advance applies the steps of the last assessment that may be applied now.
func (r *run) advance(ctx workflow.Context) outcome {
	if r.becomes = r.nextKind(ctx); r.becomes != r.kind {
		return becameAnother
	}
	if r.apply(ctx) || r.news || r.repaired {
		return progressed
	}
	_, waits := r.todo.Waits()
	switch {
	case waits || r.todo.NeedsAttention():
		return needsHuman
	case r.todo.HeldBack():
		return held
	case !r.todo.Due.At.IsZero():
		return later
	}
	return finished
}

// begin refuses to work for another person than the one whose ID the run has: such a run
// would occupy the ID, and keep Tenure's own run of that person from starting.
func (r *run) begin(ctx workflow.Context) error {
	if whose, ok := PersonID(workflow.GetInfo(ctx).WorkflowExecution.ID); ok && whose != r.in.PersonID {
		return temporal.NewNonRetryableApplicationError("this run has the ID of another person than the one it is to work for: it is not Tenure's",
			typeForeign, nil)
	}
	return r.handleRepairs(ctx)
}

// typeForeign is the type of the error of a run that Tenure did not start.
const typeForeign = "foreign"

// historyIsLong reports whether Temporal suggests continuing in a new history.
func (r *run) historyIsLong(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// continueAs ends the run and continues it as one of the given type, on the queue where
// the person's run belongs: the urgent queue while somebody is to be cut off, otherwise
// the main one. A run that sleeps waits on the urgent queue, because the signal that
// wakes it may be urgent; any other one costs a single task there.
func (r *run) continueAs(ctx workflow.Context, next string, in Input) error {
	r.board.continued(ctx, next)
	queue := r.todo.Queue
	if queue != "" && next == TypeScheduled {
		queue = UrgentQueue
	}
	if queue != "" { // histories that are older than the second queue name none
		ctx = workflow.WithWorkflowTaskQueue(ctx, queue)
	}
	return workflow.NewContinueAsNewError(ctx, next, in)
}

// input returns the input of a run that continues this one at once.
func (r *run) input(why string) Input {
	return Input{PersonID: r.in.PersonID, Why: why}
}

// sleeper returns the input of a run that sleeps until the next due date.
func (r *run) sleeper(ctx workflow.Context) Input {
	return Input{PersonID: r.in.PersonID, Until: workflow.Now(ctx).Add(r.todo.Wait), Due: r.todo.Due}
}

// assess asks again what has to be done. It takes note of all signals first: the
// assessment sees what they are about.
func (r *run) assess(ctx workflow.Context) error {
	r.drain()
	r.news, r.urgent, r.repaired = false, false, false
	todo, err := assess(ctx, r.in.PersonID)
	if err != nil {
		return err
	}
	r.todo = todo
	r.board.assessed(ctx, todo)
	return nil
}

// nextKind returns the kind of change that this is by the last assessment. A Joiner
// that has created some of the accounts stays one, unless the person has gone on leave.
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

// readyToClose waits for the handlers of Updates, takes note of the last signals, and
// reports whether the run may end: it may not if any of them is news.
func (r *run) readyToClose(ctx workflow.Context) bool {
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

// note takes note of one signal. It is no news if it is about an event that the last
// assessment has seen.
func (r *run) note(signal LookAgain) {
	if signal.Seq == 0 || signal.Seq > r.todo.Seq {
		r.news = true
		r.urgent = r.urgent || signal.Urgent
	}
}

// listen lets the selector receive signals and repairs. A Scheduled run has nothing to
// repair.
func (r *run) listen(ctx workflow.Context, selector workflow.Selector) {
	selector.AddReceive(r.signals, func(c workflow.ReceiveChannel, _ bool) {
		var signal LookAgain
		c.Receive(ctx, &signal)
		r.note(signal)
		r.recheck = false
	})
	if r.kind == plan.None {
		return
	}
	selector.AddReceive(r.repairs, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		r.repaired, r.recheck = true, false
	})
}

// timer says how long a run waits, and what the Temporal UI shows for it.
type timer struct {
	after   time.Duration
	summary string
}

// wait returns when the timer fires, a signal or repair comes, or the run is cancelled.
// Without a timer it waits for the others only.
func (r *run) wait(ctx workflow.Context, t *timer) {
	selector := workflow.NewSelector(ctx)
	if t != nil {
		timerCtx, cancel := workflow.WithCancel(ctx)
		defer cancel()
		fires := workflow.NewTimerWithOptions(timerCtx, t.after, workflow.TimerOptions{Summary: t.summary})
		selector.AddFuture(fires, func(workflow.Future) {})
	}
	r.listen(ctx, selector)
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	selector.Select(ctx)
}

// awaitIntervention waits until a step in attention, or a task of a human, may stand
// differently: an operator has decided, the human is done, HR has said something,
// something else is due, or it is time to try again or to remind somebody.
func (r *run) awaitIntervention(ctx workflow.Context) {
	r.board.attention(ctx, r.todo)
	after := r.todo.Recheck
	r.recheck = true
	if human, waits := r.todo.Waits(); waits && (human < after || !r.todo.NeedsAttention()) {
		after, r.recheck = human, false
	}
	if !r.todo.Due.At.IsZero() && r.todo.Wait < after {
		after, r.recheck = r.todo.Wait, false
	}
	if r.todo.Settle > 0 && r.todo.Settle < after {
		after, r.recheck = r.todo.Settle, false
	}
	until := "until a task, or an operation of the app, is looked at again"
	if r.todo.NeedsAttention() {
		until = "until what needs attention is tried again"
	}
	r.wait(ctx, &timer{max(after, time.Second), until})
}

// awaitRelease waits until the breaker may answer differently: an operator has decided
// about the cohort, HR has said something, something else is due, or the time to settle
// is over.
func (r *run) awaitRelease(ctx workflow.Context) {
	r.board.holding(ctx, r.todo)
	due := !r.todo.Due.At.IsZero()
	switch settle := r.todo.Settle; {
	case due && (settle == 0 || r.todo.Wait < settle):
		r.wait(ctx, &timer{max(r.todo.Wait, time.Second), nextAction(r.todo.Due)})
	case settle > 0:
		r.wait(ctx, &timer{settle, "until it is known whether this is part of a mass change"})
	default:
		r.wait(ctx, nil)
	}
}
