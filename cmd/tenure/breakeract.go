package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
)

// decisionBatch is about how many people is decided in one transaction.
const decisionBatch = 100

// cohortFlags are the flags of a command that decides about a cohort.
type cohortFlags struct {
	people           []string
	operator, reason string
	applying
}

func (f *cohortFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.people, "person", nil, "only of these `people`; may be repeated")
	flags.StringVar(&f.reason, "reason", "", "why, for the record")
	operatorFlag(cmd, &f.operator)
	f.askedBefore(cmd)
}

func (c *cli) breakerReleaseCommand() *cobra.Command {
	return c.cohortCommand(ledger.VerbRelease, &cobra.Command{
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
	return c.cohortCommand(ledger.VerbCancel, &cobra.Command{
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
func (c *cli) cohortCommand(verb ledger.Verb, cmd *cobra.Command) *cobra.Command {
	var f cohortFlags
	cmd.Args = exactly("COHORT")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.does() { // to look, neither name nor reason is needed
			if err := onRecord(&f.operator, f.reason); err != nil {
				return err
			}
		}
		return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
			if err := peopleKnown(cmd.Context(), l, f.people); err != nil {
				return err
			}
			cohort, err := findCohort(cmd.Context(), l, args[0])
			if err != nil {
				return err
			}
			return c.decide(cmd.Context(), cfg, l, cohort, verb, f)
		})
	}
	f.flags(cmd)
	return c.reads(cmd)
}

// decided is what became of people by each verb.
var decided = map[ledger.Verb]string{ledger.VerbRelease: "released", ledger.VerbCancel: "cancelled"}

func (c *cli) decide(ctx context.Context, cfg *config.Config, l ledger.Ledger, cohort ledger.Cohort, verb ledger.Verb, f cohortFlags) error {
	held, err := heldPeople(ctx, l, cohort.ID)
	if err != nil {
		return err
	}
	if len(f.people) > 0 {
		for _, id := range f.people {
			if !slices.Contains(held, id) {
				return fmt.Errorf("cohort %s holds nothing of person %q (tenure breaker show %[1]s)", cohort.Name(), id)
			}
		}
		held = slices.Compact(slices.Sorted(slices.Values(f.people)))
	}
	if len(held) == 0 {
		c.tell("cohort %s holds nothing any more: it was %s\n", cohort.Name(), viewCohort(cohort).ending())
		return c.report(decisionView{Cohort: cohort.Name(), Kind: cohort.Kind, Decision: decided[verb], People: []string{}, Applied: f.does()})
	}
	v := decisionView{Cohort: cohort.Name(), Kind: cohort.Kind, Decision: decided[verb], People: held, Applied: f.does()}
	if !f.does() {
		return errors.Join(c.showDecision(ctx, l, cohort, v),
			c.onlyShown(f.applying, "%s would be %s of %s (%s): %s", people(len(held)), v.Decision, v.Cohort, v.Kind, v.consequence()))
	}
	told, err := c.decideAbout(ctx, cfg, l, held, ledger.CohortDecision{
		Cohort: cohort.ID, Verb: verb, Operator: f.operator, Reason: f.reason,
	})
	if err != nil {
		return fmt.Errorf("%w\n%d of %d were %s; run it again for the others", err, told, len(held), decided[verb])
	}
	c.tellHeld(ctx, held, fmt.Sprintf("%s of %s", decided[verb], cohort.Name()), cfg)
	left, err := heldPeople(ctx, l, cohort.ID)
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
	case v.Decision == decided[ledger.VerbCancel]:
		return "their access stays as it is"
	case v.Kind == ledger.Grants:
		return "they are given what is held"
	}
	return "their access is taken"
}

// showDecision shows whom a decision would be about.
func (c *cli) showDecision(ctx context.Context, l ledger.Ledger, cohort ledger.Cohort, v decisionView) error {
	screen, err := showCohort(ctx, l, cohort)
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

// decideAbout decides about people, some at a time.
func (c *cli) decideAbout(ctx context.Context, cfg *config.Config, l ledger.Ledger, held []string, d ledger.CohortDecision) (done int, err error) {
	bar := c.progress(len(held), "deciding", "people")
	defer func() { _ = bar.Exit() }()
	for batch := range slices.Chunk(held, decisionBatch) {
		d.People, d.At = batch, cfg.Clock().Now()
		if _, err := l.DecideCohort(ctx, d); err != nil {
			return done, err
		}
		done += len(batch)
		_ = bar.Add(len(batch))
	}
	_ = bar.Finish()
	return done, nil
}

// tellHeld has people's runs look again. The ledger has noted that they are to:
// without Temporal the sweeper sees to it.
func (c *cli) tellHeld(ctx context.Context, held []string, why string, cfg *config.Config) {
	told, err := c.lookAgain(ctx, held, "telling runs", why, rate.Inf)
	if err != nil {
		c.tell("the runs of %s could not be told, and will be by the sweeper, within %s of Temporal being there: %v\n",
			people(len(held)-told), cfg.Sweep.Every, err)
	}
}

// heldPeople are those of whom a cohort holds something, by ID.
func heldPeople(ctx context.Context, l ledger.Ledger, cohort int64) ([]string, error) {
	var held []string
	err := eachWithdrawal(ctx, l, cohort, func(w ledger.Withdrawal) error {
		if w.State == ledger.WithdrawalHeld && !slices.Contains(held[max(0, len(held)-1):], w.PersonID) {
			held = append(held, w.PersonID)
		}
		return nil
	})
	return held, err
}

// ending says how a cohort was closed.
func (v cohortView) ending() string {
	if v.Operator == "" {
		return fmt.Sprintf("%s at %s", v.State, instant(v.ClosedAt))
	}
	return fmt.Sprintf("%s by %s at %s (%s)", v.State, operatorFrom(v.Operator, v.Login), instant(v.ClosedAt), v.Reason)
}
