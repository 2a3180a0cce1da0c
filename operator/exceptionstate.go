package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// ExceptionStates says what becomes of exceptions now. It reads each person once.
type ExceptionStates struct {
	*Viewer
	people map[string]ledger.Person
}

// ExceptionStates returns what says what becomes of exceptions.
func (v *Viewer) ExceptionStates() ExceptionStates {
	return ExceptionStates{v, map[string]ledger.Person{}}
}

// Of returns the state of an exception in words: "in force", or why it is not.
func (s ExceptionStates) Of(ctx context.Context, x ledger.Exception) (string, error) {
	person, err := s.person(ctx, x.PersonID)
	if err != nil {
		return "", err
	}
	return ExceptionState(s.Policy, person, x, s.Clock.Now()), nil
}

// person reads somebody under the ID that has their access.
func (s ExceptionStates) person(ctx context.Context, id string) (ledger.Person, error) {
	if person, ok := s.people[id]; ok {
		return person, nil
	}
	person, err := s.Person(ctx, id)
	if err == nil && person.CarriedTo != "" {
		person, err = s.Person(ctx, person.CarriedTo)
	}
	if err == nil {
		s.people[id] = person
	}
	return person, err
}

// ExceptionState returns the state of an exception of a person in words: "in force", or why it is
// not. The person is the one that has their access now: an exception of an ID that was carried over
// to another one is judged by that one.
func ExceptionState(rules *policy.Policy, person ledger.Person, x ledger.Exception, now time.Time) string {
	t := assess.TimelineOf(person)
	id := policy.Identity{PersonID: person.PersonID, Username: person.Username}
	_, requestable := rules.Requestable(x.Role)
	_, duty := rules.Duty(x.Duty)
	kind := policy.ExceptionKind(x.Kind)
	switch {
	case !x.EndedAt.IsZero():
		return "ended"
	case x.StartsAt.After(now):
		return "to come"
	case !x.InForce(now):
		return "over"
	case kind == policy.ExceptGrant && !requestable:
		return "void: the configuration has no such role to request"
	case kind == policy.ExceptWaive && !duty:
		return "void: the configuration has no such rule"
	case !counts(person, t, x, now):
		return "over: the employment has ended"
	case t.At(now).Status == hr.StatusUpcoming:
		return "to come: the employment has not begun"
	case kind != policy.ExceptGrant:
		return "in force"
	}
	if text := refusal(rules, person, t, x, now, id); text != "" {
		return text
	}
	if !rules.Eligible(x.Role, t, now, id) {
		return "not given: the role's condition does not hold"
	}
	switch status := t.At(now).Status; status {
	case hr.StatusOnLeave:
		return "in force, but the person is on leave"
	case hr.StatusSuspended:
		return "in force, but the person is suspended"
	}
	return "in force"
}

// counts reports whether an exception is of the employment that the person is in.
func counts(person ledger.Person, t hr.Timeline, x ledger.Exception, now time.Time) bool {
	for _, other := range assess.Exceptions(person, t, now) {
		if other.Name == x.Name() {
			return true
		}
	}
	return false
}

// refusal says by which rule of separation of duties a grant is not given; empty if by none.
func refusal(rules *policy.Policy, person ledger.Person, t hr.Timeline, x ledger.Exception, now time.Time, id policy.Identity) string {
	for _, r := range rules.Refused(t, now, id, assess.Exceptions(person, t, now)...) {
		if r.Exception == x.Name() {
			return fmt.Sprintf("not given: rule %s keeps it apart from %s", r.Duty, policy.Things(r.Against))
		}
	}
	return ""
}
