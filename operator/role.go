package operator

import (
	"cmp"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// RoleAnswer says whether a role holds for somebody in any of their positions.
type RoleAnswer struct {
	policy.RoleAnswer
	Positions []string // the positions that it holds for, if the person holds several
	// Eligible means that the role has to be requested, and that its condition holds. By names
	// the exception that grants it; empty if none does.
	Eligible bool
	By       string
	// Request names the request from which that exception comes; empty if it comes from none.
	Request string
}

// Explain returns, for every role, whether it holds for somebody now, in any of their
// positions. It returns nil if no position is in force, or if the person's accounts were
// carried over to another ID.
func Explain(rules *policy.Policy, person ledger.Person, now time.Time) []RoleAnswer {
	if person.CarriedTo != "" {
		return nil
	}
	timeline := assess.TimelineOf(person)
	held := timeline.Held(now)
	var answers []RoleAnswer
	for n, position := range held {
		for i, answer := range rules.Explain(person.PersonID, position.Profile) {
			if len(held) > 1 {
				for f := range answer.Failed {
					answer.Failed[f] = PositionName(position.ID) + ": " + answer.Failed[f]
				}
			}
			if n == 0 {
				answers = append(answers, RoleAnswer{RoleAnswer: answer})
			}
			answers[i].add(answer, n > 0, PositionName(position.ID), len(held) > 1)
		}
	}
	grants, refused := grantsOf(rules, person, timeline, now)
	for i := range answers {
		answers[i].grant(grants[answers[i].Role], refused[answers[i].Role])
	}
	return answers
}

// grantsOf returns the exceptions that grant somebody a role now, by role, and why others are not
// given.
func grantsOf(rules *policy.Policy, person ledger.Person, t hr.Timeline, now time.Time) (grants map[string]ledger.Exception, refused map[string]string) {
	exceptions := assess.Exceptions(person, t, now)
	grants, refused = map[string]ledger.Exception{}, map[string]string{}
	not := map[string]bool{}
	for _, r := range rules.Refused(t, now, policy.Identity{PersonID: person.PersonID, Username: person.Username}, exceptions...) {
		not[r.Exception] = true
		refused[r.Role] = "rule " + r.Duty + " lets " + r.Exception + " through"
	}
	for _, x := range exceptions {
		if x.Kind != policy.ExceptGrant || !x.InForce(now) || not[x.Name] {
			continue
		}
		i := slices.IndexFunc(person.Exceptions, func(other ledger.Exception) bool { return other.Name() == x.Name })
		grants[x.Role] = person.Exceptions[i]
	}
	return grants, refused
}

// grant takes into account that a role which has to be requested is held only while an
// exception grants it, and no rule of separation of duties forbids that.
func (a *RoleAnswer) grant(by ledger.Exception, refused string) {
	switch {
	case !a.Requested:
	case by.ID == 0 && refused != "":
		a.Eligible, a.Holds, a.Positions = a.Holds, false, nil
		a.Failed = append(a.Failed, refused)
	case by.ID == 0:
		a.Eligible, a.Holds, a.Positions = a.Holds, false, nil
		a.Failed = append(a.Failed, "it is requested and granted")
	default:
		a.Eligible, a.By = a.Holds, by.Name()
		if _, ok := ledger.RequestID(by.Origin); ok {
			a.Request = by.Origin
		}
	}
}

// add merges the role's answer for another position.
func (a *RoleAnswer) add(answer policy.RoleAnswer, another bool, position string, several bool) {
	if another && !a.Holds {
		a.Failed = append(a.Failed, answer.Failed...)
	}
	if answer.Holds {
		a.Holds, a.Failed = true, nil
		if several {
			a.Positions = append(a.Positions, position)
		}
	}
	if a.Err == nil {
		a.Err = answer.Err
	}
}

// PositionName returns the name by which people know a position.
func PositionName(id string) string { return cmp.Or(id, "(unnamed)") }

// RolesOf lists the roles that hold for somebody now.
func RolesOf(rules *policy.Policy, person ledger.Person, now time.Time) []string {
	var roles []string
	for _, answer := range Explain(rules, person, now) {
		if answer.Holds {
			roles = append(roles, answer.Role)
		}
	}
	return roles
}
