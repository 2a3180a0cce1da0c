package hr

import (
	"cmp"
	"slices"
	"time"
)

// absences returns the leaves of absence. A leave lasts from the effective date of a
// leave_started to that of the next leave_ended, or until a new period begins.
//
// Some leaves do not pair up. If there are several returns from one leave, the one said
// last holds. A return on or before the first day of a leave that was announced earlier
// cancels that leave, unless it is the return from another one. A return without a known
// leave changes nothing. A leave that begins within another is a conflict, and the first
// one holds.
func absences(events []*Event, periods []Period) ([]Interval, []Conflict) {
	if len(periods) == 0 {
		return nil, nil // no profile, so no zone to read dates in
	}
	leaves := filter(events, func(e *Event) bool {
		return e.Type == EventLeaveStarted || e.Type == EventLeaveEnded
	})
	slices.SortStableFunc(leaves, func(a, b *Event) int {
		return cmp.Or(a.Effective.Compare(b.Effective), a.compare(b))
	})

	leaves = paired(leaves)
	var list []Interval
	var conflicts []Conflict
	var away *Interval
	end := func(at time.Time) {
		if at.After(away.From) {
			away.To = at
			list = append(list, *away)
		}
		away = nil
	}
	for _, e := range leaves {
		at := dayBegins(e.Effective, periods)
		if away != nil {
			if begins := nextStart(periods, away.From); !begins.IsZero() && !begins.After(at) {
				end(begins)
			}
		}
		switch {
		case e.Type == EventLeaveStarted && away == nil:
			away = &Interval{From: at, Event: e.EventKey}
		case e.Type == EventLeaveStarted && at.After(away.From):
			conflicts = append(conflicts, Conflict{Code: ConflictLeaveWithinLeave, Event: e.EventKey})
		case e.Type == EventLeaveEnded && away != nil:
			end(at)
		}
	}
	if away != nil {
		away.To = nextStart(periods, away.From)
		list = append(list, *away)
	}
	return list, conflicts
}

// paired leaves out the returns that a later return from the same leave replaces, and the
// leaves that were cancelled before they began, with the returns that cancelled them. The
// given leaves are sorted by effective date.
func paired(leaves []*Event) []*Event {
	gone := map[*Event]bool{}
	var away bool
	var back *Event // the return that the last leave has so far
	for i, e := range leaves {
		switch {
		case e.Type == EventLeaveStarted:
			away, back = !gone[e], nil
		case away:
			away, back = false, e
		case back != nil && back.before(e):
			gone[back], back = true, e
		case back != nil:
			gone[e] = true
		default:
			gone[e] = true
			for _, next := range leaves[i+1:] {
				if next.Type == EventLeaveStarted && next.before(e) {
					gone[next] = true
					break
				}
			}
		}
	}
	return filter(leaves, func(e *Event) bool { return !gone[e] })
}

// nextStart returns the start of the next period after an instant, without regard to the
// first period; zero if there is none.
func nextStart(periods []Period, after time.Time) time.Time {
	for _, p := range periods[1:] {
		if p.Starts.After(after) {
			return p.Starts
		}
	}
	return time.Time{}
}

// dayBegins returns the first instant of a day in the zone of the profile in force.
func dayBegins(day Date, periods []Period) time.Time {
	at := day.StartIn(periods[0].Profiles[0].Profile.zone())
	for _, p := range periods {
		for i, s := range p.Profiles {
			begins := day.StartIn(s.Profile.zone())
			if from := s.From; (i == 0 && !p.Starts.After(begins)) || (i > 0 && !from.After(begins)) {
				at = begins
			}
		}
	}
	return at.UTC()
}

// holding returns the interval that an instant lies in, if any.
func holding(list []Interval, now time.Time) (Interval, bool) {
	for _, i := range list {
		if !now.Before(i.From) && (i.To.IsZero() || now.Before(i.To)) {
			return i, true
		}
	}
	return Interval{}, false
}
