package provision

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// The reasons for a message about a deletion that waits for an approval, as labels of a
// metric.
const (
	approvalAsked    = "asked"
	approvalReminded = "reminded"
)

// approvals returns the deletions that wait for an approval, and the keys of the approvals
// in the ledger whose deletion is no longer asked for.
func (d decision) approvals() (waiting []ledger.Approval, lapsed []string) {
	if d.PolicyErr != nil {
		return nil, nil // nothing is planned, so it is unknown what will be asked for
	}
	for _, x := range d.Plan.Deletions {
		if x.Waits == plan.WaitApproval {
			waiting = append(waiting, ledger.Approval{App: x.App, Key: x.Key, LookAt: x.Until})
		}
	}
	for _, known := range d.Person.Approvals {
		_, planned := d.step(known.Key)
		waits := slices.ContainsFunc(d.Plan.Deletions, func(x plan.Deletion) bool { return x.Key == known.Key })
		if !planned && !waits && !d.disablesOrStrips(known.App) {
			lapsed = append(lapsed, known.Key)
		}
	}
	return waiting, lapsed
}

// disablesOrStrips reports whether the plan disables or strips the account in an app: a
// deletion comes after that.
func (d decision) disablesOrStrips(app string) bool {
	return slices.ContainsFunc(d.Plan.Steps, func(s plan.Step) bool {
		return s.App == app && (s.Kind == plan.Disable || s.Kind == plan.Strip)
	})
}

// remind writes to the log and the metrics which deletions wait for an approval: when
// they begin to wait, and at every reminder. Tenure does not know whom it would have to
// notify.
func (e *Engine) remind(d decision) {
	known := set.Index(d.Person.Approvals, func(x ledger.Approval) string { return x.Key })
	for _, x := range d.Plan.Deletions {
		before, reason := known[x.Key], approvalReminded
		if before.LookAt.IsZero() {
			reason = approvalAsked
		}
		if x.Waits != plan.WaitApproval || before.LookAt.After(d.Now) {
			continue
		}
		e.Metrics.approvalReminder(x.App, reason)
		e.Log.Warn("a deletion waits for an operator's approval", zap.String("person", d.Person.PersonID), zap.String("app", x.App),
			zap.String("why", reason), zap.Time("retention ended", x.At.UTC().Truncate(time.Second)), zap.Int("reminders", before.Reminders))
	}
}
