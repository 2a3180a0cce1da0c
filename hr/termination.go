package hr

import (
	"slices"
	"time"
)

// lastDay returns the last day of work that a termination names.
func (e *Event) lastDay() Date {
	if e.Termination == nil || e.Termination.LastDay.IsZero() {
		return e.Effective
	}
	return e.Termination.LastDay
}

func (e *Event) immediate() bool {
	return e.Termination != nil && e.Termination.Urgency == UrgencyImmediate
}

// accessEnds returns the first instant without access by a termination, with its last day
// read in a zone.
func (e *Event) accessEnds(zone *time.Location) time.Time {
	at := e.lastDay().AddDays(1).StartIn(zone)
	if e.Termination != nil && !e.Termination.AccessEndsAt.IsZero() {
		at = e.Termination.AccessEndsAt
	}
	if said := e.Said(); e.immediate() && said.Before(at) {
		at = said
	}
	return at.UTC()
}

// endings returns the terminations that count. For each effective date, these are the one
// recorded last and the last immediate one. So access that was cut off at once does not
// come back when somebody edits the reason, and access that had ended does not come back by
// a correction, whatever the correction leaves out.
func (m *employment) endings() []*Event {
	type slot struct {
		effective Date
		immediate bool
	}
	last := make(map[slot]*Event)
	for _, t := range m.ends {
		last[slot{t.Effective, false}] = t
		if t.immediate() {
			last[slot{t.Effective, true}] = t
		}
	}
	zone := m.zones()
	return filter(m.ends, func(t *Event) bool {
		in := last[slot{t.Effective, false}]
		if in == t || last[slot{t.Effective, true}] == t {
			return true
		}
		return !slices.ContainsFunc(m.ends, func(later *Event) bool { // the first correction decides
			return later.Effective == t.Effective && t.before(later) && t.accessEnds(zone(t)).After(later.Said())
		})
	})
}

// zones returns a function that returns the zone in which a termination's last day is read.
func (m *employment) zones() func(*Event) *time.Location {
	snapshots := m.inForce()
	return func(t *Event) *time.Location {
		if len(snapshots) == 0 {
			return time.UTC
		}
		return onDay(snapshots, t.lastDay()).Profile.zone()
	}
}

// termination returns the termination that ends access first, and that instant; nil if there
// is none. Terminations recorded after it that would end access later are conflicts.
func (m *employment) termination(snapshots []*Event) (in *Event, at time.Time, conflicts []Conflict) {
	ends := m.endings()
	instants := make(map[*Event]time.Time, len(ends))
	for _, t := range ends {
		instants[t] = t.accessEnds(onDay(snapshots, t.lastDay()).Profile.zone())
		if in == nil || instants[t].Before(at) {
			in, at = t, instants[t]
		}
	}
	for _, t := range ends {
		if in.before(t) && instants[t].After(at) {
			conflicts = append(conflicts, Conflict{Code: ConflictLaterTermination, Event: t.EventKey})
		}
	}
	for _, t := range m.ends {
		// Another one of the same effective date counts instead, and was received before.
		if instants[t].IsZero() && t.accessEnds(onDay(snapshots, t.lastDay()).Profile.zone()).Before(at) &&
			slices.ContainsFunc(ends, func(o *Event) bool { return o.Effective == t.Effective && t.arrivedAfter(o) }) {
			conflicts = append(conflicts, Conflict{Code: ConflictNoEffect, Event: t.EventKey})
		}
	}
	return in, at, conflicts
}

// onDay returns the snapshot in force on a day. Before the first one's effective date it
// returns the first one.
func onDay(snapshots []*Event, day Date) *Event {
	in := snapshots[0]
	for _, e := range slices.Backward(snapshots) {
		if e.Effective.Compare(day) <= 0 {
			return e
		}
	}
	return in
}
