package assess

import (
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Ended is what somebody is given no more in an app because the time of grants or waivers is
// over, and for no other reason. It was said when they were made that it would end now.
type Ended struct {
	Account      bool     // the account too
	Entitlements []string // sorted
}

// ended returns what has ended by itself, by app, until those exceptions have lapsed. That is
// what policy would give now if they had no end, less what it gives; and what a grant gave that
// is over, is still there because something else is held, and is explained by nothing else: see
// unexplained.
func (r Rules) ended(d *Decision, exceptions []policy.Exception, id policy.Identity) map[string]Ended {
	isOver := func(x ledger.Exception) bool { return !x.EndsAt.IsZero() && !x.EndsAt.After(d.Now) }
	var over, running []policy.Exception
	waived := map[string]bool{}
	for _, x := range d.Person.Exceptions {
		switch rule := ruling(x); {
		case rule.Kind == policy.ExceptWaive && isOver(x):
			waived[rule.Duty] = true
		case rule.Kind != policy.ExceptGrant:
		case isOver(x):
			over = append(over, rule)
		case rule.InForce(d.Now):
			running = append(running, rule)
		}
	}
	for _, refused := range d.Desired.Refused { // because a waiver is over
		i := slices.IndexFunc(running, func(x policy.Exception) bool { return x.Name == refused.Exception })
		if i >= 0 && waived[refused.Duty] {
			over, running = append(over, running[i]), slices.Delete(running, i, i+1)
		}
	}
	if len(over) == 0 {
		return nil
	}
	all := map[string]Ended{}
	endless := slices.Clone(exceptions)
	for i := range endless {
		if x := &endless[i]; (x.Kind == policy.ExceptGrant || x.Kind == policy.ExceptWaive) && !x.Until.IsZero() && !x.Until.After(d.Now) {
			x.Until = time.Time{}
		}
	}
	would, err := r.Policy.Evaluate(d.Timeline, d.Now, id, endless...)
	if err != nil {
		return nil // it is unknown what they gave, so all of it counts
	}
	for _, account := range would.Accounts {
		names, there := wanted(d.Desired, account.App)
		note(all, account.App, !there, set.Minus(account.EntitlementNames(), names))
	}
	r.unexplained(d, over, running, id, all)
	return all
}

// grantsEnd returns the next end of a grant, of whatever employment, or what is due earlier.
func grantsEnd(due plan.Due, person ledger.Person, now time.Time) plan.Due {
	for _, x := range person.Exceptions {
		if x.Kind == string(policy.ExceptGrant) && x.EndsAt.After(now) && (due.At.IsZero() || x.EndsAt.Before(due.At)) {
			due = plan.Due{At: x.EndsAt, What: plan.DueException, By: x.Name()}
		}
	}
	return due
}

// wanted returns the entitlements that policy wants in an app, and whether it wants an account.
func wanted(desired policy.Desired, app string) (names []string, account bool) {
	i := slices.IndexFunc(desired.Accounts, func(a policy.Account) bool { return a.App == app })
	if i < 0 {
		return nil, false
	}
	return desired.Accounts[i].EntitlementNames(), true
}

// note adds what has ended in an app.
func note(all map[string]Ended, app string, account bool, names []string) {
	if !account && len(names) == 0 {
		return
	}
	ended := all[app]
	ended.Account = ended.Account || account
	ended.Entitlements = append(ended.Entitlements, set.Minus(names, ended.Entitlements)...)
	slices.Sort(ended.Entitlements)
	all[app] = ended
}

// unexplained notes what accounts still have of what grants gave that are over, and nothing else
// can have given: no role that needs no request, whatever profile the person has had, and no
// grant that runs. It is there because what a move, a leave or the end of the employment takes is
// held. What a role gave before is what is held.
func (r Rules) unexplained(d *Decision, over, running []policy.Exception, id policy.Identity, all map[string]Ended) {
	left := map[string]Ended{}
	for _, x := range over {
		for _, given := range r.Policy.RoleGrants(x.Role) {
			i := slices.IndexFunc(d.Person.Links, func(l ledger.Link) bool { return l.App == given.App && l.State.HasAccount() })
			if i < 0 {
				continue
			}
			names, account := wanted(d.Desired, given.App)
			note(left, given.App, !account, set.Minus(set.Intersect(given.Entitlements, d.Person.Links[i].Entitlements), names))
		}
	}
	for i := range running {
		running[i].From, running[i].Until = time.Time{}, time.Time{}
	}
	for _, at := range profilesBegin(d) {
		if len(left) == 0 {
			return
		}
		then, err := r.Policy.Evaluate(d.Timeline, at, id, running...)
		if err != nil {
			return
		}
		for _, account := range then.Accounts {
			rest := left[account.App]
			delete(left, account.App)
			note(left, account.App, false, set.Minus(rest.Entitlements, account.EntitlementNames()))
		}
	}
	for app, rest := range left {
		note(all, app, rest.Account, rest.Entitlements)
	}
}

// profilesBegin returns the instants until now at which the person had another profile, in any
// position.
func profilesBegin(d *Decision) []time.Time {
	begins := map[int64]time.Time{}
	periods := slices.Clone(d.Timeline.Periods)
	for _, position := range d.Timeline.Positions {
		periods = append(periods, position.Periods...)
	}
	for _, period := range periods {
		for _, profile := range period.Profiles {
			at := latest(profile.From, period.Starts)
			if !at.After(d.Now) {
				begins[at.UnixMicro()] = at
			}
		}
	}
	return slices.Collect(maps.Values(begins))
}
