package policy

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Exception is a decision by which one person's access differs from what the rules alone give.
type Exception struct {
	Name        string // such as "x-12"; it is shown as the reason
	Kind        ExceptionKind
	Role        string    // of a grant
	App         string    // of what is withheld or accepted
	Entitlement string    // likewise; empty means the whole account
	Duty        string    // of a waiver: the rule that is waived
	Decided     time.Time // of two grants that conflict, the one decided later is not given
	From        time.Time // the first instant at which it holds
	Until       time.Time // the first instant at which it no longer holds; zero if it ends with the employment
}

// ExceptionKind names what an exception does.
type ExceptionKind string

// The kinds of exceptions.
const (
	// ExceptGrant gives a role that has to be requested, as long as the role's condition holds.
	ExceptGrant ExceptionKind = "grant"
	// ExceptWithhold takes an entitlement, or an account, that roles give. It wins over every
	// grant.
	ExceptWithhold ExceptionKind = "withhold"
	// ExceptAccept leaves somebody an entitlement, or an account, that no role gives.
	ExceptAccept ExceptionKind = "accept"
	// ExceptWaive lets somebody hold what a rule of separation of duties keeps apart.
	ExceptWaive ExceptionKind = "waive"
)

// ExceptionKinds lists every kind.
func ExceptionKinds() []ExceptionKind {
	return []ExceptionKind{ExceptGrant, ExceptWithhold, ExceptAccept, ExceptWaive}
}

// InForce reports whether the exception holds at an instant, as far as its time goes.
func (x Exception) InForce(at time.Time) bool {
	return !x.From.After(at) && (x.Until.IsZero() || x.Until.After(at))
}

// Reason names a role as the reason for what a grant gives: "prod-admin (x-12)".
func (x Exception) Reason() string { return x.Role + " (" + x.Name + ")" }

// inForce returns the exceptions of a kind that hold now.
func (e *evaluation) inForce(kind ExceptionKind) []Exception {
	var all []Exception
	for _, x := range e.exceptions {
		if x.Kind == kind && x.InForce(e.now) {
			all = append(all, x)
		}
	}
	return all
}

// given returns the grants that hold now and are not refused.
func (e *evaluation) given() []Exception {
	return slices.DeleteFunc(e.inForce(ExceptGrant), e.isRefused)
}

// exceptionsChange notes when grants, withholdings and waivers begin and end. Waivers of rules
// that are not there change nothing.
func (e *evaluation) exceptionsChange() {
	for _, x := range e.exceptions {
		_, duty := e.policy.Duty(x.Duty)
		if x.Kind == ExceptAccept || x.Kind == ExceptWaive && !duty {
			continue
		}
		e.changesBy(x.From, x.Name)
		e.changesBy(x.Until, x.Name)
	}
}

// requested adds to granted what grants give to somebody with a profile. A grant of a role
// that is not there, need not be requested, or does not fit the profile gives nothing.
func (e *evaluation) requested(profile *hr.Profile, granted access) {
	grants := e.given()
	if len(grants) == 0 {
		return
	}
	vars := variablesOf(e.identity, profile)
	for _, x := range grants {
		role := e.policy.role(x.Role)
		if role == nil || role.request == nil {
			continue
		}
		holds, err := role.when.eval(vars)
		if err != nil {
			e.fail(err)
			continue
		}
		if holds == true {
			granted.grant(role, x.Reason(), true)
		}
	}
}

// withhold takes from granted what is withheld.
func (e *evaluation) withhold(granted access) {
	for _, x := range e.inForce(ExceptWithhold) {
		if x.Entitlement == "" {
			delete(granted, x.App)
			continue
		}
		delete(granted[x.App], x.Entitlement)
	}
}

// role returns the role of a name, or nil.
func (p *Policy) role(name string) *role {
	i := slices.IndexFunc(p.roles, func(r role) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return &p.roles[i]
}

// Requestable returns how a role can be requested, and false if there is no such role, or if
// it is given without a request.
func (p *Policy) Requestable(name string) (RequestRules, bool) {
	role := p.role(name)
	if role == nil || role.request == nil {
		return RequestRules{}, false
	}
	return *role.request, true
}

// RequestableRoles lists the names of the roles that can be requested, as the rules have them.
func (p *Policy) RequestableRoles() []string {
	var names []string
	for i := range p.roles {
		if p.roles[i].request != nil {
			names = append(names, p.roles[i].name)
		}
	}
	return names
}

// Eligible reports whether the condition of a role holds for somebody, in any of the positions
// that they hold at an instant. If it cannot be evaluated, it does not hold.
func (p *Policy) Eligible(name string, t hr.Timeline, at time.Time, id Identity) bool {
	role := p.role(name)
	if role == nil {
		return false
	}
	for _, position := range positionsOf(t) {
		held := periodAt(position.Periods, at)
		if held == nil {
			continue
		}
		holds, err := role.when.eval(variablesOf(id, &held.Profiles[snapshotAt(held, at)].Profile))
		if err == nil && holds == true {
			return true
		}
	}
	return false
}
