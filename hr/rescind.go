package hr

import (
	"slices"
	"time"
)

// unrescinded returns the events that are not rescinded, without the rescinds themselves.
func unrescinded(events []*Event) []*Event {
	void := voided(events)
	standing := func(e *Event) bool { return e.Type != EventRescinded && void[e] == nil }
	live := filter(events, standing)
	withdrawn := make(map[EventKey]bool)
	for opening, by := range void {
		if opening.opens() {
			for _, e := range withdrawnWith(opening, by, live) {
				withdrawn[e.EventKey] = true
			}
		}
	}
	return filter(live, func(e *Event) bool { return !withdrawn[e.EventKey] })
}

// hireRescind returns the rescind by which somebody counts as never employed: the last one
// that is not rescinded itself and names a hire or rehire. If HR never sent a hire, it may
// name any snapshot, since any may have opened the employment. It returns zero if there is
// none.
func hireRescind(personID string, events []Event) EventKey {
	void := voided(distinct(personID, events))
	for _, opened := range []func(*Event) bool{(*Event).opens, (*Event).snapshot} {
		var last *Event
		for named, by := range void {
			if opened(named) && (last == nil || last.before(by)) {
				last = by
			}
		}
		if last != nil {
			return last.EventKey
		}
	}
	return EventKey{}
}

// Ending returns the event that ended the employment of somebody who has left: the
// termination, or the event with the contract's end. If HR said a rescind later without
// which they would not have left, it is that rescind: rescinding a rehire, for example,
// brings an old termination back. Ending returns zero if no event caused the end, and for
// somebody who has not left.
func Ending(personID string, events []Event, now time.Time) EventKey {
	period, left := leftBy(personID, events, now)
	switch {
	case !left:
		return EventKey{}
	case period == nil:
		return hireRescind(personID, events)
	}
	for _, e := range slices.Backward(distinct(personID, events)) {
		if e.EventKey == period.End.Event {
			break
		}
		if e.Type != EventRescinded {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(events), func(o Event) bool { return o.EventKey == e.EventKey })
		if _, left := leftBy(personID, others, now); !left {
			return e.EventKey
		}
	}
	return period.End.Event
}

// leftBy reports whether somebody has left, suspended or not, and returns the period that
// ended; nil if there is none.
func leftBy(personID string, events []Event, now time.Time) (period *Period, left bool) {
	p := Merge(personID, events).At(now).Period
	return p, p == nil || p.never() || !p.Ends.IsZero() && !p.Ends.After(now)
}

// voided returns the events that are rescinded, each with its latest rescind.
func voided(events []*Event) map[*Event]*Event {
	byKey := make(map[EventKey]*Event, len(events))
	for _, e := range events {
		byKey[e.EventKey] = e
	}

	// The loop goes from the latest to the earliest, so that a rescind that was itself
	// rescinded is known to be void before its turn comes.
	void := make(map[*Event]*Event)
	for _, r := range slices.Backward(events) {
		if r.Type != EventRescinded || void[r] != nil {
			continue
		}
		named := byKey[r.Rescinded()]
		if named != nil && named != r && void[named] == nil && r.mayRescind(named) {
			void[named] = r
		}
	}
	return void
}

// withdrawnWith returns the snapshots that become void when the hire or rehire that opened
// their employment is rescinded: those that HR had said by then. There are none if another
// hire or rehire keeps the employment open. Events that HR said before a rehire are not
// about the employment that the rehire opened.
func withdrawnWith(opening, by *Event, live []*Event) []*Event {
	all := append(slices.Clone(live), opening)
	slices.SortFunc(all, (*Event).compare)
	all, _ = withoutReturns(all)
	position := positionsOf(all).with(opening.EventKey)
	if position == nil {
		return nil
	}
	other := func(e *Event) bool { return e.EventKey != opening.EventKey }
	opening = position.events[slices.IndexFunc(position.events, func(e *Event) bool { return !other(e) })] // it may count as a rehire here
	for _, m := range employments(position.events).list {
		m.said = append(m.said, m.late...)
		if !slices.ContainsFunc(m.said, func(e *Event) bool { return !other(e) }) {
			continue
		}
		if slices.ContainsFunc(m.said, func(e *Event) bool { return other(e) && opening.shares(e) }) {
			return nil
		}
		return filter(m.said, func(e *Event) bool {
			return other(e) && e.before(by) && (opening.Type == EventHired || opening.before(e))
		})
	}
	return nil
}

// shares reports whether e keeps open the employment that the hire h opened: e is a hire or
// rehire itself, or HR said e before h and e has an earlier start date.
func (h *Event) shares(e *Event) bool {
	return e.opens() ||
		h.Type == EventHired && e.before(h) && e.Profile.StartDate.Compare(h.Profile.StartDate) < 0
}

// opens reports whether e opens an employment.
func (e *Event) opens() bool {
	return e.snapshot() && (e.Type == EventHired || e.Type == EventRehired)
}

func filter(events []*Event, keep func(*Event) bool) []*Event {
	var kept []*Event
	for _, e := range events {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}
