package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// Timeline holds what HR has said of a person, merged, and the events that it comes from.
type Timeline struct {
	Person    string     `json:"person"`
	Status    hr.Status  `json:"status"`
	ErasedAt  time.Time  `json:"erasedAt,omitzero"` // when what HR had said of them was erased
	Entries   []Entry    `json:"entries"`
	Conflicts []Conflict `json:"conflicts,omitempty"`
	Events    []Event    `json:"events"`
}

// Entry describes one change at an instant. Time is in the person's own zone.
type Entry struct {
	At    time.Time `json:"at"`
	What  string    `json:"what"`
	Event string    `json:"event,omitempty"` // ID
	Login string    `json:"login,omitempty"` // from which they said it
	By    string    `json:"by,omitempty"`    // the operator who recorded it, if HR did not
	// Reason says why somebody is suspended or reinstated, if a reason was given.
	Reason string `json:"reason,omitempty"`
	// DeadLetter is the number of a dead letter: HR said something in it that could not
	// be read.
	DeadLetter int64 `json:"deadLetter,omitempty"`
}

// Conflict describes an event that contradicts others and was not applied.
type Conflict struct {
	Code   hr.ConflictCode `json:"code"`
	Source string          `json:"source"`
	Event  string          `json:"event"`
}

// Event describes an event as it was received.
type Event struct {
	Seq       int64        `json:"seq"`
	Type      hr.EventType `json:"type"`
	Effective hr.Date      `json:"effective"`
	Recorded  time.Time    `json:"recorded"`
	Received  time.Time    `json:"received"`
	Source    string       `json:"source"`
	ID        string       `json:"id"`
	Rescinds  string       `json:"rescinds,omitempty"`
	Position  string       `json:"positionId,omitempty"`
}

// TimelineOf merges the events of a person into a timeline. Operators holds the audit
// rows of the events that operators recorded: see operator.SecuredBy.
func TimelineOf(person ledger.Person, operators map[hr.EventKey]ledger.AuditRow, now time.Time) Timeline {
	events := assess.EventsOf(person)
	v := Timeline{Person: person.PersonID, ErasedAt: person.ErasedAt, Entries: []Entry{}, Events: []Event{}}
	for _, stored := range person.Events {
		e := stored.Event
		v.Events = append(v.Events, Event{
			Seq: stored.Seq, Type: e.Type, Effective: e.Effective, Recorded: e.Recorded, Received: stored.At,
			Source: e.Source, ID: e.ID, Rescinds: e.Rescinds, Position: e.PositionID,
		})
	}
	t := assess.TimelineOf(person)
	v.Status = t.At(now).Status

	zone := time.UTC
	for _, period := range t.Periods {
		zone = zoneOf(period.Profiles[0].Profile)
		if len(t.Positions) > 1 { // the entries of each position show its changes
			period.Profiles = period.Profiles[:1]
		}
		v.Entries = append(v.Entries, periodEntries(period, zone)...)
	}
	if len(t.Positions) > 1 {
		for _, position := range t.Positions {
			v.Entries = append(v.Entries, positionEntries(position)...)
		}
	}
	v.Entries = append(v.Entries, absenceEntries(t.Absences, zone)...)
	v.Entries = append(v.Entries, suspensionEntries(t.Suspensions, events, operators, zone)...)
	for _, l := range person.Letters {
		v.Entries = append(v.Entries, letterEntry(l, zone))
	}
	slices.SortStableFunc(v.Entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	for _, c := range t.Conflicts {
		v.Conflicts = append(v.Conflicts, Conflict{Code: c.Code, Source: c.Event.Source, Event: c.Event.ID})
	}
	return v
}

// letterEntry returns an entry for a record that could not be read.
func letterEntry(l ledger.DeadLetter, zone *time.Location) Entry {
	v := LetterOf(l)
	said := "HR said something that could not be read"
	if v.Urgent {
		said = "HR said something that was to end access and could not be read"
	}
	what := fmt.Sprintf("%s: %s %s (dead letter %d, %s)", said, v.Reason, v.What(), v.ID, v.State)
	return Entry{At: l.ReceivedAt.In(zone), What: what, Event: v.Event, DeadLetter: v.ID}
}

func periodEntries(period hr.Period, zone *time.Location) []Entry {
	first := period.Profiles[0].Profile
	entries := []Entry{{
		At: period.Starts.In(zone), Event: period.Opened.ID,
		What: "starts as " + cmp.Or(first.JobTitle, string(first.Type)) + in(first.Department),
	}}
	for i, s := range period.Profiles[1:] {
		if what := changes(period.Profiles[i].Profile, s.Profile); what != "" {
			entries = append(entries, Entry{At: s.From.In(zone), What: what, Event: s.Event.ID})
		}
	}
	if !period.Ends.IsZero() {
		what := "access ends (" + string(period.End.Cause) + ")"
		if period.End.Urgent {
			what = "access ends (" + string(period.End.Cause) + ", immediate)"
		}
		entries = append(entries, Entry{At: period.Ends.In(zone), What: what, Event: period.End.Event.ID})
	}
	return entries
}

// positionEntries returns the entries of one position of somebody who holds several.
func positionEntries(position hr.Position) []Entry {
	var entries []Entry
	for _, period := range position.Periods {
		entries = append(entries, periodEntries(period, zoneOf(period.Profiles[0].Profile))...)
	}
	for i := range entries {
		entries[i].What = "position " + operator.PositionName(position.ID) + ": " + strings.Replace(entries[i].What, "access ends", "ends", 1)
	}
	return entries
}

// Position describes a position that somebody holds, or will hold.
type Position struct {
	ID         string    `json:"id"`
	Primary    bool      `json:"primary"`
	JobTitle   string    `json:"jobTitle,omitempty"`
	Department string    `json:"department,omitempty"`
	ManagerID  string    `json:"managerId,omitempty"`
	CostCenter string    `json:"costCenter,omitempty"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until,omitzero"` // first instant after it
}

// PositionsOf describes the positions of somebody who holds several; it is nil for
// others.
func PositionsOf(person ledger.Person, now time.Time) []Position {
	held := assess.TimelineOf(person).Held(now)
	if len(held) < 2 {
		return nil
	}
	var list []Position
	for _, h := range held {
		zone := zoneOf(*h.Profile)
		v := Position{
			ID: h.ID, Primary: h.Primary, JobTitle: h.Profile.JobTitle, Department: h.Profile.Department,
			ManagerID: h.Profile.ManagerID, CostCenter: h.Profile.CostCenter, From: h.Starts.In(zone),
		}
		if !h.Ends.IsZero() {
			v.Until = h.Ends.In(zone)
		}
		list = append(list, v)
	}
	return list
}

func absenceEntries(list []hr.Interval, zone *time.Location) []Entry {
	var entries []Entry
	for _, i := range list {
		entries = append(entries, Entry{At: i.From.In(zone), What: "goes on leave", Event: i.Event.ID})
		if !i.To.IsZero() {
			entries = append(entries, Entry{At: i.To.In(zone), What: "is back from leave"})
		}
	}
	return entries
}

// suspensionEntries returns the entries of suspensions, which say who suspended and
// reinstated somebody, and why.
func suspensionEntries(list []hr.Interval, events []hr.Event, operators map[hr.EventKey]ledger.AuditRow, zone *time.Location) []Entry {
	var entries []Entry
	add := func(at time.Time, what string, is func(hr.Event) bool) {
		entry := Entry{At: at.In(zone), What: what}
		if i := slices.IndexFunc(events, is); i >= 0 {
			row := operators[events[i].EventKey]
			entry.Event, entry.By, entry.Login, entry.Reason = events[i].ID, row.Actor, row.Login, row.Cause
			if said := events[i].Suspension; said != nil {
				entry.Reason = said.Reason
			}
		}
		entries = append(entries, entry)
	}
	for _, i := range list {
		add(i.From, "is suspended", func(e hr.Event) bool { return e.EventKey == i.Event })
		if !i.To.IsZero() {
			add(i.To, "is reinstated", func(e hr.Event) bool { return e.Type == hr.EventReinstated && e.Said().Equal(i.To) })
		}
	}
	return entries
}

// changes describes the differences between two profiles in the fields that access
// usually depends on.
func changes(before, after hr.Profile) string {
	var out []string
	for _, f := range []struct{ name, before, after string }{
		{"name", before.GivenName + " " + before.FamilyName, after.GivenName + " " + after.FamilyName},
		{"type", string(before.Type), string(after.Type)},
		{"title", before.JobTitle, after.JobTitle},
		{"department", before.Department, after.Department},
		{"company", before.Company, after.Company},
		{"cost center", before.CostCenter, after.CostCenter},
		{"site", before.Location.Site, after.Location.Site},
		{"time zone", before.Location.TimeZone, after.Location.TimeZone},
		{"manager", before.ManagerID, after.ManagerID},
		{"last day", before.EndDate.String(), after.EndDate.String()},
	} {
		if f.before != f.after {
			out = append(out, f.name+" "+cmp.Or(f.before, "none")+" -> "+cmp.Or(f.after, "none"))
		}
	}
	return strings.Join(out, "; ")
}

func in(department string) string {
	if department == "" {
		return ""
	}
	return " in " + department
}

// zoneOf returns the person's time zone, or UTC if this machine does not know it.
func zoneOf(p hr.Profile) *time.Location {
	zone, err := time.LoadLocation(p.Location.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}
