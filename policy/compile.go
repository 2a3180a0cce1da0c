package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/nearest"
)

// The naming expressions of a policy that sets no others.
const (
	DefaultUsername = "ascii(lower(person.givenName.substring(0, 1) + person.familyName))"
	DefaultEmail    = "person.workEmail"
)

// DefaultLongestUsername is the greatest length of a username if neither the configuration nor
// an app sets a smaller one. It is the length of the local part of an address.
const DefaultLongestUsername = 64

// leastUsername is the smallest value that the greatest length may have. With fewer characters
// there would be too few usernames.
const leastUsername = 4

// Compile checks rules and makes them ready for use. The error joins a
// *FieldError for everything that is wrong with them.
func Compile(r Rules) (*Policy, error) {
	scopes, err := newScopes()
	if err != nil {
		return nil, fmt.Errorf("policy: preparing CEL: %w", err)
	}
	c := compiler{rules: r, scopes: scopes, apps: slices.Sorted(maps.Keys(r.Apps))}
	p := &Policy{
		username: c.naming("person.username", scopes.facts, r.Person.Username, DefaultUsername),
		email:    c.naming("person.email", scopes.named, r.Person.Email, DefaultEmail),
		apps:     make(map[string]*app, len(r.Apps)),
		names:    c.apps,
		longest:  c.longest(),
	}
	if p.username != nil && !p.username.refersTo("person") {
		c.problems.add("person.username", "is the same for everybody: it must depend on the person")
	}
	if p.email != nil && !p.email.refersTo("person") {
		c.problems.add("person.email", "is the same for everybody: it must depend on the person")
	}
	for _, name := range c.apps {
		p.apps[name] = c.app(name, r.Apps[name])
		p.longestOverlap = max(p.longestOverlap, p.apps[name].Mover.Overlap)
	}
	c.trySamples(p)
	c.cycles()
	p.roles = c.roles()
	p.endSessions(r.Roles)
	c.deciders()
	p.deciders, p.fallback = r.Deciders, r.Fallback
	p.duties = c.duties()
	p.prevents = slices.ContainsFunc(p.duties, func(d Duty) bool { return d.Mode == DutyPrevent })
	p.protected = c.protected("protected.persons", r.Protected)
	c.notNegative("joiner.leadTime", r.Joiner.LeadTime)
	c.notNegative("mover.overlap", r.Mover.Overlap)
	c.notNegative("leaver.retain", r.Leaver.Retain)
	c.handOvers()
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return p, nil
}

type compiler struct {
	rules    Rules
	scopes   scopes
	apps     []string // names, sorted
	problems problems
}

func (c *compiler) naming(path string, scope *scope, source, byDefault string) *expression {
	if source == "" {
		source = byDefault
	}
	return scope.compile(path, source, str, &c.problems)
}

// longest returns the greatest length of a username that policy allows and every app takes.
func (c *compiler) longest() int {
	longest := c.rules.Person.LongestUsername
	if longest != 0 && longest < leastUsername {
		c.problems.add("person.usernameMaxLength", "%d characters are too few: %d at least", longest, leastUsername)
	}
	if longest == 0 {
		longest = DefaultLongestUsername
	}
	for _, name := range c.apps {
		if takes := c.rules.Apps[name].LongestUsername; takes > 0 {
			longest = min(longest, takes)
		}
	}
	return longest
}

func (c *compiler) app(name string, rules AppRules) *app {
	path := "apps." + name
	if name == "" {
		c.problems.add("apps", "an app needs a name")
	}
	compiled := &app{ResolvedApp: resolve(name, rules, c.rules)}
	compiled.protected = c.protected(path+".protected", rules.Protected)
	for _, attributeName := range compiled.Attributes {
		attributePath := path + ".attributes." + attributeName
		if attributeName == "" {
			c.problems.add(path+".attributes", "an attribute needs a name")
		}
		e := c.scopes.account.compile(attributePath, rules.Attributes[attributeName], value, &c.problems)
		if e != nil && e.refersTo("manager") {
			compiled.usesManager = true
		}
		compiled.attributes = append(compiled.attributes, attribute{attributeName, e})
	}
	c.ignore(path+".ignore", rules.Ignore, compiled.Attributes)
	for i, before := range rules.After {
		if _, ok := c.rules.Apps[before]; !ok {
			c.problems.unknownApp(fmt.Sprintf("%s.after[%d]", path, i), before, c.apps)
		}
	}
	if rules.Joiner != nil {
		c.notNegative(path+".joiner.leadTime", rules.Joiner.LeadTime)
	}
	if rules.Mover != nil {
		c.notNegative(path+".mover.overlap", rules.Mover.Overlap)
	}
	if rules.Leaver != nil {
		c.notNegative(path+".leaver.retain", rules.Leaver.Retain)
	}
	return compiled
}

// externalID is the only name besides attributes that may be ignored in an app: see
// connector.ExternalID.
const externalID = "externalId"

// ignore checks the names of the attributes that an app does not keep. Only mapped ones can be
// ignored, because no others are proven.
func (c *compiler) ignore(path string, names, mapped []string) {
	known := append(slices.Clone(mapped), externalID)
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !slices.Contains(known, name):
			c.problems.add(at, "there is no attribute %q among those that are mapped for the app%s", name, nearest.Hint(name, known))
		case slices.Index(names, name) < i:
			c.problems.add(at, "%q is there twice", name)
		}
	}
}

func (c *compiler) roles() []role {
	first := make(map[string]int, len(c.rules.Roles))
	roles := make([]role, 0, len(c.rules.Roles))
	for i, r := range c.rules.Roles {
		path := fmt.Sprintf("roles[%d]", i)
		if r.Name == "" {
			c.problems.add(path+".name", "a role needs a name")
		} else if earlier, ok := first[r.Name]; ok {
			c.problems.add(path+".name", "roles[%d] is called %q too", earlier, r.Name)
		} else {
			first[r.Name] = i
		}
		for j, grant := range r.Grants {
			c.grant(fmt.Sprintf("%s.grants[%d]", path, j), grant)
		}
		c.request(path, r)
		when := c.scopes.facts.compile(path+".when", r.When, boolean, &c.problems)
		roles = append(roles, role{name: r.Name, when: when, grants: r.Grants, about: r.About, request: r.Request})
	}
	return roles
}

func (c *compiler) grant(path string, grant Grant) {
	if _, ok := c.rules.Apps[grant.App]; !ok {
		c.problems.unknownApp(path+".app", grant.App, c.apps)
	}
	for i, name := range grant.Entitlements {
		if name == "" {
			c.problems.add(fmt.Sprintf("%s.entitlements[%d]", path, i), "an entitlement needs a name")
		}
	}
}

func (c *compiler) notNegative(path string, d time.Duration) {
	if d < 0 {
		c.problems.add(path, "%s is negative", d)
	}
}

// cycles reports apps that wait for each other: each circle once, at its first app by
// name.
func (c *compiler) cycles() {
	done := make(map[string]bool, len(c.apps))
	var trail []string
	var visit func(name string)
	visit = func(name string) {
		if start := slices.Index(trail, name); start >= 0 {
			c.cycle(trail[start:])
			return
		}
		if done[name] {
			return
		}
		trail = append(trail, name)
		for _, before := range c.rules.Apps[name].After {
			visit(before)
		}
		trail = trail[:len(trail)-1]
		done[name] = true
	}
	for _, name := range c.apps {
		visit(name)
	}
}

func (c *compiler) cycle(circle []string) {
	first := slices.Index(circle, slices.Min(circle))
	circle = slices.Concat(circle[first:], circle[:first])
	next := circle[1%len(circle)]
	at := slices.Index(c.rules.Apps[circle[0]].After, next)
	c.problems.add(fmt.Sprintf("apps.%s.after[%d]", circle[0], at),
		"apps wait for each other: %s after %s", strings.Join(circle, " after "), circle[0])
}
