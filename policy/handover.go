package policy

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
)

// handOvers checks that the roles exist whose holders are given leavers' data. A name that apps
// have inherited is reported once.
func (c *compiler) handOvers() {
	byDefault := c.rules.Leaver.HandOver
	c.handOver("leaver.handOver", byDefault)
	for _, name := range c.apps {
		if own := c.rules.Apps[name].Leaver; own != nil && own.HandOver != byDefault {
			c.handOver("apps."+name+".leaver.handOver", own.HandOver)
		}
	}
}

func (c *compiler) handOver(path, to string) {
	known := []string{HandOverManager, HandOverNone}
	for _, role := range c.rules.Roles {
		if role.Request != nil {
			if role.Name == to {
				c.problems.add(path, "role %q has to be requested, so that nobody may hold it when somebody leaves: name a role without request", to)
				return
			}
			continue
		}
		known = append(known, role.Name)
	}
	if to != "" && !slices.Contains(known, to) {
		c.problems.add(path, "must be manager, none or the name of a role: there is no role %q%s", to, nearest.Hint(to, known))
	}
}

// RoleGrants returns what the role of that name gives; nil if there is no such role.
func (p *Policy) RoleGrants(name string) []Grant {
	if role := p.role(name); role != nil {
		return role.grants
	}
	return nil
}

// Holds reports whether somebody is at work at an instant and holds a role in one of their
// positions. Somebody for whom the role's condition cannot be evaluated does not hold it.
func (p *Policy) Holds(name string, t hr.Timeline, now time.Time, id Identity) bool {
	return t.At(now).Status == hr.StatusActive && p.Eligible(name, t, now, id)
}

// positionsOf returns the positions of a timeline. Somebody of whom HR names none has one.
func positionsOf(t hr.Timeline) []hr.Position {
	if len(t.Positions) == 0 {
		return []hr.Position{{Periods: t.Periods}}
	}
	return t.Positions
}
