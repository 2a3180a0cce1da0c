package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/service/apps"
)

// whyView says why somebody has access, or has none.
type whyView struct {
	Person string    `json:"person"`
	Name   string    `json:"name,omitempty"`
	Status hr.Status `json:"status,omitempty"`
	// Positions are those that they hold at once, if there are several.
	Positions []positionView `json:"positions,omitempty"`
	Roles     []roleView     `json:"roles"` // none if nothing that HR has said is in force
	Links     []linkView     `json:"accounts"`
	Waiting   []stepView     `json:"steps"` // not done: under way, in attention, skipped
	Held      []string       `json:"held,omitempty"`
}

type roleView struct {
	Role   string   `json:"role"`
	Holds  bool     `json:"holds"`
	When   string   `json:"when"`
	For    []string `json:"positions,omitempty"` // that it holds for, of somebody who holds several
	Failed []string `json:"failed,omitempty"`    // parts of the condition that are not true
	Error  string   `json:"error,omitempty"`
	Grants []string `json:"grants"`
}

func (v roleView) row() []string {
	if v.Holds {
		holds := "yes"
		if len(v.For) > 0 {
			holds = "yes, for " + strings.Join(v.For, ", ")
		}
		return []string{v.Role, holds, v.When, strings.Join(v.Grants, " ")}
	}
	return []string{v.Role, "no", "not true: " + strings.Join(v.Failed, "; "), strings.Join(v.Grants, " ")}
}

// grants reports whether a role gives an account in an app, or an entitlement there.
// No app is any.
func grants(answer policy.RoleAnswer, app, entitlement string) bool {
	return slices.ContainsFunc(answer.Grants, func(g policy.Grant) bool {
		return (app == "" || g.App == app) && (entitlement == "" || slices.Contains(g.Entitlements, entitlement))
	})
}

// checkEntitlement refuses an entitlement that no role gives and nobody has.
func checkEntitlement(cfg *config.Config, app, entitlement string, links []ledger.Link) error {
	known := cfg.Policy.Grants(app)
	for _, link := range links {
		known = append(known, link.Entitlements...)
	}
	if entitlement == "" || slices.Contains(known, entitlement) {
		return nil
	}
	return usagef("no role gives an entitlement %q in %s, and nobody has it%s", entitlement, app, nearest.Hint(entitlement, known))
}

func (c *cli) personWhyCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "why PERSON [APP [ENTITLEMENT]]",
		Short: "Show why somebody has access, or has none",
		Long: `Show why somebody has access, or has none: which roles hold and what they give;
which do not, and by which part of their condition; and what of theirs is not done,
held or skipped. A role holds for somebody with several positions if it does for one
of them, which is named. With APP, only what concerns that app; with ENTITLEMENT, only the
roles that give it. Roles count while the person is employed; a leave or a suspension
keeps their accounts disabled whatever the roles say.`,
		Example: `  tenure person why 10004
  tenure person why 10004 wiki editors`,
		Args: cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			args = append(args, "", "")
			app, entitlement := args[1], args[2]
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				if app != "" {
					if err := apps.Of(cfg, nil).Find(app); err != nil {
						return err
					}
				}
				person, err := operator.FindPerson(cmd.Context(), l, args[0])
				if err != nil {
					return err
				}
				if err := checkEntitlement(cfg, app, entitlement, person.Links); err != nil {
					return err
				}
				v := why(cfg, person, app, entitlement)
				return c.print(v, v.draw)
			})
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return c.completeApps(cmd, args, typed)
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	})
}

func why(cfg *config.Config, person ledger.Person, app, entitlement string) whyView {
	v := whyView{
		Person: person.PersonID, Name: viewPerson(person.Summary).name(), Status: person.Status,
		Positions: viewPositions(person, cfg.Clock().Now()),
		Roles:     []roleView{}, Links: []linkView{}, Waiting: []stepView{},
	}
	for _, answer := range explain(cfg, person) {
		if app != "" && !grants(answer.RoleAnswer, app, entitlement) {
			continue
		}
		role := roleView{Role: answer.Role, Holds: answer.Holds, When: answer.When, For: answer.Positions, Failed: answer.Failed, Grants: []string{}}
		if answer.Err != nil {
			role.Error = answer.Err.Error()
		}
		for _, g := range answer.Grants {
			if app == "" || g.App == app {
				role.Grants = append(role.Grants, strings.TrimSuffix(fmt.Sprintf("%s:%s", g.App, strings.Join(g.Entitlements, ",")), ":"))
			}
		}
		v.Roles = append(v.Roles, role)
	}
	for _, link := range person.Links {
		if app == "" || link.App == app {
			v.Links = append(v.Links, viewLink(link))
		}
	}
	for _, step := range person.Steps {
		if app == "" || step.App == "" || step.App == app {
			v.Waiting = append(v.Waiting, viewStep(step))
		}
	}
	for _, w := range person.Withdrawals {
		if w.State == ledger.WithdrawalHeld && (app == "" || w.Apps == nil || slices.Contains(w.Apps, app)) {
			v.Held = append(v.Held, ledger.CohortName(w.Cohort))
		}
	}
	return v
}

func (v whyView) draw(p *page) {
	p.fields(field{"person", v.Person}, field{"name", v.Name}, field{"status", string(v.Status)}, field{"held", strings.Join(v.Held, ", ")})
	p.table("Positions", positionHeader, rowsOf(v.Positions, positionView.row))
	p.table("Roles", "role,holds,why,gives", rowsOf(v.Roles, roleView.row))
	if len(v.Roles) == 0 {
		p.note("no role is asked: nothing that HR has said is in force, or no role gives it")
	}
	p.table("Accounts", "app,state,entitlements,last proof", rowsOf(v.Links, func(a linkView) []string {
		return []string{a.App, a.state(), strings.Join(a.Entitlements, " "), instant(a.ProvenAt)}
	}))
	p.table("Not done", "app,step,state,what", rowsOf(v.Waiting, func(s stepView) []string {
		return []string{s.App, s.Kind, string(s.State), s.what()}
	}))
}
