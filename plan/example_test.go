package plan_test

import (
	"fmt"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Somebody has left. Their account is disabled and stripped now, and deleted thirty days after
// it was proven to be disabled.
func ExampleMake() {
	left := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	input := plan.Input{
		Now:      left,
		Desired:  policy.Desired{Standing: hr.Standing{Status: hr.StatusEnded, Period: &hr.Period{Starts: left.AddDate(-1, 0, 0), Ends: left}, Since: left}},
		Links:    []plan.Link{{App: "wiki", State: plan.LinkActive, Entitlements: []string{"readers"}}},
		EndHeard: left,
		Apps: map[string]plan.App{
			"wiki": {Disable: true, Delete: true, Leaver: policy.LeaverRules{Retain: 30 * 24 * time.Hour, Delete: true}},
		},
	}
	show := func(p plan.Plan) {
		for _, step := range p.Steps {
			fmt.Println(p.Change, "does", step.Kind, "in", step.App)
		}
		if !p.Due.At.IsZero() {
			fmt.Println("look again on", p.Due.At.Format(time.DateOnly), "to", p.Due.What)
		}
	}
	show(plan.Make(input))

	input.Links = []plan.Link{{App: "wiki", State: plan.LinkDisabled, DisabledAt: left, StrippedAt: left}}
	show(plan.Make(input))

	input.Now = left.AddDate(0, 0, 30)
	show(plan.Make(input))
	// Output:
	// Leaver does Disable in wiki
	// Leaver does Strip in wiki
	// look again on 2026-07-31 to delete
	// Leaver does Delete in wiki
}
