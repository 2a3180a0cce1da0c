package assess

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Why an exception is over by itself.
const (
	lapsedByTime       = "its time is over"
	lapsedByEmployment = "the employment has ended"
)

// Exceptions returns the exceptions that count when policy is evaluated for a person: those
// made for the employment that they are in or, between two, for the next one.
func Exceptions(person ledger.Person, t hr.Timeline, now time.Time) []policy.Exception {
	employment := current(t, now)
	if employment == nil {
		return nil
	}
	var all []policy.Exception
	for _, x := range person.Exceptions {
		if x.EndedAt.IsZero() && madeFor(x, *employment) {
			all = append(all, ruling(x))
		}
	}
	return all
}

// ruling returns what policy has to know of an exception.
func ruling(x ledger.Exception) policy.Exception {
	return policy.Exception{
		Name: x.Name(), Kind: policy.ExceptionKind(x.Kind), Role: x.Role, App: x.App, Entitlement: x.Entitlement, Duty: x.Duty,
		Decided: x.DecidedAt, From: x.StartsAt, Until: x.EndsAt,
	}
}

// endedGrants returns what the roles give that were granted to somebody until now.
func (r Rules) endedGrants(person ledger.Person, now time.Time) []policy.Grant {
	var all []policy.Grant
	for _, x := range person.Exceptions {
		if x.Kind == string(policy.ExceptGrant) && !x.EndsAt.IsZero() && !x.EndsAt.After(now) {
			all = append(all, r.Policy.RoleGrants(x.Role)...)
		}
	}
	return all
}

// lapsedExceptions returns the exceptions that are over by themselves: their time is over, or
// the employment for which they were made.
func lapsedExceptions(person ledger.Person, t hr.Timeline, now time.Time) []ledger.LapsedException {
	var lapsed []ledger.LapsedException
	for _, x := range person.Exceptions {
		switch {
		case !x.EndsAt.IsZero() && !x.EndsAt.After(now):
			lapsed = append(lapsed, ledger.LapsedException{ID: x.ID, Why: lapsedByTime})
		case !lives(x, t, now):
			lapsed = append(lapsed, ledger.LapsedException{ID: x.ID, Why: lapsedByEmployment})
		}
	}
	return lapsed
}

// lives reports whether the employment for which an exception was made has not ended.
func lives(x ledger.Exception, t hr.Timeline, now time.Time) bool {
	for _, period := range t.Periods {
		if madeFor(x, period) && (period.Ends.IsZero() || period.Ends.After(now)) {
			return true
		}
	}
	return false
}

// madeFor reports whether an exception was made for a period of employment: for the event that
// opened it, or while it lasted. The second counts if HR has corrected how the employment
// began, and so opened it by another event.
func madeFor(x ledger.Exception, period hr.Period) bool {
	if x.Employment == period.Opened {
		return true
	}
	return !x.DecidedAt.Before(period.Starts) && (period.Ends.IsZero() || x.DecidedAt.Before(period.Ends))
}

// current returns the period of employment that somebody is in or, if they are in none, the next
// one; nil if there is none.
func current(t hr.Timeline, now time.Time) *hr.Period {
	var next *hr.Period
	for i := range t.Periods {
		p := &t.Periods[i]
		over := !p.Ends.IsZero() && (!p.Ends.After(now) || !p.Ends.After(p.Starts))
		switch {
		case over:
		case !p.Starts.After(now):
			return p
		case next == nil || p.Starts.Before(next.Starts):
			next = p
		}
	}
	return next
}

// Employment returns the event that opened the employment that somebody is in or, if they are in
// none, will begin next; false if there is none. An exception is made for one.
func Employment(t hr.Timeline, now time.Time) (hr.EventKey, bool) {
	period := current(t, now)
	if period == nil {
		return hr.EventKey{}, false
	}
	return period.Opened, true
}
