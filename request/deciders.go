package request

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Colleague holds what has to be known of somebody to tell whether they can decide.
type Colleague struct {
	ID      string    // by which they are known now: a human may have had other IDs
	Status  hr.Status // StatusUnknown for somebody of whom HR has said nothing
	Manager string    // ID of their manager; empty if there is none
}

// Question asks who decides in one stage of a request.
type Question struct {
	PersonID string // for whom the role is requested
	AskedBy  string // who asked
	Role     string
	Duty     string   // the rule of separation of duties, if its waiver is requested and not a role
	Stage    []string // whom the stage names: see policy.RequestRules
	Needed   int      // how many have to approve
	// Escalated means that nobody has answered in time: the next ones up are asked as well.
	Escalated bool

	Owner    []string // of the role, or of the rule
	Of       string   // what that is, if it is neither: "app wiki"; empty: the role or the rule
	Groups   func(name string) []string
	Fallback []string
	StandIns []ledger.StandIn // in force
	// Lookup returns what is known of somebody.
	Lookup func(id string) (Colleague, error)
}

// Decider is somebody who may decide, and why.
type Decider struct{ PersonID, Authority string }

// Deciders lists who decides in a stage, in the order in which the stage names them.
//
// Nobody decides for themself: neither the person concerned nor whoever asked, under any of
// their IDs. Only people who are at work decide. The manager is the one in force; if there is
// none who can decide, it is the manager's manager, and so on. Whoever stands in for somebody
// who decides, or who is on leave, decides too. If fewer than needed are left, those of the
// fallback are added.
func Deciders(q Question) ([]Decider, error) {
	f := &finder{Question: q, people: map[string]Colleague{}}
	person := f.look(q.PersonID)
	f.selves = []string{person.ID, f.look(q.AskedBy).ID}
	for _, name := range q.Stage {
		switch name {
		case policy.DecideManager:
			f.managers(person)
		case policy.DecideOwner:
			f.each(q.Owner, "owner of "+q.what())
		default:
			f.each(q.Groups(name), "one of "+name)
		}
	}
	if q.Escalated {
		f.escalate()
	}
	if len(f.found) < max(q.Needed, 1) {
		f.each(q.Fallback, "governance.fallback: too few others can decide")
	}
	return f.found, f.err
}

// what names what is requested.
func (q Question) what() string {
	switch {
	case q.Of != "":
		return q.Of
	case q.Duty != "":
		return "rule " + q.Duty
	}
	return "role " + q.Role
}

// finder collects those who decide in a stage.
type finder struct {
	Question
	people map[string]Colleague // looked up before
	selves []string             // IDs of those who must not decide
	found  []Decider
	named  []Colleague // who was found, and stands in for nobody
	err    error       // the first of Lookup
}

// look looks somebody up, once. After an error it knows nobody.
func (f *finder) look(id string) Colleague {
	if c, ok := f.people[id]; ok || id == "" {
		return c
	}
	c := Colleague{ID: id, Status: hr.StatusUnknown}
	if f.err == nil {
		if c, f.err = f.Lookup(id); f.err != nil {
			c = Colleague{ID: id, Status: hr.StatusUnknown}
		}
	}
	f.people[id] = c
	return c
}

// obstacles says why somebody with a status cannot decide.
var obstacles = map[hr.Status]string{
	hr.StatusUnknown: "is not known", hr.StatusUpcoming: "has not started", hr.StatusOnLeave: "is on leave",
	hr.StatusSuspended: "is suspended", hr.StatusEnded: "has left",
}

// obstacle returns why somebody cannot decide; empty if they can.
func (f *finder) obstacle(c Colleague) string {
	if slices.Contains(f.selves, c.ID) {
		return "is concerned"
	}
	return obstacles[c.Status]
}

// each adds people who have an authority, if they can decide, and who stands in for them.
func (f *finder) each(ids []string, authority string) {
	for _, id := range ids {
		c := f.look(id)
		if f.obstacle(c) == "" {
			f.named = append(f.named, c)
			f.add(c, authority)
		}
		f.standIns(c)
	}
}

// managers adds the nearest manager above a person who can decide.
func (f *finder) managers(person Colleague) {
	manager, passed := f.above(person, true)
	if manager.ID == "" {
		return
	}
	authority := "manager of " + person.ID
	if len(passed) > 0 {
		authority = fmt.Sprintf("next above %s (%s)", person.ID, strings.Join(passed, ", "))
	}
	f.named = append(f.named, manager)
	f.add(manager, authority)
	f.standIns(manager)
}

// above returns the nearest manager above somebody who can decide, and why each of those between
// cannot. Whoever stands in for one of these is added if asked for. A circle of managers ends
// the search.
func (f *finder) above(person Colleague, standIns bool) (manager Colleague, passed []string) {
	seen := []string{person.ID}
	for c := f.look(person.Manager); c.ID != "" && !slices.Contains(seen, c.ID); c = f.look(c.Manager) {
		why := f.obstacle(c)
		if why == "" {
			return c, passed
		}
		seen, passed = append(seen, c.ID), append(passed, c.ID+" "+why)
		if standIns {
			f.standIns(c)
		}
	}
	return Colleague{}, nil
}

// standIns adds those who stand in for somebody who could decide if they were at work. Who must
// not decide has nobody decide in their place, and neither has who has left or is suspended.
func (f *finder) standIns(c Colleague) {
	if c.Status != hr.StatusActive && c.Status != hr.StatusOnLeave || slices.Contains(f.selves, c.ID) {
		return
	}
	for _, s := range f.StandIns {
		if f.look(s.PersonID).ID != c.ID {
			continue
		}
		if in := f.look(s.StandIn); f.obstacle(in) == "" {
			f.add(in, fmt.Sprintf("stand-in for %s (%s)", c.ID, s.Name()))
		}
	}
}

// escalate adds the next ones above those who were found or, if there are none, the fallback.
func (f *finder) escalate() {
	before := len(f.found)
	for _, c := range slices.Clone(f.named) {
		if next, _ := f.above(c, false); next.ID != "" {
			f.add(next, fmt.Sprintf("next above %s, asked since nobody had answered", c.ID))
		}
	}
	if len(f.found) == before {
		f.each(f.Fallback, "governance.fallback: nobody had answered")
	}
}

// add adds somebody, unless they are there already.
func (f *finder) add(c Colleague, authority string) {
	if !slices.ContainsFunc(f.found, func(d Decider) bool { return d.PersonID == c.ID }) {
		f.found = append(f.found, Decider{PersonID: c.ID, Authority: authority})
	}
}
