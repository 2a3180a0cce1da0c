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
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

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
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
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

// evidenceView is what HR said of a person, and what came of it.
type evidenceView struct {
	Person string    `json:"person"`
	Name   string    `json:"name,omitempty"`
	Status hr.Status `json:"status,omitempty"`
	At     time.Time `json:"at"` // when this was put together
	// Unfinished is how many steps and questions are not done, of all apps.
	Unfinished int            `json:"unfinished"`
	Said       []eventView    `json:"events"`   // by HR, as received
	Timeline   []entryView    `json:"timeline"` // what that comes to
	Letters    []letterView   `json:"deadLetters,omitempty"`
	Apps       []appEvidence  `json:"apps"`
	General    []evidenceStep `json:"steps,omitempty"`  // questions, which are about no app
	Record     []auditView    `json:"record,omitempty"` // what was done in no app
	CarriedTo  string         `json:"carriedTo,omitempty"`
	Earlier    []string       `json:"earlier,omitempty"`
	Held       []heldEvidence `json:"held,omitempty"`
}

// heldEvidence is a mass change that holds something of the person's.
type heldEvidence struct {
	Cohort string                `json:"cohort"`
	Kind   ledger.WithdrawalKind `json:"kind"`
	Why    string                `json:"why"`
	Apps   []string              `json:"apps,omitempty"`
}

// appEvidence is what was to be done in one app, and was done.
type appEvidence struct {
	App     string         `json:"app"`
	Account *linkView      `json:"account,omitempty"` // none if Tenure never knew of one
	Off     *offEvidence   `json:"off,omitempty"`     // of people whose employment is over
	Steps   []evidenceStep `json:"steps"`
	Record  []auditView    `json:"record"`
}

// offEvidence says whether access ended in time.
type offEvidence struct {
	DueAt        time.Time `json:"dueAt"`               // the later of when it was to end and when HR's word was received
	ProvenAt     time.Time `json:"provenAt,omitzero"`   // when the app first proved it
	AfterSeconds int64     `json:"afterSeconds"`        // from the one to the other
	Before       bool      `json:"before,omitempty"`    // it was off before that
	NotProven    bool      `json:"notProven,omitempty"` // it is not known to be off
}

// text says it in words.
func (o offEvidence) text() string {
	switch {
	case o.NotProven:
		return "access was to end " + instant(o.DueAt) + ", and is NOT proven to be off"
	case o.Before:
		return "access was to end " + instant(o.DueAt) + ", and was off before: since " + instant(o.ProvenAt)
	default:
		return fmt.Sprintf("access was to end %s, and was proven off %s (%s later)", instant(o.DueAt), instant(o.ProvenAt), time.Duration(o.AfterSeconds)*time.Second)
	}
}

// evidenceStep is a step, whatever became of it.
type evidenceStep struct {
	stepView
	FinishedAt time.Time `json:"finishedAt,omitzero"`
}

// evidence puts together what the ledger knows of a person.
func evidence(ctx context.Context, l ledger.Ledger, rules *policy.Policy, id string, now time.Time) (evidenceView, error) {
	person, err := operator.FindPerson(ctx, l, id)
	if err != nil {
		return evidenceView{}, err
	}
	operators, err := securedBy(ctx, l, person)
	if err != nil {
		return evidenceView{}, err
	}
	steps, err := eachStep(ctx, l, ledger.StepFilter{PersonID: id}, func(ledger.Step) bool { return true })
	if err != nil {
		return evidenceView{}, err
	}
	record, err := recordOf(ctx, l, id)
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
			apps[app] = &appEvidence{App: app, Steps: []evidenceStep{}, Record: []auditView{}}
		}
		return apps[app]
	}
	due := endsAt(person, now)
	for _, link := range person.Links {
		account := viewLink(link)
		account.Protected = rules.ProtectsPerson(id) || rules.ProtectsAccount(link.App, link.AccountID, link.Username)
		of(link.App).Account = &account
		if !due.IsZero() {
			of(link.App).Off = offOf(link, due)
		}
	}
	slices.SortStableFunc(steps, func(a, b ledger.Step) int { return a.PlannedAt.Compare(b.PlannedAt) })
	for _, s := range steps {
		step := evidenceStep{viewStep(s), s.FinishedAt}
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

// recordOf reads all that is on the record of a person.
func recordOf(ctx context.Context, l ledger.Ledger, id string) (record []auditView, err error) {
	for after := int64(0); ; {
		rows, err := l.Audit(ctx, id, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row.Seq
			record = append(record, viewAudit(row))
		}
		if len(rows) < pageSize {
			return record, nil
		}
	}
}

// endsAt is when access was to end of somebody whose employment is over: when HR said
// that it ends, or when that was received, if it was later. Zero of everybody else.
func endsAt(person ledger.Person, now time.Time) time.Time {
	t := assess.TimelineOf(person)
	if t.At(now).Status != hr.StatusEnded {
		return time.Time{}
	}
	var due time.Time
	for _, period := range t.Periods {
		if period.Ends.IsZero() || period.Ends.After(now) {
			continue
		}
		due = period.Ends
		for _, stored := range person.Events {
			if stored.Event.EventKey == period.End.Event && stored.At.After(due) {
				due = stored.At
			}
		}
	}
	return due
}

// offOf says whether an account was off in time.
func offOf(link ledger.Link, due time.Time) *offEvidence {
	off := &offEvidence{DueAt: due, ProvenAt: link.DisabledAt}
	if link.State == ledger.LinkDeleted && off.ProvenAt.IsZero() {
		off.ProvenAt = link.DeletedAt
	}
	switch after := off.ProvenAt.Sub(due); {
	case link.State != ledger.LinkDisabled && link.State != ledger.LinkDeleted, off.ProvenAt.IsZero():
		off.NotProven, off.ProvenAt = true, time.Time{}
	case after < 0:
		off.Before = true
	default:
		off.AfterSeconds = int64(after.Round(time.Second).Seconds())
	}
	return off
}

func (v evidenceView) draw(p *page) {
	var held []string
	for _, h := range v.Held {
		held = append(held, h.Cohort)
	}
	p.fields(field{"person", v.Person}, field{"name", v.Name}, field{"status", string(v.Status)}, field{"as of", instant(v.At)},
		field{"held", strings.Join(held, ", ")}, field{"accounts carried to", v.CarriedTo}, field{"was", strings.Join(v.Earlier, ", ")})
	drawEvents(p, "What HR said, as received", v.Said)
	p.table("What that comes to", entryHeader, rowsOf(v.Timeline, entryView.row))
	p.table("Said by HR, but could not be read (tenure dlq show ID)", "id,received,state,urgency,reason,what is wrong", rowsOf(v.Letters, func(l letterView) []string {
		return []string{l.id(), instant(l.ReceivedAt), string(l.State), l.urgency(), l.Reason, l.what()}
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
			field{"entitlements", strings.Join(l.Entitlements, " ")}, field{"proven created", instant(l.CreatedAt)},
			field{"proven disabled", instant(l.DisabledAt)}, field{"proven without entitlements", instant(l.StrippedAt)},
			field{"data handed over", instant(l.HandedOverAt)}, field{"proven deleted", instant(l.DeletedAt)}, field{"last proof", instant(l.ProvenAt)})
	}
	if a.Off != nil {
		p.note("%s", a.Off.text())
	}
	drawSteps(p, "Steps", a.Steps)
	drawRecord(p, "Done", a.Record)
}

func drawSteps(p *page, title string, steps []evidenceStep) {
	p.table(title, "planned,step,state,attempts,last attempt,finished,what", rowsOf(steps, func(s evidenceStep) []string {
		return []string{instant(s.PlannedAt), s.Kind, string(s.State), strconv.Itoa(s.Attempts), instant(s.LastAttemptAt), instant(s.FinishedAt), s.what()}
	}))
}

func drawRecord(p *page, title string, record []auditView) {
	p.table(title, "when,what,who,why,details", rowsOf(record, func(a auditView) []string {
		details := ""
		if len(a.Detail) > 0 {
			if text, err := json.Marshal(a.Detail); err == nil {
				details = string(text)
			}
		}
		return []string{instant(a.At), a.Action, operatorFrom(a.Actor, a.Login), a.Cause, details}
	}))
}
