package hr_test

import (
	"fmt"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// The termination on the last of June arrives before the hire. The order of arrival does not
// matter.
func ExampleMerge() {
	terminated := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "2"}, Type: hr.EventTerminated, PersonID: "1001",
		Recorded:    time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC),
		Effective:   hr.Date{Year: 2026, Month: time.June, Day: 30},
		Termination: &hr.Termination{LastDay: hr.Date{Year: 2026, Month: time.June, Day: 30}},
	}
	hired := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "1"}, Type: hr.EventHired, PersonID: "1001",
		Recorded:  time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC),
		Effective: hr.Date{Year: 2026, Month: time.February, Day: 1},
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ana", FamilyName: "Ruiz", Department: "Sales",
			StartDate: hr.Date{Year: 2026, Month: time.February, Day: 1},
			Location:  hr.Location{TimeZone: "America/Los_Angeles"},
		},
	}
	timeline := hr.Merge("1001", []hr.Event{terminated, hired})

	for _, now := range []time.Time{
		time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 7, 1, 6, 59, 0, 0, time.UTC), // 23:59 on the last day in Los Angeles
		time.Date(2026, 7, 1, 7, 0, 0, 0, time.UTC),
	} {
		fmt.Println(now.Format(time.RFC3339), timeline.At(now).Status)
	}
	// Output:
	// 2026-01-20T00:00:00Z upcoming
	// 2026-07-01T06:59:00Z active
	// 2026-07-01T07:00:00Z ended
}
