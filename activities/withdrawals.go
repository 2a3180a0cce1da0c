package activities

import (
	"slices"

	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// asked is a withdrawal of access that the plan asks for, and the steps that are
// not to be applied before it is admitted.
type asked struct {
	ledger.Ask
	steps []string // keys
}

// withdrawals is what the breaker counts of a decision: the end of an employment,
// accounts that somebody who stays is to lose, and accounts that are to be deleted
// for good once they are off. Who is suspended is cut off without being counted.
func (d decision) withdrawals() []asked {
	var all []asked
	switch status := d.desired.Standing.Status; {
	case d.hasLeft():
		if leaver, ok := d.leaver(); ok {
			all = append(all, leaver)
		}
	case status == hr.StatusSuspended:
		all = append(all, d.announced()...)
	default:
		all = append(all, d.announced()...)
		all = append(all, d.disables()...)
	}
	for _, s := range d.plan.Steps {
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
	return d.policyErr == nil || decide.CutsOff(d.desired.Standing.Status)
}

// hasLeft says whether the person's employment is over, suspended or not.
func (d decision) hasLeft() bool {
	switch d.desired.Standing.Status {
	case hr.StatusEnded, hr.StatusUnknown:
		return true
	case hr.StatusSuspended:
		period := d.desired.Standing.Period
		return period == nil || !period.Ends.IsZero() && !period.Ends.After(d.now)
	}
	return false
}

// leaver is the end of the person's employment, if it takes anything: an account
// that is on, or may be. One whose end was counted is asked for until all is gone.
// That security cuts them off waits for nothing, only what comes after it does.
func (d decision) leaver() (asked, bool) {
	event := d.ending()
	out := asked{Ask: d.askAbout(event)}
	takes := slices.ContainsFunc(d.person.Withdrawals, func(w ledger.Withdrawal) bool {
		return w.Kind == ledger.Leavers && w.Key == out.Key
	})
	for _, s := range d.plan.Steps {
		if s.Kind.Gives() || s.Kind == plan.Disable && d.desired.Standing.Status == hr.StatusSuspended {
			continue
		}
		out.steps = append(out.steps, s.Key)
		out.Apps = append(out.Apps, s.App)
		out.Why = s.Why
		takes = takes || d.turnsOff(s)
	}
	return out, takes
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
	return hr.Ending(d.person.PersonID, decide.EventsOf(d.person), d.now)
}

// announced is the end of the person's employment that is known and has not come:
// a wrong date that HR gives to many is seen when it is given.
func (d decision) announced() []asked {
	period := d.desired.Standing.Period
	if period == nil || period.End.Cause != hr.EndTerminated || !period.Ends.After(d.now) {
		return nil
	}
	a := asked{Ask: d.askAbout(period.End.Event)}
	a.DueAt = period.Ends
	for _, l := range d.person.Links {
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
	for _, e := range d.person.Events {
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
	for _, s := range d.plan.Steps {
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

func (d decision) link(app string) ledger.Link {
	for _, l := range d.person.Links {
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
	if d.policyErr != nil {
		return nil // what would be asked for is not known
	}
	ending := slices.ContainsFunc(asks, func(a asked) bool { return a.Kind == ledger.Leavers })
	var out []ledger.Withdrawal
	for _, w := range d.person.Withdrawals {
		switch {
		case slices.ContainsFunc(asks, func(a asked) bool { return a.Kind == w.Kind && a.Key == w.Key }):
		case w.Kind == ledger.Leavers && w.State == ledger.WithdrawalAdmitted: // holds for good
		case w.Kind == ledger.Leavers && ending && !d.rescinded(w.Event):
		default:
			out = append(out, w)
		}
	}
	return out
}

func (d decision) rescinded(key hr.EventKey) bool {
	return slices.ContainsFunc(d.person.Events, func(e ledger.StoredEvent) bool {
		return e.Event.Type == hr.EventRescinded && e.Event.Rescinded() == key
	})
}
