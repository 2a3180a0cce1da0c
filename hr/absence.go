package hr

import (
	"cmp"
	"slices"
	"time"
)

// absences are the leaves of absence: from the effective date of a leave_started
// to that of the next leave_ended, or until a new period begins.
func absences(events []*Event, periods []Period) []Interval {
	if len(periods) == 0 {
		return nil // no profile, so no zone to read dates in
	}
	leaves := filter(events, func(e *Event) bool {
		return e.Type == EventLeaveStarted || e.Type == EventLeaveEnded
	})
	slices.SortStableFunc(leaves, func(a, b *Event) int {
		return cmp.Or(a.Effective.Compare(b.Effective), a.compare(b))
	})

	var list []Interval
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
		case e.Type == EventLeaveEnded && away != nil:
			end(at)
		}
	}
	if away != nil {
		away.To = nextStart(periods, away.From)
		list = append(list, *away)
	}
	return list
}

// nextStart is when the first period after the first begins that begins after an
// instant; zero if there is none.
func nextStart(periods []Period, after time.Time) time.Time {
	for _, p := range periods[1:] {
		if p.Starts.After(after) {
			return p.Starts
		}
	}
	return time.Time{}
}

// dayBegins is the first instant of a day in the zone of the profile in force.
func dayBegins(day Date, periods []Period) time.Time {
	at := day.StartIn(periods[0].Snapshots[0].Profile.zone())
	for _, p := range periods {
		for i, s := range p.Snapshots {
			begins := day.StartIn(s.Profile.zone())
			if from := s.From; (i == 0 && !p.Starts.After(begins)) || (i > 0 && !from.After(begins)) {
				at = begins
			}
		}
	}
	return at.UTC()
}

// holding is the interval that holds at an instant, if any.
func holding(list []Interval, now time.Time) (Interval, bool) {
	for _, i := range list {
		if !now.Before(i.From) && (i.To.IsZero() || now.Before(i.To)) {
			return i, true
		}
	}
	return Interval{}, false
}
