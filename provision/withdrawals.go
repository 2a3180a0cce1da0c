package provision

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// asked is a withdrawal that the plan asks for, and the steps that are not to be
// applied before it is admitted.
type asked struct {
	ledger.Ask
	steps []string // keys
	// either are the keys of steps that may be applied as soon as any of those that name
	// them is admitted: each of several causes is enough to cut somebody off.
	either []string
}

// withdrawals is what the breaker counts of a decision: the end of an employment,
// suspensions by a security system, what somebody who stays is to lose, and to be given
// beyond what they have, and accounts that are to be deleted for good once they are off.
func (d decision) withdrawals() []asked {
	var all []asked
	switch status := d.Desired.Standing.Status; {
	case d.hasLeft():
		if leaver, ok := d.leaver(); ok {
			all = append(all, leaver)
		}
	case status == hr.StatusSuspended:
		all = append(all, d.announced()...)
		all = append(all, d.destroyed()...)
	default:
		all = append(all, d.announced()...)
		all = append(all, d.disables()...)
		all = append(all, d.losses()...)
		all = append(all, d.grants()...)
	}
	suspensions := d.suspensions()
	if len(suspensions) == 0 { // whoever suspended them waits for nobody
		for i := range all {
			all[i].either = nil
		}
	}
	all = append(all, suspensions...)
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Delete && d.link(s.App).State != ledger.LinkActive {
			all = append(all, asked{
				Ask:   ledger.Ask{Kind: ledger.Deletions, Key: s.Key, Apps: []string{s.App}, Why: s.Why},
				steps: []string{s.Key},
			})
		}
	}
	return all
}

// planned says whether anything is planned: where policy cannot be evaluated, only to
// cut somebody off.
func (d decision) planned() bool {
	return d.PolicyErr == nil || assess.CutsOff(d.Desired.Standing.Status)
}

// hasLeft says whether the person's employment is over, suspended or not.
func (d decision) hasLeft() bool {
	switch d.Desired.Standing.Status {
	case hr.StatusEnded, hr.StatusUnknown:
		return true
	case hr.StatusSuspended:
		period := d.Desired.Standing.Period
		return period == nil || !period.Ends.IsZero() && !period.Ends.After(d.Now)
	}
	return false
}

// leaver is the end of the person's employment, if it takes anything: an account
// that is on, or may be. One whose end was counted is asked for until all is gone.
// That security cuts them off waits for nothing, only what comes after it does.
func (d decision) leaver() (asked, bool) {
	event := d.ending()
	out := asked{Ask: d.askAbout(event)}
	if period := d.Desired.Standing.Period; period != nil && period.End.Cause == hr.EndOfContract && period.End.Event == event {
		out.SaidAt = time.Time{} // its day was given long ago, and announced to nobody
	}
	takes := slices.ContainsFunc(d.Person.Withdrawals, func(w ledger.Withdrawal) bool {
		return w.Kind == ledger.Leavers && w.Key == out.Key
	})
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Disable && d.Desired.Standing.Status == hr.StatusSuspended {
			out.either = append(out.either, s.Key)
			continue
		}
		if s.Kind.Gives() {
			continue
		}
		out.steps = append(out.steps, s.Key)
		out.Apps = append(out.Apps, s.App)
		out.Why = s.Why
		takes = takes || d.turnsOff(s)
	}
	return out, takes
}

// suspensions are those by which a security system cuts the person off, each of which
// is enough. One by an operator, or by somebody of whom it cannot be told who said it,
// is not counted, and lets nobody wait. Each is asked for as long as it is in force: what
// has to be turned off once more is not counted anew.
func (d decision) suspensions() []asked {
	if d.Desired.Standing.Status != hr.StatusSuspended {
		return nil
	}
	var off, apps []string
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Disable {
			off, apps = append(off, s.Key), append(apps, s.App)
		}
	}
	var all []asked
	for _, key := range hr.Suspending(d.Person.PersonID, assess.EventsOf(d.Person), d.Now) {
		if strings.HasPrefix(key.Source, hr.TenureSources) {
			return nil
		}
		a := asked{Ask: d.askAbout(key), either: off}
		a.Kind, a.Apps, a.Why, a.Voids, a.Immediate = ledger.Suspensions, apps, "suspended", true, true
		known := slices.ContainsFunc(d.Person.Withdrawals, func(w ledger.Withdrawal) bool { return w.Kind == a.Kind && w.Key == a.Key })
		if known || len(off) > 0 {
			all = append(all, a)
		}
	}
	return all
}

// turnsOff says whether a step takes access that is there, or may be.
func (d decision) turnsOff(s plan.Step) bool {
	state := d.link(s.App).State
	switch s.Kind {
	case plan.Disable:
		return state == ledger.LinkActive || state == ledger.LinkPlanned
	case plan.Delete:
		return state == ledger.LinkActive // the app cannot turn accounts off: gone is the only off
	}
	return false
}

// ending is the event that ended the person's employment: a termination, what gave
// the contract's end, or what rescinded the hire.
func (d decision) ending() hr.EventKey {
	return hr.Ending(d.Person.PersonID, assess.EventsOf(d.Person), d.Now)
}

// announced is the end of the person's employment that is known and has not come:
// a wrong date that HR gives to many is seen when it is given.
func (d decision) announced() []asked {
	period := d.Desired.Standing.Period
	if period == nil || period.End.Cause != hr.EndTerminated || !period.Ends.After(d.Now) {
		return nil
	}
	a := asked{Ask: d.askAbout(period.End.Event)}
	a.DueAt = period.Ends
	for _, l := range d.Person.Links {
		if l.State == ledger.LinkActive || l.State == ledger.LinkPlanned || l.State == ledger.LinkDisabled {
			a.Apps = append(a.Apps, l.App)
		}
	}
	if len(a.Apps) == 0 {
		return nil
	}
	return []asked{a}
}

// askAbout asks for the end of an employment by an event.
func (d decision) askAbout(key hr.EventKey) ledger.Ask {
	ask := ledger.Ask{Kind: ledger.Leavers, Key: ledger.EventWithdrawal(key), Event: key, Why: "access ends"}
	for _, e := range d.Person.Events {
		if e.Event.EventKey != key || key.ID == "" {
			continue
		}
		ask.SaidAt = e.At
		ask.Voids = e.Event.Type == hr.EventTerminated || e.Event.Type == hr.EventRescinded
		ask.Immediate = e.Event.Termination != nil && e.Event.Termination.Urgency == hr.UrgencyImmediate
	}
	return ask
}

// disables are the accounts that somebody who stays is to lose: policy does not
// grant them any more, or they are on leave. Each app is asked for by itself, with
// what follows there.
func (d decision) disables() []asked {
	var all []asked
	for _, s := range d.Plan.Steps {
		if d.link(s.App).State != ledger.LinkActive || s.Kind != plan.Disable && s.Kind != plan.Delete {
			continue
		}
		if i := slices.IndexFunc(all, func(a asked) bool { return a.Apps[0] == s.App }); i >= 0 {
			continue // deleted right after it is disabled
		}
		all = append(all, asked{
			Ask:   ledger.Ask{Kind: ledger.Disables, Key: s.Key, Apps: []string{s.App}, Why: s.Why},
			steps: []string{s.Key},
		})
	}
	return all
}

// destroyed are the accounts that somebody who is suspended is to lose for good because
// policy does not grant them any more, in apps that cannot turn accounts off. A
// suspension does not ask for that: it turns accounts off, and destroys none.
func (d decision) destroyed() []asked {
	return slices.DeleteFunc(d.disables(), func(a asked) bool {
		s, _ := d.step(a.steps[0])
		return s.Kind != plan.Delete
	})
}

// losses are the entitlements that somebody who stays is to lose in accounts that they
// keep. What else changes in the same account waits with it.
func (d decision) losses() []asked {
	var all []asked
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Update && len(s.Revoke) > 0 {
			all = append(all, d.askFor(ledger.Losses, s, s.Revoke, "loses "))
		}
	}
	return all
}

// grants are what somebody who has access is to be given beyond it: entitlements, and
// accounts in other apps. What a joiner is given, or who comes back, does not count, nor
// what is still missing of that; nor what an account that was just adopted has to get.
func (d decision) grants() []asked {
	if !slices.ContainsFunc(d.Person.Links, func(l ledger.Link) bool { return l.State == ledger.LinkActive }) {
		return nil
	}
	var all []asked
	for _, s := range d.Plan.Steps {
		link := d.link(s.App)
		switch {
		case link.JustAdopted():
		case s.Kind == plan.Update && len(s.Grant) > 0 && link.State == ledger.LinkActive:
			all = append(all, d.askFor(ledger.Grants, s, s.Grant, "is given "))
		case s.Kind == plan.Provision && !d.owed(s.App):
			gets := set.Minus(s.Grant, link.Entitlements)
			if link.State != ledger.LinkDisabled {
				gets = append([]string{"an account"}, gets...)
			}
			if len(gets) > 0 {
				all = append(all, d.askFor(ledger.Grants, s, gets, "is given "))
			}
		}
	}
	return all
}

// owed says whether an account was to be made or enabled before, which is not done yet,
// and nobody has decided against it. What was let pass once has a link, also if it was not
// asked for meanwhile: while an end was held that was cancelled then, say.
func (d decision) owed(app string) bool {
	owed := d.link(app).State == ledger.LinkPlanned
	for _, s := range d.Person.Steps {
		switch {
		case s.App != app || s.Kind != string(plan.Provision):
		case s.State != ledger.StepSkipped:
			return true
		default:
			owed = false
		}
	}
	return owed
}

// askFor asks for a change of what somebody who stays may do in an app. It is known by
// what that is and since when they are as they are: that something else changes in the
// account, such as a title, makes nothing of what was decided undone.
func (d decision) askFor(kind ledger.WithdrawalKind, s plan.Step, what []string, why string) asked {
	content := append([]string{d.Desired.Standing.Since.UTC().Format(time.RFC3339Nano)}, slices.Sorted(slices.Values(what))...)
	sum := sha256.Sum256([]byte(strings.Join(content, "\x1f")))
	const most = 3 // that are named
	named := strings.Join(what[:min(most, len(what))], ", ")
	if len(what) > most {
		named += fmt.Sprintf(" and %d more", len(what)-most)
	}
	return asked{
		Ask:   ledger.Ask{Kind: kind, Key: s.App + "/" + string(kind) + "/" + hex.EncodeToString(sum[:6]), Apps: []string{s.App}, Why: why + named + " in " + s.App},
		steps: []string{s.Key},
	}
}

func (d decision) link(app string) ledger.Link {
	for _, l := range d.Person.Links {
		if l.App == app {
			return l
		}
	}
	return ledger.Link{}
}

// gone are the withdrawals that are not asked for any more. A second termination
// that stands beside the one that ends access stays with it: once that is void, it
// would end access in its place.
func (d decision) gone(asks []asked) []ledger.Withdrawal {
	if d.PolicyErr != nil {
		return nil // what would be asked for is not known
	}
	ending := slices.IndexFunc(asks, func(a asked) bool { return a.Kind == ledger.Leavers })
	var out []ledger.Withdrawal
	for _, w := range d.Person.Withdrawals {
		switch {
		case slices.ContainsFunc(asks, func(a asked) bool { return a.Kind == w.Kind && a.Key == w.Key }):
		case w.Kind == ledger.Leavers && w.State == ledger.WithdrawalAdmitted: // holds for good
		case w.Kind == ledger.Leavers && ending >= 0 && !d.rescinded(w.Event) && d.wouldEnd(w.Event, asks[ending].Event):
		default:
			out = append(out, w)
		}
	}
	return out
}

// wouldEnd reports whether a termination would end access altogether if what ends it now
// were void. The end of one position does not if another one would be left: cancelling
// it would give that position back to somebody who has gone.
func (d decision) wouldEnd(key, ending hr.EventKey) bool {
	events := assess.EventsOf(d.Person)
	if !slices.ContainsFunc(events, func(e hr.Event) bool { return e.EventKey == key && e.PositionID != "" }) {
		return true
	}
	events = slices.DeleteFunc(events, func(e hr.Event) bool { return e.EventKey == ending })
	return hr.Merge(d.Person.PersonID, events).Leaves(d.Now)
}

func (d decision) rescinded(key hr.EventKey) bool {
	return slices.ContainsFunc(d.Person.Events, func(e ledger.StoredEvent) bool {
		return e.Event.Type == hr.EventRescinded && e.Event.Rescinded() == key
	})
}
