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

// withdrawal is a change that the breaker counts, and the steps that must not be applied
// before it is admitted.
type withdrawal struct {
	ledger.Ask
	steps []string // keys
	// either holds the keys of steps that may be applied as soon as one of the withdrawals
	// that name them is admitted: each of several causes is enough to cut somebody off.
	either []string
}

// withdrawals returns what the breaker counts of a decision: the end of an employment,
// suspensions by a security system, what somebody who stays would lose or be given, and the
// deletion of accounts that are off.
func (d decision) withdrawals() []withdrawal {
	var all []withdrawal
	switch status := d.Desired.Standing.Status; {
	case d.hasLeft():
		if leaver, ok := d.leaver(); ok {
			all = append(all, leaver)
		}
	case status == hr.StatusSuspended:
		all = append(all, d.announced()...)
		all = append(all, d.destructions()...)
	default:
		all = append(all, d.announced()...)
		all = append(all, d.disables()...)
		all = append(all, d.losses()...)
		all = append(all, d.grants()...)
	}
	suspensions := d.suspensions()
	if len(suspensions) == 0 { // the suspension is not counted, so it does not wait
		for i := range all {
			all[i].either = nil
		}
	}
	all = append(all, suspensions...)
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Delete && d.link(s.App).State != ledger.LinkActive {
			all = append(all, withdrawal{
				Ask:   ledger.Ask{Kind: ledger.Deletions, Key: s.Key, Apps: []string{s.App}, Why: s.Why},
				steps: []string{s.Key},
			})
		}
	}
	return all
}

// planned reports whether the plan can have steps. If policy cannot be evaluated, it has
// some only for a person who must be cut off.
func (d decision) planned() bool {
	return d.PolicyErr == nil || assess.CutsOff(d.Desired.Standing.Status)
}

// hasLeft reports whether the person's employment is over, suspended or not.
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

// leaver returns the end of the person's employment, or of an account that is nobody's, if it
// takes an account that is on or may be on. Once it was counted, it is asked for until all accounts are gone. To disable
// the accounts of a suspended person does not wait for it; the steps after that do.
func (d decision) leaver() (withdrawal, bool) {
	event := d.ending()
	out := withdrawal{Ask: d.askAbout(event)}
	if ledger.IsOrphan(d.Person.PersonID) {
		out.Kind, out.Key = ledger.Orphans, d.Person.PersonID
	}
	if period := d.Desired.Standing.Period; period != nil && period.End.Cause == hr.EndOfContract && period.End.Event == event {
		out.SaidAt = time.Time{} // HR gave the day of a contract long ago, and nothing announced it to the breaker
	}
	takes := slices.ContainsFunc(d.Person.Withdrawals, func(w ledger.Withdrawal) bool {
		return w.Kind == out.Kind && w.Key == out.Key
	})
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Disable && d.Desired.Standing.Status == hr.StatusSuspended && !d.Ended[s.App].Account {
			out.either = append(out.either, s.Key)
			continue
		}
		if s.Kind.Gives() || s.Kind == plan.Disable && d.Ended[s.App].Account {
			continue
		}
		out.steps = append(out.steps, s.Key)
		out.Apps = append(out.Apps, s.App)
		out.Why = s.Why
		takes = takes || d.turnsOff(s)
	}
	return out, takes
}

// suspensions returns the suspensions by which security systems cut the person off. One that
// is admitted is enough. If an operator has suspended the person, none is counted, and
// cutting them off waits for nothing. A suspension is asked for as long as it is in force,
// so that turning an account off once more does not count again.
func (d decision) suspensions() []withdrawal {
	if d.Desired.Standing.Status != hr.StatusSuspended {
		return nil
	}
	var off, apps []string
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Disable && !d.Ended[s.App].Account {
			off, apps = append(off, s.Key), append(apps, s.App)
		}
	}
	var all []withdrawal
	for _, key := range hr.Suspending(d.Person.PersonID, assess.EventsOf(d.Person), d.Now) {
		if strings.HasPrefix(key.Source, hr.TenureSources) {
			return nil
		}
		a := withdrawal{Ask: d.askAbout(key), either: off}
		a.Kind, a.Apps, a.Why, a.Voids, a.Immediate = ledger.Suspensions, apps, "suspended", true, true
		known := slices.ContainsFunc(d.Person.Withdrawals, func(w ledger.Withdrawal) bool { return w.Kind == a.Kind && w.Key == a.Key })
		if known || len(off) > 0 {
			all = append(all, a)
		}
	}
	return all
}

// turnsOff reports whether a step takes access that the person has, or may have.
func (d decision) turnsOff(s plan.Step) bool {
	state := d.link(s.App).State
	switch s.Kind {
	case plan.Disable:
		return state == ledger.LinkActive || state == ledger.LinkPlanned
	case plan.Delete:
		return state == ledger.LinkActive // the app cannot turn accounts off, so they are deleted instead
	}
	return false
}

// ending returns the event that ended the person's employment: a termination, the event that
// gave the contract's end, or the one that rescinded the hire.
func (d decision) ending() hr.EventKey {
	return hr.Ending(d.Person.PersonID, assess.EventsOf(d.Person), d.Now)
}

// announced returns the end of the person's employment that is known and has not come yet.
// It is counted when HR says it, so that a wrong date for many people is seen early.
func (d decision) announced() []withdrawal {
	period := d.Desired.Standing.Period
	if period == nil || period.End.Cause != hr.EndTerminated || !period.Ends.After(d.Now) {
		return nil
	}
	a := withdrawal{Ask: d.askAbout(period.End.Event)}
	a.DueAt = period.Ends
	for _, l := range d.Person.Links {
		if l.State == ledger.LinkActive || l.State == ledger.LinkPlanned || l.State == ledger.LinkDisabled {
			a.Apps = append(a.Apps, l.App)
		}
	}
	if len(a.Apps) == 0 {
		return nil
	}
	return []withdrawal{a}
}

// askAbout returns what the breaker is asked about the end of an employment by an event.
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

// disables returns the accounts that somebody who stays would lose: policy no longer grants
// them, or the person is on leave. Each app is one withdrawal.
func (d decision) disables() []withdrawal {
	var all []withdrawal
	for _, s := range d.Plan.Steps {
		if d.link(s.App).State != ledger.LinkActive || s.Kind != plan.Disable && s.Kind != plan.Delete || d.Ended[s.App].Account {
			continue
		}
		if i := slices.IndexFunc(all, func(a withdrawal) bool { return a.Apps[0] == s.App }); i >= 0 {
			continue // deleted right after it is disabled
		}
		all = append(all, withdrawal{
			Ask:   ledger.Ask{Kind: ledger.Disables, Key: s.Key, Apps: []string{s.App}, Why: s.Why},
			steps: []string{s.Key},
		})
	}
	return all
}

// destructions returns the accounts that a suspended person would lose for good because
// policy no longer grants them, in apps that cannot turn accounts off. They are counted by
// themselves: a suspension turns accounts off, and deletes none.
func (d decision) destructions() []withdrawal {
	return slices.DeleteFunc(d.disables(), func(a withdrawal) bool {
		s, _ := d.step(a.steps[0])
		return s.Kind != plan.Delete
	})
}

// losses returns the entitlements that somebody who stays would lose in accounts that they
// keep, other than what has ended by itself: it was said when that was given that it would end now,
// so it is no sign of a mistake about many people. Other changes of the same account wait with them.
func (d decision) losses() []withdrawal {
	var all []withdrawal
	for _, s := range d.Plan.Steps {
		if s.Kind != plan.Update {
			continue
		}
		if lost := set.Minus(s.Revoke, d.Ended[s.App].Entitlements); len(lost) > 0 {
			all = append(all, d.askFor(ledger.Losses, s, lost, "loses "))
		}
	}
	return all
}

// excepted reports whether exceptions alone give somebody what a step gives: an operator, or
// whoever approved it, has decided about this one person.
func (d decision) excepted(s plan.Step) bool {
	account := d.account(s.App)
	if s.Kind == plan.Provision && !account.Excepted {
		return false
	}
	gives := s.Grant
	for _, e := range account.Entitlements {
		if e.Excepted {
			gives = set.Minus(gives, []string{e.Name})
		}
	}
	return len(gives) == 0
}

// grants returns the entitlements and accounts that somebody who has access would be given
// in addition, other than by exceptions. The first access of a joiner or of somebody who comes back does not count,
// even if it comes in several parts; neither does what an adopted account lacks.
func (d decision) grants() []withdrawal {
	if !slices.ContainsFunc(d.Person.Links, func(l ledger.Link) bool { return l.State == ledger.LinkActive }) {
		return nil
	}
	var all []withdrawal
	for _, s := range d.Plan.Steps {
		link := d.link(s.App)
		switch {
		case link.JustAdopted(), d.excepted(s):
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

// owed reports whether an earlier plan was to create or enable the account, and that is
// neither done nor skipped by an operator. A planned link shows that the breaker let it
// pass once, even if the step was not planned meanwhile (because an end of access was
// held, for example).
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

// askFor returns the withdrawal of a change of the access that somebody who stays has in an
// app. Its key is made of the entitlements and of the start of the person's present standing,
// so that a decision about it survives other changes of the account, such as a title.
func (d decision) askFor(kind ledger.WithdrawalKind, s plan.Step, what []string, why string) withdrawal {
	content := append([]string{d.Desired.Standing.Since.UTC().Format(time.RFC3339Nano)}, slices.Sorted(slices.Values(what))...)
	sum := sha256.Sum256([]byte(strings.Join(content, "\x1f")))
	const most = 3 // entitlements are named
	named := strings.Join(what[:min(most, len(what))], ", ")
	if len(what) > most {
		named += fmt.Sprintf(" and %d more", len(what)-most)
	}
	return withdrawal{
		Ask:   ledger.Ask{Kind: kind, Key: s.App + "/" + string(kind) + "/" + hex.EncodeToString(sum[:6]), Apps: []string{s.App}, Why: why + named + " in " + s.App},
		steps: []string{s.Key},
	}
}

// link returns the person's link in an app; the zero link if there is none.
func (d decision) link(app string) ledger.Link {
	for _, l := range d.Person.Links {
		if l.App == app {
			return l
		}
	}
	return ledger.Link{}
}

// lapsed returns the withdrawals that are no longer asked for. A second termination beside
// the one that ends access stays: if the first were void, it would end access in its place.
func (d decision) lapsed(asks []withdrawal) []ledger.Withdrawal {
	if d.PolicyErr != nil {
		return nil // it is unknown what would be asked for
	}
	ending := slices.IndexFunc(asks, func(a withdrawal) bool { return a.Kind == ledger.Leavers })
	var out []ledger.Withdrawal
	for _, w := range d.Person.Withdrawals {
		switch {
		case slices.ContainsFunc(asks, func(a withdrawal) bool { return a.Kind == w.Kind && a.Key == w.Key }):
		case w.Kind == ledger.Leavers && w.State == ledger.WithdrawalAdmitted: // it stays admitted
		case w.Kind == ledger.Leavers && ending >= 0 && !d.rescinded(w.Event) && d.wouldEnd(w.Event, asks[ending].Event):
		default:
			out = append(out, w)
		}
	}
	return out
}

// wouldEnd reports whether a termination would end access altogether if the event that ends
// it now were void. The end of one position would not if another position were left; then
// cancelling it would give that position back to somebody who has left.
func (d decision) wouldEnd(key, ending hr.EventKey) bool {
	events := assess.EventsOf(d.Person)
	if !slices.ContainsFunc(events, func(e hr.Event) bool { return e.EventKey == key && e.PositionID != "" }) {
		return true
	}
	events = slices.DeleteFunc(events, func(e hr.Event) bool { return e.EventKey == ending })
	return hr.Merge(d.Person.PersonID, events).Leaves(d.Now)
}

// rescinded reports whether HR has rescinded an event.
func (d decision) rescinded(key hr.EventKey) bool {
	return slices.ContainsFunc(d.Person.Events, func(e ledger.StoredEvent) bool {
		return e.Event.Type == hr.EventRescinded && e.Event.Rescinded() == key
	})
}
