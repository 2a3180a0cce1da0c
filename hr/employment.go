package hr

import (
	"cmp"
	"slices"
)

// employment holds the events about one employment: everything from a hire (or the first
// snapshot) or a rehire until the next rehire. It becomes one period, or several if a
// contract lapsed in between.
//
// Employments are told apart by civil dates alone. Zones matter only when dates become
// instants.
type employment struct {
	rehired *Event   // the rehire that opened it; nil for the first one, unless a rehire opened that too
	from    Date     // where it begins among the employments; zero for the first one unless a rehire opened it
	floor   Date     // start dates up to this day speak of an earlier employment; zero if none
	said    []*Event // its snapshots, in the order in which HR said them
	late    []*Event // snapshots that HR said when a contract had lapsed, and that would bring access back
	ends    []*Event // its terminations, in the order in which HR said them
}

// split holds a person's events by employment.
type split struct {
	list       []*employment
	unassigned []*Event // terminations that cannot be about any employment
	conflicts  []Conflict
}

// employments groups a person's events by employment. The events are those that still
// stand, in the order in which HR said them.
func employments(events []*Event) split {
	terminations := filter(events, func(e *Event) bool { return e.Type == EventTerminated })
	snapshots := filter(events, func(e *Event) bool { return e.snapshot() && e.Type != EventRehired })
	rehires := filter(events, func(e *Event) bool { return e.snapshot() && e.Type == EventRehired })

	s := split{}
	s.openRehires(rehires, snapshots, terminations)
	s.assignSnapshots(snapshots, terminations)
	s.assignTerminations(terminations)
	s.conflicts = s.ineffective() // also for employments that never were, which the next step takes out
	s.refuseLateHires()
	for _, m := range s.list {
		m.settle()
	}
	return s
}

// snapshot reports whether e carries a profile of the person as of its effective date.
func (e *Event) snapshot() bool {
	switch e.Type {
	case EventHired, EventRehired, EventTransferred, EventUpdated, EventConverted:
		return e.Profile != nil && !e.ListsOnly()
	default:
		return false
	}
}

// openRehires adds an employment for the time before the first rehire and one for each
// rehire. A rehire that repeats or corrects another joins that one's employment.
func (s *split) openRehires(rehires, snapshots, terminations []*Event) {
	type opening struct {
		*Event
		first, floor Date
	}
	openings := make([]opening, 0, len(rehires))
	for _, r := range rehires {
		first, floor := firstDay(r, terminations)
		openings = append(openings, opening{r, first, floor})
	}
	slices.SortStableFunc(openings, func(a, b opening) int { return a.first.Compare(b.first) })

	var last *Event // the hire or rehire that the next rehire may correct
	var lastDay Date
	if len(openings) == 0 || slices.ContainsFunc(snapshots, func(e *Event) bool {
		return precedes(e, openings[0].Event, openings[0].first)
	}) {
		first := &employment{}
		s.list = append(s.list, first)
		for _, e := range snapshots {
			if e.Type == EventHired && (len(openings) == 0 || precedes(e, openings[0].Event, openings[0].first)) {
				last, lastDay = e, e.Profile.StartDate
			}
		}
	}
	for _, o := range openings {
		var current *employment
		if len(s.list) > 0 {
			current = s.list[len(s.list)-1]
		}
		repeats := current != nil && current.rehired != nil && current.from == o.first
		if repeats || last != nil && corrects(o.Event, o.first, last, lastDay, terminations) {
			if current.rehired != nil && o.before(current.rehired) {
				current.rehired = o.Event
			}
			current.add(o.Event)
		} else {
			s.list = append(s.list, &employment{rehired: o.Event, from: o.first, floor: o.floor, said: []*Event{o.Event}})
		}
		last, lastDay = o.Event, o.first
	}
}

// precedes reports whether a snapshot is about a time before the rehire: it takes effect
// before the rehire's first day, does not name that day as its start, and was said before
// the rehire.
func precedes(e, rehired *Event, first Date) bool {
	return e.Effective.Compare(first) < 0 && e.Profile.StartDate != first && e.before(rehired)
}

// firstDay returns the first day of the employment that a rehire opens. It is the start
// date or, if that belongs to an earlier employment (many HR systems keep the original hire
// date), the rehire's effective date. The floor is the last day of earlier employments by
// the terminations.
func firstDay(rehired *Event, terminations []*Event) (first, floor Date) {
	for _, t := range terminations {
		if day := t.lastDay(); t.before(rehired) || day.Compare(rehired.Effective) < 0 {
			floor = later(floor, day)
		}
	}
	if floor.IsZero() {
		floor = rehired.Effective.AddDays(-1)
	}
	if rehired.Profile.StartDate.Compare(floor) > 0 {
		return rehired.Profile.StartDate, floor
	}
	return rehired.Effective, floor
}

// corrects reports whether a rehire is about the same employment as the hire or rehire
// before it (which begins no later). It is if one of the two was said before the other's
// first day, or if both take effect on one day, and if nothing ends the employment in
// between.
func corrects(rehired *Event, first Date, last *Event, lastDay Date, terminations []*Event) bool {
	early := DateOf(rehired.Said().In(rehired.Profile.zone())).Compare(lastDay) < 0
	if !early && rehired.Effective != last.Effective {
		return false
	}
	if end := last.Profile.EndDate; !end.IsZero() && end.Compare(first) < 0 {
		return false
	}
	hired := last.Type == EventHired
	return !slices.ContainsFunc(terminations, func(t *Event) bool {
		between := last.before(t) == t.before(rehired) // in the order in which HR said them
		ended := t.lastDay().Compare(first) < 0 && (hired || last.before(t))
		return (between || ended) && (hired || t.lastDay().Compare(lastDay) >= 0)
	})
}

// assignSnapshots gives each snapshot to the employment that it is about, by its effective
// date. There are two exceptions. A snapshot that names a rehire's first day as its start
// belongs to that rehire. So does one that was said after the rehire and takes effect when
// the employment before was over.
func (s *split) assignSnapshots(snapshots, terminations []*Event) {
	var unsure []*Event
	for _, e := range snapshots {
		k := s.at(e)
		if k+1 < len(s.list) && s.list[k+1].rehired.before(e) {
			unsure = append(unsure, e)
			continue
		}
		s.list[max(k, 0)].add(e)
	}
	over := make([]bool, len(unsure))
	for i, e := range unsure {
		k := s.at(e)
		over[i] = k < 0 || s.list[k].over(e.Effective, s.list[k+1], terminations)
	}
	for i, e := range unsure {
		k := s.at(e)
		if over[i] {
			k++
		}
		s.list[k].add(e)
	}
	s.dropEmpty()
}

// at returns the index of the employment that a snapshot is about, by its dates; -1 if it
// is effective before all of them.
func (s *split) at(e *Event) int {
	for k, m := range slices.Backward(s.list) {
		if m.from.Compare(e.Effective) <= 0 || m.from == e.Profile.StartDate {
			return k
		}
	}
	return -1
}

// add adds a snapshot at its place in the order in which HR said them.
func (m *employment) add(e *Event) {
	m.said = append(m.said, e)
	slices.SortFunc(m.said, (*Event).compare)
}

// over reports whether the employment had ended before a day, by the events said before the
// next employment.
func (m *employment) over(day Date, next *employment, terminations []*Event) bool {
	for _, t := range terminations {
		last := t.lastDay()
		if m.mayEndWith(t) && last.Compare(m.from) >= 0 && last.Compare(day) < 0 &&
			(t.before(next.rehired) || last.Compare(next.from) < 0) {
			return true
		}
	}
	spans, _ := m.spans(m.inForce())
	if len(spans) == 0 {
		return true
	}
	ends := spans[len(spans)-1].ends
	return !ends.IsZero() && ends.Compare(day) <= 0
}

// assignTerminations gives each termination to the latest employment that began
// on or before its last day, if it was said after the rehire that opened it.
func (s *split) assignTerminations(terminations []*Event) {
	for _, t := range terminations {
		given := false
		for k, m := range slices.Backward(s.list) {
			if given = m.mayEndWith(t) && (k == 0 || m.earliest().Compare(t.lastDay()) <= 0); given {
				m.ends = append(m.ends, t)
				break
			}
		}
		if !given && len(s.list) > 0 && t.arrivedAfter(s.list[0].rehired) { // rehired is set: without a rehire the first employment takes every termination
			s.unassigned = append(s.unassigned, t)
		}
	}
}

// mayEndWith reports whether a termination can be about this employment. A rehire undoes
// the terminations that were said before it.
func (m *employment) mayEndWith(t *Event) bool { return m.rehired == nil || m.rehired.before(t) }

// earliest returns the earliest first day that any snapshot of the employment names. It is
// for terminations only: moving the start later must not free the employment from a
// termination. For everything else the first day is the one of start.
func (m *employment) earliest() Date {
	day := m.from
	for _, e := range m.said {
		if start := e.Profile.StartDate; start.Compare(m.floor) > 0 && start.Compare(day) < 0 {
			day = start
		}
	}
	return day
}

// refuseLateHires takes out plain hires that start after a termination. Such a hire is a
// rehire that HR did not call one, or a mistake. The exception is a termination of just
// that hire, said before its first day: there is no employment to return to, and the
// termination ended the hire itself.
func (s *split) refuseLateHires() {
	for _, m := range s.list {
		end := m.firstEnding()
		if end == nil {
			continue
		}
		late := func(e *Event) bool {
			return later(e.Effective, e.Profile.StartDate).Compare(end.lastDay()) > 0
		}
		begun := slices.ContainsFunc(m.said, func(e *Event) bool { return !late(e) })
		m.said = filter(m.said, func(e *Event) bool {
			refused := e.Type == EventHired && late(e) && (begun || end.before(e))
			if refused {
				s.conflicts = append(s.conflicts, Conflict{Code: ConflictHiredAfterEnd, Event: e.EventKey})
			}
			return !refused
		})
	}
	s.dropEmpty()
}

func (s *split) dropEmpty() {
	s.list = slices.DeleteFunc(s.list, func(m *employment) bool { return len(m.said) == 0 })
}

// firstEnding returns the termination with the earliest last day; nil if there is none.
func (m *employment) firstEnding() *Event {
	ends := m.endings()
	if len(ends) == 0 {
		return nil
	}
	return slices.MinFunc(ends, func(a, b *Event) int {
		return cmp.Or(a.lastDay().Compare(b.lastDay()), a.compare(b))
	})
}

func later(a, b Date) Date {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}
