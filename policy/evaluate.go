package policy

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Evaluate returns the access that a person should have at an instant.
//
//   - Without a period of employment now or in the future, the person has no account.
//   - Before a period of employment starts, the apps whose lead time has begun have a
//     disabled account, with the attributes and entitlements of the first day.
//   - In a period, accounts, attributes and entitlements follow from the profile in force.
//     The accounts are enabled while the person is active. During leave and suspension they
//     are disabled, and everything else is kept.
//   - After a move, while the person is active, access that an earlier profile of the same
//     period granted and the present one does not is kept for the app's overlap.
//   - Somebody who holds several positions has the access that the roles give for each of
//     them, with the attributes of the primary one. Access that only one position gave ends
//     with that position.
//   - A role that has to be requested is given by a grant among the exceptions, in a period
//     of employment, while the role's condition holds. What is withheld is given by nothing.
//     The exceptions must be those of the period that the person is in, or of the next one.
//   - A grant is not given if what only it gives conflicts with what the person has, by a rule
//     of separation of duties that is not waived: see Refusal.
//
// It is a pure function, and its result is sorted. The error joins a
// *FieldError for every expression that failed for this person.
func (p *Policy) Evaluate(t hr.Timeline, now time.Time, id Identity, exceptions ...Exception) (Desired, error) {
	e := evaluation{policy: p, now: now, identity: id, exceptions: exceptions}
	standing := t.At(now)
	e.changesAt(standing.Changes)
	e.exceptionsChange()
	positions := positionsOf(t)
	if current := periodAt(t.Periods, now); current != nil {
		e.current(current, positions, standing.Status == hr.StatusActive)
	}
	e.upcoming(t.Periods, positions)
	if err := errors.Join(e.failures...); err != nil {
		return Desired{}, err
	}
	slices.SortFunc(e.accounts, func(a, b Account) int { return cmp.Compare(a.App, b.App) })
	return Desired{Standing: standing, Accounts: e.accounts, Changes: e.changes, ChangesBy: e.changing, Refused: e.refused}, nil
}

// evaluation is one call of Evaluate.
type evaluation struct {
	policy     *Policy
	now        time.Time
	identity   Identity
	exceptions []Exception

	accounts []Account
	changes  time.Time
	changing string // name of the exception that begins or ends then
	refused  []Refusal
	failures []error
}

// current adds the accounts of the period that the person is in, for all positions that
// they hold.
func (e *evaluation) current(period *hr.Period, positions []hr.Position, active bool) {
	e.refuse(positions, active)
	all := e.held(positions, active)
	e.withhold(all)
	e.add(all, &period.Profiles[snapshotAt(period, e.now)].Profile, active, e.variablesOf(positions))
}

// held returns the access that is given for all positions that the person holds now, before
// anything is withheld.
func (e *evaluation) held(positions []hr.Position, active bool) access {
	all := access{}
	for _, position := range positions {
		held := periodAt(position.Periods, e.now)
		if held == nil {
			continue
		}
		e.changesAt(held.Ends)
		if next := snapshotAt(held, e.now) + 1; next < len(held.Profiles) {
			e.changesAt(held.Profiles[next].From)
		}
		at := snapshotAt(held, e.now)
		profile := &held.Profiles[at].Profile
		granted := e.granted(profile)
		e.requested(profile, granted)
		if active {
			e.keep(held, at, granted)
		}
		all.with(granted)
	}
	return all
}

// upcoming adds the accounts that are created before the start of a period of employment, or
// of another position within one.
func (e *evaluation) upcoming(periods []hr.Period, positions []hr.Position) {
	var begins time.Time // start of the first one for which an account is created
	all := access{}
	for _, position := range positions {
		next := periodAfter(position.Periods, e.now)
		if next == nil {
			continue
		}
		e.changesAt(next.Starts)
		granted := e.granted(&next.Profiles[snapshotAt(next, next.Starts)].Profile)
		maps.DeleteFunc(granted, func(app string, _ entitlements) bool {
			at := next.Starts.Add(-e.policy.apps[app].Joiner.LeadTime)
			e.changesAt(at)
			return at.After(e.now) || e.hasAccount(app)
		})
		if len(granted) > 0 && (begins.IsZero() || next.Starts.Before(begins)) {
			begins = next.Starts
		}
		all.with(granted)
	}
	if period := periodAt(periods, begins); period != nil {
		e.withhold(all)
		profile := &period.Profiles[snapshotAt(period, begins)].Profile
		e.add(all, profile, false, []*variables{variablesOf(e.identity, profile)})
	}
}

// add adds the accounts for granted access. Each mapping sees the manager's account in its own
// app. The attributes come from profile, the reasons from all positions.
func (e *evaluation) add(granted access, profile *hr.Profile, enabled bool, positions []*variables) {
	vars := variablesOf(e.identity, profile)
	for _, name := range slices.Sorted(maps.Keys(granted)) {
		vars.manager = object{managerType, &manager{e.identity.ManagerAccounts[name]}}
		roles, alone, excepted := e.givers(name, positions)
		if len(granted[name]) > 0 {
			roles = alone // entitlements name their own roles
		}
		e.accounts = append(e.accounts, Account{
			App:          name,
			Enabled:      enabled,
			Attributes:   e.attributes(e.policy.apps[name], vars),
			Entitlements: granted[name].sorted(),
			Roles:        roles,
			Excepted:     excepted,
		})
	}
}

// givers returns the roles that give an account in an app to somebody with these positions, and whether exceptions alone do.
// Alone are those of them that give it without an entitlement.
func (e *evaluation) givers(app string, positions []*variables) (names, alone []string, excepted bool) {
	add := func(role *role, as string) {
		gives, bare := false, false
		for _, g := range role.grants {
			gives, bare = gives || g.App == app, bare || g.App == app && len(g.Entitlements) == 0
		}
		if !gives {
			return
		}
		holds := slices.ContainsFunc(positions, func(vars *variables) bool {
			holds, err := role.when.eval(vars)
			return err == nil && holds == true
		})
		if holds {
			names = append(names, as)
		}
		if holds && bare {
			alone = append(alone, as)
		}
	}
	for i := range e.policy.roles {
		if role := &e.policy.roles[i]; role.request == nil {
			add(role, role.name)
		}
	}
	byRule := len(names)
	for _, x := range e.given() {
		if role := e.policy.role(x.Role); role != nil && role.request != nil {
			add(role, x.Reason())
		}
	}
	excepted = byRule == 0 && len(names) > 0
	slices.Sort(names)
	slices.Sort(alone)
	return names, alone, excepted
}

// attributes evaluates an app's mappings; empty ones are left out.
func (e *evaluation) attributes(app *app, vars *variables) map[string]any {
	all := make(map[string]any, len(app.attributes))
	for _, attribute := range app.attributes {
		value, err := attribute.value.eval(vars)
		if err != nil {
			e.fail(err)
			continue
		}
		if text, ok := value.(string); ok && vars.oneName {
			value = without(text)
		}
		if !empty(value) {
			all[attribute.name] = value
		}
	}
	return all
}

func empty(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case []string:
		return len(value) == 0
	default:
		return false
	}
}

func (e *evaluation) hasAccount(app string) bool {
	return slices.ContainsFunc(e.accounts, func(a Account) bool { return a.App == app })
}

// changesAt notes an instant at which the result may change.
func (e *evaluation) changesAt(t time.Time) {
	e.changesBy(t, "")
}

// changesBy notes an instant at which an exception of that name changes the result.
func (e *evaluation) changesBy(t time.Time, exception string) {
	if t.After(e.now) && (e.changes.IsZero() || t.Before(e.changes)) {
		e.changes, e.changing = t, exception
	}
}

// fail notes a failed expression. It notes each one once, because a role is evaluated for
// several profiles.
func (e *evaluation) fail(err error) {
	same := func(other error) bool { return other.Error() == err.Error() }
	if !slices.ContainsFunc(e.failures, same) {
		e.failures = append(e.failures, err)
	}
}

// periodAt returns the period that t is in, or nil.
func periodAt(periods []hr.Period, t time.Time) *hr.Period {
	for i := range periods {
		p := &periods[i]
		if !p.Starts.After(t) && (p.Ends.IsZero() || p.Ends.After(t)) {
			return p
		}
	}
	return nil
}

// periodAfter returns the first period that starts after t, or nil. It leaves out a period
// that ends before it starts.
func periodAfter(periods []hr.Period, t time.Time) *hr.Period {
	for i := range periods {
		p := &periods[i]
		if p.Starts.After(t) && (p.Ends.IsZero() || p.Ends.After(p.Starts)) {
			return p
		}
	}
	return nil
}

// snapshotAt returns the index of the snapshot in force at t.
func snapshotAt(period *hr.Period, t time.Time) int {
	at := 0
	for i, snapshot := range period.Profiles {
		if !snapshot.From.After(t) {
			at = i
		}
	}
	return at
}

// variablesOf returns what the conditions of roles see of each position that is held now.
func (e *evaluation) variablesOf(positions []hr.Position) []*variables {
	var all []*variables
	for _, position := range positions {
		if held := periodAt(position.Periods, e.now); held != nil {
			all = append(all, variablesOf(e.identity, &held.Profiles[snapshotAt(held, e.now)].Profile))
		}
	}
	return all
}

// heldFrom returns the instant from which the snapshot at index i was in force.
func heldFrom(period *hr.Period, i int) time.Time {
	from := period.Profiles[i].From
	if i == 0 || from.Before(period.Starts) {
		return period.Starts
	}
	return from
}
