package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// cohortFlags are the flags of a command that decides about a cohort.
type cohortFlags struct {
	people []string
	decisionFlags
	applying
}

func (f *cohortFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.people, "person", nil, "only of these `people`; may be repeated")
	f.decisionFlags.flags(cmd)
	f.askedBefore(cmd)
}

func (c *cli) breakerReleaseCommand() *cobra.Command {
	return c.cohortCommand(operator.Release, &cobra.Command{
		Use:   "release COHORT",
		Short: "Let what a cohort holds be done: it is meant",
		Long: `Let what a cohort holds be done: it is meant. All of it, or (--person) that of some
people; the others stay held.

It is on the record with your name and reason. People's runs are told; if Temporal
does not answer, the sweeper tells them as soon as it does. It can be interrupted
and run again. Once the last one is released, people are counted anew. Without --apply
it is shown whom it is about, and the exit status is 3; so it is while any are held.`,
		Example: `  tenure breaker release c-12
  tenure breaker release c-12 --reason "the Hamburg site closes, ticket 42" --apply
  tenure breaker release c-12 --person 10004 --person 10007 --reason "really left, HR confirmed" --apply`,
	})
}

func (c *cli) breakerCancelCommand() *cobra.Command {
	return c.cohortCommand(operator.Cancel, &cobra.Command{
		Use:   "cancel COHORT",
		Short: "Let nothing come of what a cohort holds: it is a mistake",
		Long: `Let nothing come of what a cohort holds: it is a mistake. All of it, or (--person)
that of some people; the others stay held.

A termination or suspension that is cancelled is as if it had been rescinded: the
person is employed as before, and a later one counts again. HR's own data, or the
security system's, is not corrected by this. What no event says (an account or an
entitlement that policy grants no more, or grants now, a deletion) is not done as long
as it is the same, and what else changes in that account waits with it: correct the
configuration first.

It is on the record with your name and reason. People's runs are told; if Temporal
does not answer, the sweeper tells them as soon as it does. It can be interrupted
and run again. Without --apply it is shown whom it is about, and the exit status is 3;
so it is while any are held.`,
		Example: `  tenure breaker cancel c-12
  tenure breaker cancel c-12 --reason "HR imported last year's file, ticket 42" --apply
  tenure breaker cancel c-12 --person 10004 --reason "not among those who leave" --apply`,
	})
}

// cohortCommand completes a command that decides about a cohort.
func (c *cli) cohortCommand(verb operator.Verb, cmd *cobra.Command) *cobra.Command {
	var f cohortFlags
	cmd.Args = exactly("COHORT")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.does() { // to look, neither name nor reason is needed
			if err := f.given(); err != nil {
				return err
			}
		}
		return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
			if err := peopleKnown(cmd.Context(), o.Ledger, f.people); err != nil {
				return err
			}
			cohort, err := o.Cohort(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.decide(cmd.Context(), cfg, o, cohort, verb, f)
		})
	}
	f.flags(cmd)
	return c.reads(cmd)
}

// decided is what became of people by each verb.
var decided = map[operator.Verb]string{operator.Release: "released", operator.Cancel: "cancelled"}

func (c *cli) decide(ctx context.Context, cfg *config.Config, o *operator.Operator, cohort ledger.Cohort, verb operator.Verb, f cohortFlags) error {
	held, err := o.Held(ctx, cohort, f.people...)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		c.tell("cohort %s holds nothing any more: it was %s\n", cohort.Name(), viewCohort(cohort).ending())
		return c.report(decisionView{Cohort: cohort.Name(), Kind: cohort.Kind, Decision: decided[verb], People: []string{}, Applied: f.does()})
	}
	v := decisionView{Cohort: cohort.Name(), Kind: cohort.Kind, Decision: decided[verb], People: held, Applied: f.does()}
	if !f.does() {
		return errors.Join(c.showDecision(ctx, o, cohort, v),
			c.onlyShown(f.applying, "%s would be %s of %s (%s): %s", people(len(held)), v.Decision, v.Cohort, v.Kind, v.consequence()))
	}
	deciding, telling := c.progress(len(held), "deciding", "people"), c.progress(len(held), "telling runs", "people")
	done, err := o.DecideCohort(ctx, verb, f.request(), cohort, held,
		func(more int) { _ = deciding.Add(more) }, func(more int) { _ = telling.Add(more) })
	_, _ = deciding.Exit(), telling.Exit()
	untold, err := operator.Untold(err)
	if err != nil {
		return fmt.Errorf("%w\n%d of %d were %s; run it again for the others", err, done, len(held), decided[verb])
	}
	if untold != nil {
		c.tell("the runs of %s could not be told, and will be by the sweeper, within %s of Temporal being there: %v\n",
			people(len(held)-untold.Told), cfg.Sweep.Every, untold.Err)
	}
	left, err := o.Held(ctx, cohort)
	if err != nil {
		return err
	}
	v.StillHeld = len(left)
	if err := c.report(v); err != nil {
		return err
	}
	c.tell("%s %s of %s", decided[verb], people(len(held)), cohort.Name())
	if len(left) > 0 {
		c.tell("; %s still held\n", people(len(left)))
		return errAttention
	}
	c.tell("; nothing is held in it any more\n")
	return nil
}

// decisionView is what is, or would be, decided about people of a cohort.
type decisionView struct {
	Cohort    string                `json:"cohort"`
	Kind      ledger.WithdrawalKind `json:"kind"`
	Decision  string                `json:"decision"` // released, cancelled
	People    []string              `json:"people"`
	StillHeld int                   `json:"stillHeld,omitempty"` // people, afterwards
	Applied   bool                  `json:"applied"`
}

// consequence is what comes of it for the people.
func (v decisionView) consequence() string {
	switch {
	case v.Decision == decided[operator.Cancel]:
		return "their access stays as it is"
	case v.Kind == ledger.Grants:
		return "they are given what is held"
	}
	return "their access is taken"
}

// showDecision shows whom a decision would be about.
func (c *cli) showDecision(ctx context.Context, o *operator.Operator, cohort ledger.Cohort, v decisionView) error {
	screen, err := showCohort(ctx, o, cohort)
	if err != nil {
		return err
	}
	about := slices.DeleteFunc(screen.People, func(h heldView) bool {
		return h.State != ledger.WithdrawalHeld || !slices.Contains(v.People, h.Person)
	})
	return c.print(v, func(p *page) {
		p.table("", heldHeader, rowsOf(about[:min(len(about), shownSteps)], heldView.row))
		if more := len(about) - shownSteps; more > 0 {
			p.note("and %d more (tenure breaker show %s has all)", more, quoted(v.Cohort))
		}
	})
}

// ending says how a cohort was closed.
func (v cohortView) ending() string {
	if v.Operator == "" {
		return fmt.Sprintf("%s at %s", v.State, instant(v.ClosedAt))
	}
	return fmt.Sprintf("%s by %s at %s (%s)", v.State, operatorFrom(v.Operator, v.Login), instant(v.ClosedAt), v.Reason)
}
