package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

func (c *cli) personShowCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "show PERSON",
		Short: "Show where somebody's joining, moving or leaving stands",
		Long: `Show where somebody's joining, moving or leaving stands, in one screen: how far it
is, what HR said and when it holds, their accounts with the last proof of each,
what is not done yet with its attempts and last error, and what is due next.
Exits with 3 if something of theirs needs attention, is held (tenure breaker), or
waits for an approval (tenure deletion).`,
		Example: `  tenure person show 10004
  tenure person show 10004 -o json | jq '.accounts[] | {app, state, provenAt}'`,
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
				v := showPerson(person, operators, cfg.Policy, cfg.Clock().Now())
				if err := c.print(v, v.draw); err != nil {
					return err
				}
				if v.count(ledger.StepAttention)+len(v.Held)+v.waiting() > 0 {
					return errAttention
				}
				return nil
			})
		},
	})
}

// personScreen is all that there is to know of one person.
type personScreen struct {
	personView
	Protected bool `json:"protected,omitempty"` // no automation touches their accounts
	// CarriedTo is who has their accounts now, who is the same human, and Earlier those
	// whose accounts they have.
	CarriedTo string   `json:"carriedTo,omitempty"`
	Earlier   []string `json:"earlier,omitempty"`
	// Positions are those that they hold at once, if there are several.
	Positions []positionView `json:"positions,omitempty"`
	Progress  string         `json:"progress,omitempty"`
	Timeline  []entryView    `json:"timeline"`
	Accounts  []linkView     `json:"accounts"`
	Steps     []stepView     `json:"steps"`
	Tasks     []taskView     `json:"tasks,omitempty"` // for humans, and not finished
	Waived    []string       `json:"waived,omitempty"`
	Held      []string       `json:"held,omitempty"` // cohorts that hold something of theirs
	// Holds are legal holds in force, Retentions what operators have said of how long
	// accounts are kept, Approvals the deletions that an operator has to approve.
	Holds      []holdView      `json:"holds,omitempty"`
	Retentions []retentionView `json:"retentions,omitempty"`
	Approvals  []approvalView  `json:"approvals,omitempty"`
	// Letters are records about the person that could not be read: what they
	// would have changed is not known.
	Letters []letterView `json:"deadLetters,omitempty"`
}

func showPerson(person ledger.Person, operators map[hr.EventKey]ledger.AuditRow, rules *policy.Policy, now time.Time) personScreen {
	v := personScreen{
		personView: viewPerson(person.Summary), Timeline: viewTimeline(person, operators, now).Entries,
		Accounts: []linkView{}, Steps: []stepView{}, Waived: person.Waivers,
	}
	v.Protected = rules.ProtectsPerson(person.PersonID)
	v.CarriedTo = person.CarriedTo
	v.Positions = viewPositions(person, now)
	for _, e := range person.Earlier {
		v.Earlier = append(v.Earlier, e.PersonID)
	}
	for _, l := range person.Links {
		a := viewLink(l)
		a.Protected = v.Protected || rules.ProtectsAccount(l.App, l.AccountID, l.Username)
		v.Accounts = append(v.Accounts, a)
	}
	for _, s := range person.Steps {
		v.Steps = append(v.Steps, viewStep(s))
	}
	for _, k := range person.Tasks {
		v.Tasks = append(v.Tasks, viewTask(k, v.name(), now))
	}
	for _, w := range person.Withdrawals {
		if name := ledger.CohortName(w.Cohort); w.State == ledger.WithdrawalHeld && !slices.Contains(v.Held, name) {
			v.Held = append(v.Held, name)
		}
	}
	for _, h := range person.Holds {
		if h.InForce(now) {
			v.Holds = append(v.Holds, viewHold(h, v.name(), now))
		}
	}
	for _, r := range person.Retentions {
		v.Retentions = append(v.Retentions, viewRetention(r))
	}
	for _, a := range person.Approvals {
		v.Approvals = append(v.Approvals, viewApproval(a))
	}
	for _, l := range person.Letters {
		v.Letters = append(v.Letters, viewLetter(l))
	}
	v.Progress = v.progress()
	return v
}

// count is how many steps and questions are in a state.
func (v personScreen) count(state ledger.StepState) int {
	n := 0
	for _, s := range v.Steps {
		if s.State == state {
			n++
		}
	}
	return n
}

// protection says whose accounts are left alone.
func (v personScreen) protection() string {
	if !v.Protected {
		return ""
	}
	return "no automation touches their accounts (tenure plan --person " + v.ID + " shows what is not done)"
}

// progress says in one line how far the person's change is.
func (v personScreen) progress() string {
	in := map[ledger.LinkState]int{}
	for _, a := range v.Accounts {
		in[a.State]++
	}
	parts := []string{fmt.Sprintf("access in %d of %d apps", in[ledger.LinkActive], len(v.Accounts))}
	if slices.Contains([]hr.Status{hr.StatusEnded, hr.StatusSuspended, hr.StatusUnknown, hr.StatusOnLeave}, v.Status) {
		off := in[ledger.LinkDisabled] + in[ledger.LinkDeleted]
		parts = []string{fmt.Sprintf("cut off in %d of %d apps", off, len(v.Accounts))}
		if n := in[ledger.LinkDeleted]; n > 0 {
			parts = append(parts, fmt.Sprintf("deleted in %d", n))
		}
	}
	if len(v.Accounts) == 0 {
		parts = nil
	}
	if n := v.count(ledger.StepOpen); n > 0 {
		parts = append(parts, fmt.Sprintf("%d under way", n))
	}
	if n := v.count(ledger.StepAttention); n > 0 {
		parts = append(parts, fmt.Sprintf("%d in need of attention", n))
	}
	if len(v.Held) > 0 {
		parts = append(parts, "held in "+strings.Join(v.Held, ", ")+" (tenure breaker show "+v.Held[0]+")")
	}
	if len(v.Holds) > 0 {
		parts = append(parts, "nothing is deleted until "+instant(slices.MaxFunc(v.Holds, func(a, b holdView) int { return a.Until.Compare(b.Until) }).Until))
	}
	if n := v.waiting(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d to be approved (tenure deletion approve)", n))
	}
	return strings.Join(parts, ", ")
}

// waiting is how many deletions wait for an approval.
func (v personScreen) waiting() (n int) {
	for _, a := range v.Approvals {
		if a.State == ledger.ApprovalAsked {
			n++
		}
	}
	return n
}

func (v personScreen) draw(p *page) {
	p.fields(field{"person", v.ID}, field{"name", v.name()}, field{"username", v.Username},
		field{"status", string(v.Status)}, field{"title", v.JobTitle}, field{"department", v.Department},
		field{"manager", v.ManagerID}, field{"protected", v.protection()}, field{"progress", v.Progress}, field{"due", v.due()}, field{"assessed", instant(v.AssessedAt)},
		field{"waived", strings.Join(v.Waived, ", ")}, field{"accounts carried to", v.CarriedTo}, field{"was", strings.Join(v.Earlier, ", ")})
	p.table("Positions", positionHeader, rowsOf(v.Positions, positionView.row))
	p.table("Timeline", entryHeader, rowsOf(v.Timeline, entryView.row))
	p.table("Accounts", "app,state,username,account,entitlements,since,last proof", rowsOf(v.Accounts, func(a linkView) []string {
		return []string{a.App, a.state(), a.Username, a.AccountID, strings.Join(a.Entitlements, " "), instant(a.since()), instant(a.ProvenAt)}
	}))
	p.table("Not done", "app,step,state,attempts,last attempt,what,key", rowsOf(v.Steps, func(s stepView) []string {
		return []string{s.App, s.Kind, string(s.State), strconv.Itoa(s.Attempts), instant(s.LastAttemptAt), s.what(), s.Key}
	}))
	p.table("Humans are asked to (tenure task show ID)", "id,due,state,assignee,app,what", rowsOf(v.Tasks, func(k taskView) []string {
		return []string{strconv.FormatInt(k.ID, 10), instant(k.DueAt), k.state(), k.Assignee, k.App, k.what()}
	}))
	p.table("Legal holds (tenure hold release)", "hold,placed,until,operator,reason", rowsOf(v.Holds, func(h holdView) []string {
		return []string{h.Hold, instant(h.PlacedAt), instant(h.Until), operatorFrom(h.Operator, h.Login), h.Reason}
	}))
	p.table("Kept for longer or shorter than the configuration says (tenure retention)", "app,kept,set,operator,reason", rowsOf(v.Retentions, func(r retentionView) []string {
		return []string{r.app(), r.kept(), instant(r.SetAt), operatorFrom(r.Operator, r.Login), r.Reason}
	}))
	p.table("Deletions to be approved (tenure deletion approve)", "app,state,asked,reminders,approved,operator,reason", rowsOf(v.Approvals, func(a approvalView) []string {
		return []string{a.App, string(a.State), instant(a.AskedAt), strconv.Itoa(a.Reminders), instant(a.ApprovedAt), operatorFrom(a.Operator, a.Login), a.Reason}
	}))
	p.table("Said by HR, but could not be read (tenure dlq show ID)", "id,received,state,urgency,reason,type,what is wrong", rowsOf(v.Letters, func(l letterView) []string {
		return []string{l.id(), instant(l.ReceivedAt), string(l.State), l.urgency(), l.Reason, l.Type, l.what()}
	}))
}
