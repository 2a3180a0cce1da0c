package hr

import (
	"cmp"
	"slices"
	"time"
)

// span is one uninterrupted part of an employment. Most employments are one span. If a
// contract's end date passed before HR extended it, the next span begins with the event
// that resumed the employment.
type span struct {
	opened    *Event
	first     Date     // first day
	snapshots []*Event // by effective date; at least one
	ends      Date     // first day after the contract's end; zero if it is open
}

// last is the snapshot whose end date ends the span.
func (s *span) last() *Event { return s.snapshots[len(s.snapshots)-1] }

// settle takes out the events that HR said after a contract had lapsed and that would bring
// access back: another end date, no end date, a conversion. Access that has ended comes back
// only by a rehire or by a rescind of the event that ended it, so an operator is asked. An
// event that HR said before the end extends the contract, even if it is received later.
// settle keeps events that change nothing about present access, and a past that HR tells
// all at once.
func (m *employment) settle() {
	if !slices.ContainsFunc(m.said, func(e *Event) bool { return !e.Profile.EndDate.IsZero() }) {
		return // no contract can lapse
	}
	settled := *m
	settled.said = nil
	var known []Period         // by the events said before; computed only once a contract may have lapsed
	var soonest time.Time      // none of the known periods can have ended before then
	var last time.Time         // when HR said the event before
	lapsed := false            // a contract has lapsed since last, or earlier for good
	for _, e := range m.said { // in the order in which HR said them
		at := e.Said()
		sure := !lapsed && (soonest.IsZero() || at.Before(soonest))
		if end := e.Profile.EndDate; !end.IsZero() {
			if ends := end.utc().Add(-zonesApart); soonest.IsZero() || ends.Before(soonest) {
				soonest = ends
			}
		}
		if sure {
			settled.said, known, last = append(settled.said, e), nil, at
			continue
		}
		if known == nil {
			known = settled.contracts()
		}
		ended := func(p Period) bool { return !p.never() && !p.Ends.IsZero() && !p.Ends.After(at) }
		lapsed = lapsed || slices.ContainsFunc(known, func(p Period) bool { return ended(p) && p.Ends.After(last) })
		next := nextAccess(known, at)
		lapsed = lapsed && !next.Equal(at)
		settled.said = append(settled.said, e)
		now := settled.contracts()
		is := nextAccess(now, at)
		earlier := !is.IsZero() && (next.IsZero() || is.Before(next)) ||
			!slices.ContainsFunc(now, ended) // the employment would never have begun
		last = at
		if lapsed && earlier && e.Type != EventRehired {
			m.late = append(m.late, e)
			settled.said = settled.said[:len(settled.said)-1]
			continue
		}
		known = now
	}
	m.said = settled.said
}

// contracts returns the periods that the employment would have without a termination.
func (m *employment) contracts() []Period {
	spans, _ := m.spans(m.inForce())
	periods := make([]Period, 0, len(spans))
	for _, s := range spans {
		periods = append(periods, s.period())
	}
	return periods
}

// nextAccess returns the first instant, at or after the given one, that lies in a period;
// zero if there is none.
func nextAccess(periods []Period, at time.Time) time.Time {
	for _, p := range periods {
		if !p.never() && (p.Ends.IsZero() || p.Ends.After(at)) {
			return latest(p.Starts, at)
		}
	}
	return time.Time{}
}

// inForce returns the snapshots of the employment by effective date. If several are
// effective on one day, it keeps the one recorded last. It leaves out snapshots about a
// start that HR has moved since, so that the old date does not come back.
func (m *employment) inForce() []*Event {
	_, moot := m.starts()
	return lastByDay(filter(m.said, func(e *Event) bool { return !moot[e] }))
}

// lastByDay returns snapshots by effective date, for each day the one recorded last.
func lastByDay(snapshots []*Event) []*Event {
	byDay := slices.Clone(snapshots)
	slices.SortFunc(byDay, func(a, b *Event) int {
		return cmp.Or(a.Effective.Compare(b.Effective), a.compare(b))
	})
	var list []*Event
	for _, e := range byDay {
		if n := len(list); n > 0 && list[n-1].Effective == e.Effective {
			list[n-1] = e
			continue
		}
		list = append(list, e)
	}
	return list
}

// spans cuts the snapshots in force where a contract lapsed. It returns as lost the
// snapshots that are effective after that and do not resume the contract.
func (m *employment) spans(snapshots []*Event) (spans []*span, lost []*Event) {
	if len(snapshots) == 0 {
		return nil, nil
	}
	current := &span{opened: m.opening(), first: m.start()}
	spans = append(spans, current)
	for _, e := range snapshots {
		switch {
		case e.Effective.Compare(current.first) <= 0 || len(current.snapshots) == 0 || current.continuesWith(e):
			current.snapshots = append(current.snapshots, e)
		case e.resumes():
			current = &span{opened: e, first: later(e.Effective, e.Profile.StartDate), snapshots: []*Event{e}}
			spans = append(spans, current)
		default:
			lost = append(lost, e)
			continue
		}
		current.ends = Date{}
		if end := e.Profile.EndDate; !end.IsZero() {
			current.ends = later(end.AddDays(1), later(current.first, e.Effective))
		}
	}
	return spans, lost
}

// continuesWith reports whether a snapshot takes over before the contract lapses. On the
// day of the end, only a snapshot whose own end is not before its beginning takes over.
func (s *span) continuesWith(e *Event) bool {
	if s.ends.IsZero() {
		return true
	}
	c := e.Effective.Compare(s.ends)
	return c < 0 || c == 0 && !e.stale()
}

// resumes reports whether a snapshot brings a lapsed contract back to life.
func (e *Event) resumes() bool {
	return !e.stale() && (e.Type == EventConverted || !e.Profile.EndDate.IsZero())
}

// stale reports whether the end date is before the effective date: the snapshot is about a
// contract that is over.
func (e *Event) stale() bool {
	end := e.Profile.EndDate
	return !end.IsZero() && end.Compare(e.Effective) < 0
}

// opening returns the event that opened the employment: the rehire, else the hire that was
// said first, else the earliest snapshot.
func (m *employment) opening() *Event {
	if m.rehired != nil {
		return m.rehired
	}
	if i := slices.IndexFunc(m.said, func(e *Event) bool { return e.Type == EventHired }); i >= 0 {
		return m.said[i]
	}
	return lastByDay(m.said)[0]
}

// start returns the first day of the employment: the start date that was said last, among
// those that can be about this employment.
func (m *employment) start() Date {
	start, _ := m.starts()
	return start
}

// starts returns the first day, and the moot snapshots: those that name a first day that HR
// has moved since and take effect on that day. Snapshots with another effective date, such
// as an announced transfer, still hold.
func (m *employment) starts() (start Date, moot map[*Event]bool) {
	moot = map[*Event]bool{}
	if len(m.said) == 0 {
		return Date{}, moot
	}
	opening := m.opening()
	var ok bool
	start, ok = m.startIn(opening)
	if !ok {
		start = opening.Effective
	}
	contract := opening.Profile.EndDate
	for _, old := range m.said {
		// Without a hire the earliest snapshot opens the employment, though HR may have
		// announced a later start before.
		first, ok := m.startIn(old)
		if ok && old.before(opening) && old.Type != EventConverted && first.Compare(start) > 0 && old.Effective == first {
			moot[old] = true
		}
	}
	announced := m.announced()
	for _, e := range m.said {
		day, ok := m.startIn(e)
		if !ok || !opening.before(e) || day.Compare(start) > 0 && !postpones(e, start, contract) {
			continue
		}
		if day != start {
			later := announced[start]
			for len(later) > 0 && later[0].before(e) {
				moot[later[0]] = true
				later = later[1:]
			}
			announced[start] = later
		}
		start, contract = day, e.Profile.EndDate
	}
	return start, moot
}

// announced returns the snapshots that name a first day and take effect on it, by that day
// and in the order in which HR said them.
func (m *employment) announced() map[Date][]*Event {
	byDay := map[Date][]*Event{}
	for _, e := range m.said {
		if first, ok := m.startIn(e); ok && e.Effective == first {
			byDay[first] = append(byDay[first], e)
		}
	}
	for _, list := range byDay {
		slices.SortFunc(list, (*Event).compare)
	}
	return byDay
}

// startIn returns the first day of the employment that a snapshot names, if it names one.
// A start date up to the floor belongs to an earlier employment.
func (m *employment) startIn(e *Event) (Date, bool) {
	switch {
	case e.Profile.StartDate.Compare(m.floor) > 0:
		return e.Profile.StartDate, true
	case e.Type == EventRehired:
		return e.Effective, true
	default:
		return Date{}, false
	}
}

// postpones reports whether a snapshot whose start date is after the known start postpones
// the start. It does if it was said before that day, or is about that day. Otherwise it is
// about a later start within an employment that has begun: a conversion, another company,
// the next contract.
func postpones(e *Event, start, contract Date) bool {
	if !contract.IsZero() && contract.Compare(e.Profile.StartDate) < 0 {
		return false
	}
	said := DateOf(e.Said().In(e.Profile.zone()))
	return e.Effective.Compare(start) <= 0 || e.Type != EventConverted && said.Compare(start) < 0
}
