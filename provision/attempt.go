package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

const (
	// settleMargin is how long after an attempt's deadline one of its calls may still take
	// effect in a slow app.
	settleMargin = 15 * time.Second
	// maxDone is how often a run may apply the very same step with success before the step
	// counts as one without lasting effect.
	maxDone = 3
)

// Attempt is one attempt at one step of one person, and who makes it.
type Attempt struct {
	PersonID string
	Step     plan.Step
	Done     int            // how often the caller has seen this very step done before
	Again    bool           // the caller knows of an earlier attempt at it
	Deadline time.Time      // when all of its calls are over
	Token    string         // identifies the step to the app: see connector.WithStep
	Urgent   bool           // the person has to be cut off now
	Actor    string         // who does it, for the audit; empty: Tenure
	Detail   map[string]any // details for the audit; may be nil
}

// Result names the outcome of a step that did not fail. It is part of workflow histories.
type Result string

// The outcomes of a step that did not fail.
const (
	ResultDone       Result = "done"
	ResultSuperseded Result = "superseded" // the step is no longer planned
	ResultWaiting    Result = "waiting"    // a human was asked and has not answered yet
	ResultUnderway   Result = "underway"   // the app has begun it and takes long over it
)

// notPlanned returns the error for a step that no plan can contain, such as one with the key
// of another app's step: it would take that app's account for this one's.
func notPlanned() error {
	return &Error{Code: CodeNotPlanned, Message: "the step's key is not of its app and kind: no plan has it", Final: true}
}

// Apply makes one attempt at a step if the plan, made again from the ledger, still has it:
// write-ahead intent, calls, proof, outcome. Only a first search may come before the intent: see
// lookAhead. It returns the proven link if the step is done.
// The error is an *Error. The ledger has the outcome, unless the ledger itself failed.
//
// The context has to outlast the attempt's deadline, because the outcome is stored after the
// calls.
func (e *Engine) Apply(call context.Context, req Attempt) (Result, ledger.Link, error) {
	var none ledger.Link
	if !req.Step.Genuine() {
		return "", none, notPlanned()
	}
	s, err := e.start(call, req)
	if err != nil {
		return "", none, LedgerError(err)
	}
	if s == nil {
		return ResultSuperseded, none, nil
	}
	begun, from, over := s.begun, s.from, s.intent.Deadline
	if req.Done >= maxDone {
		return "", none, e.fail(call, req, begun, nil, notConverging(req.Done))
	}
	if !begun.AsRead {
		before := from
		d, err := e.decideBefore(call, req.PersonID, begun.Link)
		if err == nil {
			from, err = e.outsetOf(call, d, req)
		}
		if err != nil {
			return "", none, LedgerError(err)
		}
		if begun.Untried && from != nil {
			from.search = before.search // for the same keys, the app has what it had
		}
	}
	if from == nil {
		return ResultSuperseded, none, e.finish(call, req, begun, ledger.Outcome{
			State: ledger.StepSuperseded, Audit: left(req.Step.App, string(req.Step.Kind), begun.Underway),
		})
	}

	calls, cancel := context.WithDeadline(connector.WithStep(call, req.Token), req.Deadline)
	defer cancel()
	d := from.d
	a := &stepAttempt{
		engine: e, ctx: calls, d: d, step: from.step, search: from.search, link: begun.Link, doubt: begun.DoubtUntil, unproven: begun.Unproven, trying: begun.TryingSince, deadline: over,
		changes: changes{before: begun.Link.Changes()}, underway: begun.Underway,
	}
	a.underway.LookAt = time.Time{}
	if begun.AsRead {
		a.noted = s.intent.Ahead.Creating
	}
	got, err := a.perform(begun) //nolint:contextcheck // the attempt holds the context of its calls
	if err != nil {
		f := ErrorOf(err)
		if f.Code == CodeWaiting || f.Code == CodeOverdue {
			return ResultWaiting, none, e.wait(call, req, begun, f)
		}
		if f.Code == string(connector.KindUnderway) && a.underway.Call != "" {
			result, err := e.isUnderway(call, req, begun, a, f)
			return result, none, err
		}
		e.pause(call, req.Step.App, f)
		f = f.Bounded(req.Urgent, e.Patience(req.Step.Kind, req.Urgent))
		f.attributes = got.shown
		return "", none, e.fail(call, req, begun, a, f)
	}
	last := a.changed()
	got.link.ChangedAt, got.link.GaveAt = last.ChangedAt, last.GaveAt
	t, turned := d.turned(a.step.Kind, begun.Link, got)
	err = e.finish(call, req, begun, ledger.Outcome{
		State:      ledger.StepDone,
		Link:       &got.link,
		InDoubt:    a.doubted(req),
		DueReports: got.created && e.Policy.UsesManager(a.step.App),
		Audit: &ledger.AuditRow{
			App: a.step.App, Action: got.action, Actor: cmp.Or(got.by, req.Actor, "tenure"), Cause: d.cause(a.step),
			Detail: d.figured(got.detailed(req.Detail), t, turned),
		},
	})
	var taken *ledger.TakenError
	if errors.As(err, &taken) {
		return "", none, e.fail(call, req, begun, a, takenByAnother(taken))
	}
	if err != nil {
		return "", none, err
	}
	if turned {
		e.Metrics.turned(t.app, t.off, e.Clock.Wait(got.link.ProvenAt.Sub(t.since)))
	}
	return ResultDone, got.link, nil
}

// started is an attempt that has begun.
type started struct {
	intent ledger.Attempt // what the ledger was told
	begun  ledger.Begun   // what it answered
	from   *outset        // from lookAhead; nil if nothing counts of what was found out before
}

// start looks ahead and writes the intent. It returns nil if the step turns out to be superseded
// before that: then nothing is written.
func (e *Engine) start(call context.Context, req Attempt) (*started, error) {
	from, superseded := e.lookAhead(call, req)
	if superseded {
		return nil, nil //nolint:nilnil // nothing is to be done, and nothing is wrong
	}
	s := &started{intent: e.intent(req, from, true), from: from}
	var err error
	if s.begun, err = e.Ledger.BeginStep(call, s.intent); err != nil || s.begun.Attempt != 0 {
		return s, err
	}
	if s.from, superseded = e.lookAgain(call, req, from); superseded {
		return nil, nil //nolint:nilnil // nothing is to be done, and nothing is wrong
	}
	s.intent = e.intent(req, s.from, false)
	s.begun, err = e.Ledger.BeginStep(call, s.intent)
	return s, err
}

// intent returns what the ledger is told of an attempt that begins now. With orNone, none begins if
// what was found out before has to be looked at again.
func (e *Engine) intent(req Attempt, from *outset, orNone bool) ledger.Attempt {
	now := e.Clock.Now()
	return ledger.Attempt{
		PersonID: req.PersonID, App: req.Step.App, Key: req.Step.Key, Kind: string(req.Step.Kind),
		At:       now,
		Deadline: now.Add(e.Clock.Span(time.Until(req.Deadline) + settleMargin)),
		Gives:    req.Step.Kind.Gives(),
		Destroys: e.destroys(req.Step),
		May:      may(req.Step),
		Ahead:    from.ahead(now, orNone),
	}
}

// may returns what the calls of a step may change.
func may(s plan.Step) *ledger.Unsure {
	return &ledger.Unsure{
		State:        s.Kind == plan.Provision || s.Kind == plan.Disable,
		Entitlements: slices.Concat(s.Grant, s.Revoke),
	}
}

// wait stores that the step waits for a human. One that is overdue needs attention too.
func (e *Engine) wait(ctx context.Context, req Attempt, begun ledger.Begun, f *Error) error {
	outcome := ledger.Outcome{State: ledger.StepOpen, Code: f.Code, Message: f.Message}
	if f.Code == CodeOverdue {
		outcome.State = ledger.StepAttention
	}
	return e.finish(ctx, req, begun, outcome)
}

// LongestBackoff is the longest pause, in real time, between attempts at a step if the app asks for
// none. What passes beyond it before the next attempt begins is time in a queue.
const LongestBackoff = time.Minute

// fail stores a failed attempt and returns its error, which says whether another attempt
// follows. a is nil if no call was made.
func (e *Engine) fail(ctx context.Context, req Attempt, begun ledger.Begun, a *stepAttempt, f *Error) error {
	queued := begun.Queued
	if req.Step.Kind == plan.Disable {
		queued = 0 // whoever waits to be cut off still has access
	}
	failing := e.Clock.Wait(e.Clock.Now().Sub(begun.TryingSince) - queued) // real time
	outcome := ledger.Outcome{
		State: ledger.StepOpen, Code: f.Code, Message: f.Message, Attributes: f.attributes,
		// A call without an answer may have reached the app and take effect late. An
		// operator who places a hold has to know that the account may yet be destroyed.
		InDoubt: a.doubted(req) || e.lasts(req.Step) && slices.Contains(unanswered, f.Code) && a.unanswered(f),
	}
	if a != nil {
		last := a.changed()
		outcome.Changes, outcome.AcknowledgedAt, outcome.Underway = &last, a.changes.acknowledgedAt, a.underway
		if unknown := ledger.AttributesUnknown; a.changes.attributes && outcome.Attributes == nil && !begun.Link.JustAdopted() {
			outcome.Attributes = &unknown
		}
	}
	// What an app accepts and shows late may have to be asked for once more.
	patience := e.AttentionAfter + 2*f.Settles
	f.Final = !f.Retryable || failing > patience && !f.NoTurn || f.refuses(failing)
	if f.Final {
		outcome.State = ledger.StepAttention
	} else {
		outcome.Due = e.Clock.Now().Add(e.Clock.Span(max(f.RetryAfter, LongestBackoff)))
	}
	if err := e.finish(ctx, req, begun, outcome); err != nil {
		return err
	}
	return f
}

// lasts reports whether others have to know that a call of a step may yet be carried out: it gives
// access, or destroys an account.
func (e *Engine) lasts(s plan.Step) bool { return s.Kind.Gives() || e.destroys(s) }

// doubted reports whether others have to know that a request of the attempt may yet be carried out,
// although the call succeeded.
func (a *stepAttempt) doubted(req Attempt) bool {
	return a != nil && a.changes.doubted && a.engine.lasts(req.Step)
}

// unanswered reports whether a call may have got no answer. It has one if the error only says
// that the app settles, or that it takes no calls now.
func (a *stepAttempt) unanswered(f *Error) bool {
	return a == nil || f.Settles == 0 && !f.declined || !a.changes.lost.ChangedAt.IsZero()
}

// unanswered lists the codes of errors after which the app may have carried out the call.
var unanswered = []string{string(connector.KindUnavailable), string(connector.KindContradictory)}

func (e *Engine) finish(ctx context.Context, req Attempt, begun ledger.Begun, o ledger.Outcome) error {
	o.PersonID, o.App, o.Key, o.Kind = req.PersonID, req.Step.App, req.Step.Key, string(req.Step.Kind)
	o.Attempt = begun.Attempt
	o.At = e.Clock.Now()
	if o.Changes == nil { // no call was made
		before := begun.Link.Changes()
		o.Changes = &before
	}
	if o.Audit != nil {
		o.Audit.At = o.At
	}
	if err := e.Ledger.FinishStep(ctx, o); err != nil {
		var taken *ledger.TakenError
		if errors.As(err, &taken) {
			return taken
		}
		return LedgerError(err)
	}
	e.Metrics.attempted(o)
	return nil
}

// cause returns why a step is done, for the audit: the roles or the reason, and the event
// behind the person's present standing.
func (d decision) cause(step plan.Step) string {
	if event := d.Timeline.Cause(d.Now).Event.ID; event != "" {
		return fmt.Sprintf("%s (%s)", step.Why, event)
	}
	return step.Why
}

// stepAttempt holds all that one attempt at one step needs to perform it.
type stepAttempt struct {
	engine *Engine
	ctx    context.Context //nolint:containedctx // lives exactly as long as the attempt
	d      decision
	step   plan.Step
	// search is the one that was made before the intent; nil if there was none, or it was used.
	search *search
	noted  ledger.Creation // the creation that the intent has noted; zero if it has noted none
	link   ledger.Link
	// doubt is until when calls of earlier attempts may still take effect; zero: no longer.
	doubt time.Time
	// unproven means that an earlier attempt may have done some of what is to be done.
	unproven bool
	// trying is since when the step is tried: see ledger.Begun.TryingSince.
	trying time.Time
	// deadline is when no call of this attempt can take effect any more.
	deadline time.Time
	changes  changes
	underway ledger.Underway // the operation that the app has begun; zero if there is none
	beganNow bool            // a call of this attempt is under way by it
	app      settlingApp     // guarded: see perform
	seen     sight           // the account as it was last read, if nothing was changed since
}

// performed holds the outcome of performing a step.
type performed struct {
	link    ledger.Link
	action  string // what was done, for the audit
	created bool   // the account was not there or not linked before
	by      string // the human who did the step; empty: Tenure
	detail  map[string]any
	// shown is the digest of the attributes that the account shows after a failed step that
	// may have set some of them; nil if it has set none.
	shown *string
}

// detailed returns the details for the audit: those of the attempt, and those of the outcome.
func (p performed) detailed(attempt map[string]any) map[string]any {
	detail := map[string]any{}
	maps.Copy(detail, attempt)
	maps.Copy(detail, p.detail)
	return detail
}

// proven returns the outcome of a step that is done, for the proof of it.
func (a *stepAttempt) proven(action string, proof assess.Proof) performed {
	proof.At = a.engine.Clock.Now()
	return performed{
		link:   assess.After(a.link, a.step, a.d.account(a.step.App), proof),
		action: action, created: proof.New,
	}
}

// performers maps each kind of step to the method that performs it.
var performers = map[plan.Kind]func(*stepAttempt) (performed, error){
	plan.Provision: (*stepAttempt).provision,
	plan.Update:    (*stepAttempt).update,
	plan.Relabel:   (*stepAttempt).relabel,
	plan.Disable:   (*stepAttempt).disable,
	plan.Strip:     (*stepAttempt).strip,
	plan.HandOver:  (*stepAttempt).handOver,
	plan.Delete:    (*stepAttempt).delete,
}

func notConverging(times int) *Error {
	return &Error{
		Code:    CodeNotConverging,
		Message: fmt.Sprintf("done %d times and planned again each time: does another system change the account back?", times),
	}
}

func (a *stepAttempt) perform(begun ledger.Begun) (performed, error) {
	app, ok := a.engine.Apps[a.step.App]
	if !ok {
		return performed{}, &Error{
			Code:    CodeUnknownApp,
			Message: "the configuration has no such app any more: put it back until its accounts are gone, or skip this",
		}
	}
	if app.Unopened != nil {
		return performed{}, &Error{
			Code:    string(connector.KindUnauthorized),
			Message: app.Unopened.Error() + ": correct it and restart the workers; it is tried again then",
		}
	}
	// Every change of an account goes through the guard: what is protected by now is not
	// touched, whatever led here.
	guarded := assess.Guard(app.Connector, a.engine.Policy, a.step.App, a.d.Person.PersonID)
	a.app = settlingApp{guarded, a}
	a.settleFrom(begun, app.settling())
	a.link.PersonID, a.link.App = a.d.Person.PersonID, a.step.App
	if a.step.Kind == plan.Disable {
		a.doubtWhileLetIn()
	}
	if ask, ok := a.manualAsk(); ok {
		if a.step.Kind == plan.HandOver && a.app.Capabilities().HandOver {
			return a.handOverTogether(ask)
		}
		return a.byHand(ask)
	}
	return performers[a.step.Kind](a)
}
