package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// RoleGrant asks for a role to be given to a person for a time.
type RoleGrant struct {
	PersonID, Role string
	From           time.Time // zero: now
	For            time.Duration
}

// Withholding asks that a person is not given an entitlement of an app or, if Entitlement is
// empty, an account there.
type Withholding struct {
	PersonID, App, Entitlement string
	Until                      time.Time // zero: until the employment ends
}

// ChangedException describes an exception that was, or would be, made or ended.
type ChangedException struct {
	Exception ledger.Exception // without an ID if it was not made
	Person    ledger.Summary
	// At is when the exception, or its end, takes effect. Steps lists what has to be done
	// then, in the state that the person's accounts are in now.
	At      time.Time
	Steps   []plan.Step
	Applied bool
}

// GrantRole gives a person a role that has to be requested, for a time. With apply it does so;
// otherwise it returns what would be done. It refuses a role that can be had without a
// request, more time than the role's rules allow, somebody for whom the role's condition
// does not hold when the grant begins, and what a rule of separation of duties forbids then.
func (o *Operator) GrantRole(ctx context.Context, r Request, want RoleGrant, apply bool) (ChangedException, error) {
	if err := GrantRole.Check(r); err != nil {
		return ChangedException{}, err
	}
	now := o.Clock.Now()
	x := ledger.Exception{Kind: string(policy.ExceptGrant), Role: want.Role, StartsAt: now}
	if want.From.After(now) {
		x.StartsAt = want.From
	}
	x.EndsAt = x.StartsAt.Add(want.For)
	person, t, err := o.exceptional(ctx, want.PersonID, now, &x)
	if err != nil {
		return ChangedException{}, err
	}
	if err := o.grantable(want, person, t, x.StartsAt); err != nil {
		return ChangedException{}, err
	}
	return o.except(ctx, r, person, x, now, apply)
}

// grantable returns an error unless a role may be granted to a person from an instant on.
func (v *Viewer) grantable(want RoleGrant, person ledger.Person, t hr.Timeline, from time.Time) error {
	rules, ok := v.Policy.Requestable(want.Role)
	switch known := v.Policy.RoleNames(); {
	case !slices.Contains(known, want.Role):
		return refuse(fmt.Sprintf("there is no role %q%s", want.Role, nearest.Hint(want.Role, v.Policy.RequestableRoles())), "")
	case !ok:
		return refuse(fmt.Sprintf("role %q cannot be granted: everybody has it for whom its condition holds", want.Role), "person why %s", want.PersonID)
	case want.For <= 0:
		return refuse("a grant has to last longer than nothing", "")
	case want.For > rules.Most:
		return refuse(fmt.Sprintf("role %q is granted for %s at most", want.Role, words.Span(rules.Most)), "")
	}
	meant, _ := assess.Employment(t, v.Clock.Now())
	if opened, employed := assess.Employment(t, from); !employed || opened != meant {
		return refuse(fmt.Sprintf("the grant would begin at %s, when the employment for which it is made is over", from.UTC().Format(time.RFC3339)),
			"person timeline %s", person.PersonID)
	}
	id := policy.Identity{PersonID: person.PersonID, Username: person.Username}
	if !v.Policy.Eligible(want.Role, t, from, id) {
		return refuse(fmt.Sprintf("person %s may not have role %q at %s: its condition does not hold for them then",
			visible.Line(person.PersonID), want.Role, from.UTC().Format(time.RFC3339)), "person why %s", person.PersonID)
	}
	return nil
}

// Withhold keeps a person from being given an entitlement, or an account, whatever roles say.
// With apply it does so; otherwise it returns what would be done. An account that is withheld
// is disabled, kept and deleted like one that a move has taken away.
func (o *Operator) Withhold(ctx context.Context, r Request, want Withholding, apply bool) (ChangedException, error) {
	if err := Withhold.Check(r); err != nil {
		return ChangedException{}, err
	}
	now := o.Clock.Now()
	x := ledger.Exception{Kind: string(policy.ExceptWithhold), App: want.App, Entitlement: want.Entitlement, StartsAt: now, EndsAt: want.Until}
	if !want.Until.IsZero() && !want.Until.After(now) {
		return ChangedException{}, refuse("what is withheld has to end in the future", "")
	}
	person, _, err := o.exceptional(ctx, want.PersonID, now, &x)
	if err != nil {
		return ChangedException{}, err
	}
	if err := o.withholdable(want, person); err != nil {
		return ChangedException{}, err
	}
	return o.except(ctx, r, person, x, now, apply)
}

// withholdable returns an error for an app that is not there, and for an entitlement that
// nobody gives and the person does not have.
func (v *Viewer) withholdable(want Withholding, person ledger.Person) error {
	if err := v.Apps.Find(want.App); err != nil {
		return err
	}
	if want.Entitlement == "" {
		return nil
	}
	known := v.Policy.Grants(want.App)
	for _, l := range person.Links {
		if l.App == want.App {
			known = append(known, l.Entitlements...)
		}
	}
	if !slices.Contains(known, want.Entitlement) {
		return refuse(fmt.Sprintf("no role gives an entitlement %q in %s, and the person does not have it%s",
			want.Entitlement, want.App, nearest.Hint(want.Entitlement, known)), "")
	}
	return nil
}

// EndException ends an exception (x-12) before its time. With apply it does so; otherwise it
// returns what would be done.
func (o *Operator) EndException(ctx context.Context, r Request, name string, apply bool) (ChangedException, error) {
	if err := EndException.Check(r); err != nil {
		return ChangedException{}, err
	}
	now := o.Clock.Now()
	x, err := o.Exception(ctx, name)
	if err != nil {
		return ChangedException{}, err
	}
	if !x.EndedAt.IsZero() {
		return ChangedException{}, refuse(fmt.Sprintf("%s has ended before: %s", x.Name(), x.EndReason), "exception show %s", x.Name())
	}
	person, err := o.Person(ctx, x.PersonID)
	if err == nil && person.CarriedTo != "" { // the exception follows the accounts
		person, err = o.Person(ctx, person.CarriedTo)
	}
	if err != nil {
		return ChangedException{}, err
	}
	after := person
	after.Exceptions = slices.DeleteFunc(slices.Clone(person.Exceptions), func(other ledger.Exception) bool { return other.ID == x.ID })
	out := ChangedException{Exception: x, Person: person.Summary, At: now}
	if out.Steps, err = o.consequences(ctx, person, after, now); err != nil || !apply {
		return out, err
	}
	out.Exception, err = o.ledger.EndException(ctx, ledger.ExceptionEnd{ID: x.ID, Operator: r.Actor, Reason: r.Reason, At: now})
	if err != nil {
		return ChangedException{}, err
	}
	out.Applied = true
	return out, o.tell(ctx, "an exception was ended: "+x.Name(), person.PersonID)
}

// Exception finds an exception by its name (x-12), and refuses a name that is not there.
func (v *Viewer) Exception(ctx context.Context, name string) (ledger.Exception, error) {
	if id, ok := ledger.ExceptionID(name); ok {
		found, err := v.Ledger.Exceptions(ctx, ledger.ExceptionFilter{ID: id}, 0, 1)
		if err != nil || len(found) == 1 {
			return append(found, ledger.Exception{})[0], err
		}
	}
	return ledger.Exception{}, refuse("there is no exception "+visible.Line(name), "exception list --all")
}

// exceptional reads a person for whom an exception is to be made, and adds to it what it is
// made for. It refuses somebody whom no automation touches, and somebody who is not employed
// and will not be.
func (v *Viewer) exceptional(ctx context.Context, personID string, now time.Time, x *ledger.Exception) (ledger.Person, hr.Timeline, error) {
	person, err := v.Person(ctx, personID)
	if err != nil {
		return person, hr.Timeline{}, err
	}
	t := assess.TimelineOf(person)
	opened, employed := assess.Employment(t, now)
	switch {
	case person.CarriedTo != "":
		return person, t, refuse(fmt.Sprintf("person %s has their access under another ID: %s", visible.Line(personID), visible.Line(person.CarriedTo)), "person show %s", personID)
	case !employed:
		return person, t, refuse(fmt.Sprintf("person %s is not employed, so there is no access to make an exception of", visible.Line(personID)), "person show %s", personID)
	case v.Policy.ProtectsPerson(personID):
		return person, t, ErrProtected
	}
	x.PersonID, x.Employment = personID, opened
	return person, t, nil
}

// except makes an exception, or says what would come of it.
func (o *Operator) except(ctx context.Context, r Request, person ledger.Person, x ledger.Exception, now time.Time, apply bool) (ChangedException, error) {
	x.Origin, x.DecidedAt, x.DecidedBy, x.Reason = ledger.ExceptionByOperator, now, r.Actor, r.Reason
	out := ChangedException{Exception: x, Person: person.Summary, At: x.StartsAt}
	after := person
	after.Exceptions = append(slices.Clone(person.Exceptions), x)
	was, is, err := o.decideBoth(ctx, person, after, x.StartsAt)
	if err != nil {
		return out, err
	}
	if err := o.keptApart(x, bringsTogether(x, was, is)); err != nil {
		return ChangedException{}, err
	}
	if out.Steps = more(is.Plan.Steps, was.Plan.Steps); !apply {
		return out, nil
	}
	if out.Exception, err = o.ledger.PlaceException(ctx, x); err != nil {
		return ChangedException{}, err
	}
	out.Applied = true
	return out, o.tell(ctx, "an exception was made: "+out.Exception.Name(), x.PersonID)
}

// consequences lists the steps that have to be done at an instant because of what differs
// between two states of one person, in the state that their accounts are in now.
func (v *Viewer) consequences(ctx context.Context, before, after ledger.Person, at time.Time) ([]plan.Step, error) {
	was, is, err := v.decideBoth(ctx, before, after, at)
	if err != nil {
		return nil, err
	}
	return more(is.Plan.Steps, was.Plan.Steps), nil
}

// decideBoth decides for two states of one person at an instant, in the state that their
// accounts are in now.
func (v *Viewer) decideBoth(ctx context.Context, before, after ledger.Person, at time.Time) (was, is assess.Decision, err error) {
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return was, is, err
	}
	if was, err = rules.For(ctx, before, at, assess.Onlooker{Reader: v.Ledger}); err != nil {
		return was, is, err
	}
	if is, err = rules.For(ctx, after, at, assess.Onlooker{Reader: v.Ledger}); err != nil {
		return was, is, err
	}
	return was, is, is.PolicyErr
}

// more returns what the steps of a plan do beyond those of another one.
func more(is, was []plan.Step) []plan.Step {
	var out []plan.Step
	for _, s := range is {
		i := slices.IndexFunc(was, func(other plan.Step) bool { return other.App == s.App && other.Kind == s.Kind })
		if i >= 0 {
			s.Grant, s.Revoke = set.Minus(s.Grant, was[i].Grant), set.Minus(s.Revoke, was[i].Revoke)
			s.Attributes = s.Attributes && !was[i].Attributes
			if len(s.Grant) == 0 && len(s.Revoke) == 0 && !s.Attributes && s.Enabled == was[i].Enabled {
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// DescribeStep returns what a step does in a few words, without personal data: "wiki: grant
// admins".
func DescribeStep(s plan.Step) string {
	var does []string
	if len(s.Grant) > 0 {
		does = append(does, "grant "+strings.Join(s.Grant, ", "))
	}
	if len(s.Revoke) > 0 {
		does = append(does, "revoke "+strings.Join(s.Revoke, ", "))
	}
	if s.Sessions {
		does = append(does, "end sessions")
	}
	if s.Attributes {
		does = append(does, "change attributes")
	}
	if s.Kind != plan.Update {
		does = append([]string{strings.ToLower(string(s.Kind))}, does...)
	}
	return s.App + ": " + strings.Join(does, ", ")
}
