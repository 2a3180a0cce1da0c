package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// The stages of a run, as its search attribute shows them.
const (
	StageApplying  = "applying"  // steps are under way
	StageAttention = "attention" // an operator has to look
	StageWaiting   = "waiting"   // a human has a task, and time to do it, or an app is at work
	StageHeld      = "held"      // the breaker holds changes: an operator decides
	StageScheduled = "scheduled" // sleeping until the next date that matters
	StageDone      = "done"      // nothing is left to do
)

// The urgencies of a run, as its search attribute shows them.
const (
	UrgencyStandard = "standard"
	UrgencyUrgent   = "urgent"
)

// The search attributes of a person's runs. The worker registers them.
var (
	AttrStage      = temporal.NewSearchAttributeKeyKeyword("TenureStage")
	AttrUrgency    = temporal.NewSearchAttributeKeyKeyword("TenureUrgency")
	AttrAttention  = temporal.NewSearchAttributeKeyKeywordList("TenureAttention") // apps; "hr" or "policy" for a question that is about no app
	AttrNextAction = temporal.NewSearchAttributeKeyKeyword("TenureNextAction")    // "delete wiki", "start", ...
	AttrNextDue    = temporal.NewSearchAttributeKeyTime("TenureNextDue")
	AttrCohort     = temporal.NewSearchAttributeKeyKeywordList("TenureCohort") // cohorts that hold a change of the person, such as "c-12"
)

// board holds what the Temporal UI shows of a run: its search attributes and its
// details. Only attributes that have changed are written.
type board struct {
	person string // ID
	why    string // why the run continues another: such a run has no summary
	rows   []row
	due    plan.Due
	status string
	next   string // the workflow type that it has continued as
	held   []provision.Held
	settle bool // a change waits in case it is part of a mass change
}

type row struct{ key, app, step, state string }

// The states of a step that is not done yet.
const (
	stateWaiting   = "waiting"
	stateAttention = "**needs attention**"
	stateHuman     = "waiting for a human"
	stateUnderway  = "the app is at work"
	stateHeld      = "**held**"
	stateNotNeeded = "no longer needed"
)

// boardTime is the layout of instants.
const boardTime = "2006-01-02 15:04:05 MST"

func (r row) inAttention() bool { return strings.HasPrefix(r.state, stateAttention) }

func (r row) open() bool {
	return r.state == stateWaiting || r.inAttention() || strings.HasPrefix(r.state, stateHuman) || strings.HasPrefix(r.state, stateUnderway) || strings.HasPrefix(r.state, stateHeld)
}

// assessed shows the plan of an assessment.
func (b *board) assessed(ctx workflow.Context, a provision.Assessment) {
	b.due, b.status, b.held, b.settle = a.Due, string(a.Status), a.Held, a.Settle > 0
	for i := range b.rows { // a step that is still planned gets its state below
		switch {
		case slices.Contains(a.Skipped, b.rows[i].key):
			b.rows[i].state = "skipped"
		case b.rows[i].open():
			b.rows[i].state = stateNotNeeded
		}
	}
	for _, t := range a.Todo {
		state := stateWaiting
		switch {
		case t.Attention != nil:
			state = attention(t.Attention.Code, t.Attention.Message)
		case t.Waiting != nil && t.Waiting.Task == 0:
			state = fmt.Sprintf("%s since %s", stateUnderway, t.Waiting.Since.UTC().Format(boardTime))
		case t.Waiting != nil:
			state = fmt.Sprintf("%s (task %d, due %s)", stateHuman, t.Waiting.Task, t.Waiting.Due.UTC().Format(boardTime))
		}
		b.set(t.Step, state)
	}
	for _, h := range a.Held {
		if h.Key != "" {
			b.set(plan.Step{Key: h.Key, App: h.App, Kind: h.Step}, stateHeld+" in "+h.Cohort)
		}
	}
	b.show(ctx, a.Questions)
}

// applying shows that steps are under way.
func (b *board) applying(ctx workflow.Context, a provision.Assessment) {
	urgency := UrgencyStandard
	if a.Urgent {
		urgency = UrgencyUrgent
	}
	upsert(ctx, withCohorts(ctx, a, AttrStage.ValueSet(StageApplying), AttrUrgency.ValueSet(urgency),
		attentionIn(a), nextActionIn(plan.Due{}), nextDueIn(plan.Due{}))...)
}

// over shows that nothing is left to do. A run that has only ever been at work need not say so:
// that it has ended says it, and each writing is one of the few that a run costs.
func (b *board) over(ctx workflow.Context, sparing bool) {
	if sparing && onlyApplying(workflow.GetTypedSearchAttributes(ctx)) {
		return
	}
	upsert(ctx, withCohorts(ctx, provision.Assessment{}, AttrStage.ValueSet(StageDone), AttrAttention.ValueUnset(),
		nextActionIn(plan.Due{}), nextDueIn(plan.Due{}))...)
}

// step shows the state of one step.
func (b *board) step(ctx workflow.Context, s plan.Step, state string) {
	b.set(s, state)
	b.show(ctx, nil)
}

// attention shows what an operator has to look at, and the tasks of humans.
func (b *board) attention(ctx workflow.Context, a provision.Assessment) {
	stage, due := StageAttention, a.Due
	if task := a.FirstTask(); !task.At.IsZero() {
		if due.At.IsZero() || task.At.Before(due.At) {
			due = task
		}
	}
	if _, waits := a.Waits(); waits && !a.NeedsAttention() {
		stage = StageWaiting
	}
	upsert(ctx, withCohorts(ctx, a, AttrStage.ValueSet(stage), attentionIn(a), nextActionIn(due), nextDueIn(due))...)
	b.show(ctx, a.Questions)
}

// continued shows that the run goes on as one of another type. The other run shows the
// steps that are not done yet.
func (b *board) continued(ctx workflow.Context, next string) {
	b.rows = slices.DeleteFunc(b.rows, row.open)
	b.next = next
	b.show(ctx, nil)
}

// scheduled shows what a sleeping run waits for.
func (b *board) scheduled(ctx workflow.Context, due plan.Due, a provision.Assessment) {
	b.due = due
	updates := []temporal.SearchAttributeUpdate{
		AttrStage.ValueSet(StageScheduled), AttrUrgency.ValueSet(UrgencyStandard),
		attentionIn(provision.Assessment{}), nextActionIn(due), nextDueIn(due),
	}
	if a.Seq != 0 { // before the first assessment, the cohorts of the previous run stay
		updates = withCohorts(ctx, a, updates...)
	}
	upsert(ctx, updates...)
	b.show(ctx, nil)
}

func (b *board) set(s plan.Step, state string) {
	i := slices.IndexFunc(b.rows, func(r row) bool { return r.key == s.Key })
	if i < 0 {
		b.rows = append(b.rows, row{key: s.Key, app: s.App, step: string(s.Kind)})
		i = len(b.rows) - 1
	}
	b.rows[i].state = state
}

// show writes the details. It costs no history event.
func (b *board) show(ctx workflow.Context, questions []provision.Attention) {
	workflow.SetCurrentDetails(ctx, b.markdown(questions))
}

func (b *board) markdown(questions []provision.Attention) string {
	var out strings.Builder
	if b.why != "" {
		out.WriteString(fmt.Sprintf("%s\n\n", b.why))
	}
	if b.status != "" {
		out.WriteString(fmt.Sprintf("Employment: **%s**\n\n", strings.ReplaceAll(b.status, "_", " ")))
	}
	for _, name := range cohortsOf(b.held) {
		out.WriteString(fmt.Sprintf("**Held in %[1]s**: too many people are concerned at once, so nothing was done. See `tenure breaker show %[1]s`. "+
			"If it is right: `tenure breaker release %[1]s --reason WHY --apply`. If it is a mistake: `tenure breaker cancel %[1]s --reason WHY --apply`\n\n", name))
	}
	if b.settle {
		out.WriteString("Waits until it is known whether this is part of a mass change.\n\n")
	}
	for _, q := range questions {
		out.WriteString(fmt.Sprintf("**Needs attention**: %s (`%s`)\n\n", q.Message, q.Key))
	}
	if len(b.rows) > 0 {
		out.WriteString("| app | step | state |\n|---|---|---|\n")
		for _, r := range b.openFirst() {
			out.WriteString(fmt.Sprintf("| %s | %s | %s |\n", r.app, r.step, r.state))
		}
		out.WriteString("\n")
	}
	if len(questions) > 0 || slices.ContainsFunc(b.rows, row.inAttention) {
		out.WriteString(fmt.Sprintf("Try again: `tenure run retry %[1]s`. Do without it: `tenure run skip %[1]s --app APP --reason WHY` (for a question, `--key KEY` instead of `--app APP`)\n\n", b.person))
	}
	if b.next != "" {
		out.WriteString(fmt.Sprintf("Continued as **%s**.\n", b.next))
	} else if !b.due.At.IsZero() {
		out.WriteString(fmt.Sprintf("Next: **%s** at %s\n", nextAction(b.due), when(b.due)))
	}
	return out.String()
}

// openFirst returns the rows: first those in attention, then what is not done yet, then the
// others.
func (b *board) openFirst() []row {
	rank := func(r row) int {
		switch {
		case r.inAttention():
			return 0
		case r.open():
			return 1
		}
		return 2
	}
	rows := slices.Clone(b.rows)
	slices.SortStableFunc(rows, func(x, y row) int { return rank(x) - rank(y) })
	return rows
}

// when returns the instant in UTC, and in the person's own time if that is known.
func when(due plan.Due) string {
	at := due.At.UTC().Format(boardTime)
	if due.Local == "" {
		return at
	}
	return fmt.Sprintf("%s (%s)", at, due.Local)
}

// describe returns the state to show for a step that failed or was cancelled.
func describe(err error) string {
	var canceled *temporal.CanceledError
	if errors.As(err, &canceled) {
		return "put aside: there is something new, so the person is assessed again"
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return attention(app.Type(), app.Message())
	}
	return "failed"
}

// attention returns the state to show for a step in attention. The code is what the runbook and
// `tenure run list` name.
func attention(code, message string) string {
	return fmt.Sprintf("%s (`%s`): %s", stateAttention, code, message)
}

// stateAfter returns the state to show for a step that was applied.
func stateAfter(result provision.Result) string {
	if result == provision.ResultSuperseded {
		return stateNotNeeded
	}
	return string(result)
}

// nextAction returns what is due in two words, such as "delete wiki" or "exception x-12".
func nextAction(due plan.Due) string {
	return strings.TrimSpace(string(due.What) + " " + cmp.Or(due.App, due.By))
}

// attentionIn returns the update that lists the apps in which something needs attention.
func attentionIn(a provision.Assessment) temporal.SearchAttributeUpdate {
	var apps []string
	for _, t := range a.Todo {
		if t.Attention != nil {
			apps = append(apps, t.App)
		}
	}
	for _, q := range a.Questions {
		name := q.App
		switch {
		case name != "":
		case q.Code == provision.CodePolicy:
			name = "policy"
		default:
			name = "hr"
		}
		apps = append(apps, name)
	}
	slices.Sort(apps)
	if apps = slices.Compact(apps); len(apps) == 0 {
		return AttrAttention.ValueUnset()
	}
	return AttrAttention.ValueSet(apps)
}

func nextActionIn(due plan.Due) temporal.SearchAttributeUpdate {
	if due.At.IsZero() {
		return AttrNextAction.ValueUnset()
	}
	return AttrNextAction.ValueSet(nextAction(due))
}

func nextDueIn(due plan.Due) temporal.SearchAttributeUpdate {
	if due.At.IsZero() {
		return AttrNextDue.ValueUnset()
	}
	return AttrNextDue.ValueSet(due.At.UTC())
}

// upsert writes the attributes if any of them changes. An upsert is a history event.
func upsert(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) {
	now := workflow.GetTypedSearchAttributes(ctx)
	// The SDK does not show what an update sets, so whole sets are compared.
	want := temporal.NewSearchAttributes(append([]temporal.SearchAttributeUpdate{now.Copy()}, updates...)...)
	if sameAttributes(now, want) {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes were not written", "error", err)
	}
}

// onlyApplying reports whether the attributes say nothing but that a run is at work.
func onlyApplying(now temporal.SearchAttributes) bool {
	urgency, _ := now.GetKeyword(AttrUrgency)
	return sameAttributes(now, temporal.NewSearchAttributes(AttrStage.ValueSet(StageApplying), AttrUrgency.ValueSet(urgency)))
}

func sameAttributes(a, b temporal.SearchAttributes) bool {
	keyword := func(s temporal.SearchAttributes, k temporal.SearchAttributeKeyKeyword) string {
		v, _ := s.GetKeyword(k)
		return v
	}
	for _, k := range []temporal.SearchAttributeKeyKeyword{AttrStage, AttrUrgency, AttrNextAction} {
		if keyword(a, k) != keyword(b, k) {
			return false
		}
	}
	attentionA, _ := a.GetKeywordList(AttrAttention)
	attentionB, _ := b.GetKeywordList(AttrAttention)
	cohortA, _ := a.GetKeywordList(AttrCohort)
	cohortB, _ := b.GetKeywordList(AttrCohort)
	dueA, _ := a.GetTime(AttrNextDue)
	dueB, _ := b.GetTime(AttrNextDue)
	return slices.Equal(attentionA, attentionB) && slices.Equal(cohortA, cohortB) && dueA.Equal(dueB)
}
