package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) personTimelineCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "timeline PERSON",
		Short: "Show all that HR has said of a person, merged, and the events it comes from",
		Example: `  tenure person timeline 10004
  tenure person timeline 10004 -o yaml`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				person, err := operator.FindPerson(cmd.Context(), l, args[0])
				if err != nil {
					return err
				}
				operators, err := securedBy(cmd.Context(), l, person)
				if err != nil {
					return err
				}
				v := viewTimeline(person, operators, cfg.Clock().Now())
				return c.print(v, v.draw)
			})
		},
	})
}

type timelineView struct {
	Person    string         `json:"person"`
	Status    hr.Status      `json:"status"`
	Entries   []entryView    `json:"entries"`
	Conflicts []conflictView `json:"conflicts,omitempty"`
	Events    []eventView    `json:"events"`
}

// entryView is one thing that changes at an instant. Time is in the person's own
// zone.
type entryView struct {
	At    time.Time `json:"at"`
	What  string    `json:"what"`
	Event string    `json:"event,omitempty"` // ID
	Login string    `json:"login,omitempty"` // from which they said it
	By    string    `json:"by,omitempty"`    // the operator who said so, if it was not HR
	// Reason is why somebody is suspended or reinstated, if that was said.
	Reason string `json:"reason,omitempty"`
	// DeadLetter is the number of a dead letter: HR said something there, and it is
	// not known what.
	DeadLetter int64 `json:"deadLetter,omitempty"`
}

const entryHeader = "when,what,event"

func (e entryView) row() []string {
	what := e.What
	if e.By != "" {
		what += " by " + operatorFrom(e.By, e.Login)
	}
	if e.Reason != "" {
		what += ": " + e.Reason
	}
	return []string{e.At.Format("2006-01-02 15:04 MST"), what, e.Event}
}

type conflictView struct {
	Code   hr.ConflictCode `json:"code"`
	Source string          `json:"source"`
	Event  string          `json:"event"`
}

type eventView struct {
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

// viewTimeline merges what was said of a person. operators are those who said some
// of it: see securedBy.
func viewTimeline(person ledger.Person, operators map[hr.EventKey]ledger.AuditRow, now time.Time) timelineView {
	events := assess.EventsOf(person)
	v := timelineView{Person: person.PersonID, Entries: []entryView{}, Events: []eventView{}}
	for _, stored := range person.Events {
		e := stored.Event
		v.Events = append(v.Events, eventView{
			Seq: stored.Seq, Type: e.Type, Effective: e.Effective, Recorded: e.Recorded, Received: stored.At,
			Source: e.Source, ID: e.ID, Rescinds: e.Rescinds, Position: e.PositionID,
		})
	}
	t := assess.TimelineOf(person)
	v.Status = t.At(now).Status

	zone := time.UTC
	for _, period := range t.Periods {
		zone = zoneOf(period.Snapshots[0].Profile)
		if len(t.Positions) > 1 { // what changes is said of each position
			period.Snapshots = period.Snapshots[:1]
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
	slices.SortStableFunc(v.Entries, func(a, b entryView) int { return a.At.Compare(b.At) })
	for _, c := range t.Conflicts {
		v.Conflicts = append(v.Conflicts, conflictView{Code: c.Code, Source: c.Event.Source, Event: c.Event.ID})
	}
	return v
}

// letterEntry stands where something was received that could not be read.
func letterEntry(l ledger.DeadLetter, zone *time.Location) entryView {
	v := viewLetter(l)
	said := "HR said something that could not be read"
	if v.Urgent {
		said = "HR said something that was to end access and could not be read"
	}
	what := fmt.Sprintf("%s: %s %s (dead letter %d, %s)", said, v.Reason, v.what(), v.ID, v.State)
	return entryView{At: l.ReceivedAt.In(zone), What: what, Event: v.Event, DeadLetter: v.ID}
}

func periodEntries(period hr.Period, zone *time.Location) []entryView {
	first := period.Snapshots[0].Profile
	entries := []entryView{{
		At: period.Starts.In(zone), Event: period.Opened.ID,
		What: "starts as " + cmp.Or(first.JobTitle, string(first.Type)) + in(first.Department),
	}}
	for i, s := range period.Snapshots[1:] {
		if what := changes(period.Snapshots[i].Profile, s.Profile); what != "" {
			entries = append(entries, entryView{At: s.From.In(zone), What: what, Event: s.Event.ID})
		}
	}
	if !period.Ends.IsZero() {
		what := "access ends (" + string(period.End.Cause) + ")"
		if period.End.Urgent {
			what = "access ends (" + string(period.End.Cause) + ", immediate)"
		}
		entries = append(entries, entryView{At: period.Ends.In(zone), What: what, Event: period.End.Event.ID})
	}
	return entries
}

// positionEntries are what changes in one position of somebody who has several.
func positionEntries(position hr.Position) []entryView {
	var entries []entryView
	for _, period := range position.Periods {
		entries = append(entries, periodEntries(period, zoneOf(period.Snapshots[0].Profile))...)
	}
	for i := range entries {
		entries[i].What = "position " + positionName(position.ID) + ": " + strings.Replace(entries[i].What, "access ends", "ends", 1)
	}
	return entries
}

// positionView is a position that somebody holds, or is to begin with.
type positionView struct {
	ID         string    `json:"id"`
	Primary    bool      `json:"primary"`
	JobTitle   string    `json:"jobTitle,omitempty"`
	Department string    `json:"department,omitempty"`
	ManagerID  string    `json:"managerId,omitempty"`
	CostCenter string    `json:"costCenter,omitempty"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until,omitzero"` // first instant after it
}

const positionHeader = "position,title,department,manager,cost center,from,until"

func (v positionView) row() []string {
	id := positionName(v.ID)
	if v.Primary {
		id += " (primary)"
	}
	return []string{id, v.JobTitle, v.Department, v.ManagerID, v.CostCenter, instant(v.From), instant(v.Until)}
}

// viewPositions are the positions of somebody who holds several; nil if they do not.
func viewPositions(person ledger.Person, now time.Time) []positionView {
	held := assess.TimelineOf(person).Held(now)
	if len(held) < 2 {
		return nil
	}
	var list []positionView
	for _, h := range held {
		zone := zoneOf(*h.Profile)
		v := positionView{
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

func absenceEntries(list []hr.Interval, zone *time.Location) []entryView {
	var entries []entryView
	for _, i := range list {
		entries = append(entries, entryView{At: i.From.In(zone), What: "goes on leave", Event: i.Event.ID})
		if !i.To.IsZero() {
			entries = append(entries, entryView{At: i.To.In(zone), What: "is back from leave"})
		}
	}
	return entries
}

// suspensionEntries says besides who suspended and reinstated somebody, and why.
func suspensionEntries(list []hr.Interval, events []hr.Event, operators map[hr.EventKey]ledger.AuditRow, zone *time.Location) []entryView {
	var entries []entryView
	add := func(at time.Time, what string, is func(hr.Event) bool) {
		entry := entryView{At: at.In(zone), What: what}
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

// securedBy finds on the record which operators have suspended and reinstated a
// person: the rows, by the events that they made of it.
func securedBy(ctx context.Context, l ledger.Ledger, person ledger.Person) (map[hr.EventKey]ledger.AuditRow, error) {
	found := map[hr.EventKey]ledger.AuditRow{}
	if !slices.ContainsFunc(person.Events, func(e ledger.StoredEvent) bool { return e.Event.Source == operatorSource }) {
		return found, nil
	}
	for after := int64(0); ; {
		rows, err := l.Audit(ctx, person.PersonID, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row.Seq
			if id, ok := row.Detail["event"].(string); ok && row.Detail["source"] == operatorSource {
				found[hr.EventKey{Source: operatorSource, ID: id}] = row
			}
		}
		if len(rows) < pageSize {
			return found, nil
		}
	}
}

// changes says in what the second profile differs, of all that access usually
// depends on.
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

// zoneOf is the person's time zone, or UTC if this machine does not know it.
func zoneOf(p hr.Profile) *time.Location {
	zone, err := time.LoadLocation(p.Location.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (v timelineView) draw(p *page) {
	p.fields(field{"person", v.Person}, field{"status", string(v.Status)})
	p.table("Timeline", entryHeader, rowsOf(v.Entries, entryView.row))
	p.table("Not applied: a human must say what was meant", "conflict,source,event", rowsOf(v.Conflicts, func(c conflictView) []string {
		return []string{string(c.Code), c.Source, c.Event}
	}))
	drawEvents(p, "Events, as received", v.Events)
}

func drawEvents(p *page, title string, events []eventView) {
	p.table(title, "seq,type,effective,recorded,received,source,id", rowsOf(events, func(e eventView) []string {
		return []string{
			strconv.FormatInt(e.Seq, 10), shortType(e.Type), e.Effective.String(), instant(e.Recorded), instant(e.Received), e.Source, e.ID,
		}
	}))
}

// shortType is an event type without what all of them have.
func shortType(t hr.EventType) string {
	name := strings.TrimSuffix(string(t), ".v1")
	return name[strings.LastIndexByte(name, '.')+1:]
}
