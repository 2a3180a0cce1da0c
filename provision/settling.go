package provision

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
)

// An app may answer for a while as if a change had not been made (connector.Capabilities,
// Settling). What it says then is a picture of any moment since the last change but one: an
// account that was just made may not be found, one that was turned off, on and off again may
// seem off before the last call has reached it. The rules (docs/adr/0041) are:
//
//   - An answer that there is no account proves nothing while the app settles.
//   - What is read while the app settles spares no call.
//   - A call that was accepted counts. If a later read shows the wish too, that proves it; a
//     read that does not is repeated, and the call is not, until the app has settled.

// settlingApp makes the calls of one attempt. It remembers what they may have changed, holds
// back answers that prove nothing yet, and does not repeat calls that the app has accepted.
type settlingApp struct {
	connector.Connector
	attempt *stepAttempt
}

// changes holds what an attempt knows of changes of the account.
type changes struct {
	settling time.Duration  // product time in which the app's answers may lag; zero if they do not
	before   ledger.Changes // by earlier attempts
	own      ledger.Changes // by calls of this attempt that were answered
	lost     ledger.Changes // ... and by those whose answer was lost
	// acknowledgedAt is when the app accepted all that the step asks for; zero if it has not.
	acknowledgedAt time.Time
	// doubted means that a request of a call of this attempt may yet be carried out, although the
	// call succeeded: it was sent again (connector.NotingDoubts).
	doubted    bool
	accepted   bool // an earlier attempt's calls were accepted: none is repeated
	attributes bool // a call of this attempt may have set attributes
	// tryingSince is when the step was first tried.
	tryingSince time.Time
}

// settleFrom reads from the link and the step what is known of earlier changes.
func (a *stepAttempt) settleFrom(begun ledger.Begun, settling time.Duration) {
	c := &a.changes
	c.settling, c.tryingSince = a.engine.Clock.Span(settling), begun.TryingSince
	if at := begun.AcknowledgedAt; c.settling > 0 && !at.IsZero() && !at.Before(begun.Link.ChangedAt) {
		c.acknowledgedAt, c.accepted = at, true
	}
}

// settled reports whether what the app showed before this attempt's own calls is current: no
// call of Tenure's has changed the account within the settling time.
func (a *stepAttempt) settled() bool {
	return a.settledSince(latestOf(a.changes.before.ChangedAt, a.link.CreatedAt))
}

// settledGiving is settled for calls that give access only: what they gave is shown by now.
func (a *stepAttempt) settledGiving() bool {
	return a.settledSince(latestOf(a.changed().GaveAt, a.link.CreatedAt))
}

// settledTaking reports whether it can be known that entitlements are taken: none was given within
// the settling time before this attempt. An app that does not know yet that one was given may
// answer that there is nothing to take, and show that.
func (a *stepAttempt) settledTaking(names []string) bool {
	return len(names) == 0 || a.settledSince(latestOf(a.changes.before.GaveAt, a.link.CreatedAt))
}

func (a *stepAttempt) settledSince(at time.Time) bool {
	return a.changes.settling == 0 || !a.engine.Clock.Now().Before(at.Add(a.changes.settling))
}

// lags reports whether what the app shows now may be older than the last change of the
// account, this attempt's own included.
func (a *stepAttempt) lags() bool {
	c := a.changes
	return c.settling > 0 && (!a.settled() || !c.own.ChangedAt.IsZero() || !c.lost.ChangedAt.IsZero())
}

// The pauses between looks at an app that settles: a part of the time since the change.
const (
	firstLook  = 2 * time.Second
	lastLook   = time.Minute
	lookEvery  = 4 // a look after each quarter of the time that has passed
	settleLate = time.Second
)

// unsettled returns the error of a step that waits because the app may still answer as before
// a change. It is asked again soon, since most changes show long before the app has settled.
func (a *stepAttempt) unsettled(what string) *Error {
	now := a.engine.Clock.Now()
	since, every := now.Sub(latestOf(a.changes.before.ChangedAt, a.link.CreatedAt, a.changes.own.ChangedAt)), lookEvery
	if since < 0 { // a call without an answer may take effect until that time, and seldom does so late
		since, every = now.Sub(a.changes.tryingSince), 1
	}
	return &Error{
		Code:      string(connector.KindUnavailable),
		Message:   what + ": that may be out of date so soon after a change, and is looked at again",
		Retryable: true, RetryAfter: pauseAfter(a.engine.Clock.Wait(since), every), Settles: a.engine.Clock.Wait(a.changes.settling),
	}
}

// pauseAfter returns the pause until the next look at an app: the real time since the change, divided
// by part, within bounds.
func pauseAfter(since time.Duration, part int) time.Duration {
	return min(max(since/time.Duration(part), firstLook), lastLook)
}

// unsettledGiving is unsettled for what cannot be known before the app shows what it was told
// to give.
func (a *stepAttempt) unsettledGiving(what string) *Error {
	f := a.unsettled(what)
	at := latestOf(a.changed().GaveAt, a.link.CreatedAt).Add(a.changes.settling)
	f.RetryAfter = a.engine.Clock.Wait(at.Sub(a.engine.Clock.Now())) + settleLate
	return f
}

// acknowledge takes note that the app has accepted all calls of the step.
func (a *stepAttempt) acknowledge() {
	if a.changes.acknowledgedAt.IsZero() && a.changes.lost.ChangedAt.IsZero() {
		a.changes.acknowledgedAt = a.engine.Clock.Now()
	}
}

// notYet returns the error of an app that accepted all calls and does not show their effect
// when it is read again. While the app settles, later attempts only look. If it still does not
// show it then, the next one calls again.
func (a *stepAttempt) notYet(op, what string) error {
	if a.lags() {
		a.acknowledge()
		return a.notShown(op, what)
	}
	looked := !a.changes.acknowledgedAt.IsZero()
	a.changes.acknowledgedAt = time.Time{}
	if looked {
		return a.lateAgain(op, what)
	}
	return a.notShown(op, what)
}

// notTakenYet is notYet for a step that takes entitlements. If it has given some too, or something
// was given before, no look proves it until that has had its time (see settledTaking): so none is
// made before.
func (a *stepAttempt) notTakenYet(op, what string) error {
	if a.settledGiving() || !a.changes.lost.ChangedAt.IsZero() {
		return a.notYet(op, what)
	}
	a.acknowledge()
	return a.unsettledGiving("the app accepted the call but, read again, " + what)
}

// lateAgain returns the error of an app that has settled and does not show what it accepted. The
// calls are made once more, and it has as long again to show them before the step needs attention.
func (a *stepAttempt) lateAgain(op, what string) *Error {
	return &Error{
		Code: string(connector.KindUnavailable), Message: op + ": the app accepted the call and, read again after all its time, " + what,
		Retryable: true, Settles: a.engine.Clock.Wait(a.changes.settling),
	}
}

// notShown is notYet for an app that did not accept all calls: the next attempt repeats them.
func (a *stepAttempt) notShown(op, what string) error {
	what = "the app accepted the call but, read again, " + what
	if a.lags() {
		return a.unsettled(what)
	}
	return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: what}
}

// notShownAgain is notShown for calls that every look repeats. The pauses grow with the time for
// which the step has been tried, since each look is a change.
func (a *stepAttempt) notShownAgain(op, what string) error {
	err := a.notShown(op, what)
	var f *Error
	if errors.As(err, &f) {
		f.RetryAfter = pauseAfter(a.engine.Clock.Wait(a.engine.Clock.Now().Sub(a.trying)), lookEvery)
	}
	return err
}

// changed returns what may have changed of the account, this attempt's calls included.
func (a *stepAttempt) changed() ledger.Changes {
	all := a.changes.before
	for _, more := range []ledger.Changes{a.changes.own, a.changes.lost} {
		all.ChangedAt, all.GaveAt = latestOf(all.ChangedAt, more.ChangedAt), latestOf(all.GaveAt, more.GaveAt)
		all.Unsure.State = all.Unsure.State || more.Unsure.State
		all.Unsure.Entitlements = slices.Concat(all.Unsure.Entitlements, more.Unsure.Entitlements)
	}
	return all
}

func latestOf(times ...time.Time) (latest time.Time) {
	for _, at := range times {
		if at.After(latest) {
			latest = at
		}
	}
	return latest
}

// Find returns the accounts that match. That none does, or that one of a known ID is not
// there, is an error while the app settles after what made the account or gave it something.
func (s settlingApp) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	matches, err := s.attempt.searches(ctx, s.Connector, keys)
	if err == nil && len(matches) == 0 && !s.attempt.settledGiving() {
		return nil, s.attempt.unsettled("the app finds no account")
	}
	return matches, err
}

// Read returns the account. That it is not there is another error while the app settles. An
// attempt that has read the account and changed nothing since does not read it again: the account
// was seen after all that the step has changed.
func (s settlingApp) Read(ctx context.Context, id string) (connector.Account, error) {
	seen := &s.attempt.seen
	if id != "" && seen.account.ID == id && (seen.whole || connector.SparesEntitlements(ctx)) {
		return seen.account, nil
	}
	account, err := s.Connector.Read(ctx, id)
	if err == nil && account.ID == id {
		*seen = sight{account, !connector.SparesEntitlements(ctx)}
	}
	return account, s.certain(err)
}

// sight is an account as an attempt read it. Whole means with its entitlements.
type sight struct {
	account connector.Account
	whole   bool
}

// certain returns an error of KindNotFound as one of an app that settles, while what the account
// was made of, or was given, may not show yet. What was taken from it does not hide it.
func (s settlingApp) certain(err error) error {
	if connector.Is(err, connector.KindNotFound) && !s.attempt.settledGiving() {
		return s.attempt.unsettled("the app shows no account")
	}
	return err
}

// hidden reports whether err says that an app which settles shows no account.
func hidden(err error) bool {
	var f *Error
	return errors.As(err, &f) && f.Settles > 0
}

// effect is what a call may change.
type effect struct {
	op           string
	gives        bool     // it gives access
	state        bool     // it turns the account on or off
	entitlements []string // it grants or revokes these
}

// change makes a call that changes the account.
func (s settlingApp) change(ctx context.Context, of effect, do func(context.Context) error) error {
	a := s.attempt
	if a.changes.accepted = a.changes.accepted && of.op != connector.OpCreate; a.changes.accepted {
		return nil
	}
	a.seen = sight{}
	var doubted atomic.Bool
	err := do(connector.NotingDoubts(a.continuing(ctx, of.op), func() { doubted.Store(true) }))
	a.answered(of, err, doubted.Load())
	a.begins(of.op, err)
	return s.certain(err)
}

// unchanged lists the errors after which an app has changed nothing.
var unchanged = append([]connector.ErrorKind{
	connector.KindNotFound, connector.KindExists, connector.KindConflict, connector.KindPending,
}, nothingMade...)

// partly lists the operations that may have done a part of what is asked for, whatever their
// error says.
var partly = []string{connector.OpGrant, connector.OpRevoke, connector.OpDisable, connector.OpUpdate}

// answered takes note of the answer to a call that may have changed the account. doubted means that
// a request of the call was sent again because its outcome was not known. If the call succeeded
// then, the account is as the call asks for, and stays so whenever that request is carried out.
// Only what contradicts it, and comes later, may yet be undone: what was given may come back until
// the deadline.
func (a *stepAttempt) answered(of effect, err error, doubted bool) {
	c, at, into := &a.changes, a.engine.Clock.Now(), &a.changes.own
	f := &Error{}
	if err != nil {
		f = ErrorOf(err)
	}
	a.changes.doubted = a.changes.doubted || doubted
	switch {
	case err != nil && doubted:
		at, into = a.deadline, &c.lost
	case f.NoTurn, f.Code == CodeProtected, connector.Is(err, unchanged...) && !slices.Contains(partly, of.op):
		return
	case connector.Is(err, connector.KindNotFound): // nothing that a later look could show late
		c.own.Unsure.State = c.own.Unsure.State || of.state
		c.own.Unsure.Entitlements = append(c.own.Unsure.Entitlements, of.entitlements...)
		return
	case err != nil && !f.declined && !connector.Is(err, append(unchanged, connector.KindUnderway)...):
		at, into = a.deadline, &c.lost
	}
	into.ChangedAt = at
	c.attributes = c.attributes || of.op == connector.OpUpdate
	if of.gives {
		into.GaveAt = at
		if doubted {
			into.GaveAt = a.deadline
		}
	}
	into.Unsure.State = into.Unsure.State || of.state
	into.Unsure.Entitlements = append(into.Unsure.Entitlements, of.entitlements...)
}

// The methods below make the calls that change an account.

func (s settlingApp) Create(ctx context.Context, spec connector.Spec) (account connector.Account, err error) {
	err = s.change(ctx, effect{op: connector.OpCreate, gives: true}, func(ctx context.Context) (err error) {
		account, err = s.Connector.Create(ctx, spec)
		return err
	})
	return account, err
}

func (s settlingApp) Adopt(ctx context.Context, id, personID string) error {
	return s.change(ctx, effect{op: connector.OpAdopt}, func(ctx context.Context) error { return s.Connector.Adopt(ctx, id, personID) })
}

func (s settlingApp) Update(ctx context.Context, id string, attributes map[string]any) error {
	return s.change(ctx, effect{op: connector.OpUpdate}, func(ctx context.Context) error { return s.Connector.Update(ctx, id, attributes) })
}

func (s settlingApp) Relabel(ctx context.Context, id string, to connector.Label) error {
	return s.change(ctx, effect{op: connector.OpRelabel}, func(ctx context.Context) error { return s.Connector.Relabel(ctx, id, to) })
}

func (s settlingApp) Grant(ctx context.Context, id string, names []string) error {
	return s.change(ctx, effect{op: connector.OpGrant, gives: true, entitlements: names}, func(ctx context.Context) error { return s.Connector.Grant(ctx, id, names) })
}

func (s settlingApp) Revoke(ctx context.Context, id string, names []string) error {
	return s.change(ctx, effect{op: connector.OpRevoke, entitlements: names}, func(ctx context.Context) error { return s.Connector.Revoke(ctx, id, names) })
}

func (s settlingApp) Disable(ctx context.Context, id string) error {
	return s.on(ctx, effect{op: connector.OpDisable, state: true}, id, s.Connector.Disable)
}

func (s settlingApp) Enable(ctx context.Context, id string) error {
	return s.on(ctx, effect{op: connector.OpEnable, gives: true, state: true}, id, s.Connector.Enable)
}

func (s settlingApp) RevokeSessions(ctx context.Context, id string) error {
	return s.on(ctx, effect{op: connector.OpRevokeSessions}, id, s.Connector.RevokeSessions)
}

func (s settlingApp) ResetCredentials(ctx context.Context, id string) error {
	return s.on(ctx, effect{op: connector.OpResetCredentials}, id, s.Connector.ResetCredentials)
}

func (s settlingApp) HandOver(ctx context.Context, from, to string) error {
	return s.change(ctx, effect{op: connector.OpHandOver}, func(ctx context.Context) error { return s.Connector.HandOver(ctx, from, to) })
}

func (s settlingApp) Delete(ctx context.Context, id string) error {
	return s.on(ctx, effect{op: connector.OpDelete}, id, s.Connector.Delete)
}

func (s settlingApp) Restore(ctx context.Context, id string) error {
	return s.on(ctx, effect{op: connector.OpRestore, gives: true, state: true}, id, s.Connector.Restore)
}

func (s settlingApp) on(ctx context.Context, of effect, id string, do func(context.Context, string) error) error {
	return s.change(ctx, of, func(ctx context.Context) error { return do(ctx, id) })
}
