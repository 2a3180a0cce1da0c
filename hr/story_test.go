package hr_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

const person = "p1"

// detail changes an event that said returned.
type detail func(*hr.Event)

// said returns an event. Instants are written 2026-01-31 (noon UTC) or in RFC 3339. The
// profile of a snapshot has the zone UTC, the effective date as the start date, and the
// event's ID as the job title.
func said(kind hr.EventType, id, recorded, effective string, details ...detail) hr.Event {
	e := hr.Event{
		EventKey:  hr.EventKey{Source: "/hr", ID: id},
		Type:      kind,
		PersonID:  person,
		Recorded:  instant(recorded),
		Effective: day(effective),
	}
	switch kind {
	case hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted:
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: id,
			StartDate: e.Effective, Location: hr.Location{TimeZone: "UTC"},
		}
	case hr.EventTerminated:
		e.Termination = &hr.Termination{}
	}
	for _, d := range details {
		d(&e)
	}
	return e
}

func hired(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventHired, id, recorded, effective, d...)
}

func rehired(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventRehired, id, recorded, effective, d...)
}

func updated(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventUpdated, id, recorded, effective, d...)
}

func transferred(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventTransferred, id, recorded, effective, d...)
}

func converted(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventConverted, id, recorded, effective, d...)
}

func terminated(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventTerminated, id, recorded, effective, d...)
}

func rescinded(id, recorded, names string) hr.Event {
	return said(hr.EventRescinded, id, recorded, "", func(e *hr.Event) { e.Rescinds = names })
}

func starting(date string) detail { return func(e *hr.Event) { e.Profile.StartDate = day(date) } }
func until(date string) detail    { return func(e *hr.Event) { e.Profile.EndDate = day(date) } }
func in(zone string) detail       { return func(e *hr.Event) { e.Profile.Location.TimeZone = zone } }
func lastDay(date string) detail  { return func(e *hr.Event) { e.Termination.LastDay = day(date) } }
func immediate(e *hr.Event)       { e.Termination.Urgency = hr.UrgencyImmediate }
func sequence(s string) detail    { return func(e *hr.Event) { e.Sequence = s } }
func source(s string) detail      { return func(e *hr.Event) { e.Source = s } }

// as sets the position that an event is about. primary marks it as the primary one.
func as(id string) detail { return func(e *hr.Event) { e.PositionID = id } }
func primary(e *hr.Event) { e.Primary = true }

func received(at string) detail { return func(e *hr.Event) { e.Received = instant(at) } }

func accessEnds(at string) detail {
	return func(e *hr.Event) { e.Termination.AccessEndsAt = instant(at) }
}

func day(s string) hr.Date {
	var d hr.Date
	if err := d.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
	return d
}

func instant(s string) time.Time {
	if !strings.Contains(s, "T") {
		s += "T12:00:00Z"
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func merge(events ...hr.Event) hr.Timeline { return hr.Merge(person, events) }

// lines returns a timeline as text, with one line for each thing in it:
//
//	h: 2026-01-01 .. 2026-07-01 terminated by t; h, u from 2026-03-01
//	leave by l: 2026-02-01 ..
//	later_termination: t2
func lines(t hr.Timeline) []string {
	var list []string
	for _, p := range t.Periods {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %s ..", p.Opened.ID, when(p.Starts))
		if !p.Ends.IsZero() {
			b.WriteString(" " + when(p.Ends))
		}
		if p.End != (hr.End{}) {
			fmt.Fprintf(&b, " %s by %s", p.End.Cause, p.End.Event.ID)
		}
		if p.End.Urgent {
			b.WriteString(" urgently")
		}
		for i, s := range p.Profiles {
			b.WriteString([]string{"; ", ", "}[min(i, 1)] + s.Event.ID)
			if i > 0 {
				b.WriteString(" from " + when(s.From))
			}
		}
		list = append(list, b.String())
	}
	for _, i := range t.Absences {
		list = append(list, fmt.Sprintf("leave by %s: %s .. %s", i.Event.ID, when(i.From), when(i.To)))
	}
	for _, i := range t.Suspensions {
		list = append(list, fmt.Sprintf("suspended by %s: %s .. %s", i.Event.ID, when(i.From), when(i.To)))
	}
	for _, c := range t.Conflicts {
		list = append(list, fmt.Sprintf("%s: %s", c.Code, c.Event.ID))
	}
	for i := range list {
		list[i] = strings.TrimSuffix(list[i], " ")
	}
	return list
}

// when returns an instant as text: only the date if it is midnight UTC.
func when(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	default:
		return t.Format("2006-01-02T15:04Z07:00")
	}
}

// story is a test of the timeline of some events.
type story struct {
	name   string
	events []hr.Event
	want   []string
}

func tell(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			require.Equal(t, s.want, lines(merge(s.events...)))
		})
	}
}
