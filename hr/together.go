package hr

import (
	"cmp"
	"slices"
	"time"
)

// merge computes the periods of each position, and those of all positions together.
func (ps *positions) merge() (all []Period, list []Position, conflicts []Conflict) {
	jobs, found := ps.jobs()
	for late := lateJob(jobs); late != nil; late = lateJob(jobs) {
		ps.conflicts = append(ps.conflicts, Conflict{Code: ConflictHiredAfterEnd, Event: late.opening.EventKey})
		late.events = filter(late.events, func(e *Event) bool {
			return !slices.Contains(late.said, e) && !slices.Contains(late.late, e)
		})
		jobs, found = ps.jobs()
	}
	conflicts = once(append(ps.conflicts, found...))
	for _, p := range ps.list {
		own := Position{}
		for _, id := range p.names() {
			own.Former, own.ID = append(own.Former, own.ID), id
		}
		own.Former = slices.DeleteFunc(own.Former, func(id string) bool { return id == "" || id == own.ID })
		for _, j := range jobs {
			if j.position == p {
				own.Periods = append(own.Periods, j.periods...)
			}
		}
		p.periods = separate(own.Periods)
		if own.Periods = p.periods; len(own.Periods) > 0 {
			list = append(list, own)
		}
	}
	for _, c := range ps.missed() {
		if !slices.ContainsFunc(conflicts, func(o Conflict) bool { return o.Event == c.Event }) {
			conflicts = append(conflicts, c)
		}
	}
	switch {
	case len(ps.list) == 1 && len(list) == 1:
		all = list[0].Periods
		if list[0].ID == "" {
			list = nil
		}
	case len(list) > 0:
		all = together(list, ps.order())
	}
	return all, list, conflicts
}

// missed returns conflicts for the terminations that end nothing although the position that
// has the ID now already had it when they were received. HR said them before it gave the ID
// to that position, so they are about an earlier position, which is over.
func (ps *positions) missed() (conflicts []Conflict) {
	for _, other := range ps.list {
		for _, t := range other.events {
			p := ps.byID[t.PositionID]
			if t.Type != EventTerminated || t.PositionID == "" || p == nil || slices.Contains(p.events, t) {
				continue
			}
			named := slices.ContainsFunc(p.events, func(e *Event) bool {
				return e.snapshot() && e.PositionID == t.PositionID && t.arrivedAfter(e)
			})
			ends := slices.ContainsFunc(ps.list, func(p *position) bool {
				return slices.ContainsFunc(p.periods, func(q Period) bool { return q.End.Event == t.EventKey })
			})
			if named && !ends && !nextAccess(p.periods, t.receipt()).IsZero() {
				conflicts = append(conflicts, Conflict{Code: ConflictNoEffect, Event: t.EventKey})
			}
		}
	}
	return conflicts
}

// order returns the place of each event in the order in which HR said them.
func (ps *positions) order() map[EventKey]int {
	var events []*Event
	for _, p := range ps.list {
		events = append(events, p.events...)
	}
	slices.SortFunc(events, (*Event).compare)
	place := make(map[EventKey]int, len(events))
	for i, e := range events {
		place[e.EventKey] = i
	}
	return place
}

// once leaves out repeated conflicts: a termination of all positions is examined in each of
// them.
func once(conflicts []Conflict) []Conflict {
	var kept []Conflict
	for _, c := range conflicts {
		if !slices.Contains(kept, c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// together combines the periods of several positions: somebody is employed as long as any
// position lasts, with the profile of the primary one.
func together(list []Position, order map[EventKey]int) []Period {
	var all []Period
	for _, p := range list {
		all = append(all, p.Periods...)
	}
	byStart := func(a, b Period) int {
		return cmp.Or(a.Starts.Compare(b.Starts), cmp.Compare(order[a.Opened], order[b.Opened]))
	}
	slices.SortStableFunc(all, byStart)
	held := slices.DeleteFunc(slices.Clone(all), func(p Period) bool { return p.never() })
	if len(held) == 0 {
		return separate(all)
	}
	var joined []Period
	for _, p := range held {
		n := len(joined)
		if n == 0 || !joined[n-1].Ends.IsZero() && joined[n-1].Ends.Before(p.Starts) {
			joined = append(joined, Period{Starts: p.Starts, Ends: p.Ends, End: p.End, Opened: p.Opened})
			continue
		}
		last := &joined[n-1]
		if endsAfter(p, *last, order) {
			last.Ends, last.End = p.Ends, p.End
		}
	}
	for i := range joined {
		joined[i].Profiles = primaries(joined[i], list, order)
	}
	return joined
}

// endsAfter reports whether a's end counts when two periods are combined. The later end
// counts. If both end at one instant, the urgent end counts, then the one said last.
func endsAfter(a, b Period, order map[EventKey]int) bool {
	switch {
	case b.Ends.IsZero() || a.Ends.IsZero():
		return !b.Ends.IsZero()
	case !a.Ends.Equal(b.Ends):
		return a.Ends.After(b.Ends)
	case a.End.Urgent != b.End.Urgent:
		return a.End.Urgent
	default:
		return order[a.End.Event] > order[b.End.Event]
	}
}

// primaries returns the profiles of the primary position from the start of a period to its
// end. Another position may become the primary one within the period.
func primaries(period Period, list []Position, order map[EventKey]int) []EffectiveProfile {
	instants := []time.Time{period.Starts}
	for _, p := range list {
		for _, q := range p.Periods {
			instants = append(instants, q.Starts, q.Ends)
			for _, s := range q.Profiles {
				instants = append(instants, s.From)
			}
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	var snapshots []EffectiveProfile
	for _, at := range slices.CompactFunc(instants, time.Time.Equal) {
		if at.Before(period.Starts) || !period.Ends.IsZero() && !at.Before(period.Ends) {
			continue
		}
		in := primary(list, at, order)
		if n := len(snapshots); in == nil || n > 0 && snapshots[n-1].Event == in.Event {
			continue
		}
		s := *in
		s.From = at
		snapshots = append(snapshots, s)
	}
	return snapshots
}

// primary returns the profile in force of the primary position at an instant. The primary
// position is the one that HR last called primary, else the one that began first.
func primary(list []Position, at time.Time, order map[EventKey]int) *EffectiveProfile {
	var found *EffectiveProfile
	var since time.Time
	rank := -1
	for i := range list {
		q := list[i].At(at)
		if q == nil {
			continue
		}
		called := -1
		for _, s := range q.Profiles {
			if s.Primary && !s.From.After(at) {
				called = max(called, order[s.Event])
			}
		}
		if found == nil || called > rank || called == rank && q.Starts.Before(since) {
			found, since, rank = q.snapshot(at), q.Starts, called
		}
	}
	return found
}
