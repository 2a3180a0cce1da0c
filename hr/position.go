package hr

import (
	"cmp"
	"slices"
	"time"
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

// job is an employment in one position.
type job struct {
	*position
	*employment
	opening *Event // the event that gave the job
	plain   bool   // opened by no rehire
	again   bool   // opened by a hire that is read as a rehire
	periods []Period
}

// jobs returns the employments in all positions. They are sorted by position, in the order
// in which HR first mentioned them, and within a position by time.
func (ps *positions) jobs() (jobs []job, conflicts []Conflict) {
	for _, p := range ps.list {
		said := employments(p.events)
		conflicts = append(conflicts, said.conflicts...)
		for _, m := range said.list {
			periods, found := m.periods()
			conflicts = append(conflicts, found...)
			if len(periods) > 0 {
				opening := m.opening()
				again := ps.again[opening.EventKey]
				plain := again || opening.Type != EventRehired
				if len(ps.list) > 1 {
					opening = m.givenBy()
				}
				jobs = append(jobs, job{p, m, opening, plain, again, periods})
			}
		}
	}
	return jobs, conflicts
}

// givenBy returns the event that gave the job: the rehire, else HR's first event about it.
// If a contract was over before it began by the events said so far, the job was given by
// the event that made it last.
func (m *employment) givenBy() *Event {
	given := cmp.Or(m.rehired, m.said[0])
	first := given
	known, lasted := employment{rehired: m.rehired, from: m.from, floor: m.floor}, true
	for i, e := range m.said {
		if e.before(first) {
			continue
		}
		known.said, known.ends = m.said[:i+1], filter(m.ends, func(t *Event) bool { return t.before(e) })
		periods, _ := known.periods()
		lasts := slices.ContainsFunc(periods, func(p Period) bool { return !p.never() })
		if lasts && !lasted {
			given = e
		}
		lasted = lasts
	}
	return given
}

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

// lateJob finds a job that no rehire opened, and that HR first mentioned when every other
// job was over, or that begins after all others end by the events said until then. It is a
// rehire that HR did not call one, or a mistake. lateJob returns nil if there is none.
func lateJob(jobs []job) *job {
	for n, j := range jobs {
		earlier, open := false, false
		for i, o := range jobs {
			if o.position == j.position || i > n && !o.opening.before(j.opening) {
				continue
			}
			earlier = true
			last := i+1 == len(jobs) || jobs[i+1].position != o.position || j.opening.before(jobs[i+1].opening)
			open = open || last && !o.overBefore(j.opening)
		}
		if j.plain && earlier && !open {
			return &jobs[n]
		}
	}
	return nil
}

// overBefore reports whether a job was over, by the events said until then, when HR opened
// another job, or before that one was to begin.
func (j job) overBefore(opening *Event) bool {
	last := j.periods[len(j.periods)-1]
	zone := last.Profiles[len(last.Profiles)-1].Profile.zone()
	begins := cmp.Or(opening.Profile.StartDate, opening.Effective).StartIn(zone)
	over := func(end time.Time) bool { return !end.After(opening.Said()) || end.Before(begins) }
	return slices.ContainsFunc(j.ends, func(t *Event) bool { return t.before(opening) && over(t.accessEnds(zone)) }) ||
		over(j.contractBefore(opening))
}

// contractBefore returns when the last contract that gives access ends, by the events said
// before the given one. It returns an instant far in the future if the contract has no end,
// and zero if no contract gives access.
func (j job) contractBefore(opening *Event) time.Time {
	known := *j.employment
	known.said = filter(j.said, func(e *Event) bool { return e.before(opening) })
	all := known.contracts()
	periods := slices.DeleteFunc(slices.Clone(all), func(p Period) bool { return p.never() })
	switch n := len(periods); {
	case len(all) == 0, n > 0 && periods[n-1].Ends.IsZero():
		return opening.Said().AddDate(1000, 0, 0)
	case n == 0:
		return time.Time{}
	default:
		return periods[n-1].Ends
	}
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
