package hr

import (
	"slices"
	"time"
)

// At returns where the person stands at an instant, by all events that are known now: the
// timeline does not remember what was known at that time.
//
// A suspension takes precedence over everything else, and the end of a period over a leave.
// Between two periods the person has left: the status is StatusEnded, Period is the one
// that ended, and Changes is the return. StatusUpcoming is only for somebody whose first
// period has not begun.
func (t Timeline) At(now time.Time) Standing {
	s := t.at(now)
	for _, b := range t.boundaries() {
		if b.After(now) && differs(s, t.at(b)) {
			s.Changes = b
			break
		}
	}
	return s
}

// at returns what At returns, without Changes.
func (t Timeline) at(now time.Time) Standing {
	p := t.period(now)
	suspension, off := holding(t.Suspensions, now)
	switch {
	case p == nil && off: // for example because the hire was rescinded
		return Standing{Status: StatusSuspended, Since: suspension.From, Urgent: true}
	case p == nil:
		return Standing{Status: StatusUnknown}
	}
	s := Standing{Period: p, Profile: p.profile(now)}
	absence, away := holding(t.Absences, now)
	ended := p.never() || !p.Ends.IsZero() && !now.Before(p.Ends)
	switch {
	case off:
		s.Status, s.Since, s.Urgent = StatusSuspended, suspension.From, true
	case ended:
		s.Status, s.Since, s.Urgent = StatusEnded, p.Ends, p.End.Urgent
	case now.Before(p.Starts):
		s.Status = StatusUpcoming
	case away:
		s.Status, s.Since = StatusOnLeave, latest(p.Starts, absence.From)
	default:
		s.Status, s.Since = StatusActive, p.Starts
		for _, i := range slices.Concat(t.Absences, t.Suspensions) {
			if !i.To.After(now) {
				s.Since = latest(s.Since, i.To)
			}
		}
	}
	return s
}

// period returns the current period, else the last that has ended, else the next one.
// Periods that never give access count only if there are no others.
func (t Timeline) period(now time.Time) *Period {
	var found *Period
	for i := range t.Periods {
		p := &t.Periods[i]
		if found == nil || !p.never() && (found.never() || !now.Before(p.Starts)) {
			found = p
		}
	}
	return found
}

// Leaves reports whether a termination of all positions has ended the person's employment
// at an instant or is going to, or whether they were never employed.
func (t Timeline) Leaves(now time.Time) bool {
	p := t.period(now)
	return p == nil || p.End.Cause == EndTerminated
}

// profile returns the profile in force at an instant.
func (p *Period) profile(now time.Time) *Profile { return &p.snapshot(now).Profile }

// snapshot returns the effective profile at an instant.
func (p *Period) snapshot(now time.Time) *EffectiveProfile {
	in := &p.Profiles[0]
	for i := range p.Profiles {
		if s := &p.Profiles[i]; !s.From.After(now) {
			in = s
		}
	}
	return in
}

// boundaries lists the instants at which anything may change, in order.
func (t Timeline) boundaries() []time.Time {
	var list []time.Time
	for _, p := range t.Periods {
		list = append(list, p.Starts, p.Ends)
		for _, s := range p.Profiles {
			list = append(list, s.From)
		}
	}
	for _, i := range slices.Concat(t.Absences, t.Suspensions) {
		list = append(list, i.From, i.To)
	}
	list = slices.DeleteFunc(list, time.Time.IsZero)
	slices.SortFunc(list, time.Time.Compare)
	return list
}

// differs reports whether two standings of one timeline differ.
func differs(a, b Standing) bool {
	return a.Status != b.Status || a.Period != b.Period || a.Profile != b.Profile ||
		!a.Since.Equal(b.Since) || a.Urgent != b.Urgent
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
