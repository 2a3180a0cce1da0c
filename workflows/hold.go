package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/provision"
)

// holding shows what waits for an operator's decision. Changes that only have to settle
// get no stage of their own: it would add an event to the history of every leaver.
func (b *board) holding(ctx workflow.Context, a provision.Assessment) {
	if len(a.Held) > 0 {
		upsert(ctx, withCohorts(ctx, a, AttrStage.ValueSet(StageHeld), attentionIn(a), nextActionIn(a.Due), nextDueIn(a.Due))...)
	}
	b.show(ctx, a.Questions)
}

// cohorts shows the cohorts that hold changes which fall due later.
func (b *board) cohorts(ctx workflow.Context, a provision.Assessment) {
	upsert(ctx, withCohorts(ctx, a)...)
}

// cohortsOf lists the names of the cohorts that hold these changes, sorted.
func cohortsOf(held []provision.Held) []string {
	var names []string
	for _, h := range held {
		names = append(names, h.Cohort)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// withCohorts adds the cohorts to updates if there are any, or were. Otherwise it adds
// nothing: histories that are older than cohorts do not have the attribute.
func withCohorts(ctx workflow.Context, a provision.Assessment, updates ...temporal.SearchAttributeUpdate) []temporal.SearchAttributeUpdate {
	now, _ := workflow.GetTypedSearchAttributes(ctx).GetKeywordList(AttrCohort)
	switch names := cohortsOf(a.Held); {
	case len(names) > 0:
		return append(updates, AttrCohort.ValueSet(names))
	case len(now) > 0:
		return append(updates, AttrCohort.ValueUnset())
	}
	return updates
}
