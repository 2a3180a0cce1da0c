package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/internal/pace"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

const (
	// heartbeatEvery is well below the heartbeat timeout that workflows ask for,
	// so that only a dead process misses it.
	heartbeatEvery = 3 * time.Second
	// settleMargin is how long after an attempt's deadline a call that it made may
	// still take effect in a slow app.
	settleMargin = 15 * time.Second
	// maxDone is how often a run may apply the very same step with success before
	// it is taken for one that has no lasting effect.
	maxDone = 3
)

// Apply applies one step to one account, if the ledger, read now, still asks for
// it. It is registered under the name of every plan.Kind.
func (a *Activities) Apply(ctx context.Context, req StepRequest) (StepResult, error) {
	defer keepAlive(ctx)()
	info := activity.GetInfo(ctx)
	app := a.Apps[req.Step.App]
	// One that the urgent queue had no room for is as urgent on another.
	urgent := info.TaskQueue == UrgentQueue || info.Priority.PriorityKey == PriorityUrgent
	if info.TaskQueue != AppQueue(req.Step.App) {
		leave, elsewhere := app.takeSlot(req.Step.App, info.TaskQueue == UrgentQueue, req.Step.Kind.Gives())
		if elsewhere != nil {
			return StepResult{Result: ResultMoved, Route: *elsewhere}, nil
		}
		defer leave()
	}
	// A call that has been sent is seen to its end even if the run has lost
	// interest: only its outcome makes clear what has to be undone.
	call, cancel := context.WithDeadline(context.WithoutCancel(ctx), info.Deadline)
	defer cancel()
	if urgent {
		call = pace.Urgent(call)
	}
	times := timesOf(info.Deadline.Sub(info.StartedTime))
	if err := app.soon(call, info.Deadline); err != nil {
		return StepResult{}, failed(err).bounded(urgent).temporal(false)
	}
	leave, err := app.place(ctx, times.place, claimOf(info, req.Step.Kind, urgent))
	if err != nil {
		return StepResult{}, err
	}
	defer leave()
	deadline := earlierOf(time.Now().Add(times.calls), info.Deadline.Add(-times.finish))
	if err := app.soon(call, deadline); err != nil { // it may have asked for a pause meanwhile
		return StepResult{}, failed(err).bounded(urgent).temporal(false)
	}
	result, _, err := a.attempt(call, req, attempt{
		deadline: deadline,
		step:     info.WorkflowExecution.RunID + "/" + info.ActivityID,
		urgent:   urgent,
		detail:   map[string]any{"change": info.WorkflowType.Name, "runId": info.WorkflowExecution.RunID},
	})
	return result, err
}

// attempt is what one attempt at a step has of who makes it.
type attempt struct {
	deadline time.Time      // when its calls are certainly over
	step     string         // names the step to the app: see connector.WithStep
	urgent   bool           // somebody is to be cut off now
	actor    string         // who does it; empty: Tenure
	detail   map[string]any // for the audit
}

// notPlanned is the failure to apply what was never planned: the key of one app's step
// with another app, which would take the one's account for the other's.
func notPlanned() error {
	return temporal.NewNonRetryableApplicationError("the step's key is not of its app and kind: no plan has it", codeNotHere, nil)
}

// attempt makes one attempt at a step: write-ahead intent, calls, proof, outcome.
// It gives the link that was proven, if the step was done.
func (a *Activities) attempt(call context.Context, req StepRequest, by attempt) (StepResult, ledger.Link, error) {
	var none ledger.Link
	if !req.Step.Genuine() {
		return StepResult{}, none, notPlanned()
	}
	app := a.Apps[req.Step.App]
	now := a.Clock.Now()
	begun, err := a.Ledger.BeginStep(call, ledger.Attempt{
		PersonID: req.PersonID, App: req.Step.App, Key: req.Step.Key, Kind: string(req.Step.Kind),
		At:       now,
		Deadline: now.Add(a.Clock.Span(time.Until(by.deadline) + settleMargin)),
		Gives:    req.Step.Kind.Gives(),
		Destroys: a.destroys(req.Step),
	})
	if err != nil {
		return StepResult{}, none, classify(err)
	}
	d, err := a.decide(call, req.PersonID)
	if err != nil {
		return StepResult{}, none, classify(err)
	}
	step, wanted := d.step(req.Step.Key)
	if req.Done >= maxDone {
		return StepResult{}, none, a.fail(call, req, begun, notConverging(req.Done))
	}
	gate, err := a.admit(call, d)
	if err != nil {
		return StepResult{}, none, classify(err)
	}
	if !wanted || gate.shut[step.Key] {
		return StepResult{Result: ResultSuperseded}, none, a.finish(call, req, begun, ledger.Outcome{State: ledger.StepSuperseded})
	}

	calls, cancel := context.WithDeadline(connector.WithStep(call, by.step), by.deadline)
	defer cancel()
	t := &task{a: a, ctx: calls, d: d, step: step, link: begun.Link, doubt: begun.DoubtUntil, again: begun.Unproven}
	done, err := t.perform()
	if err != nil {
		f := failed(err)
		if f.code == CodeWaiting || f.code == CodeOverdue {
			return StepResult{Result: ResultWaiting}, none, a.wait(call, req, begun, f)
		}
		a.pause(call, app, req.Step.App, f)
		f.attributes = done.shown
		return StepResult{}, none, a.fail(call, req, begun, f.bounded(by.urgent))
	}
	err = a.finish(call, req, begun, ledger.Outcome{
		State:      ledger.StepDone,
		Link:       &done.link,
		DueReports: done.created && a.Policy.UsesManager(step.App),
		Audit: &ledger.AuditRow{
			App: step.App, Action: done.action, Actor: cmp.Or(done.by, by.actor, "tenure"), Cause: d.cause(step), Detail: done.detailed(by.detail),
		},
	})
	var taken *ledger.TakenError
	if errors.As(err, &taken) {
		return StepResult{}, none, a.fail(call, req, begun, takenByAnother(taken))
	}
	if err != nil {
		return StepResult{}, none, err
	}
	a.Metrics.proven(step.Kind, begun.Link, done.link, a.Clock.Wait(done.link.ProvenAt.Sub(d.said())))
	return StepResult{Result: ResultDone}, done.link, nil
}

// wait stores that a human was asked. What is overdue needs attention as well.
func (a *Activities) wait(ctx context.Context, req StepRequest, begun ledger.Begun, f failure) error {
	outcome := ledger.Outcome{State: ledger.StepOpen, Code: f.code, Message: f.message}
	if f.code == CodeOverdue {
		outcome.State = ledger.StepAttention
	}
	return a.finish(ctx, req, begun, outcome)
}

// fail stores a failed attempt and says whether Temporal is to try again.
func (a *Activities) fail(ctx context.Context, req StepRequest, begun ledger.Begun, f failure) error {
	failing := a.Clock.Wait(a.Clock.Now().Sub(begun.TryingSince)) // real time
	outcome := ledger.Outcome{
		State: ledger.StepOpen, Code: f.code, Message: f.message, Attributes: f.attributes,
		// No answer is no refusal: the app may have taken the call, and be slow.
		// Whoever places a hold has to know of what may yet be destroyed.
		InDoubt: (req.Step.Kind.Gives() || a.destroys(req.Step)) && slices.Contains(unanswered, f.code),
	}
	attention := !f.retryable || failing > a.AttentionAfter && !f.noTurn || f.refuses(failing)
	if attention {
		outcome.State = ledger.StepAttention
	}
	if err := a.finish(ctx, req, begun, outcome); err != nil {
		return err
	}
	return f.temporal(attention)
}

// unanswered are the codes of calls that may have been taken for all that is known.
var unanswered = []string{string(connector.KindUnavailable), string(connector.KindContradictory)}

func (a *Activities) finish(ctx context.Context, req StepRequest, begun ledger.Begun, o ledger.Outcome) error {
	o.PersonID, o.App, o.Key, o.Kind = req.PersonID, req.Step.App, req.Step.Key, string(req.Step.Kind)
	o.Attempt = begun.Attempt
	o.At = a.Clock.Now()
	if o.Audit != nil {
		o.Audit.At = o.At
	}
	if err := a.Ledger.FinishStep(ctx, o); err != nil {
		var taken *ledger.TakenError
		if errors.As(err, &taken) {
			return taken
		}
		return classify(err)
	}
	a.Metrics.attempted(o)
	return nil
}

// cause says why a step is done, for the audit: the roles or the reason, and what HR
// said that makes it so at present.
func (d decision) cause(step plan.Step) string {
	if event := d.timeline.Cause(d.now).Event.ID; event != "" {
		return fmt.Sprintf("%s (%s)", step.Why, event)
	}
	return step.Why
}

// task is one attempt at one step: all that performing it needs.
type task struct {
	a     *Activities
	ctx   context.Context //nolint:containedctx // lives exactly as long as the attempt
	d     decision
	step  plan.Step
	link  ledger.Link
	doubt time.Time
	// again says that an earlier attempt may have done some of what is to be done.
	again bool
	app   connector.Connector // guarded: see perform
}

// done is what performing a step came to.
type done struct {
	link    ledger.Link
	action  string // for the audit
	created bool   // the account was not there or not linked before
	by      string // the human who did it; empty: Tenure
	detail  map[string]any
	// shown is the digest of the attributes that an account shows of which a step that
	// failed has set some; nil if it has set none.
	shown *string
}

// detailed is the detail for the audit: who did it in which run, and what was done.
func (d done) detailed(run map[string]any) map[string]any {
	detail := maps.Clone(run)
	maps.Copy(detail, d.detail)
	return detail
}

// performers is what each kind of step does.
var performers = map[plan.Kind]func(*task) (done, error){
	plan.Provision: (*task).provision,
	plan.Update:    (*task).update,
	plan.Relabel:   (*task).relabel,
	plan.Disable:   (*task).disable,
	plan.Strip:     (*task).strip,
	plan.HandOver:  (*task).handOver,
	plan.Delete:    (*task).delete,
}

func notConverging(times int) failure {
	return failure{
		code:    CodeNotConverging,
		message: fmt.Sprintf("done %d times and planned again each time: does another system change the account back?", times),
	}
}

func (t *task) perform() (done, error) {
	app, ok := t.a.Apps[t.step.App]
	if !ok {
		return done{}, failure{
			code:    CodeUnknownApp,
			message: "the configuration has no such app any more: put it back until its accounts are gone, or skip this",
		}
	}
	// All that changes an account goes through here, and through the guard: what is
	// protected by now is not touched, whatever led here.
	t.app = decide.Guard(app.Connector, t.a.Policy, t.step.App, t.d.person.PersonID)
	t.link.PersonID, t.link.App = t.d.person.PersonID, t.step.App
	if t.step.Kind == plan.Disable {
		t.doubts()
	}
	if ask, ok := t.asked(); ok {
		return t.byHand(ask)
	}
	return performers[t.step.Kind](t)
}

// keepAlive heartbeats until the returned function is called, so that the death
// of this process is noticed long before the attempt's deadline.
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
