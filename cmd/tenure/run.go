package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/runs"
)

func (c *cli) runCommand() *cobra.Command {
	return noun("run", "Show what runs for people, and repair what needs attention",
		c.runListCommand(), c.runRetryCommand(), c.runSkipCommand())
}

func (c *cli) runListCommand() *cobra.Command {
	var attention bool
	var which runFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the open runs, or (--attention) what needs a human",
		Long: `List the open runs, as Temporal knows them. Each person for whom something is under
way or due has one. With --leaving, list only those of people whose access is ending;
with --due, only those in which something falls due within a time. If Temporal is
away or slow, the list is of whom the ledger knows to have a run, and says so.

With --attention, list what needs a human instead, as the ledger knows it: the
steps that cannot succeed until somebody acts, and the questions that only HR
can answer. The exit status is then 3 if there is anything.`,
		Example: `  tenure run list
  tenure run list --leaving
  tenure run list --due 7d
  tenure run list --attention
  tenure run list --attention -o json | jq -r '.[].person' | sort -u`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if attention {
				return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Reader) error {
					return c.listAttention(cmd.Context(), l)
				})
			}
			if err := which.check(c); err != nil {
				return err
			}
			return c.listRuns(cmd.Context(), which.Filter)
		},
	}
	cmd.Flags().BoolVar(&attention, "attention", false, "list what needs a human")
	cmd.Flags().BoolVar(&which.Leaving, "leaving", false, "only people whose access is ending, or whose accounts are to be deleted (also after a hold or an approval)")
	cmd.Flags().StringVar(&which.due, "due", "", "only what falls due within this `time`, such as 7d or 12h")
	cmd.MarkFlagsMutuallyExclusive("attention", "leaving")
	cmd.MarkFlagsMutuallyExclusive("attention", "due")
	return c.lists(cmd)
}

func (c *cli) listAttention(ctx context.Context, l ledger.Reader) error {
	steps := ledger.AllSteps(ctx, l, ledger.StepFilter{States: []ledger.StepState{ledger.StepAttention}})
	asks := false
	_, err := streamed(c, steps, listView[ledger.Step]{header: "person,app,step,attempts,what,key", row: func(s ledger.Step) []string {
		asks = true
		return []string{s.PersonID, s.App, s.Kind, strconv.Itoa(s.Attempts), whatOf(s), s.Key}
	}, none: "nothing needs attention"})
	if err == nil && asks {
		return errAttention
	}
	return err
}

// stageOf describes the run's stage, and what holds it there.
func stageOf(r runs.Run) string {
	return strings.TrimSpace(r.Stage + " " + strings.Join(r.Cohorts, " "))
}

// runFilter holds the flags that select open runs.
type runFilter struct {
	runs.Filter
	due string
}

// check reads --due.
func (f *runFilter) check(c *cli) error {
	if f.due == "" {
		return nil
	}
	within, err := settings.ParseDuration(f.due)
	if err != nil {
		return usagef("--due %s: %w", f.due, err)
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	f.DueBefore = cfg.Clock().Now().Add(within)
	return nil
}

func (c *cli) listRuns(ctx context.Context, f runs.Filter) error {
	err := c.showRuns(temporalRuns(ctx, f), f)
	if !errors.Is(err, errNoRuns) {
		return err
	}
	c.tell("as the ledger knows it, because Temporal does not tell: %v\n", err)
	return c.withLedger(ctx, func(_ *config.Config, l ledger.Reader) error {
		return c.showRuns(runs.FromLedger(ctx, l, f), f)
	})
}

// errNoRuns is wrapped by the error of a list of which Temporal has not given a run, because it
// is slow or away.
var errNoRuns = errors.New("no list")

// temporalRuns yields the open runs as Temporal knows them. If it yields errNoRuns, it has yielded
// nothing before.
func temporalRuns(ctx context.Context, f runs.Filter) iter.Seq2[runs.Run, error] {
	return func(yield func(runs.Run, error) bool) {
		t, namespace, err := service.OpenTemporal(ctx)
		if err != nil {
			if service.Away(err) {
				err = fmt.Errorf("%w: %w", errNoRuns, err)
			}
			yield(runs.Run{}, err)
			return
		}
		defer t.Close()
		none := true
		for run, err := range runs.New(t, namespace).Each(ctx, f) {
			if err != nil && none && (errors.Is(err, runs.ErrSlow) || service.Away(err)) {
				err = fmt.Errorf("%w: %w", errNoRuns, err)
			}
			if none = false; !yield(run, err) {
				return
			}
		}
	}
}

// showRuns shows runs as they are read, or sorted if the filter asks for what falls due.
func (c *cli) showRuns(found iter.Seq2[runs.Run, error], f runs.Filter) error {
	const header = "person,type,stage,urgency,attention,next,started"
	v := listView[runs.Run]{header: header, row: func(r runs.Run) []string {
		next := strings.TrimSpace(r.NextAction + " " + words.Instant(r.NextDue))
		return []string{r.Person, r.Type, stageOf(r), r.Urgency, strings.Join(r.Attention, " "), next, words.Instant(r.Started)}
	}, none: "nothing runs"}
	if !f.DueBefore.IsZero() {
		v.order = f.Order()
	}
	_, err := streamed(c, found, v)
	return err
}

func (c *cli) runRetryCommand() *cobra.Command {
	var one oneRepair
	var bulk bulkRepair
	cmd := &cobra.Command{
		Use:   "retry [PERSON]",
		Short: "Try again now what needs attention, for one person or for many",
		Long: `Try again now what needs attention, after its cause was removed.

With PERSON, it is for that person: for everything of theirs, or only for one app
(--app) or one step (--key).

Without PERSON, it is for everybody, and the flags select what: an app, a kind of step,
an error code, a change (Leaver, ...), a span of time, or several of these. The command
only shows what would be tried again (exit status 3) until you say --apply. It can be
interrupted and run again at any time: what was repaired is not repaired twice.

The decision goes into the ledger, with your name on the record. Each person's run is
told, and does it.`,
		Example: `  tenure run retry 10004
  tenure run retry 10004 --app wiki
  tenure run retry --app wiki --type Leaver --since 36h
  tenure run retry --app wiki --type Leaver --since 36h --apply`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.repairAny(cmd.Context(), args, &bulk, one, operator.Retry)
		},
	}
	one.flags(cmd)
	bulk.flags(cmd)
	cmd.Flags().StringVar(&one.Reason, "reason", "", "why, for the record")
	return c.reads(cmd)
}

func (c *cli) runSkipCommand() *cobra.Command {
	var one oneRepair
	var bulk bulkRepair
	cmd := &cobra.Command{
		Use:   "skip [PERSON]",
		Short: "Decide that what needs attention is not to be done",
		Long: `Decide that something that needs attention is not to be done. With PERSON, that is
everything of theirs in one app (--app), or one step or question by its key (--key; see
tenure run list --attention). Without PERSON, it is what the flags select among
everybody's: the command only shows what would be skipped (exit status 3) until you say
--apply.

The decision goes into the ledger, with your name and reason on the record, and each
person's run is told. A later change of policy or of the person plans anew, and may plan
the same step again.`,
		Example: `  tenure run skip 10004 --app wiki --reason "the wiki was shut down"
  tenure run skip 10004 --key conflict/hired_after_end/e-17 --reason "HR's mistake, ticket 4711"
  tenure run skip --app wiki --step HandOver --reason "nothing is worth keeping there" --apply`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0 && one.App == "" && one.Key == "":
				return usagef("say what is to be skipped: --app or --key (tenure run list --attention shows both)")
			case strings.TrimSpace(one.Reason) == "" && (len(args) > 0 || bulk.does()):
				return usagef("say why with --reason: it goes on the record")
			}
			return c.repairAny(cmd.Context(), args, &bulk, one, operator.Skip)
		},
	}
	one.flags(cmd)
	bulk.flags(cmd)
	cmd.Flags().StringVar(&one.Reason, "reason", "", "why it is not to be done, for the record")
	return c.reads(cmd)
}

// oneRepair selects what to repair for one person, and says who asks.
type oneRepair struct {
	operator.Attention
	operator.Request
}

func (r *oneRepair) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.App, "app", "", "only what is about this `app`")
	cmd.Flags().StringVar(&r.Key, "key", "", "only the step or question with this `key`")
	operatorFlag(cmd, &r.Actor)
}

// repairAny repairs what is selected, for one person or for everybody.
func (c *cli) repairAny(ctx context.Context, args []string, bulk *bulkRepair, one oneRepair, verb operator.Verb) error {
	switch {
	case len(args) > 1:
		return usagef("one person at the most; everybody's are selected by flags: see --help")
	case len(args) == 1 && bulk.given(""):
		return usagef("give either a person (with --app or --key) or the flags that select everybody's")
	case len(args) == 1:
		one.PersonID = args[0]
		return c.repair(ctx, one, verb)
	case one.Key != "":
		return usagef("--key is one person's: say whose")
	case !bulk.given(one.App):
		return usagef("say whose: a person, or by --app, --type, --step, --code, --since what of everybody's (tenure run list --attention shows all)")
	}
	bulk.app = one.App
	if _, err := bulk.filter(time.Now()); err != nil {
		return err // before anything is opened
	}
	return c.repairMany(ctx, bulk, one.Request, verb)
}

// repair repairs what needs attention for one person.
func (c *cli) repair(ctx context.Context, one oneRepair, verb operator.Verb) error {
	var err error
	if one.Actor, err = asking(one.Actor); err != nil {
		return err
	}
	return c.operate(ctx, func(_ *config.Config, o *operator.Operator) error {
		do, done := o.Retry, "will be tried again"
		if verb == operator.Skip {
			do, done = o.Skip, "is skipped"
		}
		if err := o.Ready(ctx); err != nil {
			return err
		}
		keys, err := do(ctx, one.Request, one.Attention)
		for _, key := range keys {
			c.say("%s of %s %s\n", key, one.PersonID, done)
		}
		if err != nil {
			err = fmt.Errorf("person %s: %w", one.PersonID, err)
		}
		return errors.Join(c.report(repairedView{Person: one.PersonID, Keys: append([]string{}, keys...), Skipped: verb == operator.Skip}), err)
	})
}

// repairedView describes what was repaired for one person.
type repairedView struct {
	Person  string   `json:"person"`
	Keys    []string `json:"keys"` // keys of steps and questions
	Skipped bool     `json:"skipped,omitempty"`
}

// bulkRepair holds the flags that select what to repair for everybody, and how.
type bulkRepair struct {
	app, kind, code, change string
	since, until            string
	applying
	perSecond float64
}

func (b *bulkRepair) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&b.kind, "step", "", "of everybody: only this `kind` of step: Provision, Update, Disable, Strip, HandOver, Delete, Question")
	flags.StringVar(&b.code, "code", "", "of everybody: only what failed with this `code`: unavailable, unauthorized, conflict, ...")
	flags.StringVar(&b.change, "type", "", "of everybody: only this `change`: Joiner, Mover, Leaver")
	flags.StringVar(&b.since, "since", "", "of everybody: only what failed at or after this `time`: 2026-11-22, an RFC 3339 instant, or so long ago: 36h")
	flags.StringVar(&b.until, "until", "", "of everybody: only what failed before this `time`")
	complete(cmd, "step", stepKinds())
	complete(cmd, "type", changeNames)
	b.applying.flags(cmd)
	flags.Lookup("apply").Usage = "of everybody: " + flags.Lookup("apply").Usage
	flags.Float64Var(&b.perSecond, "rate", 20, "of everybody: repair so many `people` a second at most")
}

// given reports whether the flags select among everybody's steps.
func (b *bulkRepair) given(app string) bool {
	return b.kind+b.code+b.change+b.since+b.until+app != ""
}

// changeNames lists the changes that a step may belong to.
var changeNames = []string{string(plan.Joiner), string(plan.Mover), string(plan.Leaver)}

// stepKinds lists the kinds of step that may need attention, and the question.
func stepKinds() []string {
	kinds := []string{"Question"}
	for _, kind := range plan.Kinds() {
		kinds = append(kinds, string(kind))
	}
	return kinds
}

// filter returns the selection as a filter of the ledger's.
func (b *bulkRepair) filter(now time.Time) (f ledger.StepFilter, err error) {
	f = ledger.StepFilter{App: b.app, Kind: b.kind, Code: b.code}
	if err := oneOf("step", b.kind, stepKinds()); err != nil {
		return f, err
	}
	if err := oneOf("type", b.change, changeNames); err != nil {
		return f, err
	}
	if f.From, err = moment("since", b.since, now); err != nil {
		return f, err
	}
	f.Until, err = moment("until", b.until, now)
	return f, err
}

// repairView describes what a bulk repair would do, or did.
type repairView struct {
	Steps  []ledger.Step      `json:"steps"`
	Totals []totalView        `json:"totals"`
	People int                `json:"people"`
	Done   *operator.Repaired `json:"done,omitempty"` // nil: nothing was done
}

// totalView counts steps that are alike.
type totalView struct {
	App   string `json:"app,omitempty"`
	Kind  string `json:"kind"`
	Code  string `json:"code"`
	Steps int    `json:"steps"`
}

func viewRepair(steps []ledger.Step) repairView {
	v := repairView{Steps: append([]ledger.Step{}, steps...), Totals: []totalView{}}
	people := map[string]bool{}
	for _, s := range steps {
		people[s.PersonID] = true
		i := slices.IndexFunc(v.Totals, func(t totalView) bool { return t.App == s.App && t.Kind == s.Kind && t.Code == s.Code })
		if i < 0 {
			v.Totals = append(v.Totals, totalView{App: s.App, Kind: s.Kind, Code: s.Code})
			i = len(v.Totals) - 1
		}
		v.Totals[i].Steps++
	}
	v.People = len(people)
	slices.SortFunc(v.Totals, func(a, b totalView) int { return cmp.Or(b.Steps-a.Steps, strings.Compare(a.App+a.Kind, b.App+b.Kind)) })
	return v
}

// shownSteps is the number of steps that the table of a listing shows.
const shownSteps = 20

func (v repairView) draw(p *page) {
	p.table("", "app,step,code,steps", rowsOf(v.Totals, func(t totalView) []string {
		return []string{t.App, t.Kind, t.Code, strconv.Itoa(t.Steps)}
	}))
	shown := v.Steps[:min(len(v.Steps), shownSteps)]
	p.table("", "person,app,step,attempts,last attempt,what", rowsOf(shown, func(s ledger.Step) []string {
		return []string{s.PersonID, s.App, s.Kind, strconv.Itoa(s.Attempts), words.Instant(s.LastAttemptAt), whatOf(s)}
	}))
	if more := len(v.Steps) - len(shown); more > 0 {
		p.note("and %d more (-o json has all)", more)
	}
}

// repairMany shows what is selected, and repairs it with --apply, one person after the
// other.
func (c *cli) repairMany(ctx context.Context, b *bulkRepair, r operator.Request, verb operator.Verb) error {
	return c.operate(ctx, func(cfg *config.Config, o *operator.Operator) error {
		if err := errors.Join(appFilter(ctx, cfg, o.Ledger, b.app), codeFilter(ctx, o.Ledger, b.code)); err != nil {
			return err
		}
		f, err := b.filter(o.Clock.Now())
		if err != nil {
			return err
		}
		steps, err := o.InAttention(ctx, f, plan.Change(b.change))
		if err != nil {
			return err
		}
		done := "will be tried again"
		if verb == operator.Skip {
			steps, done = operator.Skippable(steps), "are skipped"
		}
		v := viewRepair(steps)
		if len(steps) == 0 {
			return c.print(v, func(p *page) { p.note("nothing like that needs attention") })
		}
		if !b.does() {
			return errors.Join(c.print(v, v.draw), c.onlyShown(b.applying, "%s of %s", words.Count(len(steps), "step"), people(v.People)))
		}
		count, err := c.applyRepairs(ctx, o, b, steps, v.People, r, verb)
		v.Done = &count
		return errors.Join(c.print(v, func(p *page) {
			p.note("%d of %d steps, of %s, %s", count.Steps, len(steps), people(count.People), done)
			if count.Settled > 0 {
				p.note("%s had been seen to meanwhile", people(count.Settled))
			}
		}), err)
	})
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return strconv.Itoa(n) + " people"
}

// applyRepairs repairs steps of many people, at the rate that the flags allow.
func (c *cli) applyRepairs(ctx context.Context, o *operator.Operator, b *bulkRepair, steps []ledger.Step, concerned int,
	r operator.Request, verb operator.Verb,
) (total operator.Repaired, err error) {
	if b.perSecond <= 0 {
		return total, usagef("--rate must be above zero")
	}
	if r.Actor, err = asking(r.Actor); err != nil {
		return total, err
	}
	bar := c.progress(concerned, "repairing", "people")
	total, err = o.RepairAll(ctx, verb, r, steps, rate.Limit(b.perSecond), func(more int) { _ = bar.Add(more) })
	_ = bar.Exit()
	if err != nil {
		err = fmt.Errorf("%w\n%d of %s were seen to: run it again for the others", err, total.People, people(concerned))
	}
	return total, err
}
