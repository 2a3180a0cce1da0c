package assess

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// TimelineOf merges what HR has said about a person, under all of their IDs.
func TimelineOf(p ledger.Person) hr.Timeline {
	own := hr.Merge(p.PersonID, EventsOf(p))
	if len(p.Earlier) == 0 {
		return own
	}
	var others []hr.Timeline
	for _, e := range p.Earlier {
		others = append(others, hr.Merge(e.PersonID, EventsOf(ledger.Person{Events: e.Events})))
	}
	return hr.Join(own, others...)
}

// allEvents returns the events of a person under all of their IDs.
func allEvents(p ledger.Person) []ledger.StoredEvent {
	events := slices.Clone(p.Events)
	for _, e := range p.Earlier {
		events = append(events, e.Events...)
	}
	return events
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// awaited returns when somebody who was linked to an earlier ID begins again: until then the
// accounts that were carried over are not deleted, however long the gap.
func awaited(p ledger.Person, t hr.Timeline, now time.Time) time.Time {
	if len(p.Earlier) == 0 {
		return time.Time{}
	}
	for _, period := range t.Periods {
		if period.Starts.After(now) && (period.Ends.IsZero() || period.Ends.After(period.Starts)) {
			return period.Starts
		}
	}
	return time.Time{}
}
