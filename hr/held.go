package hr

import (
	"slices"
	"time"
)

// At returns the period in which the position is held at an instant; nil if it is not held.
func (p *Position) At(at time.Time) *Period {
	for i := range p.Periods {
		if q := &p.Periods[i]; !q.Starts.After(at) && (q.Ends.IsZero() || q.Ends.After(at)) {
			return q
		}
	}
	return nil
}

// Held is a position that somebody holds, or will hold on their first day.
type Held struct {
	ID      string // empty if HR names none
	Primary bool   // its profile is the person's
	Profile *Profile
	Starts  time.Time
	Ends    time.Time // zero while no end is known
}

// Held returns the positions that somebody holds at an instant, the primary one first. For
// somebody who has not started, it returns those of the first day. It is empty if they have
// left.
func (t Timeline) Held(now time.Time) []Held {
	s := t.at(now)
	if s.Period == nil || s.Period.never() || !s.Period.Ends.IsZero() && !now.Before(s.Period.Ends) {
		return nil
	}
	if len(t.Positions) == 0 {
		return []Held{{Primary: true, Profile: s.Profile, Starts: s.Period.Starts, Ends: s.Period.Ends}}
	}
	at := latest(now, s.Period.Starts)
	main := s.Period.snapshot(at).Event
	var list []Held
	for i := range t.Positions {
		p := &t.Positions[i]
		if q := p.At(at); q != nil {
			in := q.snapshot(at)
			list = append(list, Held{p.ID, in.Event == main && !p.Additional, &in.Profile, q.Starts, q.Ends})
		}
	}
	slices.SortStableFunc(list, func(a, b Held) int {
		if a.Primary == b.Primary {
			return 0
		}
		return map[bool]int{true: -1, false: 1}[a.Primary]
	})
	return list
}

// leavesOf leaves out leaves from one position while others are held, and returns conflicts
// for them.
func (t *Timeline) leavesOf(events []*Event) (kept []*Event, conflicts []Conflict) {
	if len(t.Positions) < 2 || len(t.Periods) == 0 {
		return events, nil
	}
	var whole []*Event // leaves of positions that are leaves of the person
	for _, e := range events {
		leave := e.Type == EventLeaveStarted || e.Type == EventLeaveEnded
		if !leave || e.PositionID == "" || !t.holdsBeside(e.PositionID, dayBegins(e.Effective, t.Periods)) {
			kept = append(kept, e)
			if e.Type == EventLeaveStarted {
				whole = append(whole, e)
			}
			continue
		}
		if e.Type == EventLeaveEnded && slices.ContainsFunc(whole, func(s *Event) bool { return s.PositionID == e.PositionID }) {
			kept = append(kept, e)
			continue
		}
		conflicts = append(conflicts, Conflict{Code: ConflictLeaveOfPosition, Event: e.EventKey})
	}
	return kept, conflicts
}

// holdsBeside reports whether another position than the one with an ID is held.
func (t *Timeline) holdsBeside(id string, at time.Time) bool {
	return slices.ContainsFunc(t.Positions, func(p Position) bool {
		return p.ID != id && !slices.Contains(p.Former, id) && p.At(at) != nil
	})
}
