// Package hrevents makes the events by which benchmarks change people. They take effect at once.
package hrevents

import (
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Source is the source of the benchmarks' events.
const Source = "/hr/bench"

// Event returns an event about a person. A person has one of each kind.
func Event(person string, kind hr.EventType, profile *hr.Profile) hr.Event {
	now := time.Now()
	return hr.Event{
		EventKey: hr.EventKey{Source: Source, ID: person + "/" + string(kind)}, Type: kind, PersonID: person,
		Recorded: now, Effective: hr.DateOf(now.UTC()), Profile: profile,
	}
}

// Left returns a termination.
func Left(person string) hr.Event {
	e := Event(person, hr.EventTerminated, nil)
	e.Termination = &hr.Termination{LastDay: e.Effective, AccessEndsAt: e.Recorded}
	return e
}
