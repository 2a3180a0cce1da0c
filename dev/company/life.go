package company

import (
	"time"

	"github.com/tenurehq/tenure/hr"
)

// life holds the truth about one person, whatever HR tells of it.
type life struct {
	id          string
	employments []*employment // by first day
	suspensions []suspension  // by from
}

// employment is one stay with the company.
type employment struct {
	first    hr.Date
	last     hr.Date   // zero: until the contract ends, if the last fact has such a date
	endsAt   time.Time // when access ends; zero: at the end of the last day
	facts    []fact    // by from; the first from the first day on
	absences []absence // by from

	// What HR said of its beginning, its contract's last renewal, and its end; nil if
	// nothing.
	opened, renewed, ended *statement
}

// fact is a person's profile from a day on.
type fact struct {
	from    hr.Date
	profile hr.Profile
}

// absence is a leave; back is zero if the return is not known.
type absence struct{ from, back hr.Date }

// suspension is a time without any access; to is zero if it goes on.
type suspension struct{ from, to time.Time }

// covers reports whether the suspension is not over at an instant.
func (s suspension) covers(at time.Time) bool { return s.to.IsZero() || at.Before(s.to) }

// on returns the fact that holds on a day of the employment.
func (e *employment) on(day hr.Date) *fact {
	in := &e.facts[0]
	for i := range e.facts {
		if e.facts[i].from.Compare(day) <= 0 {
			in = &e.facts[i]
		}
	}
	return in
}

// latest returns the last fact that is known.
func (e *employment) latest() *fact { return &e.facts[len(e.facts)-1] }

// lastDay returns the last day of the employment; zero if no end is known.
func (e *employment) lastDay() hr.Date {
	if e.last.IsZero() {
		return e.latest().profile.EndDate
	}
	return e.last
}

func (e *employment) starts() time.Time { return e.first.StartIn(e.facts[0].zone()) }

// ends returns the first instant without access; zero if no end is known.
func (e *employment) ends() time.Time {
	last := e.lastDay()
	if last.IsZero() {
		return time.Time{}
	}
	at := last.AddDays(1).StartIn(e.on(last).zone())
	if !e.endsAt.IsZero() && e.endsAt.Before(at) {
		return e.endsAt
	}
	return at
}

// at returns the fact that holds at an instant: each day begins in its own zone.
func (e *employment) at(now time.Time) *fact {
	in := &e.facts[0]
	for i := range e.facts {
		if !e.facts[i].from.StartIn(e.facts[i].zone()).After(now) {
			in = &e.facts[i]
		}
	}
	return in
}

func (e *employment) away(now time.Time) bool {
	for _, a := range e.absences {
		began := !now.Before(a.from.StartIn(e.on(a.from).zone()))
		back := !a.back.IsZero() && !now.Before(a.back.StartIn(e.on(a.back).zone()))
		if began && !back {
			return true
		}
	}
	return false
}

func (f *fact) zone() *time.Location {
	zone, err := hr.LoadZone(f.profile.Location.TimeZone)
	if err != nil {
		panic("company: a zone in the tables does not exist: " + err.Error())
	}
	return zone
}
