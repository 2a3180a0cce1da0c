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
	traits := plan.App{
		After:    rules.After,
		Leaver:   rules.Leaver,
		Disable:  can.Disable || asks(c, plan.Disable),
		Delete:   can.Delete || asks(c, plan.Delete),
		Relabel:  can.Relabel,
		Destroys: can.Disable && !can.Reversible && !asks(c, plan.Disable),
		Frozen:   can.Frozen,
		Behind:   can.Directory,

		RecycleBin: recycleBin(c),
		Restore:    can.Restore && !asks(c, plan.Provision),
	}
	if can.Sessions {
		traits.EndSessions = rules.EndSessions
	}
	if rules.Leaver.HandOver != policy.HandOverNone {
		traits.HandOverAsks = asks(c, plan.HandOver) || rules.Leaver.HandOverBy != ""
		traits.HandOver = can.HandOver || traits.HandOverAsks
		traits.HandOverByDelete = can.HandOverByDelete && !asks(c, plan.Delete) && !asks(c, plan.HandOver)
		if traits.HandOverNeeds = rules.Leaver.HandOverNeeds; len(traits.HandOverNeeds) == 0 {
			traits.HandOverNeeds = can.HandOverNeeds
		}
	}
	return traits
}

// recycleBin returns how long a deleted account can be brought back; zero if it cannot, or if
// it is not known, as where a human deletes.
func recycleBin(c connector.Connector) time.Duration {
	if can := c.Capabilities(); can.Delete && !asks(c, plan.Delete) {
		return can.RecycleBin
	}
	return 0
}

// asks reports whether a human is asked for steps of a kind.
func asks(c connector.Connector, kind plan.Kind) bool {
	_, ok := c.Ask(string(kind))
	return ok
}

// EventsOf returns the events of a person in the order in which they were received, each with
// the time of receipt, so that a sender whose clock is ahead cannot overrule later events.
func EventsOf(p ledger.Person) []hr.Event {
	events := make([]hr.Event, len(p.Events))
	for i, e := range p.Events {
		events[i] = e.Event
		events[i].Received = e.At
	}
	return events
}

// planLinks returns what planning depends on of links.
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
			BinnedAt:     l.Binned.At,

			UnsureState:        l.Unsure.State,
			UnsureEntitlements: l.Unsure.Entitlements,
		}
	}
	return out
}

// skipped returns the keys of the skipped steps.
func skipped(steps []ledger.Step) map[string]bool {
	keys := map[string]bool{}
	for _, s := range steps {
		if s.State == ledger.StepSkipped {
			keys[s.Key] = true
		}
	}
	return keys
}

// lapsedSkips returns the keys of skipped steps that a plan no longer asks for.
func lapsedSkips(steps []ledger.Step, holding []string) []string {
	var lapsed []string
	for _, s := range steps {
		if s.State == ledger.StepSkipped && !slices.Contains(holding, s.Key) {
			lapsed = append(lapsed, s.Key)
		}
	}
	return lapsed
}

// retentions returns the retentions that operators have set and that still hold, by app.
func retentions(set []ledger.Retention, standing hr.Standing, now time.Time) map[string]plan.Retention {
	byApp := make(map[string]plan.Retention, len(set))
	for _, r := range set {
		if !Lapsed(r, standing, now) {
			byApp[r.App] = plan.Retention{Until: r.Until, For: r.For, SetAt: r.SetAt}
		}
	}
	return byApp
}

// endHeard returns when the event was received that ended the person's employment; zero if it
// has not ended.
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

// Lapsed reports whether an employment has begun since an operator set a retention: it was
// meant for the end before that, and not for the next one.
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

// endedEntitlements returns the entitlements that have ended by themselves, by app.
func endedEntitlements(ended map[string]Ended) map[string][]string {
	byApp := make(map[string][]string, len(ended))
	for app, e := range ended {
		byApp[app] = e.Entitlements
	}
	return byApp
}
