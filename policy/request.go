package policy

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/tenurehq/tenure/internal/nearest"
)

// Stages returns the number of stages in which a request is decided.
func (r RequestRules) Stages() int { return len(r.Approve) }

// Approvals returns how many people have to approve in each stage.
func (r RequestRules) Approvals() int { return max(r.Needed, 1) }

// TicketFits reports whether a ticket is one that a request needs: all of it matches.
func (r RequestRules) TicketFits(ticket string) bool {
	fits, err := regexp.MatchString(`\A(?:`+r.Ticket+`)\z`, ticket)
	return err == nil && fits
}

// Facts returns what people have to know of a role, with the defaults filled in; false if there
// is no such role.
func (p *Policy) Facts(name string) (RoleFacts, bool) {
	role := p.role(name)
	if role == nil {
		return RoleFacts{}, false
	}
	facts := role.about
	facts.Title, facts.Risk = cmp.Or(facts.Title, name), cmp.Or(facts.Risk, RiskStandard)
	if len(facts.Owner) == 0 {
		facts.Owner = p.fallback
	}
	facts.Owner = slices.Clone(facts.Owner)
	return facts, true
}

// endsSessions reports whether open sessions end when what the role gave is taken.
func (r *Role) endsSessions() bool {
	if r.Request == nil {
		return false
	}
	if r.Request.Sessions == "" {
		return r.About.Risk == RiskPrivileged
	}
	return r.Request.Sessions == SessionsEnd
}

// endSessions notes with each app for which entitlements sessions end when they are taken.
func (p *Policy) endSessions(roles []Role) {
	for i := range roles {
		if !roles[i].endsSessions() {
			continue
		}
		for _, grant := range roles[i].Grants {
			if app, ok := p.apps[grant.App]; ok {
				app.EndSessions = slices.Compact(slices.Sorted(slices.Values(slices.Concat(app.EndSessions, grant.Entitlements))))
			}
		}
	}
}

// Deciders returns the IDs of the people of a group who decide about requests; nil if there is
// no such group.
func (p *Policy) Deciders(name string) []string { return slices.Clone(p.deciders[name]) }

// Fallback returns the IDs of the people who decide where nobody else can.
func (p *Policy) Fallback() []string { return slices.Clone(p.fallback) }

// request checks how a role can be requested.
func (c *compiler) request(path string, r Role) {
	if r.Request == nil {
		return
	}
	path += ".request"
	if r.Request.Most <= 0 {
		c.problems.add(path+".most", "must be longer than nothing: the longest time for which the role is granted, such as 8h")
		return // nothing can be compared with it
	}
	if r.Request.Usual > r.Request.Most {
		c.problems.add(path+".usual", "is longer than most, the longest time for which the role is granted")
	}
	if _, err := regexp.Compile(r.Request.Ticket); err != nil {
		c.problems.add(path+".ticket", "is no regular expression (RE2): %s", err)
	}
	if r.Request.Extend != "" && !slices.Contains(Extensions(), r.Request.Extend) {
		c.problems.add(path+".extend", "must be no, once or again")
	}
	if r.Request.Sessions != "" && !slices.Contains(SessionRules(), r.Request.Sessions) {
		c.problems.add(path+".sessions", "must be keep or end")
	}
	c.stages(path, r.Request)
	c.emergency(path+".emergency", r.Request)
	if (r.Request.Stages() > 0 || r.Request.Emergency != nil) && len(c.rules.Fallback) == 0 {
		c.problems.add("governance.fallback", "is missing: role %q can be requested, and somebody has to decide if the others cannot", r.Name)
	}
}

func (c *compiler) stages(path string, r *RequestRules) {
	if r.Needed < 0 {
		c.problems.add(path+".needed", "must be 1 at least")
	}
	if r.Stages() > 0 && r.Answer <= 0 {
		c.problems.add(path+".answer", "must be longer than nothing: the time in which each stage has to answer, such as 3d")
	}
	known := append([]string{DecideManager, DecideOwner}, slices.Sorted(maps.Keys(c.rules.Deciders))...)
	for i, stage := range r.Approve {
		at := fmt.Sprintf("%s.approve[%d]", path, i)
		if len(stage) == 0 {
			c.problems.add(at, "a stage has to name who is asked: manager, owner or a name of deciders")
		}
		for j, name := range stage {
			if !slices.Contains(known, name) {
				c.problems.add(fmt.Sprintf("%s[%d]", at, j), "must be manager, owner or a name of deciders: there is no %q%s", name, nearest.Hint(name, known))
			}
		}
	}
}

func (c *compiler) emergency(path string, r *RequestRules) {
	switch e := r.Emergency; {
	case e == nil:
	case e.Most <= 0:
		c.problems.add(path+".most", "must be longer than nothing: the longest time for which the role is given in an emergency, such as 2h")
	case e.Most > r.Most:
		c.problems.add(path+".most", "is longer than request.most: an emergency gives no more than a request")
	case e.Confirm <= 0:
		c.problems.add(path+".confirm", "must be longer than nothing: the time in which an owner has to confirm it, such as 24h")
	}
}

// deciders checks the groups of people who decide about requests.
func (c *compiler) deciders() {
	for _, name := range slices.Sorted(maps.Keys(c.rules.Deciders)) {
		switch path := "deciders." + name; {
		case name == DecideManager || name == DecideOwner:
			c.problems.add(path, "a group cannot be called %s: in a stage that stands for the person's manager or the role's owner", name)
		case len(c.rules.Deciders[name]) == 0:
			c.problems.add(path, "names nobody")
		}
	}
}
