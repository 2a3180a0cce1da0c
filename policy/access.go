package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// access holds the granted entitlements by app. An app without entitlements means an
// account without any.
type access map[string]entitlements

// entitlements holds the granted entitlements of one app, by name.
type entitlements map[string]*Entitlement

// sorted lists the entitlements by name.
func (e entitlements) sorted() []Entitlement {
	list := make([]Entitlement, 0, len(e))
	for _, name := range slices.Sorted(maps.Keys(e)) {
		slices.Sort(e[name].Roles)
		list = append(list, *e[name])
	}
	return list
}

// granted returns the access that the roles give to somebody with a profile. Roles that have to
// be requested give nothing here.
func (e *evaluation) granted(profile *hr.Profile) access {
	vars := variablesOf(e.identity, profile)
	all := make(access)
	for i := range e.policy.roles {
		role := &e.policy.roles[i]
		if role.request != nil {
			continue
		}
		holds, err := role.when.eval(vars)
		if err != nil {
			e.fail(err)
			continue
		}
		if holds == true {
			all.grant(role, role.name, false)
		}
	}
	return all
}

// grant adds what a role gives, with the reason that is shown for it. excepted says that it is
// given by an exception.
func (a access) grant(role *role, reason string, excepted bool) {
	for _, grant := range role.grants {
		app, ok := a[grant.App]
		if !ok {
			app = make(entitlements, len(grant.Entitlements))
			a[grant.App] = app
		}
		for _, name := range grant.Entitlements {
			entitlement, ok := app[name]
			if !ok {
				entitlement = &Entitlement{Name: name, Excepted: excepted}
				app[name] = entitlement
			}
			entitlement.Excepted = entitlement.Excepted && excepted
			if !slices.Contains(entitlement.Roles, reason) {
				entitlement.Roles = append(entitlement.Roles, reason)
			}
		}
	}
}

// with adds the access for another position. An entitlement that one position grants without
// end does not end with the overlap of another.
func (a access) with(more access) {
	for name, entitlements := range more {
		app, ok := a[name]
		if !ok {
			a[name] = entitlements
			continue
		}
		for name, new := range entitlements {
			old, ok := app[name]
			switch {
			case !ok, new.Until.IsZero() && !old.Until.IsZero():
				app[name] = new
			case new.Until.IsZero() == old.Until.IsZero():
				for _, role := range new.Roles {
					if !slices.Contains(old.Roles, role) {
						old.Roles = append(old.Roles, role)
					}
				}
				old.Excepted = old.Excepted && new.Excepted
				if new.Until.After(old.Until) {
					old.Until = new.Until
				}
			}
		}
	}
}

// keep adds to granted the access that earlier profiles of the period gave and the profile at
// index at does not, as long as the app's overlap lasts. The latest profile that gave an
// entitlement decides until when it is kept, and by which roles.
func (e *evaluation) keep(period *hr.Period, at int, granted access) {
	longest := e.policy.longestOverlap
	for earlier := at - 1; earlier >= 0; earlier-- {
		ended := period.Profiles[earlier+1].From
		if !ended.Add(longest).After(e.now) {
			return
		}
		if !ended.After(heldFrom(period, earlier)) {
			continue // it never was in force
		}
		for name, old := range e.granted(&period.Profiles[earlier].Profile) {
			until := ended.Add(e.policy.apps[name].Mover.Overlap)
			if until.After(e.now) {
				e.keepIn(name, old, until, granted)
			}
		}
	}
}

func (e *evaluation) keepIn(app string, old entitlements, until time.Time, granted access) {
	now, ok := granted[app]
	if !ok {
		now = make(entitlements, len(old))
		granted[app] = now
		e.changesAt(until)
	}
	for name, entitlement := range old {
		if _, ok := now[name]; ok {
			continue
		}
		entitlement.Until = until
		now[name] = entitlement
		e.changesAt(until)
	}
}
