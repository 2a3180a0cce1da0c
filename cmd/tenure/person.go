package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/service/apps"
)

func (c *cli) personCommand() *cobra.Command {
	return noun("person", "Show people: who they are to HR, and what they have; cut them off now",
		c.personListCommand(), c.personShowCommand(), c.personTimelineCommand(), c.personWhyCommand(), c.personEvidenceCommand(), c.personAccessCommand(), c.personSuspendCommand(), c.personReinstateCommand(),
		c.personRenameCommand(), c.personLinkCommand(), c.personUnlinkCommand(),
		c.personDataCommand(), c.personEraseCommand())
}

// dueOf says when something is due for somebody, and what.
func dueOf(v report.Summary) string {
	if v.DueAt.IsZero() {
		return ""
	}
	if v.DueWhat == ledger.DueWorking {
		return "now: see its steps" // the instant is only when the sweeper would look
	}
	if v.DueWhat == ledger.DueBreaker {
		return "now: in a mass change (tenure breaker list)" // here too
	}
	return v.DueWhat + " " + words.Instant(v.DueAt)
}

func (c *cli) personListCommand() *cobra.Command {
	var f peopleFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the people in the ledger",
		Long: `List the people in the ledger, by ID. All conditions that are given have to hold.
With --limit, the rest is listed by --after and the last ID of the page.`,
		Example: `  tenure person list
  tenure person list --status on_leave --department Sales
  tenure person list --role engineering --app wiki -o csv
  tenure person list --limit 100 --after 10100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				if err := f.check(cmd.Context(), cfg, l); err != nil {
					return err
				}
				last := ""
				people := report.People(cmd.Context(), l, cfg.Policy, cfg.Clock().Now(), f.PeopleFilter)
				more, err := streamed(c, people, listView[report.Summary]{header: peopleHeader, row: func(v report.Summary) []string {
					last = v.ID
					return summaryRow(v)
				}, none: "nobody"})
				if more {
					c.tell("behind these: --after %s\n", quoted(last))
				}
				return wrong(err)
			})
		},
	}
	f.flags(c, cmd)
	return c.lists(cmd)
}

const peopleHeader = "person,name,username,status,department,title,due"

func summaryRow(v report.Summary) []string {
	return []string{v.ID, v.Name(), v.Username, string(v.Status), v.Department, v.JobTitle, dueOf(v)}
}

// linkState returns a link's state for people, with a mark if the account is protected.
func linkState(v report.Link) string {
	if v.Protected {
		return string(v.State) + ", protected"
	}
	return string(v.State)
}

// whatOf describes a step for people: what went wrong, or why it was skipped.
func whatOf(s ledger.Step) string {
	if s.State == ledger.StepSkipped && s.Reason != "" {
		return s.Reason
	}
	return strings.Trim(s.Code+": "+s.Message, ": ")
}

// stateOf returns the state of a step for people. A step for which the app takes long waits for
// the app.
func stateOf(s ledger.Step) string {
	if s.State == ledger.StepOpen && s.Underway.Call != "" {
		return "under way since " + words.Instant(s.Underway.Since)
	}
	return string(s.State)
}

// exactly accepts exactly these arguments, which it names in its error.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("%s wants %s, and was given %d arguments; see %s --help",
				cmd.CommandPath(), strings.Join(names, " "), len(args), cmd.CommandPath())
		}
		return nil
	}
}

// peopleFilter holds the flags that select people.
type peopleFilter struct{ report.PeopleFilter }

// wrong turns a *report.WrongError into an error about the flag or argument.
func wrong(err error) error {
	var what *report.WrongError
	switch {
	case !errors.As(err, &what):
		return err
	case what.Field == "entitlement": // an argument, which the text names
		return usagef("%w", what)
	}
	return usagef("--%s %s: %w", what.Field, plain(what.Value), what)
}

func (f *peopleFilter) flags(c *cli, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar((*string)(&f.Status), "status", "", "only people of this `status`: "+strings.Join(statuses, ", "))
	flags.StringVar(&f.Department, "department", "", "only people of this `department`")
	flags.StringVar(&f.Manager, "manager", "", "only those whose manager is this `person`, by ID")
	flags.StringVar(&f.Role, "role", "", "only people for whom this `role` holds now, by what HR has said of them")
	flags.StringVar(&f.App, "app", "", "only people who have an account in this `app`")
	flags.StringVar(&f.Name, "name", "", "only people whose name or username has this `text` in it")
	flags.StringVar(&f.After, "after", "", "only people behind this `person` in the list, by ID")
	flags.BoolVar(&f.Orphans, "orphans", false, "those who stand for accounts that end as nobody's (tenure finding end), instead of people")
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(statuses, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("app", c.completeApps)
	_ = cmd.RegisterFlagCompletionFunc("role", c.completeRoles)
}

func (c *cli) completeRoles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cfg, err := c.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return cfg.Policy.RoleNames(), cobra.ShellCompDirectiveNoFileComp
}

// check refuses values that no person can have.
func (f *peopleFilter) check(ctx context.Context, cfg *config.Config, l ledger.Reader) error {
	if err := oneOf("status", string(f.Status), statuses); err != nil {
		return err
	}
	if err := oneOf("role", f.Role, cfg.Policy.RoleNames()); err != nil {
		return err
	}
	return appFilter(ctx, cfg, l, f.App)
}

func (c *cli) personShowCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "show PERSON",
		Short: "Show where somebody's joining, moving or leaving stands",
		Long: `Show where somebody's joining, moving or leaving stands, in one screen: how far it
is, what HR said and when it holds, their accounts with the last proof of each and
until when deleted ones can be brought back (tenure account restore), to whom a
leaver's data go, what is not done yet with its attempts and last error, and what is due next.
Exits with 3 if something of theirs needs attention, is held (tenure breaker), or
waits for an approval (tenure deletion).`,
		Example: `  tenure person show 10004
  tenure person show 10004 -o json | jq '.accounts[] | {app, state, provenAt}'`,
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
				v := showPerson(person, operators, cfg.Policy, cfg.Clock().Now())
				viewer := operator.Viewer{Ledger: l, Policy: cfg.Policy, Apps: apps.Of(cfg, nil), Clock: cfg.Clock()}
				v.Bins = viewBins(viewer.Bins(cmd.Context(), person))
				if v.HandOvers, err = viewHandOvers(cmd.Context(), viewer, person); err != nil {
					return err
				}
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

// personScreen holds everything that is known about one person.
type personScreen struct {
	report.Summary
	Protected bool `json:"protected,omitempty"` // no automation touches their accounts
	// CarriedTo is the ID of the same human that has their accounts now. Earlier lists
	// the IDs whose accounts were carried over to this one.
	CarriedTo string   `json:"carriedTo,omitempty"`
	Earlier   []string `json:"earlier,omitempty"`
	// Positions lists the positions of somebody who holds several at once.
	Positions []report.Position `json:"positions,omitempty"`
	Progress  string            `json:"progress,omitempty"`
	Timeline  []report.Entry    `json:"timeline"`
	Accounts  []report.Link     `json:"accounts"`
	Steps     []ledger.Step     `json:"steps"`
	Tasks     []taskView        `json:"tasks,omitempty"` // for humans, and not finished
	Waived    []string          `json:"waived,omitempty"`
	Held      []string          `json:"held,omitempty"` // cohorts that hold a change of theirs
	// Holds lists the legal holds in force. Retentions says how long operators want
	// accounts to be kept. Approvals lists the deletions that an operator has to approve.
	Holds      []holdView      `json:"holds,omitempty"`
	Retentions []retentionView `json:"retentions,omitempty"`
	// Exceptions lists what they have, or do not have, other than the rules say.
	Exceptions []exceptionView   `json:"exceptions,omitempty"`
	Approvals  []ledger.Approval `json:"approvals,omitempty"`
	// Letters lists the records about the person that could not be read. Nobody knows
	// what these would have changed.
	Letters []report.Letter `json:"deadLetters,omitempty"`
	// HandOvers says to whom a leaver's data go, or went.
	HandOvers []handOverView `json:"handOvers,omitempty"`
	// Bins lists the deleted accounts that can be brought back.
	Bins []binView `json:"recycleBins,omitempty"`
}

func showPerson(person ledger.Person, operators map[hr.EventKey]ledger.AuditRow, rules *policy.Policy, now time.Time) personScreen {
	v := personScreen{
		Summary: report.SummaryOf(person.Summary), Timeline: report.TimelineOf(person, operators, now).Entries,
		Accounts: []report.Link{}, Steps: []ledger.Step{}, Waived: person.Waivers, Approvals: person.Approvals,
	}
	v.Protected = rules.ProtectsPerson(person.PersonID)
	v.CarriedTo = person.CarriedTo
	v.Positions = report.PositionsOf(person, now)
	for _, e := range person.Earlier {
		v.Earlier = append(v.Earlier, e.PersonID)
	}
	for _, l := range person.Links {
		a := report.LinkOf(l)
		a.Protected = v.Protected || rules.ProtectsAccount(l.App, l.AccountID, l.Username)
		v.Accounts = append(v.Accounts, a)
	}
	v.Steps = append(v.Steps, person.Steps...)
	for _, k := range person.Tasks {
		v.Tasks = append(v.Tasks, viewTask(k, v.Name(), now))
	}
	for _, w := range person.Withdrawals {
		if name := ledger.CohortName(w.Cohort); w.State == ledger.WithdrawalHeld && !slices.Contains(v.Held, name) {
			v.Held = append(v.Held, name)
		}
	}
	for _, h := range person.Holds {
		if h.InForce(now) {
			v.Holds = append(v.Holds, viewHold(h, v.Name(), now))
		}
	}
	for _, r := range person.Retentions {
		v.Retentions = append(v.Retentions, viewRetention(r))
	}
	for _, x := range person.Exceptions {
		v.Exceptions = append(v.Exceptions, viewException(x, "", operator.ExceptionState(rules, person, x, now)))
	}
	for _, l := range person.Letters {
		v.Letters = append(v.Letters, report.LetterOf(l))
	}
	v.Progress = v.progress()
	return v
}

// count counts the steps and questions in a state.
func (v personScreen) count(state ledger.StepState) int {
	n := 0
	for _, s := range v.Steps {
		if s.State == state {
			n++
		}
	}
	return n
}

// protection says that no automation touches the person's accounts; empty if it may.
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
		parts = append(parts, "nothing is deleted until "+words.Instant(slices.MaxFunc(v.Holds, func(a, b holdView) int { return a.Until.Compare(b.Until) }).Until))
	}
	if n := v.waiting(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d to be approved (tenure deletion approve)", n))
	}
	return strings.Join(parts, ", ")
}

// waiting counts the deletions that wait for an approval.
func (v personScreen) waiting() (n int) {
	for _, a := range v.Approvals {
		if a.State == ledger.ApprovalAsked {
			n++
		}
	}
	return n
}

func (v personScreen) draw(p *page) {
	p.fields(field{"person", v.ID}, field{"name", v.Name()}, field{"username", v.Username},
		field{"status", string(v.Status)}, field{"title", v.JobTitle}, field{"department", v.Department},
		field{"manager", v.ManagerID}, field{"protected", v.protection()}, field{"progress", v.Progress}, field{"due", dueOf(v.Summary)}, field{"assessed", words.Instant(v.AssessedAt)},
		field{"waived", strings.Join(v.Waived, ", ")}, field{"accounts carried to", v.CarriedTo}, field{"was", strings.Join(v.Earlier, ", ")})
	p.table("Positions", positionHeader, rowsOf(v.Positions, positionRow))
	p.table("Timeline", entryHeader, rowsOf(v.Timeline, entryRow))
	p.table("Accounts", "app,state,username,account,entitlements,since,last proof", rowsOf(v.Accounts, func(a report.Link) []string {
		return []string{a.App, linkState(a), a.Username, a.AccountID, strings.Join(a.Entitlements, " "), words.Instant(a.Since()), words.Instant(a.ProvenAt)}
	}))
	p.table("Data of a leaver", handOverHeader, rowsOf(v.HandOvers, handOverView.row))
	p.table("Deleted, and can be brought back", binHeader, rowsOf(v.Bins, binView.row))
	p.table("Not done", "app,step,state,attempts,last attempt,what,key", rowsOf(v.Steps, func(s ledger.Step) []string {
		return []string{s.App, s.Kind, stateOf(s), strconv.Itoa(s.Attempts), words.Instant(s.LastAttemptAt), whatOf(s), s.Key}
	}))
	p.table("Humans are asked to (tenure task show ID)", "id,due,state,assignee,app,what", rowsOf(v.Tasks, func(k taskView) []string {
		return []string{strconv.FormatInt(k.ID, 10), words.Instant(k.DueAt), k.state(), k.Assignee, k.App, k.what()}
	}))
	p.table("Legal holds (tenure hold release)", "hold,placed,until,operator,reason", rowsOf(v.Holds, func(h holdView) []string {
		return []string{h.Hold, words.Instant(h.PlacedAt), words.Instant(h.Until), operatorFrom(h.Operator, h.Login), h.Reason}
	}))
	p.table("Other than the rules say (tenure exception)", "exception,kind,what,state,from,until,by,reason", rowsOf(v.Exceptions, func(x exceptionView) []string {
		return []string{x.Exception, x.Kind, x.what(), x.State, words.Instant(x.From), words.Instant(x.Until), operatorFrom(x.DecidedBy, x.Login), x.Reason}
	}))
	p.table("Kept for longer or shorter than the configuration says (tenure retention)", "app,kept,set,operator,reason", rowsOf(v.Retentions, func(r retentionView) []string {
		return []string{r.app(), r.kept(), words.Instant(r.SetAt), operatorFrom(r.Operator, r.Login), r.Reason}
	}))
	p.table("Deletions to be approved (tenure deletion approve)", "app,state,asked,reminders,approved,operator,reason", rowsOf(v.Approvals, func(a ledger.Approval) []string {
		return []string{a.App, string(a.State), words.Instant(a.AskedAt), strconv.Itoa(a.Reminders), words.Instant(a.ApprovedAt), operatorFrom(a.Operator, a.Login), a.Reason}
	}))
	p.table("Said by HR, but could not be read (tenure dlq show ID)", "id,received,state,urgency,reason,type,what is wrong", rowsOf(v.Letters, func(l report.Letter) []string {
		return []string{letterID(l), words.Instant(l.ReceivedAt), string(l.State), urgency(l.Urgent), l.Reason, l.Type, l.What()}
	}))
}
