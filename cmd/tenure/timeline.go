package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

func (c *cli) personTimelineCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "timeline PERSON",
		Short: "Show all that HR has said of a person, merged, and the events it comes from",
		Example: `  tenure person timeline 10004
  tenure person timeline 10004 -o yaml`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				person, err := operator.FindPerson(cmd.Context(), l, args[0])
				if err != nil {
					return err
				}
				operators, err := operator.SecuredBy(cmd.Context(), l, person)
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

// entryView describes one change at an instant. Time is in the person's own zone.
type entryView struct {
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

// viewTimeline merges the events of a person into a timeline. Operators holds the audit
// rows of the events that operators recorded: see operator.SecuredBy.
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
	slices.SortStableFunc(v.Entries, func(a, b entryView) int { return a.At.Compare(b.At) })
	for _, c := range t.Conflicts {
		v.Conflicts = append(v.Conflicts, conflictView{Code: c.Code, Source: c.Event.Source, Event: c.Event.ID})
	}
	return v
}

// letterEntry returns an entry for a record that could not be read.
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
	first := period.Profiles[0].Profile
	entries := []entryView{{
		At: period.Starts.In(zone), Event: period.Opened.ID,
		What: "starts as " + cmp.Or(first.JobTitle, string(first.Type)) + in(first.Department),
	}}
	for i, s := range period.Profiles[1:] {
		if what := changes(period.Profiles[i].Profile, s.Profile); what != "" {
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

// positionEntries returns the entries of one position of somebody who holds several.
func positionEntries(position hr.Position) []entryView {
	var entries []entryView
	for _, period := range position.Periods {
		entries = append(entries, periodEntries(period, zoneOf(period.Profiles[0].Profile))...)
	}
	for i := range entries {
		entries[i].What = "position " + operator.PositionName(position.ID) + ": " + strings.Replace(entries[i].What, "access ends", "ends", 1)
	}
	return entries
}

// positionView describes a position that somebody holds, or will hold.
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
	id := operator.PositionName(v.ID)
	if v.Primary {
		id += " (primary)"
	}
	return []string{id, v.JobTitle, v.Department, v.ManagerID, v.CostCenter, words.Instant(v.From), words.Instant(v.Until)}
}

// viewPositions describes the positions of somebody who holds several; it is nil for
// others.
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

// suspensionEntries returns the entries of suspensions, which say who suspended and
// reinstated somebody, and why.
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
			strconv.FormatInt(e.Seq, 10), shortType(e.Type), e.Effective.String(), words.Instant(e.Recorded), words.Instant(e.Received), e.Source, e.ID,
		}
	}))
}

// shortType returns an event type without the parts that all of them share.
func shortType(t hr.EventType) string {
	name := strings.TrimSuffix(string(t), ".v1")
	return name[strings.LastIndexByte(name, '.')+1:]
}

func (c *cli) personEvidenceCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "evidence PERSON",
		Short: "Show on one page what HR said of somebody, and what was done and proven in each app",
		Long: `Show on one page, for an auditor or for whoever is asked "are they really gone?",
what HR said of somebody and when it was received, and for each app what was to be
done, every step with its attempts, what was done by whom and why, and when the app
last proved it. Of somebody whose employment is over it says when access was to end,
and how long after that it was proven off.

It comes from the ledger alone: no app is asked (tenure app accounts asks). Exits
with 3 if something of theirs needs attention or is not done yet.`,
		Example: `  tenure person evidence 10004
  tenure person evidence 10004 -o json | jq '.apps[] | {app, off: .off.provenAt}'
  tenure person evidence 10004 -o yaml > 10004.yaml`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				v, err := evidence(cmd.Context(), l, cfg.Policy, args[0], cfg.Clock().Now())
				if err != nil {
					return err
				}
				if err := c.print(v, v.draw); err != nil {
					return err
				}
				if v.Unfinished > 0 {
					return errAttention
				}
				return nil
			})
		},
	})
}

// evidenceView holds what HR said about a person, and what was done because of it.
type evidenceView struct {
	Person string    `json:"person"`
	Name   string    `json:"name,omitempty"`
	Status hr.Status `json:"status,omitempty"`
	At     time.Time `json:"at"` // when this was put together
	// Unfinished counts the steps and questions of all apps that are not done.
	Unfinished int               `json:"unfinished"`
	Said       []eventView       `json:"events"`   // HR's events, as received
	Timeline   []entryView       `json:"timeline"` // the events, merged
	Letters    []letterView      `json:"deadLetters,omitempty"`
	Apps       []appEvidence     `json:"apps"`
	General    []evidenceStep    `json:"steps,omitempty"`  // questions, which are about no app
	Record     []ledger.AuditRow `json:"record,omitempty"` // what was done in no app
	CarriedTo  string            `json:"carriedTo,omitempty"`
	Earlier    []string          `json:"earlier,omitempty"`
	Held       []heldEvidence    `json:"held,omitempty"`
}

// heldEvidence describes a mass change that holds something of the person.
type heldEvidence struct {
	Cohort string                `json:"cohort"`
	Kind   ledger.WithdrawalKind `json:"kind"`
	Why    string                `json:"why"`
	Apps   []string              `json:"apps,omitempty"`
}

// appEvidence holds what had to be done in one app, and what was done.
type appEvidence struct {
	App     string            `json:"app"`
	Account *linkView         `json:"account,omitempty"` // none if Tenure never knew of one
	Off     *operator.Off     `json:"off,omitempty"`     // of people whose employment is over
	Steps   []evidenceStep    `json:"steps"`
	Record  []ledger.AuditRow `json:"record"`
}

// offText describes in words whether access ended in time.
func offText(o operator.Off) string {
	switch {
	case o.NotProven:
		return "access was to end " + words.Instant(o.DueAt) + ", and is NOT proven to be off"
	case o.Before:
		return "access was to end " + words.Instant(o.DueAt) + ", and was off before: since " + words.Instant(o.ProvenAt)
	default:
		return fmt.Sprintf("access was to end %s, and was proven off %s (%s later)", words.Instant(o.DueAt), words.Instant(o.ProvenAt), time.Duration(o.AfterSeconds)*time.Second)
	}
}

// evidenceStep describes a step, whatever became of it.
type evidenceStep struct {
	ledger.Step
	FinishedAt time.Time `json:"finishedAt,omitzero"`
}

// evidence collects what the ledger knows of a person.
func evidence(ctx context.Context, l ledger.Reader, rules *policy.Policy, id string, now time.Time) (evidenceView, error) {
	person, err := operator.FindPerson(ctx, l, id)
	if err != nil {
		return evidenceView{}, err
	}
	operators, err := operator.SecuredBy(ctx, l, person)
	if err != nil {
		return evidenceView{}, err
	}
	steps, err := ledger.Collect(ledger.AllSteps(ctx, l, ledger.StepFilter{PersonID: id}))
	if err != nil {
		return evidenceView{}, err
	}
	record, err := ledger.Collect(ledger.AllAudit(ctx, l, id, 0))
	if err != nil {
		return evidenceView{}, err
	}
	timeline := viewTimeline(person, operators, now)
	v := evidenceView{
		Person: id, Name: viewPerson(person.Summary).name(), Status: timeline.Status, At: now,
		Said: timeline.Events, Timeline: timeline.Entries, Apps: []appEvidence{}, CarriedTo: person.CarriedTo,
	}
	for _, e := range person.Earlier {
		v.Earlier = append(v.Earlier, e.PersonID)
	}
	for _, letter := range person.Letters {
		v.Letters = append(v.Letters, viewLetter(letter))
	}
	for _, w := range person.Withdrawals {
		if w.State == ledger.WithdrawalHeld {
			v.Held = append(v.Held, heldEvidence{ledger.CohortName(w.Cohort), w.Kind, w.Why, w.Apps})
		}
	}
	apps := map[string]*appEvidence{}
	of := func(app string) *appEvidence {
		if apps[app] == nil {
			apps[app] = &appEvidence{App: app, Steps: []evidenceStep{}, Record: []ledger.AuditRow{}}
		}
		return apps[app]
	}
	due := operator.EndedAt(person, now)
	for _, link := range person.Links {
		account := viewLink(link)
		account.Protected = rules.ProtectsPerson(id) || rules.ProtectsAccount(link.App, link.AccountID, link.Username)
		of(link.App).Account = &account
		if !due.IsZero() {
			of(link.App).Off = operator.OffOf(link, due)
		}
	}
	slices.SortStableFunc(steps, func(a, b ledger.Step) int { return a.PlannedAt.Compare(b.PlannedAt) })
	for _, s := range steps {
		step := evidenceStep{s, s.FinishedAt}
		if s.State == ledger.StepOpen || s.State == ledger.StepAttention {
			v.Unfinished++
		}
		if s.App == "" {
			v.General = append(v.General, step)
			continue
		}
		of(s.App).Steps = append(of(s.App).Steps, step)
	}
	for _, row := range record {
		if row.App == "" {
			v.Record = append(v.Record, row)
			continue
		}
		of(row.App).Record = append(of(row.App).Record, row)
	}
	for _, app := range apps {
		v.Apps = append(v.Apps, *app)
	}
	slices.SortFunc(v.Apps, func(a, b appEvidence) int { return cmp.Compare(a.App, b.App) })
	return v, nil
}

func (v evidenceView) draw(p *page) {
	var held []string
	for _, h := range v.Held {
		held = append(held, h.Cohort)
	}
	p.fields(field{"person", v.Person}, field{"name", v.Name}, field{"status", string(v.Status)}, field{"as of", words.Instant(v.At)},
		field{"held", strings.Join(held, ", ")}, field{"accounts carried to", v.CarriedTo}, field{"was", strings.Join(v.Earlier, ", ")})
	drawEvents(p, "What HR said, as received", v.Said)
	p.table("What that comes to", entryHeader, rowsOf(v.Timeline, entryView.row))
	p.table("Said by HR, but could not be read (tenure dlq show ID)", "id,received,state,urgency,reason,what is wrong", rowsOf(v.Letters, func(l letterView) []string {
		return []string{l.id(), words.Instant(l.ReceivedAt), string(l.State), l.urgency(), l.Reason, l.what()}
	}))
	for _, app := range v.Apps {
		app.draw(p)
	}
	drawSteps(p, "Questions", v.General)
	drawRecord(p, "On the record besides", v.Record)
}

func (a appEvidence) draw(p *page) {
	p.note("\n--- %s", a.App)
	if l := a.Account; l != nil {
		p.fields(field{"account", strings.TrimSpace(l.AccountID + " " + l.Username)}, field{"state", l.state()},
			field{"entitlements", strings.Join(l.Entitlements, " ")}, field{"proven created", words.Instant(l.CreatedAt)},
			field{"proven disabled", words.Instant(l.DisabledAt)}, field{"proven without entitlements", words.Instant(l.StrippedAt)},
			field{"data handed over", words.Instant(l.HandedOverAt)}, field{"proven deleted", words.Instant(l.DeletedAt)}, field{"last proof", words.Instant(l.ProvenAt)})
	}
	if a.Off != nil {
		p.note("%s", offText(*a.Off))
	}
	drawSteps(p, "Steps", a.Steps)
	drawRecord(p, "Done", a.Record)
}

func drawSteps(p *page, title string, steps []evidenceStep) {
	p.table(title, "planned,step,state,attempts,last attempt,finished,what", rowsOf(steps, func(s evidenceStep) []string {
		return []string{words.Instant(s.PlannedAt), s.Kind, string(s.State), strconv.Itoa(s.Attempts), words.Instant(s.LastAttemptAt), words.Instant(s.FinishedAt), whatOf(s.Step)}
	}))
}

func drawRecord(p *page, title string, record []ledger.AuditRow) {
	p.table(title, "when,what,who,why,details", rowsOf(record, func(a ledger.AuditRow) []string {
		details := ""
		if len(a.Detail) > 0 {
			if text, err := json.Marshal(a.Detail); err == nil {
				details = string(text)
			}
		}
		return []string{words.Instant(a.At), a.Action, operatorFrom(a.Actor, a.Login), a.Cause, details}
	}))
}
