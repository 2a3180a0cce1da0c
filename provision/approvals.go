package provision

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Why somebody is told of a deletion that waits for an approval.
const (
	approvalAsked    = "asked"
	approvalReminded = "reminded"
)

// approvals are the deletions that wait for an approval, and those of which the ledger
// knows and that are not asked for any more.
func (d decision) approvals() (asked []ledger.Approval, lapsed []string) {
	if d.PolicyErr != nil {
		return nil, nil // nothing is planned: that says nothing of what will be
	}
	for _, x := range d.Plan.Deletions {
		if x.Waits == plan.WaitApproval {
			asked = append(asked, ledger.Approval{App: x.App, Key: x.Key, LookAt: x.Until})
		}
	}
	for _, known := range d.Person.Approvals {
		_, planned := d.step(known.Key)
		waits := slices.ContainsFunc(d.Plan.Deletions, func(x plan.Deletion) bool { return x.Key == known.Key })
		if !planned && !waits && !d.stripping(known.App) {
			lapsed = append(lapsed, known.Key)
		}
	}
	return asked, lapsed
}

// stripping says whether an app has steps that come before a deletion.
func (d decision) stripping(app string) bool {
	return slices.ContainsFunc(d.Plan.Steps, func(s plan.Step) bool {
		return s.App == app && (s.Kind == plan.Disable || s.Kind == plan.Strip)
	})
}

// remind tells of deletions that wait for an approval, when they begin to and whenever
// their time has come. Who would have to be told is not Tenure's to know: it is in the
// log, in the audit and in the metrics.
func (e *Engine) remind(d decision) {
	known := index(d.Person.Approvals, func(x ledger.Approval) string { return x.Key })
	for _, x := range d.Plan.Deletions {
		before, why := known[x.Key], approvalReminded
		if before.LookAt.IsZero() {
			why = approvalAsked
		}
		if x.Waits != plan.WaitApproval || before.LookAt.After(d.Now) {
			continue
		}
		e.Metrics.awaits(x.App, why)
		e.Log.Warn("a deletion waits for an operator's approval", zap.String("person", d.Person.PersonID), zap.String("app", x.App),
			zap.String("why", why), zap.Time("retention ended", x.At.UTC().Truncate(time.Second)), zap.Int("reminders", before.Reminders))
	}
}
