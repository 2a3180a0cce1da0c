package hr_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// BenchmarkMergeOfManyEvents merges very many events of one person, since a producer may
// send any number. The time must grow hardly faster than the number of events.
func BenchmarkMergeOfManyEvents(b *testing.B) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, next := range map[string]func(e *hr.Event){
		"rehired":    func(e *hr.Event) { e.Type = hr.EventRehired; e.Profile.StartDate = e.Effective },
		"terminated": func(e *hr.Event) { e.Type, e.Profile = hr.EventTerminated, nil },
		"extended":   func(e *hr.Event) { e.Type = hr.EventUpdated; e.Profile.EndDate = e.Effective.AddDays(10) },
	} {
		for _, n := range []int{250, 1000} {
			var events []hr.Event
			for i := range n {
				e := hr.Event{
					EventKey: hr.EventKey{Source: "s", ID: strconv.Itoa(i)}, PersonID: "1", Type: hr.EventHired,
					Recorded: at.Add(time.Duration(i) * time.Second), Received: at.Add(time.Duration(i) * time.Second),
					Effective: hr.DateOf(at.AddDate(0, 0, i)),
					Profile:   &hr.Profile{Type: "employee", GivenName: "A", FamilyName: "B", StartDate: hr.DateOf(at), Location: hr.Location{TimeZone: "UTC"}},
				}
				if i > 0 {
					next(&e)
				}
				events = append(events, e)
			}
			b.Run(name+"/"+strconv.Itoa(n), func(b *testing.B) {
				for b.Loop() {
					hr.Merge("1", events)
				}
			})
		}
	}
}
