package runs

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/workflows"
)

// endings lists what falls due for those whose access is ending, as leavingRuns has it.
var endings = []plan.DueWhat{plan.DueEnd, plan.DueDelete, plan.DueHold, plan.DueApproval}

// FromLedger yields the runs that the filter selects, as far as the ledger tells: everybody for whom
// something is under way or due has one. It knows neither the kind of a run nor since when it runs.
func FromLedger(ctx context.Context, l ledger.People, f Filter) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		for s, err := range ledger.AllPeople(ctx, l, "") {
			if err != nil {
				yield(Run{}, err)
				return
			}
			if run, ok := f.fromLedger(s); ok && !yield(run, nil) {
				return
			}
		}
	}
}

// fromLedger describes the run of a person, and reports whether they have one that the filter
// selects.
func (f Filter) fromLedger(s ledger.Summary) (Run, bool) {
	if s.DueAt.IsZero() || f.Person != "" && s.PersonID != f.Person {
		return Run{}, false
	}
	run := Run{Person: s.PersonID, Stage: workflows.StageScheduled, NextAction: s.DueWhat, NextDue: s.DueAt}
	ends := slices.ContainsFunc(endings, func(what plan.DueWhat) bool { return strings.HasPrefix(s.DueWhat, string(what)) })
	if s.DueWhat == ledger.DueWorking || s.DueWhat == ledger.DueBreaker {
		// The instant is only when the sweeper would look.
		run.Stage, run.NextAction, run.NextDue = workflows.StageApplying, "", time.Time{}
		if s.DueWhat == ledger.DueBreaker {
			run.Stage = workflows.StageHeld
		}
		ends = s.Status == hr.StatusEnded
	}
	switch {
	case f.Leaving && !ends, f.AtWork && run.Stage == workflows.StageScheduled:
		return Run{}, false
	case f.DueBefore.IsZero():
		return run, true
	}
	return run, !run.NextDue.IsZero() && run.NextDue.Before(f.DueBefore)
}
