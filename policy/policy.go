package policy

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Policy is a compiled set of rules. It never changes and is safe for concurrent use.
type Policy struct {
	username *expression
	email    *expression
	// longest is the greatest length of a username.
	longest int
	roles   []role
	apps    map[string]*app
	names   []string // of apps, sorted
	// protected lists the IDs of the people whose accounts no automation touches.
	protected []string
	// deciders and fallback are those of Rules.
	deciders map[string][]string
	fallback []string
	duties   []Duty
	prevents bool // some rule of duties has the mode DutyPrevent
	// longestOverlap bounds how far back a profile can matter.
	longestOverlap time.Duration
}

// role is a compiled Role.
type role struct {
	name    string
	when    *expression
	grants  []Grant
	about   RoleFacts
	request *RequestRules // nil: everybody has it for whom when holds
}

// app is a compiled AppRules.
type app struct {
	ResolvedApp
	attributes  []attribute // by name
	usesManager bool
	protected   []string // usernames and IDs of accounts that no automation touches
}

// attribute is one mapping of an app.
type attribute struct {
	name  string
	value *expression
}

// ResolvedApp holds the rules of one app, with defaults filled in.
type ResolvedApp struct {
	Name       string
	After      []string // apps whose account must exist before this one's is created; sorted
	Attributes []string // names of all mapped attributes, also of those without a value; sorted
	Ignore     []string // names of attributes that the app does not keep; sorted
	Joiner     JoinerRules
	Mover      MoverRules
	Leaver     LeaverRules
	Adopt      Adoption
	// EndSessions lists the entitlements whose end also ends the sessions of the account, because
	// a role that has to be requested gives them and says so; sorted.
	EndSessions []string
	Owner       []string // IDs of the people who answer for the app
}

// Apps lists the names of all apps, sorted.
func (p *Policy) Apps() []string { return slices.Clone(p.names) }

// App returns the rules of an app, and false if there is no such app.
func (p *Policy) App(name string) (ResolvedApp, bool) {
	app, ok := p.apps[name]
	if !ok {
		return ResolvedApp{}, false
	}
	resolved := app.ResolvedApp
	resolved.After = slices.Clone(resolved.After)
	resolved.Attributes = slices.Clone(resolved.Attributes)
	resolved.Ignore = slices.Clone(resolved.Ignore)
	resolved.EndSessions = slices.Clone(resolved.EndSessions)
	resolved.Leaver.HandOverNeeds = slices.Clone(resolved.Leaver.HandOverNeeds)
	return resolved, true
}

// Attributes evaluates the app's mappings for a profile, whether or not the profile gives an
// account; empty attributes are left out. The error names the mappings that cannot be
// evaluated.
func (p *Policy) Attributes(appName string, id Identity, profile hr.Profile) (map[string]any, error) {
	app, ok := p.apps[appName]
	if !ok {
		return nil, nil
	}
	e := &evaluation{policy: p, identity: id}
	attributes := e.attributes(app, variablesOf(id, &profile))
	return attributes, errors.Join(e.failures...)
}

// Grants returns the entitlements that any role gives in the app, sorted.
func (p *Policy) Grants(appName string) []string {
	var names []string
	for _, role := range p.roles {
		for _, grant := range role.grants {
			if grant.App == appName {
				names = append(names, grant.Entitlements...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// UsesManager reports whether an attribute of the app depends on the account of
// the person's manager there.
func (p *Policy) UsesManager(appName string) bool {
	app, ok := p.apps[appName]
	return ok && app.usesManager
}

// resolve returns the rules of an app with the defaults filled in.
func resolve(name string, app AppRules, defaults Rules) ResolvedApp {
	resolved := ResolvedApp{
		Name:       name,
		After:      slices.Compact(slices.Sorted(slices.Values(app.After))),
		Attributes: slices.Sorted(maps.Keys(app.Attributes)),
		Ignore:     slices.Compact(slices.Sorted(slices.Values(app.Ignore))),
		Joiner:     defaults.Joiner,
		Adopt:      cmp.Or(app.Adopt, AdoptAsk),
		Owner:      slices.Clone(app.Owner),
		Mover:      defaults.Mover,
		Leaver:     defaults.Leaver,
	}
	if app.Joiner != nil {
		resolved.Joiner = *app.Joiner
	}
	if app.Mover != nil {
		resolved.Mover = *app.Mover
	}
	if app.Leaver != nil {
		resolved.Leaver = *app.Leaver
	}
	return resolved
}
