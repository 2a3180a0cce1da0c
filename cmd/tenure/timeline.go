package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
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
				v := report.TimelineOf(person, operators, cfg.Clock().Now())
				return c.print(v, func(p *page) { drawTimeline(p, v) })
			})
		},
	})
}

const entryHeader = "when,what,event"

func entryRow(e report.Entry) []string {
	what := e.What
	if e.By != "" {
		what += " by " + operatorFrom(e.By, e.Login)
	}
	if e.Reason != "" {
		what += ": " + e.Reason
	}
	return []string{e.At.Format("2006-01-02 15:04 MST"), what, e.Event}
}

const positionHeader = "position,title,department,manager,cost center,from,until"

func positionRow(v report.Position) []string {
	id := operator.PositionName(v.ID)
	if v.Primary {
		id += " (primary)"
	}
	return []string{id, v.JobTitle, v.Department, v.ManagerID, v.CostCenter, words.Instant(v.From), words.Instant(v.Until)}
}

func drawTimeline(p *page, v report.Timeline) {
	p.fields(field{"person", v.Person}, field{"status", string(v.Status)}, field{"erased", words.Instant(v.ErasedAt)})
	p.table("Timeline", entryHeader, rowsOf(v.Entries, entryRow))
	p.table("Not applied: a human must say what was meant", "conflict,source,event", rowsOf(v.Conflicts, func(c report.Conflict) []string {
		return []string{string(c.Code), c.Source, c.Event}
	}))
	drawEvents(p, "Events, as received", v.Events)
}

func drawEvents(p *page, title string, events []report.Event) {
	p.table(title, "seq,type,effective,recorded,received,source,id", rowsOf(events, func(e report.Event) []string {
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
				v, err := report.EvidenceOf(cmd.Context(), l, cfg.Policy, args[0], cfg.Clock().Now())
				if err != nil {
					return err
				}
				if err := c.print(v, func(p *page) { drawEvidence(p, v) }); err != nil {
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

func drawEvidence(p *page, v report.Evidence) {
	var held []string
	for _, h := range v.Held {
		held = append(held, h.Cohort)
	}
	p.fields(field{"person", v.Person}, field{"name", v.Name}, field{"status", string(v.Status)}, field{"as of", words.Instant(v.At)},
		field{"held", strings.Join(held, ", ")}, field{"accounts carried to", v.CarriedTo}, field{"was", strings.Join(v.Earlier, ", ")})
	drawEvents(p, "What HR said, as received", v.Said)
	p.table("What that comes to", entryHeader, rowsOf(v.Timeline, entryRow))
	p.table("Said by HR, but could not be read (tenure dlq show ID)", "id,received,state,urgency,reason,what is wrong", rowsOf(v.Letters, func(l report.Letter) []string {
		return []string{letterID(l), words.Instant(l.ReceivedAt), string(l.State), urgency(l.Urgent), l.Reason, l.What()}
	}))
	for _, app := range v.Apps {
		drawAppEvidence(p, app)
	}
	drawSteps(p, "Questions", v.General)
	drawRecord(p, "On the record besides", v.Record)
}

func drawAppEvidence(p *page, a report.AppEvidence) {
	p.note("\n--- %s", a.App)
	if l := a.Account; l != nil {
		p.fields(field{"account", strings.TrimSpace(l.AccountID + " " + l.Username)}, field{"state", linkState(*l)},
			field{"entitlements", strings.Join(l.Entitlements, " ")}, field{"proven created", words.Instant(l.CreatedAt)},
			field{"proven disabled", words.Instant(l.DisabledAt)}, field{"proven without entitlements", words.Instant(l.StrippedAt)},
			field{"data handed over", strings.TrimSpace(words.Instant(l.HandedOverAt) + " " + receiverText(l.Receiver))}, field{"proven deleted", words.Instant(l.DeletedAt)}, field{"last proof", words.Instant(l.ProvenAt)})
	}
	if a.Off != nil {
		p.note("%s", offText(*a.Off))
	}
	drawSteps(p, "Steps", a.Steps)
	drawRecord(p, "Done", a.Record)
}

func drawSteps(p *page, title string, steps []report.EvidenceStep) {
	p.table(title, "planned,step,state,attempts,last attempt,finished,what", rowsOf(steps, func(s report.EvidenceStep) []string {
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
