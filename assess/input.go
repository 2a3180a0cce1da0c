package assess

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Traits returns the traits that planning needs of an app whose connector is open.
func Traits(rules policy.ResolvedApp, c connector.Connector) plan.App {
	can := c.Capabilities()
	return plan.App{
		After:    rules.After,
		Leaver:   rules.Leaver,
		Disable:  can.Disable || asks(c, plan.Disable),
		Delete:   can.Delete || asks(c, plan.Delete),
		Relabel:  can.Relabel,
		HandOver: can.HandOver || asks(c, plan.HandOver),
		Destroys: can.Disable && !can.Reversible && !asks(c, plan.Disable),
		Behind:   can.Directory,
	}
}

// asks reports whether a human is asked for steps of a kind.
func asks(c connector.Connector, kind plan.Kind) bool {
	_, ok := c.Ask(string(kind))
	return ok
}

// EventsOf are the events of a person, in the order in which they were received, each
// with when that was: a clock that is ahead somewhere has no last word.
func EventsOf(p ledger.Person) []hr.Event {
	events := make([]hr.Event, len(p.Events))
	for i, e := range p.Events {
		events[i] = e.Event
		events[i].Received = e.At
	}
	return events
}

func planLinks(links []ledger.Link) []plan.Link {
	out := make([]plan.Link, len(links))
	for i, l := range links {
		out[i] = plan.Link{
			App:          l.App,
			State:        plan.LinkState(l.State),
			Entitlements: l.Entitlements,
			Attributes:   l.Attributes,
			DisabledAt:   l.DisabledAt,
			StrippedAt:   l.StrippedAt,
			HandedOverAt: l.HandedOverAt,
			DoubtUntil:   l.DoubtUntil,
			RenameTo:     l.RenameTo,
			OwnerWas:     l.OwnerWas,
		}
	}
	return out
}

// recipients are the manager's accounts, by app, that may be given somebody's data:
// nothing is put into a protected one.
func (r Rules) recipients(person ledger.Person) map[string]string {
	accounts := make(map[string]string, len(person.ManagerAccounts))
	for app, id := range person.ManagerAccounts {
		if id != "" && !r.Policy.ProtectsPerson(person.ManagerID) && !r.Policy.ProtectsAccount(app, id) {
			accounts[app] = id
		}
	}
	return accounts
}

func appsOf(accounts map[string]string) map[string]bool {
	apps := make(map[string]bool, len(accounts))
	for app := range accounts {
		apps[app] = true
	}
	return apps
}

func skipped(steps []ledger.Step) map[string]bool {
	keys := map[string]bool{}
	for _, s := range steps {
		if s.State == ledger.StepSkipped {
			keys[s.Key] = true
		}
	}
	return keys
}

// lapsedSkips are the keys of skipped steps that a plan does not ask for.
func lapsedSkips(steps []ledger.Step, holding []string) []string {
	var lapsed []string
	for _, s := range steps {
		if s.State == ledger.StepSkipped && !slices.Contains(holding, s.Key) {
			lapsed = append(lapsed, s.Key)
		}
	}
	return lapsed
}

// retentions returns how long operators want accounts to be kept, by app.
func retentions(said []ledger.Retention, standing hr.Standing, now time.Time) map[string]plan.Retention {
	byApp := make(map[string]plan.Retention, len(said))
	for _, r := range said {
		if !Lapsed(r, standing, now) {
			byApp[r.App] = plan.Retention{Until: r.Until, For: r.For, SetAt: r.SetAt}
		}
	}
	return byApp
}

// endHeard is when the event came that ended the person's employment; zero if it has
// not ended.
func endHeard(person ledger.Person, standing hr.Standing) time.Time {
	if standing.Period == nil || standing.Status != hr.StatusEnded {
		return time.Time{}
	}
	for _, e := range allEvents(person) {
		if e.Event.EventKey == standing.Period.End.Event {
			return e.At
		}
	}
	return time.Time{}
}

// Lapsed reports whether an employment has begun since an operator said something of
// retention: it was about the ending before that, and not about the next.
func Lapsed(r ledger.Retention, standing hr.Standing, now time.Time) bool {
	period := standing.Period
	return period != nil && period.Starts.After(r.SetAt) && !period.Starts.After(now)
}

// approvals returns the approvals of deletions that need one, by key.
func approvals(known []ledger.Approval) map[string]plan.Approval {
	byKey := make(map[string]plan.Approval, len(known))
	for _, a := range known {
		byKey[a.Key] = plan.Approval{Given: a.State == ledger.ApprovalApproved, LookAt: a.LookAt}
	}
	return byKey
}
