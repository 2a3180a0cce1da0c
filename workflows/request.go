package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/request"
)

// RequestPrefix begins the workflow ID of every request's run.
const RequestPrefix = "request:"

// RequestWorkflowID returns the workflow ID of a request's runs: "request:r-12".
func RequestWorkflowID(id int64) string { return RequestPrefix + ledger.RequestName(id) }

// RequestInput is the argument of the workflow type Request.
type RequestInput struct {
	Request int64 `json:"request"`
}

// Request is the clock of one request for a role: it asks the ledger what has become of it, and
// waits until something more is due, or until it is told that somebody has said something. It
// knows nothing by itself. It ends when what was granted is there, or nothing is to be.
func Request(ctx workflow.Context, in RequestInput) error {
	signals := workflow.GetSignalChannel(ctx, SignalLookAgain)
	for {
		drainSignals(signals)
		state, err := lookAtRequest(ctx, in.Request)
		if err != nil {
			return err
		}
		showRequest(ctx, state)
		told := signals.Len() > 0
		switch {
		case state.Over && !told:
			return nil
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested() && !told:
			return workflow.NewContinueAsNewError(ctx, TypeRequest, in)
		case told:
			continue
		}
		awaitRequest(ctx, signals, state)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// drainSignals takes all signals: what they are about is in the ledger.
func drainSignals(signals workflow.ReceiveChannel) {
	for signals.ReceiveAsync(nil) {
	}
}

// awaitRequest waits until it is time to look again, or somebody says that there is something
// new.
func awaitRequest(ctx workflow.Context, signals workflow.ReceiveChannel, state request.State) {
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	selector := workflow.NewSelector(ctx)
	fires := workflow.NewTimerWithOptions(timerCtx, max(state.Wait, time.Second), workflow.TimerOptions{Summary: state.Next})
	selector.AddFuture(fires, func(workflow.Future) {})
	selector.AddReceive(signals, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	selector.Select(ctx)
}

// stageOf maps what a request waits for to a stage.
var stageOf = map[request.Phase]string{
	request.Waiting: StageWaiting, request.Attention: StageAttention, request.Scheduled: StageScheduled, request.Applying: StageApplying,
}

// showRequest writes the search attributes of a request's run, if they have changed.
func showRequest(ctx workflow.Context, state request.State) {
	stage := stageOf[state.Phase]
	if state.Over {
		stage, state.Next, state.Due = StageDone, "", time.Time{}
	}
	next, due := AttrNextAction.ValueUnset(), AttrNextDue.ValueUnset()
	if state.Next != "" {
		next = AttrNextAction.ValueSet(state.Next)
	}
	if !state.Due.IsZero() {
		due = AttrNextDue.ValueSet(state.Due)
	}
	upsert(ctx, AttrStage.ValueSet(stage), next, due)
}

// lookAtRequest asks what has become of a request. It is a local activity, like assess.
func lookAtRequest(ctx workflow.Context, id int64) (request.State, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: ledgerTimeout,
		RetryPolicy:         ledgerRetry,
	})
	var state request.State
	err := workflow.ExecuteLocalActivity(ctx, activities.NameLookAtRequest, id).Get(ctx, &state)
	return state, err
}
