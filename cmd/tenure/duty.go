package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/policy"
)

func (c *cli) dutyCommand() *cobra.Command {
	return noun("duty", "Separation of duties: what nobody is to have together, and who has",
		c.dutyListCommand(), c.dutyShowCommand(), c.dutyCheckCommand())
}

// dutyView describes a rule of separation of duties.
type dutyView struct {
	Name  string    `json:"name"`
	About string    `json:"about,omitempty"`
	Mode  string    `json:"mode"`
	Since time.Time `json:"since,omitzero"` // grants decided from then on obey it
	One   []string  `json:"one"`
	Other []string  `json:"other"`
	Owner []string  `json:"owner,omitempty"`
	Most  string    `json:"most,omitempty"` // the longest time for which it is waived; empty if it cannot be
}

func viewDuty(d policy.Duty) dutyView {
	v := dutyView{Name: d.Name, About: d.About, Mode: string(d.Mode), Since: d.Since, One: sideOf(d.One), Other: sideOf(d.Other), Owner: d.Owner}
	if d.Waive != nil {
		v.Most = d.Waive.Most.String()
	}
	return v
}

// sideOf lists the things on one side of a rule: "erp:clerk", or "erp" for an account.
func sideOf(side []policy.Grant) []string {
	var all []string
	for _, g := range side {
		if len(g.Entitlements) == 0 {
			all = append(all, g.App)
		}
		for _, e := range g.Entitlements {
			all = append(all, g.App+":"+e)
		}
	}
	return all
}

func (c *cli) dutyListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the rules of separation of duties",
		Example: `  tenure duty list`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			views := []dutyView{}
			for _, d := range cfg.Policy.Duties() {
				views = append(views, viewDuty(d))
			}
			views = limited(c, views)
			rows := rowsOf(views, func(v dutyView) []string {
				return []string{v.Name, v.Mode, strings.Join(v.One, " "), strings.Join(v.Other, " "), strings.Join(v.Owner, " "), spanOf(v.Most)}
			})
			const header = "duty,mode,one,other,owner,waived for at most"
			return c.printList(views, header, rows, func(p *page) {
				p.table("", header, rows)
				if len(views) == 0 {
					p.note("the configuration has no rules of separation of duties")
				}
			})
		},
	}
	return c.lists(cmd)
}

// mayBeWaived says for how long a rule may be waived.
func mayBeWaived(most string) string {
	if most == "" {
		return "never"
	}
	return "for " + spanOf(most) + " at most"
}

// dutyShown describes a rule of separation of duties, what gives each side, and for whom it is
// waived.
type dutyShown struct {
	dutyView
	OneBy   []string        `json:"oneBy"` // the roles that give something of the side
	OtherBy []string        `json:"otherBy"`
	Waivers []exceptionView `json:"waivers"`
}

func (c *cli) dutyShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show DUTY",
		Short:   "Show one rule of separation of duties, the roles that give each side, and for whom it is waived",
		Example: `  tenure duty show pay-and-approve`,
		Args:    exactly("DUTY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, viewer *operator.Viewer) error {
				duty, err := viewer.Duty(args[0])
				if err != nil {
					return err
				}
				v := dutyShown{dutyView: viewDuty(duty), OneBy: givenBy(viewer.Policy, duty.One), OtherBy: givenBy(viewer.Policy, duty.Other), Waivers: []exceptionView{}}
				names, states := map[string]string{}, viewer.ExceptionStates()
				for x, err := range ledger.AllExceptions(cmd.Context(), viewer.Ledger, ledger.ExceptionFilter{Kind: string(policy.ExceptWaive), Open: true}, 0) {
					if err != nil {
						return err
					}
					if x.Duty != duty.Name {
						continue
					}
					name, err := nameOf(cmd.Context(), viewer.Ledger, names, x.PersonID)
					if err != nil {
						return err
					}
					state, err := states.Of(cmd.Context(), x)
					if err != nil {
						return err
					}
					v.Waivers = append(v.Waivers, viewException(x, name, state))
				}
				return c.print(v, func(p *page) { p.duty(v) })
			})
		},
	}
	return c.reads(cmd)
}

// givenBy lists the roles that give something of one side of a rule.
func givenBy(rules *policy.Policy, side []policy.Grant) []string {
	names := []string{}
	for _, role := range rules.RoleNames() {
		gives := func(g policy.Grant) bool {
			return slices.ContainsFunc(side, func(s policy.Grant) bool {
				return s.App == g.App && (len(s.Entitlements) == 0 || slices.ContainsFunc(g.Entitlements, func(e string) bool { return slices.Contains(s.Entitlements, e) }))
			})
		}
		if slices.ContainsFunc(rules.RoleGrants(role), gives) {
			names = append(names, role)
		}
	}
	return names
}

// duty adds the facts of one rule of separation of duties.
func (p *page) duty(v dutyShown) {
	by := func(side, roles []string) string {
		return strings.Join(side, " ") + ", given by " + cmp.Or(strings.Join(roles, ", "), "no role")
	}
	p.fields(
		field{"duty", v.Name}, field{"about", v.About}, field{"mode", v.Mode}, field{"since", words.Instant(v.Since)},
		field{"one side", by(v.One, v.OneBy)}, field{"other side", by(v.Other, v.OtherBy)},
		field{"owner", strings.Join(v.Owner, " ")}, field{"may be waived", mayBeWaived(v.Most)},
	)
	p.table("Waivers", "exception,person,name,state,until,control,by,reason", rowsOf(v.Waivers, func(x exceptionView) []string {
		return []string{x.Exception, x.Person, x.Name, x.State, words.Instant(x.Until), x.Control, operatorFrom(x.DecidedBy, x.Login), x.Reason}
	}))
}

// dutyConflict describes what somebody has of both sides of a rule.
type dutyConflict struct {
	Person string    `json:"person"`
	Name   string    `json:"name,omitempty"`
	Duty   string    `json:"duty,omitempty"`
	Mode   string    `json:"mode,omitempty"`
	One    []heldBy  `json:"one,omitempty"`
	Other  []heldBy  `json:"other,omitempty"`
	State  string    `json:"state"` // waived, asked, skipped, shown, found or unknown
	Waiver string    `json:"waiver,omitempty"`
	Until  time.Time `json:"until,omitzero"` // end of the waiver
	// Finding is what a scan has found, if what Tenure gave does not conflict with the rule.
	Finding string `json:"finding,omitempty"`
	Error   string `json:"error,omitempty"`
}

// heldBy is something that somebody has, and what gives it.
type heldBy struct {
	App         string   `json:"app"`
	Entitlement string   `json:"entitlement,omitempty"` // empty for the account
	By          []string `json:"by,omitempty"`          // roles and grants; none if nothing gives it
}

func viewHeld(held []policy.Held) []heldBy {
	var all []heldBy
	for _, h := range held {
		all = append(all, heldBy{App: h.App, Entitlement: h.Entitlement, By: h.By})
	}
	return all
}

func viewConflict(f operator.DutyFinding) dutyConflict {
	v := dutyConflict{
		Person: f.Person.PersonID, Name: report.SummaryOf(f.Person).Name(), Duty: f.Duty, Mode: string(f.Mode),
		One: viewHeld(f.One), Other: viewHeld(f.Other), Waiver: f.Waiver, Until: f.Waived.EndsAt, State: "asked",
	}
	switch {
	case f.PolicyErr != nil:
		v.State, v.Error = "unknown", f.PolicyErr.Error()
	case f.Found.ID != 0:
		v.State, v.Finding = "found", ledger.FindingName(f.Found.ID)
	case f.Waiver != "":
		v.State = "waived"
	case f.Mode == policy.DutyDetect:
		v.State = "shown"
	case f.Skipped:
		v.State = "skipped"
	}
	return v
}

const conflictHeader = "person,name,duty,one,other,state,waiver,until"

// listedConflict is a conflict in a list.
type listedConflict struct {
	dutyConflict
	one, other string // what the person has, and by what
}

func (v listedConflict) row() []string {
	state := strings.TrimSpace(v.State + " " + v.Finding)
	return []string{v.Person, v.Name, v.Duty, v.one, v.other, state, v.Waiver, words.Instant(v.Until)}
}

func (c *cli) dutyCheckCommand() *cobra.Command {
	var person string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "List who has what a rule of separation of duties keeps apart, and by what",
		Long: `List everybody who has something of both sides of a rule of separation of duties: what it
is, the roles and grants that give it, and the waiver if there is one. What counts is what
a person is to have now, and what their accounts show beyond it and nothing takes (a
hold, a step that was skipped). So does what the last scan of an app has found of a
person's account that Tenure did not give. No app is called, and nothing is changed.

The state says what becomes of it: asked (an operator is asked), skipped (an operator was
asked, and left it), shown (the rule only detects), waived, found (by a scan: tenure
finding show says more), or unknown (policy cannot be evaluated for the person). The exit
status is 3 if anybody is listed who has no waiver.

Grants that are not given are no conflicts: tenure run list --attention shows those.`,
		Example: `  tenure duty check
  tenure duty check --person 10004
  tenure duty check --limit 0 -o csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, viewer *operator.Viewer) error {
				if err := personFilter(cmd.Context(), viewer.Ledger, person); err != nil {
					return err
				}
				open := false
				views := viewsOf(viewer.DutyFindings(cmd.Context(), person), every, func(f operator.DutyFinding) (listedConflict, error) {
					open = open || f.Waiver == ""
					return listedConflict{viewConflict(f), policy.Reasons(f.One), policy.Reasons(f.Other)}, nil
				})
				_, err := streamed(c, views, listView[listedConflict]{
					header: conflictHeader, row: listedConflict.row, none: "nobody has what a rule keeps apart", whole: true,
				})
				if err == nil && open {
					return errAttention
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&person, "person", "", "only this `person`")
	return c.lists(cmd)
}
