package workflows

import (
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
	StageAttention = "attention" // a human must look
	StageWaiting   = "waiting"   // a human was asked to do something, and has time
	StageHeld      = "held"      // too many are concerned at once: an operator decides
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
	AttrAttention  = temporal.NewSearchAttributeKeyKeywordList("TenureAttention") // apps; "hr" or "policy" for what is not about an app
	AttrNextAction = temporal.NewSearchAttributeKeyKeyword("TenureNextAction")    // "delete wiki", "start", ...
	AttrNextDue    = temporal.NewSearchAttributeKeyTime("TenureNextDue")
	AttrCohort     = temporal.NewSearchAttributeKeyKeywordList("TenureCohort") // "c-12": what holds something of the person's
)

// board is what people see of a run: its search attributes and the details that
// the Temporal UI shows. Only what changed is written.
type board struct {
	person string // ID
	why    string // why the run is there: one that continues another has no summary of its own
	rows   []row
	due    plan.Due
	status string
	next   string // the workflow type that it has continued as
	held   []provision.Held
	settle bool // something waits until it is seen whether others are concerned too
}

type row struct{ key, app, step, state string }

// The states of a step that is not done yet.
const (
	stateWaiting   = "waiting"
	stateAttention = "**needs attention**"
	stateHuman     = "waiting for a human"
	stateHeld      = "**held**"
)

// boardTime is how people see an instant.
const boardTime = "2006-01-02 15:04:05 MST"

func (r row) inAttention() bool { return strings.HasPrefix(r.state, stateAttention) }

func (r row) open() bool {
	return r.state == stateWaiting || r.inAttention() || strings.HasPrefix(r.state, stateHuman) || strings.HasPrefix(r.state, stateHeld)
}

// assessed shows what is planned.
func (b *board) assessed(ctx workflow.Context, a provision.Assessment) {
	b.due, b.status, b.held, b.settle = a.Due, string(a.Status), a.Held, a.Settle > 0
	for i := range b.rows { // what is still to be done says so below
		switch {
		case slices.Contains(a.Skipped, b.rows[i].key):
			b.rows[i].state = "skipped"
		case b.rows[i].open():
			b.rows[i].state = "no longer to be done"
		}
	}
	for _, t := range a.Todo {
		state := stateWaiting
		switch {
		case t.Attention != nil:
			state = fmt.Sprintf("%s: %s: %s", stateAttention, t.Attention.Code, t.Attention.Message)
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

// over shows that nothing is left to do.
func (b *board) over(ctx workflow.Context) {
	upsert(ctx, withCohorts(ctx, provision.Assessment{}, AttrStage.ValueSet(StageDone), AttrAttention.ValueUnset(),
		nextActionIn(plan.Due{}), nextDueIn(plan.Due{}))...)
}

// step shows the state of one step.
func (b *board) step(ctx workflow.Context, s plan.Step, state string) {
	b.set(s, state)
	b.show(ctx, nil)
}

// attention shows what a human must look at, or has been asked to do.
func (b *board) attention(ctx workflow.Context, a provision.Assessment) {
	stage, due := StageAttention, a.Due
	if task := a.FirstTask(); !task.At.IsZero() {
		if due.At.IsZero() || task.At.Before(due.At) {
			due = task
		}
		if !a.NeedsAttention() {
			stage = StageWaiting
		}
	}
	upsert(ctx, withCohorts(ctx, a, AttrStage.ValueSet(stage), attentionIn(a), nextActionIn(due), nextDueIn(due))...)
	b.show(ctx, a.Questions)
}

// continued shows that the run goes on as one of another type, which does what
// this one has not.
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
	if a.Seq != 0 { // what the run before this one knew of cohorts holds until it has looked itself
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

// show shows the board. It costs no history event.
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
		out.WriteString(fmt.Sprintf("**Held in %[1]s**: too many are concerned at once, and nothing of it was done. See `tenure breaker show %[1]s`; "+
			"if it is meant: `tenure breaker release %[1]s --reason WHY --apply`, if it is a mistake: `tenure breaker cancel %[1]s --reason WHY --apply`\n\n", name))
	}
	if b.settle {
		out.WriteString("Waits until it is seen whether others are concerned too.\n\n")
	}
	for _, q := range questions {
		out.WriteString(fmt.Sprintf("**Needs attention**: %s (`%s`)\n\n", q.Message, q.Key))
	}
	if len(b.rows) > 0 {
		out.WriteString("| app | step | state |\n|---|---|---|\n")
		for _, r := range b.rows {
			out.WriteString(fmt.Sprintf("| %s | %s | %s |\n", r.app, r.step, r.state))
		}
		out.WriteString("\n")
	}
	if len(questions) > 0 || slices.ContainsFunc(b.rows, row.inAttention) {
		out.WriteString(fmt.Sprintf("Try again: `tenure run retry %[1]s`, do without: `tenure run skip %[1]s --app APP --reason WHY` (a question: `--key KEY` in place of `--app APP`)\n\n", b.person))
	}
	if b.next != "" {
		out.WriteString(fmt.Sprintf("Continued as **%s**.\n", b.next))
	} else if !b.due.At.IsZero() {
		out.WriteString(fmt.Sprintf("Next: **%s** at %s\n", nextAction(b.due), when(b.due)))
	}
	return out.String()
}

// when is the instant in UTC, and as the person's own clock shows it.
func when(due plan.Due) string {
	at := due.At.UTC().Format(boardTime)
	if due.Local == "" {
		return at
	}
	return fmt.Sprintf("%s (%s)", at, due.Local)
}

// describe says what became of a step that did not get done.
func describe(err error) string {
	var canceled *temporal.CanceledError
	if errors.As(err, &canceled) {
		return "put aside: something new was said"
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return fmt.Sprintf("%s: %s: %s", stateAttention, app.Type(), app.Message())
	}
	return "failed"
}

// nextAction says what is due in two words.
func nextAction(due plan.Due) string {
	return strings.TrimSpace(string(due.What) + " " + due.App)
}

// attentionIn lists the apps that need attention.
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

// upsert writes the attributes that differ from what they are: an upsert is a
// history event.
func upsert(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) {
	now := workflow.GetTypedSearchAttributes(ctx)
	// Asking which of the updates change anything is easiest by comparing whole sets.
	want := temporal.NewSearchAttributes(append([]temporal.SearchAttributeUpdate{now.Copy()}, updates...)...)
	if sameAttributes(now, want) {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes were not written", "error", err)
	}
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
