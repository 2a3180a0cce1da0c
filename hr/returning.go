package hr

import (
	"slices"
	"time"
)

// withoutReturns leaves out events that were received after access had ended and that would
// give it back although they claim to be older: a hire that is dated back, a new ID by
// which a position escapes its termination, a correction of the last day. Access that has
// ended comes back only by a rehire, or by a rescind of the event that ended it, so an
// operator is asked. The end counts by Tenure's own clock, because senders' clocks cannot
// be trusted. Two kinds of event are kept: history that HR told after it was over, because
// it never gave access, and a contract that HR extended in time (settle).
//
// If the opening of a position is left out, so is everything else about that position.
func withoutReturns(events []*Event) (kept []*Event, conflicts []Conflict) {
	named := slices.ContainsFunc(events, func(e *Event) bool { return e.PositionID != "" })
	doubted := func(e *Event) bool { return mayReturn(e, events, named) }
	if !slices.ContainsFunc(events, doubted) {
		return events, nil
	}
	byReceipt := slices.Clone(events)
	slices.SortStableFunc(byReceipt, func(a, b *Event) int { return a.receipt().Compare(b.receipt()) })
	s := seen{access: map[EventKey]bool{}}
	refused := map[string]bool{} // IDs of positions whose opening is left out
	for _, e := range byReceipt {
		switch known := s.names(e.PositionID); {
		case !e.snapshot() && e.Type != EventTerminated:
			kept = append(kept, e)
		case refused[e.PositionID] && !known && !e.opens():
		case doubted(e) && s.returnsBy(e):
			conflicts = append(conflicts, Conflict{Code: returning(e), Event: e.EventKey})
			refused[e.PositionID] = refused[e.PositionID] || e.PositionID != "" && e.opens() && !known
		default:
			s.events = append(s.events, e)
		}
	}
	kept = append(kept, s.events...)
	slices.SortFunc(kept, (*Event).compare)
	return kept, conflicts
}

// returning returns the code of the conflict for an event that would bring access back.
func returning(e *Event) ConflictCode {
	switch e.Type {
	case EventHired:
		return ConflictHiredAfterEnd
	case EventTerminated:
		return ConflictLaterTermination
	default:
		return ConflictChangedAfterEnd
	}
}

// receipt returns when Tenure received the event.
func (e *Event) receipt() time.Time {
	if e.Received.IsZero() {
		return e.Said()
	}
	return e.Received
}

// zonesApart is more than the time between the starts of one date in any two zones.
const zonesApart = 27 * time.Hour

// mayReturn reports whether an event could bring back access that had ended when the event
// was received, because it counts as said before the end, or before the event that ended
// access. If HR names no positions, an end can only be undone in this way by a correction
// of the last day. The contract of one position does not decide about other positions.
func mayReturn(e *Event, events []*Event, named bool) bool {
	if e.Type == EventRehired || !e.snapshot() && e.Type != EventTerminated || e.Received.IsZero() {
		return false
	}
	return slices.ContainsFunc(events, func(f *Event) bool {
		switch {
		case !e.arrivedAfter(f):
			return false
		case !named && (e.Type != EventTerminated || f.Type != EventTerminated || e.Effective != f.Effective):
			return false
		case f.snapshot() && f.PositionID == e.PositionID && !e.opens():
			return false
		}
		ends, ok := f.mayEnd()
		return ok && ends.Before(e.Received.Add(zonesApart)) && (e.before(f) || e.Said().Before(ends.Add(zonesApart)))
	})
}

// mayEnd returns the approximate time at which an event ends access, if it does.
func (e *Event) mayEnd() (time.Time, bool) {
	switch {
	case e.Type == EventTerminated:
		return e.accessEnds(time.UTC), true
	case e.snapshot() && !e.Profile.EndDate.IsZero():
		return e.Profile.EndDate.AddDays(1).StartIn(time.UTC), true
	default:
		return time.Time{}, false
	}
}

// seen holds what Tenure knew about somebody's access when each event was received.
type seen struct {
	events []*Event          // in the order of receipt
	looked int               // how many of them look has processed
	access map[EventKey]bool // snapshots of positions that gave access, by the events that were processed
}

// names reports whether HR has sent a snapshot of a position with an ID.
func (s *seen) names(id string) bool {
	return slices.ContainsFunc(s.events, func(e *Event) bool { return e.snapshot() && e.PositionID == id })
}

// look notes which positions gave access until an instant, at each time by the events that
// had been received.
func (s *seen) look(until time.Time) {
	for n := s.looked; n < len(s.events); n++ {
		from, to := s.events[n].receipt(), until
		if n+1 < len(s.events) {
			to = s.events[n+1].receipt()
		}
		if !from.Before(to) {
			continue
		}
		for _, p := range merged(s.events[:n+1]).list {
			if slices.ContainsFunc(p.periods, func(q Period) bool {
				return !q.never() && q.Starts.Before(to) && (q.Ends.IsZero() || q.Ends.After(from))
			}) {
				for _, e := range p.events {
					s.access[e.EventKey] = s.access[e.EventKey] || e.snapshot()
				}
			}
		}
	}
	s.looked = max(len(s.events)-1, 0) // the last one has not been replaced yet
}

// merged returns the positions that events are about, with their periods.
func merged(events []*Event) *positions {
	said := slices.Clone(events)
	slices.SortFunc(said, (*Event).compare)
	ps := positionsOf(said)
	ps.merge()
	return ps
}

// returnsBy reports whether an event brings back access that had ended by Tenure's clock.
func (s *seen) returnsBy(e *Event) bool {
	at := e.receipt()
	known, next := merged(s.events), merged(append(slices.Clone(s.events), e))
	was := known.nextAccess(at)
	for _, q := range next.list {
		is := nextAccess(q.periods, at)
		before := known.sharing(q)
		if slices.ContainsFunc(before, func(p *position) bool { return nextAccess(p.periods, at).Equal(at) }) {
			continue
		}
		for _, p := range before {
			if sooner(is, nextAccess(p.periods, at)) && p.outrunBy(e, q, at) && s.gave(p, at) {
				return true
			}
		}
		fresh := !slices.ContainsFunc(before, func(p *position) bool { return s.gave(p, at) || !nextAccess(p.periods, at).IsZero() })
		if fresh && !was.Equal(at) && sooner(is, was) && slices.ContainsFunc(known.list, func(p *position) bool { return s.gave(p, at) }) {
			return true
		}
	}
	return false
}

// gave reports whether a position gave access before an instant, by the events received then.
func (s *seen) gave(p *position, until time.Time) bool {
	s.look(until)
	return slices.ContainsFunc(p.events, func(e *Event) bool { return s.access[e.EventKey] })
}

// sharing returns the positions that share an event with q.
func (ps *positions) sharing(q *position) (list []*position) {
	for _, p := range ps.list {
		if slices.ContainsFunc(p.events, func(e *Event) bool {
			return e.snapshot() && slices.ContainsFunc(q.events, func(f *Event) bool { return f.EventKey == e.EventKey })
		}) {
			list = append(list, p)
		}
	}
	return list
}

// outrunBy reports whether an event claims to be older than the event that ended the
// position, or than the end itself. An extension of the position's own contract does not
// count.
func (p *position) outrunBy(e *Event, after *position, at time.Time) bool {
	for _, q := range slices.Backward(p.periods) {
		if q.Ends.IsZero() || q.Ends.After(at) {
			continue
		}
		if q.End.Cause == EndOfContract && slices.Contains(after.events, e) {
			return false
		}
		return q.Ends.After(e.Said()) || slices.ContainsFunc(p.events, func(f *Event) bool {
			return f.EventKey == q.End.Event && e.before(f)
		})
	}
	return false
}

// nextAccess returns the first instant, at or after the given one, at which a position is
// held; zero if there is none.
func (ps *positions) nextAccess(at time.Time) (first time.Time) {
	for _, p := range ps.list {
		if next := nextAccess(p.periods, at); sooner(next, first) {
			first = next
		}
	}
	return first
}

// sooner reports whether one instant is before another. Zero means never.
func sooner(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }
