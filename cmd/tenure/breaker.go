package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
)

func (c *cli) breakerCommand() *cobra.Command {
	return noun("breaker", "Show mass changes that are held, and release or cancel them",
		c.breakerListCommand(), c.breakerShowCommand(), c.breakerReleaseCommand(), c.breakerCancelCommand())
}

func (c *cli) breakerListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the cohorts that are held",
		Long: `List the cohorts that are held. A cohort is a group of people who were to lose access,
or to be given more, at the same time, and who were more than the configuration allows
(breaker). Nothing of it is done until somebody releases or cancels it. The exit status
is 3 if anything is held.`,
		Example: `  tenure breaker list
  tenure breaker list --all
  tenure breaker list -o json | jq -r '.[].cohort'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Reader) error {
				return c.listCohorts(cmd.Context(), l, all)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that were released or cancelled, or ended by themselves")
	return c.lists(cmd)
}

const cohortHeader = "cohort,kind,state,held,of,allowed,opened,closed,operator,reason"

func cohortRow(v report.CohortSummary) []string {
	return []string{
		v.Cohort, string(v.Kind), shownState(v), strconv.Itoa(v.Held), strconv.Itoa(v.People), strconv.Itoa(v.Allowed),
		words.Instant(v.OpenedAt), words.Instant(v.ClosedAt), operatorFrom(v.Operator, v.Login), v.Reason,
	}
}

func (c *cli) listCohorts(ctx context.Context, l ledger.Reader, all bool) error {
	held := false
	views := viewsOf(ledger.AllCohorts(ctx, l, ledger.CohortFilter{Open: !all}), every, func(cohort ledger.Cohort) (report.CohortSummary, error) {
		held = held || cohort.State == ledger.CohortOpen
		return report.CohortSummaryOf(cohort), nil
	})
	_, err := streamed(c, views, listView[report.CohortSummary]{header: cohortHeader, row: cohortRow, none: "nothing is held", whole: true})
	if err == nil && held {
		return errAttention
	}
	return err
}

func (c *cli) breakerShowCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "show COHORT",
		Short: "Show who is held, and why",
		Long: `Show what a cohort holds or has held: who, what was to become of them, which event
of which HR system asked for it and when, and how many there are by app, source
and cause. The exit status is 3 if it is open.`,
		Example: `  tenure breaker show c-12
  tenure breaker show c-12 -o json | jq -r '.people[] | select(.state == "held") | .person'`,
		Args: exactly("COHORT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				cohort, err := o.Cohort(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := c.showCohort(cmd.Context(), o.Ledger, cohort); err != nil {
					return err
				}
				if cohort.State == ledger.CohortOpen {
					return errAttention
				}
				return nil
			})
		},
	})
}

// shownState returns a cohort's state in a word that a reader understands.
func shownState(v report.CohortSummary) string {
	if v.State == ledger.CohortOpen {
		return "held"
	}
	return string(v.State)
}

const heldHeader = "person,name,department,state,what,apps,source,event,received,due"

func heldRow(h report.Held) []string {
	return []string{h.Person, h.Name, h.Department, string(h.State), h.Why, strings.Join(h.Apps, " "), h.Source, h.Event, words.Instant(h.Received), words.Instant(h.Due)}
}

// showCohort shows a cohort and, below the totals, who is in it. It reads the cohort twice, so that
// it holds a page.
func (c *cli) showCohort(ctx context.Context, l ledger.Reader, cohort ledger.Cohort) error {
	bar := c.progress(cohort.People, "counting", "people")
	v, err := report.CountCohort(ctx, l, cohort, func(more int) { _ = bar.Add(more) })
	_ = bar.Exit()
	_ = bar.Clear()
	if err != nil {
		return err
	}
	_, err = streamed(c, report.HeldBy(ctx, l, cohort), listView[report.Held]{header: heldHeader, row: heldRow, frame: frame{
		value: func() any { return v }, list: "people", title: "People",
		above: func(p *page) { drawCohort(p, v) }, below: func(p *page) { drawAdvice(p, v) },
	}})
	return err
}

func drawCohort(p *page, v report.CohortScreen) {
	p.fields(field{"cohort", v.Cohort}, field{"kind", string(v.Kind)}, field{"state", shownState(v.CohortSummary)},
		field{"people", fmt.Sprintf("%d held of %d; %d were counted, and %d are allowed", v.Held, v.CohortSummary.People, v.Counted, v.Allowed)},
		field{"opened", words.Instant(v.OpenedAt)}, field{"closed", words.Instant(v.ClosedAt)}, field{"operator", operatorFrom(v.Operator, v.Login)}, field{"reason", v.Reason},
		field{"by app", words.Tally(v.ByApp, "")}, field{"by source", words.Tally(v.BySource, "")}, field{"by cause", words.Tally(v.ByCause, "")})
}

func drawAdvice(p *page, v report.CohortScreen) {
	if v.State == ledger.CohortOpen {
		p.note("")
		p.note("If it is meant: tenure breaker release %[1]s --reason ... --apply; if it is a mistake: tenure breaker cancel %[1]s --reason ... --apply", v.Cohort)
	}
}

// cohortFlags holds the flags of a command that decides about a cohort.
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
		Short: "Release what a cohort holds, because it is meant",
		Long: `Let what a cohort holds be done, because it is meant: all of it, or (--person) what
concerns some people; the others stay held.

It is on the record with your name and reason. People's runs are told; if Temporal
does not answer, the sweeper tells them as soon as it does. It can be interrupted
and run again. After the last one is released, people are counted anew. Without --apply,
the command only shows whom it is about. The exit status is 3 then, and for as long as
anything of the cohort is held.`,
		Example: `  tenure breaker release c-12
  tenure breaker release c-12 --reason "the Hamburg site closes, ticket 42" --apply
  tenure breaker release c-12 --person 10004 --person 10007 --reason "really left, HR confirmed" --apply`,
	})
}

func (c *cli) breakerCancelCommand() *cobra.Command {
	return c.cohortCommand(operator.Cancel, &cobra.Command{
		Use:   "cancel COHORT",
		Short: "Discard what a cohort holds, because it is a mistake",
		Long: `Discard what a cohort holds, because it is a mistake: all of it, or (--person) what
concerns some people; the others stay held.

Tenure treats a termination or suspension that is cancelled as if it had been
rescinded: the person is employed as before, and a later event counts again. This does
not correct HR's own data, or the security system's. A change that comes from no event
(policy no longer grants an account or an entitlement, or grants it now, or an account
is to be deleted) is not made for as long as it stays the same, and other changes to
that account wait with it: correct the configuration first.

It is on the record with your name and reason. People's runs are told; if Temporal
does not answer, the sweeper tells them as soon as it does. It can be interrupted
and run again. Without --apply, the command only shows whom it is about. The exit status
is 3 then, and for as long as anything of the cohort is held.`,
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
		if f.does() { // showing needs neither a name nor a reason
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

// decided is the past tense of each verb.
var decided = map[operator.Verb]string{operator.Release: "released", operator.Cancel: "cancelled"}

func (c *cli) decide(ctx context.Context, cfg *config.Config, o *operator.Operator, cohort ledger.Cohort, verb operator.Verb, f cohortFlags) error {
	held, err := o.Held(ctx, cohort, f.people...)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		c.tell("cohort %s holds nothing any more: it was %s\n", cohort.Name(), ending(report.CohortSummaryOf(cohort)))
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

// decisionView describes a decision about people of a cohort, made or to be made.
type decisionView struct {
	Cohort    string                `json:"cohort"`
	Kind      ledger.WithdrawalKind `json:"kind"`
	Decision  string                `json:"decision"` // released, cancelled
	People    []string              `json:"people"`
	StillHeld int                   `json:"stillHeld,omitempty"` // people, afterwards
	Applied   bool                  `json:"applied"`
}

// consequence describes what the decision means for the people.
func (v decisionView) consequence() string {
	switch {
	case v.Decision == decided[operator.Cancel]:
		return "their access stays as it is"
	case v.Kind == ledger.Grants:
		return "they are given what is held"
	}
	return "their access is taken"
}

// showDecision shows whom a decision would concern.
func (c *cli) showDecision(ctx context.Context, o *operator.Operator, cohort ledger.Cohort, v decisionView) error {
	about, more, named := []report.Held{}, 0, map[string]bool{}
	for _, id := range v.People {
		named[id] = true
	}
	for h, err := range report.HeldBy(ctx, o.Ledger, cohort) {
		switch {
		case err != nil:
			return err
		case h.State != ledger.WithdrawalHeld || !named[h.Person]:
		case len(about) < shownSteps:
			about = append(about, h)
		default:
			more++
		}
	}
	return c.print(v, func(p *page) {
		p.table("", heldHeader, rowsOf(about, heldRow))
		if more > 0 {
			p.note("and %d more (tenure breaker show %s has all)", more, quoted(v.Cohort))
		}
	})
}

// ending describes how a cohort was closed.
func ending(v report.CohortSummary) string {
	if v.Operator == "" {
		return fmt.Sprintf("%s at %s", v.State, words.Instant(v.ClosedAt))
	}
	return fmt.Sprintf("%s by %s at %s (%s)", v.State, operatorFrom(v.Operator, v.Login), words.Instant(v.ClosedAt), v.Reason)
}
