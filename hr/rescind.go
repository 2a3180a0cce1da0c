package hr

import (
	"slices"
	"time"
)

// unrescinded returns the events that still stand: those that nobody rescinded,
// without the rescinds themselves.
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

// hireRescind is the rescind without which somebody who is not employed any more, as
// if they never had been, would be: the last one that stands and names a hire or
// rehire. Where HR never said of one, any snapshot may have opened the employment. It
// is zero if there is none.
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
// termination, the event that gave the contract's end or, if HR said it later, the
// rescind without which they would not have left. A rehire that is rescinded brings an old termination back, and
// it is the rescind that takes access then. It is zero if the end is that of no event,
// and for who has not left.
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

// leftBy reports whether somebody has left, suspended or not, and gives the period that
// ended; nil if there is none.
func leftBy(personID string, events []Event, now time.Time) (period *Period, left bool) {
	p := Merge(personID, events).At(now).Period
	return p, p == nil || p.never() || !p.Ends.IsZero() && !p.Ends.After(now)
}

// voided are the events that are rescinded, each with the latest rescind of it.
func voided(events []*Event) map[*Event]*Event {
	byKey := make(map[EventKey]*Event, len(events))
	for _, e := range events {
		byKey[e.EventKey] = e
	}

	// From the latest to the earliest, so that a rescind that was itself
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

// withdrawnWith returns the snapshots that go when the hire or rehire that
// opened their employment is rescinded: those that HR had said by then, unless
// another hire or rehire keeps the employment open. What HR had said before a
// rehire was not said of the employment that the rehire opened.
func withdrawnWith(opening, by *Event, live []*Event) []*Event {
	all := append(slices.Clone(live), opening)
	slices.SortFunc(all, (*Event).compare)
	all, _ = withoutReturns(all)
	position := positionsOf(all).with(opening.EventKey)
	if position == nil {
		return nil
	}
	other := func(e *Event) bool { return e.EventKey != opening.EventKey }
	opening = position.events[slices.IndexFunc(position.events, func(e *Event) bool { return !other(e) })] // maybe as a rehire
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

// shares reports whether e keeps the employment open that the hire h opened too:
// because it is a hire or rehire itself, or because HR had said before h that
// the employment had begun before h's start.
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
