package assess

import (
	"slices"
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
		if x.EndedAt.IsZero() && holdsIn(x, t, *employment) {
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

// lapsedExceptions returns the exceptions that are over by themselves: their time is over, or
// the employment for which they were made. What is withheld stays on until another employment
// has begun: HR may take back the end of this one, or say anew how it began, and what was
// withheld must not come back with it.
func lapsedExceptions(person ledger.Person, t hr.Timeline, now time.Time) []ledger.LapsedException {
	employment := current(t, now)
	employed := employment != nil && !employment.Starts.After(now)
	var lapsed []ledger.LapsedException
	for _, x := range person.Exceptions {
		switch {
		case !x.EndsAt.IsZero() && !x.EndsAt.After(now):
			lapsed = append(lapsed, ledger.LapsedException{ID: x.ID, Why: lapsedByTime})
		case lives(x, t, now):
		case x.Kind != string(policy.ExceptWithhold), employed:
			lapsed = append(lapsed, ledger.LapsedException{ID: x.ID, Why: lapsedByEmployment})
		}
	}
	return lapsed
}

// lives reports whether an employment in which an exception holds has not ended.
func lives(x ledger.Exception, t hr.Timeline, now time.Time) bool {
	for _, period := range t.Periods {
		if holdsIn(x, t, period) && (period.Ends.IsZero() || period.Ends.After(now)) {
			return true
		}
	}
	return false
}

// longestBreak is the longest time between two employments that is none: a long weekend, such as
// between the last day of a contract and the first day of the next one.
const longestBreak = 4 * 24 * time.Hour

// holdsIn reports whether an exception holds in a period of employment. That is the one for which
// it was made. What is withheld also holds in those that follow it without a break: HR may give
// somebody another ID, or another contract, and what was withheld must not come back with it.
func holdsIn(x ledger.Exception, t hr.Timeline, period hr.Period) bool {
	if madeFor(x, t, period) {
		return true
	}
	return x.Kind == string(policy.ExceptWithhold) && slices.ContainsFunc(t.Periods, func(before hr.Period) bool {
		return follows(before, period) && holdsIn(x, t, before)
	})
}

// follows reports whether a period of employment follows another one without a break.
func follows(before, period hr.Period) bool {
	return before.Ends.After(before.Starts) && before.Starts.Before(period.Starts) && !period.Starts.After(before.Ends.Add(longestBreak))
}

// madeFor reports whether an exception was made for a period of employment: for the event that
// opened it, or in it, or before it when it was the next one. The last two count if HR has
// corrected how the employment began, and so opened it by another event.
func madeFor(x ledger.Exception, t hr.Timeline, period hr.Period) bool {
	if x.Employment == period.Opened {
		return true
	}
	decided := current(t, x.DecidedAt)
	return decided != nil && decided.Opened == period.Opened && decided.Starts.Equal(period.Starts)
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
