package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
)

// bulkRepair selects what is to be repaired among everybody's, and says how.
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

// given says whether what is to be repaired is selected among everybody's.
func (b *bulkRepair) given(app string) bool {
	return b.kind+b.code+b.change+b.since+b.until+app != ""
}

// changeNames are what a step may belong to.
var changeNames = []string{string(plan.Joiner), string(plan.Mover), string(plan.Leaver)}

// stepKinds are the kinds of step that may need attention, and the question.
func stepKinds() []string {
	kinds := []string{"Question"}
	for _, kind := range plan.Kinds() {
		kinds = append(kinds, string(kind))
	}
	return kinds
}

// filter is the selection as the ledger wants it.
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

// eachStep lists every step that a filter selects and that is wanted.
func eachStep(ctx context.Context, l ledger.Ledger, f ledger.StepFilter, wanted func(ledger.Step) bool) ([]ledger.Step, error) {
	var all []ledger.Step
	for after := (ledger.StepPlace{}); ; {
		page, err := l.Steps(ctx, f, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			if wanted(s) {
				all = append(all, s)
			}
			after = ledger.StepPlace{PersonID: s.PersonID, Key: s.Key}
		}
		if len(page) < pageSize {
			return all, nil
		}
	}
}

// repairView is what a bulk repair would do, or did.
type repairView struct {
	Steps  []stepView   `json:"steps"`
	Totals []totalView  `json:"totals"`
	People int          `json:"people"`
	Done   *repairCount `json:"done,omitempty"` // nil: nothing was done
}

// totalView counts steps that are alike.
type totalView struct {
	App   string `json:"app,omitempty"`
	Kind  string `json:"kind"`
	Code  string `json:"code"`
	Steps int    `json:"steps"`
}

func viewRepair(steps []ledger.Step) repairView {
	v := repairView{Steps: []stepView{}, Totals: []totalView{}}
	people := map[string]bool{}
	for _, s := range steps {
		v.Steps = append(v.Steps, viewStep(s))
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

// shownSteps is how many steps the table of a listing has.
const shownSteps = 20

func (v repairView) draw(p *page) {
	p.table("", "app,step,code,steps", rowsOf(v.Totals, func(t totalView) []string {
		return []string{t.App, t.Kind, t.Code, strconv.Itoa(t.Steps)}
	}))
	shown := v.Steps[:min(len(v.Steps), shownSteps)]
	p.table("", "person,app,step,attempts,last attempt,what", rowsOf(shown, func(s stepView) []string {
		return []string{s.Person, s.App, s.Kind, strconv.Itoa(s.Attempts), instant(s.LastAttemptAt), s.what()}
	}))
	if more := len(v.Steps) - len(shown); more > 0 {
		p.note("and %d more (-o json has all)", more)
	}
}

// repairCount is how far a bulk repair came.
type repairCount struct {
	Steps   int `json:"steps"`   // that were repaired
	Settled int `json:"settled"` // people of whom nothing needed attention any more
	People  int `json:"people"`  // who were seen to
}

// repairMany shows what is selected, and with --apply repairs it, person by person.
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
			return errors.Join(c.print(v, v.draw), c.onlyShown(b.applying, "%s of %s", count(len(steps), "step"), people(v.People)))
		}
		count, err := c.applyRepairs(ctx, o, b, steps, v.People, r, verb)
		v.Done = &repairCount{Steps: count.Steps, Settled: count.Settled, People: count.People}
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

// applyRepairs repairs steps of so many people, so many people a second.
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
