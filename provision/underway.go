package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

const (
	// usualUnderway is App.LongestUnderway where nothing else is said.
	usualUnderway = 24 * time.Hour
	// soonestLook and latestLook bound the time (real) until an operation is looked at again,
	// unless the app asks for more.
	soonestLook = 2 * time.Second
	latestLook  = 10 * time.Minute
)

// continuing returns the context of a call: it has the operation that an earlier attempt began
// by such a call.
func (a *stepAttempt) continuing(ctx context.Context, op string) context.Context {
	if a.underway.Call != op || a.beganNow {
		return ctx
	}
	return connector.WithOperation(ctx, a.underway.Operation)
}

// begins takes note of the operation that a call has begun, or forgets the one that it
// continued: the app has done it, or said that it will not. An error that may go away by
// itself says neither.
func (a *stepAttempt) begins(op string, err error) {
	var known *connector.Error
	switch {
	case a.beganNow: // the step waits for one at a time
	case errors.As(err, &known) && known.Kind == connector.KindUnderway:
		since := a.underway.Since
		if since.IsZero() {
			since = a.engine.Clock.Now()
		}
		a.underway = ledger.Underway{Operation: known.Operation, Call: op, Since: since}
		a.beganNow = true
	case a.underway.Call == op && (err == nil || !ErrorOf(err).Retryable):
		a.underway = ledger.Underway{}
	}
}

// isUnderway stores that the app has begun what the step asks for and takes long over it. The
// step is looked at again later, and holds no slot of a worker meanwhile. One that takes too
// long needs attention, and is still looked at.
func (e *Engine) isUnderway(ctx context.Context, req Attempt, begun ledger.Begun, a *stepAttempt, f *Error) (Result, error) {
	now := e.Clock.Now()
	since := e.Clock.Wait(now.Sub(a.underway.Since))
	f.Message += fmt.Sprintf(" (under way since %s", a.underway.Since.Format(time.DateTime))
	if a.underway.Operation != "" {
		f.Message += ", operation " + a.underway.Operation
	}
	f.Message += ")"
	latest := latestLook
	if req.Step.Kind == plan.Disable {
		latest = time.Minute
	}
	if since > e.longestUnderway(req.Step.App, req.Step.Kind) {
		f.Retryable = false
		f.Message += ": look in the app why it takes so long, and end it there if it has failed; retry looks again, skip does without"
		return "", e.fail(ctx, req, begun, a, f)
	}
	a.underway.LookAt = now.Add(e.Clock.Span(max(f.RetryAfter, soonestLook, min(since/10, latest))))
	changed := a.changed()
	return ResultUnderway, e.finish(ctx, req, begun, ledger.Outcome{
		State: ledger.StepOpen, Code: f.Code, Message: f.Message, Changes: &changed, Underway: a.underway, InDoubt: a.doubted(req),
	})
}

// longestUnderway returns how long (real time) an operation that a step waits for may be under way
// before it needs an operator. If it is to cut somebody off, they may have access meanwhile.
func (e *Engine) longestUnderway(name string, kind plan.Kind) time.Duration {
	if kind == plan.Disable {
		return e.AttentionAfter
	}
	if app := e.Apps[name]; app != nil && app.LongestUnderway > 0 {
		return app.LongestUnderway
	}
	return usualUnderway
}

// awaits returns how long an operation of the step is left alone, or nil if there is none or
// it is to be looked at now.
func (e *Engine) awaits(d decision, s ledger.Step) *Waiting {
	if s.State != ledger.StepOpen || !s.Underway.LookAt.After(d.Now) {
		return nil
	}
	return &Waiting{
		Since: s.Underway.Since, Due: s.Underway.Since.Add(e.Clock.Span(e.longestUnderway(s.App, plan.Kind(s.Kind)))),
		Wait: e.Clock.Wait(s.Underway.LookAt.Sub(d.Now)),
	}
}

// leaves returns what the record says of operations that the person's steps waited for, and
// which none of those to be done does.
func (d decision) leaves(todo []Todo) (rows []ledger.AuditRow) {
	for _, s := range d.Person.Steps {
		unfinished := s.State == ledger.StepOpen || s.State == ledger.StepAttention
		wanted := slices.ContainsFunc(todo, func(t Todo) bool { return t.Key == s.Key })
		if row := left(s.App, s.Kind, s.Underway); row != nil && unfinished && !wanted {
			rows = append(rows, *row)
		}
	}
	return rows
}

// left returns what the record says of an operation that Tenure does not follow any more. The
// app may complete it; that cannot be stopped from here. It returns nil if there is none.
func left(app, kind string, u ledger.Underway) *ledger.AuditRow {
	if u.Call == "" {
		return nil
	}
	return &ledger.AuditRow{
		App: app, Action: "left_underway", Actor: ledger.ActorTenure, Cause: "no longer wanted",
		Detail: map[string]any{"step": kind, "operation": u.Operation, "since": u.Since},
	}
}
