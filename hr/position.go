package hr

import (
	"slices"
)

// position holds the events about one position.
type position struct {
	ids    []string // the IDs that it was given, in the order in which HR said them
	events []*Event // its snapshots and the terminations that may end it, in the order in which HR said them

	periods []Period // the periods in which it is held; merge fills them in
}

// positions holds a person's events by position.
type positions struct {
	list      []*position
	byID      map[string]*position // nil for an ID if it is not clear which position it names
	again     map[EventKey]bool    // hires that count as rehires
	conflicts []Conflict
}

// positionsOf groups events that are not rescinded by the position that they are about. The
// events are in the order in which HR said them.
//
//   - A hire or rehire with a new ID adds a position. The exception is a hire for the same
//     day as a hire without an ID: it names that position.
//   - A new ID in any other event is a new ID of the position held, because a move may
//     change the ID. If several are held, it is the primary one's if the event says so;
//     otherwise it is not clear.
//   - An event without an ID is about the position held, or the primary one if several are
//     held. A termination without an ID ends all of them.
//   - A termination with an ID that no position has ends the position without an ID.
func positionsOf(events []*Event) *positions {
	ps := &positions{byID: map[string]*position{}, again: map[EventKey]bool{}}
	snapshots := filter(events, (*Event).snapshot)
	terminations := filter(events, func(e *Event) bool { return e.Type == EventTerminated })
	for _, e := range snapshots {
		p, known := ps.byID[e.PositionID]
		if !known || e.PositionID == "" && !e.opens() && ps.passes(p, e, terminations) {
			p = ps.find(e, snapshots, terminations)
			ps.byID[e.PositionID] = p
		}
		if p == nil {
			ps.conflicts = append(ps.conflicts, Conflict{Code: ConflictUnknownPosition, Event: e.EventKey})
			continue
		}
		if !slices.Contains(p.ids, e.PositionID) {
			p.ids = append(p.ids, e.PositionID)
		}
		p.events = append(p.events, e)
	}
	if len(ps.list) == 0 {
		ps.list = []*position{{events: terminations}}
		return ps
	}
	for _, t := range terminations {
		ps.end(t)
	}
	for _, p := range ps.list {
		slices.SortFunc(p.events, (*Event).compare)
	}
	ps.rehire()
	return ps
}

// find returns the position that the first snapshot with an ID is about; nil if that is not
// clear.
func (ps *positions) find(e *Event, snapshots, terminations []*Event) *position {
	opening := slices.IndexFunc(snapshots, func(o *Event) bool {
		return o.opens() && o.PositionID == e.PositionID && !o.Said().After(e.Said())
	})
	if len(ps.list) == 0 || e.PositionID != "" && opening >= 0 {
		if p := ps.unnamed(e); p != nil && p.openedAs(snapshots[opening]) {
			return p
		}
		p := &position{}
		ps.list = append(ps.list, p)
		return p
	}
	held := ps.heldBefore(e, terminations)
	switch {
	case len(held) == 0:
		return ps.list[len(ps.list)-1] // it is over, so the event does nothing
	case len(held) == 1:
		return held[0]
	case e.PositionID == "" || e.Primary:
		return primaryBefore(held, e)
	default:
		return nil
	}
}

// passes reports whether an event without an ID is about another position than earlier
// events without an ID, because that position is over and another one is held.
func (ps *positions) passes(p *position, e *Event, terminations []*Event) bool {
	if len(ps.list) < 2 {
		return false
	}
	held := ps.heldBefore(e, terminations)
	return len(held) > 0 && !slices.Contains(held, p)
}

// unnamed returns the position to which HR had given no ID before an event; nil if there is
// none.
func (ps *positions) unnamed(before *Event) *position {
	for _, p := range ps.list {
		if p.ids[0] == "" && !slices.ContainsFunc(p.events, func(e *Event) bool {
			return e.snapshot() && e.PositionID != "" && e.before(before)
		}) {
			return p
		}
	}
	return nil
}

// knownBefore reports whether HR had used the ID that an event names before it.
func (p *position) knownBefore(t *Event) bool {
	return slices.ContainsFunc(p.events, func(e *Event) bool {
		return e.snapshot() && e.PositionID == t.PositionID && e.before(t)
	})
}

// openedUnder reports whether a hire or rehire had the ID.
func (p *position) openedUnder(id string) bool {
	return slices.ContainsFunc(p.events, func(e *Event) bool { return e.opens() && e.PositionID == id })
}

// openedAs reports whether the position was opened by a hire for the same days.
func (p *position) openedAs(hire *Event) bool {
	return slices.ContainsFunc(p.events, func(e *Event) bool {
		return e.opens() && e.Effective == hire.Effective && e.Profile.StartDate == hire.Profile.StartDate
	})
}

// heldBefore returns the positions that are held when an event takes effect, by the events
// that HR had said before it.
func (ps *positions) heldBefore(e *Event, terminations []*Event) []*position {
	var held []*position
	for _, p := range ps.list {
		over := slices.ContainsFunc(terminations, func(t *Event) bool {
			return (t.PositionID == "" || slices.Contains(ps.endedBy(t), p)) && t.before(e) && t.lastDay().Compare(e.Effective) < 0 &&
				!slices.ContainsFunc(p.events, func(r *Event) bool { return r.Type == EventRehired && t.before(r) })
		})
		if !over {
			held = append(held, p)
		}
	}
	return held
}

// primaryBefore returns the position that HR had last called primary before an event, else
// the first one.
func primaryBefore(held []*position, e *Event) *position {
	found, last := held[0], (*Event)(nil)
	for _, p := range held {
		for _, s := range p.events {
			if s.Primary && s.before(e) && (last == nil || last.before(s)) {
				found, last = p, s
			}
		}
	}
	return found
}

// end gives a termination to the positions that it may end.
func (ps *positions) end(t *Event) {
	ended := ps.list
	if t.PositionID != "" {
		ended = ps.endedBy(t)
	}
	for _, p := range ended {
		p.events = append(p.events, t)
	}
	if len(ended) == 0 {
		ps.conflicts = append(ps.conflicts, Conflict{Code: ConflictUnknownPosition, Event: t.EventKey})
	}
}

// endedBy returns the positions that a termination with a position ID may end: the one that
// had the ID by then or was opened with it. If none had the ID by then, it is the one
// without an ID. If HR gives the ID to another position later, the termination still ends
// the first one, and not the other.
func (ps *positions) endedBy(t *Event) []*position {
	var ended []*position
	p, u := ps.byID[t.PositionID], ps.unnamed(t)
	if p != nil && (p == u || p.knownBefore(t) || p.openedUnder(t.PositionID)) {
		ended = append(ended, p)
	}
	if u != nil && u != p && (p == nil || !p.knownBefore(t)) {
		ended = append(ended, u)
	}
	return ended
}

// rehire also treats hires as rehires if they follow a rehire into another position. A
// termination that ended all positions ended the old employment, and not the new one.
func (ps *positions) rehire() {
	for _, p := range ps.list {
		for i, h := range p.events {
			if h.Type != EventHired || !h.snapshot() {
				continue
			}
			r := ps.lastRehire(p, h)
			if r == nil || !p.reopens(h, r) {
				continue
			}
			again := *h
			again.Type = EventRehired
			p.events[i] = &again
			ps.again[h.EventKey] = true
		}
	}
}

// reopens reports whether a hire is the first one into the position after a rehire into
// another position. The position must have ended before the rehire, and nothing may have
// ended all positions since.
func (p *position) reopens(h, r *Event) bool {
	ended := false
	for _, e := range p.events {
		switch {
		case e.Type == EventTerminated && e.before(r):
			ended = true
		case !r.before(e) || !e.before(h):
		case e.opens(), e.Type == EventTerminated && e.PositionID == "":
			return false
		}
	}
	return ended
}

// lastRehire returns the last rehire into another position before a hire; nil if there is
// none.
func (ps *positions) lastRehire(p *position, h *Event) (last *Event) {
	for _, other := range ps.list {
		if other == p {
			continue
		}
		for _, r := range other.events {
			if r.Type == EventRehired && r.before(h) && !ps.again[r.EventKey] && (last == nil || last.before(r)) {
				last = r
			}
		}
	}
	return last
}

// with returns the position that an event is about; nil if there is none.
func (ps *positions) with(key EventKey) *position {
	for _, p := range ps.list {
		if slices.ContainsFunc(p.events, func(e *Event) bool { return e.EventKey == key }) {
			return p
		}
	}
	return nil
}

// names returns the IDs of the position, in the order in which HR last used each.
func (p *position) names() []string {
	var names []string
	for _, e := range p.events {
		if !e.snapshot() || e.PositionID == "" {
			continue
		}
		names = append(slices.DeleteFunc(names, func(id string) bool { return id == e.PositionID }), e.PositionID)
	}
	return names
}
