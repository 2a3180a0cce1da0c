package hr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Said returns when the event counts as said: when it was recorded, or when it was received
// if that was earlier. So a sender whose clock is ahead gains nothing.
func (e *Event) Said() time.Time {
	if !e.Received.IsZero() && e.Received.Before(e.Recorded) {
		return e.Received
	}
	return e.Recorded
}

// mostAhead bounds how long after its receipt an event may be recorded without a conflict.
// Clocks differ by seconds, and not by more than this.
const mostAhead = 5 * time.Minute

// ahead reports whether the clock that recorded the event cannot have been right.
func (e *Event) ahead() bool {
	return !e.Received.IsZero() && e.Recorded.Sub(e.Received) > mostAhead
}

// arrivedAfter reports whether the event is known to have been received after f.
func (e *Event) arrivedAfter(f *Event) bool {
	return !e.Received.IsZero() && !f.Received.IsZero() && e.Received.After(f.Received)
}

// compare orders events by when HR said them: by the time at which they count as said, then
// recorded time and sequence, and last source and ID so that the order is total. Among
// events said in one instant (of one day or one export, for example), the hire comes first,
// and the others follow by effective date. For somebody who is rehired on their last day,
// the termination comes first. So IDs do not decide who has access.
func (e *Event) compare(f *Event) int {
	return cmp.Or(
		e.Said().Compare(f.Said()),
		e.Recorded.Compare(f.Recorded),
		compareSequences(e.Sequence, f.Sequence),
		compareTurns(e, f),
		strings.Compare(e.Source, f.Source),
		strings.Compare(e.ID, f.ID),
	)
}

// compareTurns orders events that were said in one instant by their types and days, if those
// tell which came first.
func compareTurns(e, f *Event) int {
	turn := func(e *Event) (hired int, day Date, end int) {
		switch e.Type {
		case EventHired:
			return 0, Date{}, 0
		case EventTerminated:
			return 1, e.lastDay(), 0
		default:
			return 1, e.Effective, 1
		}
	}
	hiredE, dayE, endE := turn(e)
	hiredF, dayF, endF := turn(f)
	return cmp.Or(cmp.Compare(hiredE, hiredF), dayE.Compare(dayF), cmp.Compare(endE, endF))
}

// before reports whether HR said e before f.
func (e *Event) before(f *Event) bool { return e.compare(f) < 0 }

// compareSequences orders sequences as numbers if both are numbers. An empty sequence comes
// before numbers, and numbers come before other text, so that the order is transitive.
func compareSequences(a, b string) int {
	kind := func(s string) int {
		switch {
		case s == "":
			return 0
		case isNumber(s):
			return 1
		default:
			return 2
		}
	}
	if k := kind(a); k != kind(b) || k != 1 {
		return cmp.Or(cmp.Compare(k, kind(b)), strings.Compare(a, b))
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// isNumber reports whether a sequence is a number.
func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// distinct returns one person's events without repetitions, in the order in which HR said
// them. If events share a key and differ, it keeps the one that was recorded first.
func distinct(personID string, events []Event) []*Event {
	kept := make(map[EventKey]*Event, len(events))
	for i := range events {
		e := &events[i]
		if e.PersonID != personID {
			continue
		}
		if k, ok := kept[e.EventKey]; !ok || compareContent(e, k) < 0 {
			kept[e.EventKey] = e
		}
	}
	list := make([]*Event, 0, len(kept))
	for _, e := range kept {
		list = append(list, e)
	}
	slices.SortFunc(list, (*Event).compare)
	return list
}

// compareContent orders events that share a key.
func compareContent(e, f *Event) int {
	if c := e.compare(f); c != 0 {
		return c
	}
	a, errA := json.Marshal(e)
	b, errB := json.Marshal(f)
	if errA != nil || errB != nil {
		// Only a recorded time beyond year 9999 has no JSON, and these two share it.
		return 0
	}
	return bytes.Compare(a, b)
}
