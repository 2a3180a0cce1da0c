package main

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/review"
)

// creepView says how much of what a person has no role explains.
type creepView struct {
	Person     string `json:"person"`
	Name       string `json:"name"`
	Department string `json:"department,omitempty"`
	review.Creep
}

// companyCreepView says so of a company, and of whom it is true.
type companyCreepView struct {
	Company review.CompanyCreep `json:"company"`
	People  []creepView         `json:"people"`
}

const creepHeader = "person,name,department,share,unexplained,entitlements,which"

func (v creepView) row() []string {
	return []string{v.Person, v.Name, v.Department, percent(v.Share), strconv.Itoa(v.Unexplained), strconv.Itoa(v.Entitlements), strings.Join(v.Which, " ")}
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }

func (c *cli) accessCreepCommand() *cobra.Command {
	var person string
	cmd := &cobra.Command{
		Use:   "creep",
		Short: "Show how much of what people have no role explains, of each and of the company",
		Long: `Show privilege creep as a number: of the entitlements of a person, the share that no role
explains which needs no request. That is what was granted for a time, what is kept after a
move, what was accepted, and what nothing gives; by what Tenure gave and proved, and by what
the last complete scans of the apps saw. Accounts and services are not counted.

Lists those of whom it is above 0, the highest first, and says what the company's number is.
The metric is tenure_privilege_creep_ratio.`,
		Example: `  tenure access creep
  tenure access creep --person 10004
  tenure access creep -o json | jq .company`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				if err := personFilter(cmd.Context(), o.Ledger, person); err != nil {
					return err
				}
				return c.listCreep(o.Creep(cmd.Context(), person), person == "")
			})
		},
	}
	cmd.Flags().StringVar(&person, "person", "", "only this `person`, and not the company")
	_ = cmd.RegisterFlagCompletionFunc("person", c.completePeople)
	return c.lists(cmd)
}

// listCreep lists the people of whom the number is above 0, below the company's; or one person.
func (c *cli) listCreep(all iter.Seq2[review.PersonCreep, error], company bool) error {
	var sum review.CreepSum
	listed := func(one review.PersonCreep) bool {
		sum.Add(one.Creep)
		return one.Unexplained > 0 || !company
	}
	views := viewsOf(all, listed, func(one review.PersonCreep) (creepView, error) {
		return creepView{Person: one.PersonID, Name: report.SummaryOf(one.Summary).Name(), Department: one.Department, Creep: one.Creep}, nil
	})
	_, err := streamed(c, views, listView[creepView]{
		header: creepHeader, row: creepView.row, none: "roles explain all that people have",
		order: func(a, b creepView) int { return cmp.Compare(b.Share, a.Share) }, // all are counted before the first is shown
		frame: frame{
			value: func() any { return companyCreepView{Company: sum.Company(), People: []creepView{}} }, list: "people",
			above: func(p *page) {
				if s := sum.Company(); company {
					p.fields(
						field{"company", fmt.Sprintf("%s: %d of %d entitlements are explained by no role", percent(s.Share), s.Unexplained, s.Entitlements)},
						field{"people", fmt.Sprintf("%d of %d have one", s.With, s.People)},
						field{"median", percent(s.Median)}, field{"highest", percent(s.Highest)},
					)
				}
			},
		},
	})
	return err
}
