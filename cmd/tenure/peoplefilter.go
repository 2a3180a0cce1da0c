package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// peopleFilter selects people.
type peopleFilter struct {
	status, department, manager, role, app, name, after string
	limit                                               int
}

func (f *peopleFilter) flags(c *cli, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.status, "status", "", "only people of this `status`: "+strings.Join(statuses, ", "))
	flags.StringVar(&f.department, "department", "", "only people of this `department`")
	flags.StringVar(&f.manager, "manager", "", "only those whose manager is this `person`, by ID")
	flags.StringVar(&f.role, "role", "", "only people for whom this `role` holds now, by what HR has said of them")
	flags.StringVar(&f.app, "app", "", "only people who have an account in this `app`")
	flags.StringVar(&f.name, "name", "", "only people whose name or username has this `text` in it")
	flags.StringVar(&f.after, "after", "", "only people behind this `person` in the list, by ID")
	flags.Var((*limit)(&f.limit), "limit", "at most this `number` of people; 0 lists all")
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

// check refuses what no person can have.
func (f *peopleFilter) check(ctx context.Context, cfg *config.Config, l ledger.Ledger) error {
	if err := oneOf("status", f.status, statuses); err != nil {
		return err
	}
	if err := oneOf("role", f.role, cfg.Policy.RoleNames()); err != nil {
		return err
	}
	return appFilter(ctx, cfg, l, f.app)
}

// find lists the people that the filter selects, and reports whether there are more.
func (f *peopleFilter) find(ctx context.Context, cfg *config.Config, l ledger.Ledger) (found []personView, more bool, err error) {
	if err := f.check(ctx, cfg, l); err != nil {
		return nil, false, err
	}
	inApp := map[string]bool{}
	if f.app != "" {
		links, err := l.Links(ctx, ledger.LinkFilter{App: f.app})
		if err != nil {
			return nil, false, err
		}
		for _, link := range links {
			if link.State == ledger.LinkActive || link.State == ledger.LinkDisabled {
				inApp[link.PersonID] = true
			}
		}
	}
	found = []personView{}
	departments, managers := map[string]bool{}, map[string]bool{}
	err = eachPerson(ctx, l, func(s ledger.Summary) error {
		departments[s.Department], managers[s.ManagerID], managers[s.PersonID] = true, true, true
		if s.PersonID <= f.after || !f.selects(s) || f.app != "" && !inApp[s.PersonID] {
			return nil
		}
		if f.role != "" {
			person, err := l.Person(ctx, s.PersonID)
			if err != nil {
				return err
			}
			if !slices.Contains(rolesOf(cfg, person), f.role) {
				return nil
			}
		}
		found = append(found, viewPerson(s))
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if f.department != "" && !hasFold(departments, f.department) {
		known := slices.Collect(maps.Keys(departments))
		return nil, false, usagef("--department %s: nobody in the ledger is in it%s", plain(f.department), nearest.Hint(f.department, known))
	}
	if f.manager != "" && !managers[f.manager] {
		return nil, false, usagef("--manager %s: the ledger knows no such person", plain(f.manager))
	}
	if f.limit > 0 && len(found) > f.limit {
		return found[:f.limit], true, nil
	}
	return found, false, nil
}

func hasFold(set map[string]bool, wanted string) bool {
	for have := range set {
		if strings.EqualFold(have, wanted) {
			return true
		}
	}
	return false
}

// selects reports whether a summary is one of those that are wanted.
func (f *peopleFilter) selects(s ledger.Summary) bool {
	name := strings.ToLower(s.GivenName + " " + s.FamilyName + " " + s.Username)
	return (f.status == "" || string(s.Status) == f.status) &&
		(f.department == "" || strings.EqualFold(s.Department, f.department)) &&
		(f.manager == "" || s.ManagerID == f.manager) &&
		(f.name == "" || strings.Contains(name, strings.ToLower(f.name)))
}

// roleAnswer says whether a role holds for somebody in any of their positions.
type roleAnswer struct {
	policy.RoleAnswer
	Positions []string // that it holds for, of somebody who holds several
}

// explain says of every role whether it holds for somebody now, in one position or
// another; nil if nothing that HR has said of them is in force, or they have left.
func explain(cfg *config.Config, person ledger.Person) []roleAnswer {
	if person.CarriedTo != "" {
		return nil
	}
	held := assess.TimelineOf(person).Held(cfg.Clock().Now())
	var answers []roleAnswer
	for n, position := range held {
		for i, answer := range cfg.Policy.Explain(person.PersonID, position.Profile) {
			if len(held) > 1 {
				for f := range answer.Failed {
					answer.Failed[f] = positionName(position.ID) + ": " + answer.Failed[f]
				}
			}
			if n == 0 {
				answers = append(answers, roleAnswer{RoleAnswer: answer})
			}
			answers[i].add(answer, n > 0, positionName(position.ID), len(held) > 1)
		}
	}
	return answers
}

// add adds what a role answers for one position of several.
func (a *roleAnswer) add(answer policy.RoleAnswer, another bool, position string, several bool) {
	if another && !a.Holds {
		a.Failed = append(a.Failed, answer.Failed...)
	}
	if answer.Holds {
		a.Holds, a.Failed = true, nil
		if several {
			a.Positions = append(a.Positions, position)
		}
	}
	if a.Err == nil {
		a.Err = answer.Err
	}
}

// positionName is what a position is called on a screen.
func positionName(id string) string { return cmp.Or(id, "(unnamed)") }

func rolesOf(cfg *config.Config, person ledger.Person) []string {
	var roles []string
	for _, answer := range explain(cfg, person) {
		if answer.Holds {
			roles = append(roles, answer.Role)
		}
	}
	return roles
}
