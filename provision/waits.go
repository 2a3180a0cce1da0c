package provision

import (
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// waits returns by app since when the person waits for an account that the plan turns on or off,
// whether that may be done now or is held.
func (d decision) waits() map[string]ledger.Wait {
	var all map[string]ledger.Wait
	for _, s := range d.Plan.Steps {
		off, turns := d.turns(s)
		if !turns {
			continue
		}
		if all == nil {
			all = map[string]ledger.Wait{}
		}
		if known, ok := d.Person.Waits[s.App]; ok && known.Off == off {
			all[s.App] = known
			continue
		}
		all[s.App] = ledger.Wait{Off: off, Since: d.firstWaits().UTC().Truncate(time.Microsecond)}
	}
	return all
}

// turns reports whether a step turns the person's account on or off.
func (d decision) turns(s plan.Step) (off, turns bool) {
	on := d.link(s.App).State == ledger.LinkActive
	switch s.Kind {
	case plan.Provision:
		return false, s.Enabled && !on
	case plan.Disable, plan.Delete:
		return true, on
	}
	return false, false
}

// firstWaits returns since when somebody waits for what no earlier assessment has planned. If no
// assessment has seen the cause of their present standing in force, that is the cause. Otherwise
// it is what made them due meanwhile: a date that had come, the approval of a request, another
// decision, or what a scan found. If nothing did, the configuration was changed, and it is now.
func (d decision) firstWaits() time.Time {
	cause := d.waitingSince()
	before := d.Person.Summary
	if !cause.IsZero() && (!d.causeSeen() || d.undecided()) {
		return cause
	}
	if before.DueAt.After(before.AssessedAt) && before.DueAt.After(cause) && !before.DueAt.After(d.Now) {
		return before.DueAt
	}
	return d.Now
}

// causeSeen reports whether an earlier assessment has seen the cause of the person's present
// standing in force.
func (d decision) causeSeen() bool {
	before := d.Person.Summary
	cause := d.Timeline.Cause(d.Now)
	if before.AssessedAt.IsZero() || before.AssessedAt.Before(cause.From) {
		return false
	}
	for _, e := range d.Person.Events {
		if cause.Event.ID != "" && e.Event.EventKey != cause.Event {
			continue
		}
		if e.Seq > before.Seen && (before.Seen > 0 || e.At.After(before.AssessedAt)) {
			return false
		}
	}
	return true
}

// undecided reports whether the last assessment could not plan everything, because an operator
// was asked first.
func (d decision) undecided() bool {
	return slices.ContainsFunc(d.Person.Steps, func(s ledger.Step) bool {
		return s.Code == CodePolicy || strings.HasPrefix(s.Key, assess.SameHumanPrefix)
	})
}

// turn is an account that a step has turned on or off.
type turn struct {
	app   string
	off   bool
	since time.Time // since when the person had waited
	held  string    // the mass change that had held it back; empty if none did
}

// turned reports whether a step has turned an account on or off. An account that was on before
// Tenure knew of it was not given, and one that was found to be gone was not taken.
func (d decision) turned(kind plan.Kind, before ledger.Link, got performed) (turn, bool) {
	t := turn{app: got.link.App, off: before.State == ledger.LinkActive}
	if t.off == (got.link.State == ledger.LinkActive) || got.action == "adopted" || !slices.Contains(turning(t.off), kind) {
		return turn{}, false
	}
	t.since, t.held = d.waitingSince(), d.heldBy(t.app, t.off)
	if w, ok := d.Person.Waits[t.app]; ok && w.Off == t.off {
		t.since = w.Since
	}
	return t, true
}

// turning returns the kinds of step that turn accounts off, or on.
func turning(off bool) []plan.Kind {
	if off {
		return []plan.Kind{plan.Disable, plan.Delete}
	}
	return []plan.Kind{plan.Provision}
}

// figured adds to the detail of a step's audit row what figures are made of.
func (d decision) figured(detail map[string]any, t turn, turned bool) map[string]any {
	if profile := d.Desired.Standing.Profile; profile != nil && profile.Department != "" {
		detail[ledger.DetailDepartment] = profile.Department
	}
	if turned {
		detail[ledger.DetailSince] = t.since.UTC().Format(time.RFC3339Nano)
	}
	if t.held != "" {
		detail[ledger.DetailCohort] = t.held
	}
	return detail
}

// heldBy returns the mass change that had held back turning an account on or off; empty if none
// did.
func (d decision) heldBy(app string, off bool) string {
	kinds := []ledger.WithdrawalKind{ledger.Grants}
	if off {
		kinds = []ledger.WithdrawalKind{ledger.Leavers, ledger.Disables, ledger.Suspensions, ledger.Deletions, ledger.Orphans}
	}
	for _, w := range d.Person.Withdrawals {
		if w.Cohort != 0 && slices.Contains(kinds, w.Kind) && slices.Contains(w.Apps, app) {
			return ledger.CohortName(w.Cohort)
		}
	}
	return ""
}

// waitingSince returns the instant from which the person waits for the present change: when
// HR recorded its cause, or the effective date of the cause if that is later.
func (d decision) waitingSince() time.Time {
	cause := d.Timeline.Cause(d.Now)
	recorded := time.Time{}
	for _, e := range d.Person.Events {
		last := cause.Event == hr.EventKey{} // the end of a leave, for example, names no event: the latest event counts
		if (last || e.Event.EventKey == cause.Event) && !e.Event.Recorded.After(d.Now) {
			recorded = slices.MaxFunc([]time.Time{recorded, e.Event.Recorded}, time.Time.Compare)
		}
	}
	if cause.From.After(recorded) && !cause.From.After(d.Now) {
		return cause.From
	}
	return recorded
}
