package hr

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Suspending returns every suspension in force, also one that another covers, because each
// of them keeps the person cut off.
func TestSuspending(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, time.March, 2, 8, minute, 0, 0, time.UTC) }
	say := func(source, id string, kind EventType, minute int) Event {
		return Event{EventKey: EventKey{Source: source, ID: id}, Type: kind, PersonID: "1", Recorded: at(minute), Received: at(minute), Effective: DateOf(at(minute))}
	}
	a, b := say("/a", "s", EventSuspended, 1), say("/b", "s", EventSuspended, 2)
	operator := say(OperatorSource, "s", EventSuspended, 3)
	rescind := say(BreakerSource, "r", EventRescinded, 4)
	rescind.Rescinds, rescind.RescindsSource = "s", "/a"
	byHR := say("/a", "r", EventRescinded, 4)
	byHR.Rescinds = "s"
	for name, c := range map[string]struct {
		events []Event
		want   []EventKey
	}{
		"nobody":                      {nil, nil},
		"two":                         {[]Event{b, a}, []EventKey{a.EventKey, b.EventKey}},
		"one is lifted":               {[]Event{a, b, say("/a", "l", EventReinstated, 5)}, []EventKey{b.EventKey}},
		"by another than who may":     {[]Event{a, say("/b", "l", EventReinstated, 5)}, []EventKey{a.EventKey}},
		"an operator lifts all":       {[]Event{a, b, operator, say(OperatorSource, "l", EventReinstated, 5)}, nil},
		"one is cancelled":            {[]Event{a, b, rescind}, []EventKey{b.EventKey}},
		"HR's rescind lifts none":     {[]Event{a, byHR}, []EventKey{a.EventKey}},
		"what is said later, not yet": {[]Event{a, say("/b", "late", EventSuspended, 30)}, []EventKey{a.EventKey}},
	} {
		assert.Equal(t, c.want, Suspending("1", c.events, at(10)), name)
	}
}
