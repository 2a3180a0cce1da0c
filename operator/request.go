package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
)

// RoleRequest asks for a role for a person, for a time.
type RoleRequest struct {
	PersonID, Role string
	AskedBy        string        // the person who asks; empty: the person themself
	From           time.Time     // zero: as soon as it is approved
	For            time.Duration // zero: as long as is usual for the role
	Ticket         string
	// Emergency asks for the role at once. An owner says afterwards what they think of it.
	Emergency bool
	Extends   string // the exception (x-12) that is prolonged; empty: none
}

// WaiverRequest asks that a rule of separation of duties is waived for a person, for a time.
type WaiverRequest struct {
	PersonID, Duty string
	AskedBy        string        // the person who asks; empty: the person themself
	For            time.Duration // from its approval
	Control        string        // what compensates for the rule meanwhile
	Ticket         string
}

// OperatorsWord says on the record that nothing but the operator's word tells which person asks or
// decides: nobody has signed in.
const OperatorsWord = "operator's word"

// ChangedRequest describes a request that was, or would be, made or decided.
type ChangedRequest struct {
	Request   ledger.Request // without an ID if it was not made
	Person    ledger.Summary
	Exception ledger.Exception  // what it gives, or would give; without an ID if it was not made
	Deciders  []request.Decider // who decides now, or next
	// At is when what was asked for takes effect, if it is approved now. Steps lists what has
	// to be done then, in the state that the person's accounts are in now. Digest is that of
	// the steps. Changed means that they are others than when it was asked.
	At      time.Time
	Steps   []plan.Step
	Digest  string
	Changed bool
	// Together lists what it would bring together although a rule of separation of duties keeps
	// it apart.
	Together []KeptApart
	// Cannot says why it cannot be approved now; empty if it can.
	Cannot  string
	Applied bool
}

// desk returns what knows who decides.
func (v *Viewer) desk() request.Desk {
	return request.Desk{Registry: v.Ledger, Policy: v.Policy, Clock: v.Clock}
}

// AskRole asks for a role for a person. With apply it does so; otherwise it returns what would
// be done, and who would be asked. It refuses what GrantRole refuses, and what the role's rules
// do not allow.
//
// If nobody has to approve it, and in an emergency, the role is granted at once.
func (o *Operator) AskRole(ctx context.Context, r Request, want RoleRequest, apply bool) (ChangedRequest, error) {
	if err := AskRole.Check(r); err != nil {
		return ChangedRequest{}, err
	}
	now := o.Clock.Now()
	want.AskedBy = cmp.Or(want.AskedBy, want.PersonID)
	ask, err := o.asking(ctx, want, now)
	if err != nil {
		return ChangedRequest{}, err
	}
	return o.askFor(ctx, r, ask, now, apply)
}

// AskWaiver asks that a rule of separation of duties is waived for a person, for a time. With apply
// it does so; otherwise it returns what would be done, and who would be asked. It refuses what
// WaiveDuty refuses.
func (o *Operator) AskWaiver(ctx context.Context, r Request, want WaiverRequest, apply bool) (ChangedRequest, error) {
	if err := AskWaiver.Check(r); err != nil {
		return ChangedRequest{}, err
	}
	now := o.Clock.Now()
	want.AskedBy = cmp.Or(want.AskedBy, want.PersonID)
	ask, err := o.askingWaiver(ctx, want, now)
	if err != nil {
		return ChangedRequest{}, err
	}
	return o.askFor(ctx, r, ask, now, apply)
}

// askFor makes a request that was checked or, without apply, says what would be done.
func (o *Operator) askFor(ctx context.Context, r Request, ask asking, now time.Time, apply bool) (_ ChangedRequest, err error) {
	out := ChangedRequest{Person: ask.person.Summary, Request: ask.request, Exception: ask.grant}
	out.Request.Reason, out.Request.Operator = r.Reason, r.Actor
	if err := o.shows(ctx, ask.person, &out); err != nil {
		return ChangedRequest{}, err
	}
	if err := o.keptApart(out.Exception, out.Together); err != nil {
		return ChangedRequest{}, err
	}
	out.Request.Preview = out.Digest
	if ask.open() {
		if out.Deciders, err = o.desk().Deciders(ctx, out.Request); err != nil {
			return ChangedRequest{}, err
		}
	}
	if out.Request.Duty != "" && len(out.Deciders) == 0 {
		return ChangedRequest{}, refuse(fmt.Sprintf("nobody can decide about it: name who answers for rule %q (duties[].owner), or governance.fallback", out.Request.Duty), "")
	}
	if !apply {
		return out, nil
	}
	a := ledger.Asking{Request: out.Request, SignIn: OperatorsWord}
	for _, d := range out.Deciders {
		a.Asked = append(a.Asked, ledger.Vote{Voter: d.PersonID, Authority: d.Authority})
	}
	if out.Request.State != ledger.RequestAsked {
		grant := ask.grant
		grant.DecidedAt, grant.DecidedBy, grant.Reason = now, r.Actor, r.Reason
		a.Grant = &grant
	}
	out.Request, err = o.ledger.AskFor(ctx, a)
	if errors.Is(err, ledger.ErrStale) {
		extended := ledger.ExceptionName(a.Request.Extends)
		return ChangedRequest{}, refuse(extended+" was ended at this moment: look again", "exception show %s", extended)
	}
	if err != nil {
		return ChangedRequest{}, err
	}
	out.Applied, out.Exception.ID = true, out.Request.Exception
	return out, o.tellRequest(ctx, out.Request, "it was made", a.Grant != nil)
}

// asking is a request that is about to be made.
type asking struct {
	person  ledger.Person
	request ledger.Request
	grant   ledger.Exception // what it gives, or waives, if it is approved now
}

// open reports whether somebody has to say something about it.
func (a asking) open() bool { return a.request.Undecided() }

// asking checks a request for a role, and returns it as it would be made.
func (v *Viewer) asking(ctx context.Context, want RoleRequest, now time.Time) (asking, error) {
	x := ledger.Exception{Kind: string(policy.ExceptGrant), Role: want.Role, DecidedAt: now}
	person, t, err := v.exceptional(ctx, want.PersonID, now, &x)
	if err != nil {
		return asking{}, err
	}
	if _, err := v.Person(ctx, want.AskedBy); err != nil {
		return asking{}, err
	}
	rules, ok := v.Policy.Requestable(want.Role)
	if ok {
		usual := cmp.Or(rules.Usual, rules.Most)
		if want.Emergency && rules.Emergency != nil {
			usual = min(usual, rules.Emergency.Most)
		}
		want.For = cmp.Or(want.For, usual)
	}
	extended, err := v.extends(ctx, want, rules, now)
	if err != nil {
		return asking{}, err
	}
	x.StartsAt = now
	switch {
	case extended.EndsAt.After(now):
		x.StartsAt = extended.EndsAt
	case want.From.After(now):
		x.StartsAt = want.From
	}
	if err := v.grantable(RoleGrant{PersonID: want.PersonID, Role: want.Role, For: want.For}, person, t, x.StartsAt); err != nil {
		return asking{}, err
	}
	x.EndsAt, x.Emergency = x.StartsAt.Add(want.For), want.Emergency
	if err := v.allowed(ctx, person, want, rules, now); err != nil {
		return asking{}, err
	}
	terms, err := request.WriteTerms(rules)
	if err != nil {
		return asking{}, err
	}
	r := ledger.Request{
		PersonID: want.PersonID, Role: want.Role, For: want.For, Ticket: want.Ticket, AskedBy: want.AskedBy, AskedAt: now,
		Emergency: want.Emergency, Extends: extended.ID, Terms: terms, StageAt: now, LookAt: now,
	}
	if want.From.After(now) {
		r.StartsAt = want.From
	}
	switch {
	case want.Emergency:
		r.State, r.ExpiresAt = ledger.RequestConfirming, now.Add(rules.Emergency.Confirm)
	case rules.Stages() == 0:
		r.State, r.DecidedAt, r.Why = ledger.RequestApproved, now, "nobody has to approve it"
	default:
		r.State, r.ExpiresAt = ledger.RequestAsked, now.Add(rules.Answer)
	}
	return asking{person: person, request: r, grant: x}, nil
}

// askingWaiver checks a request for a waiver, and returns it as it would be made.
func (v *Viewer) askingWaiver(ctx context.Context, want WaiverRequest, now time.Time) (asking, error) {
	if err := v.canWaive(DutyWaiver{PersonID: want.PersonID, Duty: want.Duty, Until: now.Add(want.For), Control: want.Control}, now); err != nil {
		return asking{}, err
	}
	x := ledger.Exception{
		Kind: string(policy.ExceptWaive), Duty: want.Duty, Control: want.Control, DecidedAt: now, StartsAt: now, EndsAt: now.Add(want.For),
	}
	person, _, err := v.exceptional(ctx, want.PersonID, now, &x)
	if err != nil {
		return asking{}, err
	}
	if _, err := v.Person(ctx, want.AskedBy); err != nil {
		return asking{}, err
	}
	for r, err := range v.undecided(ctx, want.PersonID) {
		switch {
		case err != nil:
			return asking{}, err
		case r.Duty == want.Duty:
			return asking{}, refuse(r.Name()+" asks for that already", "request show %s", r.Name())
		}
	}
	duty, _ := v.Policy.Duty(want.Duty)
	rules := duty.Waive.Terms()
	terms, err := request.WriteTerms(rules)
	if err != nil {
		return asking{}, err
	}
	r := ledger.Request{
		PersonID: want.PersonID, Duty: want.Duty, Control: want.Control, For: want.For, Ticket: want.Ticket, AskedBy: want.AskedBy, AskedAt: now,
		Terms: terms, State: ledger.RequestAsked, StageAt: now, LookAt: now, ExpiresAt: now.Add(rules.Answer),
	}
	return asking{person: person, request: r, grant: x}, nil
}

// undecided yields the requests for a person about which somebody has to say something.
func (v *Viewer) undecided(ctx context.Context, personID string) iter.Seq2[ledger.Request, error] {
	return ledger.AllRequests(ctx, v.Ledger, ledger.RequestFilter{
		PersonID: personID, States: []ledger.RequestState{ledger.RequestAsked, ledger.RequestConfirming},
	}, 0)
}

// extends returns the grant that a request prolongs, and refuses one that it cannot prolong.
func (v *Viewer) extends(ctx context.Context, want RoleRequest, rules policy.RequestRules, now time.Time) (ledger.Exception, error) {
	if want.Extends == "" {
		return ledger.Exception{}, nil
	}
	x, err := v.Exception(ctx, want.Extends)
	if err != nil {
		return x, err
	}
	from, err := v.origin(ctx, x)
	if err != nil {
		return x, err
	}
	see := "exception show %s"
	switch {
	case x.Kind != string(policy.ExceptGrant) || x.PersonID != want.PersonID || x.Role != want.Role:
		return x, refuse(fmt.Sprintf("%s is no grant of role %q to person %s", x.Name(), want.Role, visible.Line(want.PersonID)), see, x.Name())
	case !x.EndedAt.IsZero() || !x.EndsAt.After(now):
		return x, refuse(x.Name()+" is over: ask anew", see, x.Name())
	case want.Emergency || !want.From.IsZero():
		return x, refuse("what is prolonged goes on from its end: it is neither an emergency nor for later", "")
	case rules.Extend == policy.ExtendNo:
		return x, refuse(fmt.Sprintf("a grant of role %q cannot be prolonged", want.Role), "")
	case rules.Extend != policy.ExtendAgain && from.Extends != 0:
		return x, refuse(fmt.Sprintf("%s prolongs another grant already, and role %q can be prolonged once", x.Name(), want.Role), see, x.Name())
	}
	return x, nil
}

// origin returns the request from which an exception comes; none if it comes from elsewhere.
func (v *Viewer) origin(ctx context.Context, x ledger.Exception) (ledger.Request, error) {
	if _, ok := ledger.RequestID(x.Origin); !ok {
		return ledger.Request{}, nil
	}
	return v.Request(ctx, x.Origin)
}

// allowed returns an error unless the role's rules allow a request.
func (v *Viewer) allowed(ctx context.Context, person ledger.Person, want RoleRequest, rules policy.RequestRules, now time.Time) error {
	switch {
	case want.From.After(now.Add(rules.Ahead)):
		return refuse(fmt.Sprintf("role %q may begin %s ahead at most", want.Role, words.Span(rules.Ahead)), "")
	case rules.Ticket != "" && !rules.TicketFits(want.Ticket):
		return refuse(fmt.Sprintf("role %q needs a ticket that matches %s", want.Role, rules.Ticket), "")
	}
	for r, err := range v.undecided(ctx, want.PersonID) {
		switch {
		case err != nil:
			return err
		case r.Role == want.Role && r.State == ledger.RequestAsked && r.Emergency == want.Emergency && (r.Extends != 0) == (want.Extends != ""):
			return refuse(r.Name()+" asks for that already", "request show %s", r.Name())
		}
	}
	if want.Emergency {
		return v.emergency(ctx, person, want, rules, now)
	}
	return nil
}

// shows adds to what is said about a request what would be done.
func (v *Viewer) shows(ctx context.Context, person ledger.Person, out *ChangedRequest) error {
	after := person
	after.Exceptions = append(slices.Clone(person.Exceptions), out.Exception)
	out.At = out.Exception.StartsAt
	was, is, err := v.decideBoth(ctx, person, after, out.At)
	if err != nil {
		return err
	}
	out.Steps, out.Together = more(is.Plan.Steps, was.Plan.Steps), bringsTogether(out.Exception, was, is)
	var lines []string
	for _, s := range out.Steps {
		lines = append(lines, DescribeStep(s))
	}
	out.Digest = request.Digest(lines)
	return nil
}

// Request finds a request by its name (r-12), and refuses a name that is not there.
func (v *Viewer) Request(ctx context.Context, name string) (ledger.Request, error) {
	if id, ok := ledger.RequestID(name); ok {
		found, err := v.Ledger.Requests(ctx, ledger.RequestFilter{ID: id}, 0, 1)
		if err != nil || len(found) == 1 {
			return append(found, ledger.Request{})[0], err
		}
	}
	return ledger.Request{}, refuse("there is no request "+visible.Line(name), "request list --all")
}

// ShowRequest describes a request as it stands. If it is to be decided, it says what would be
// done, and who decides.
func (v *Viewer) ShowRequest(ctx context.Context, name string) (ChangedRequest, error) {
	r, err := v.Request(ctx, name)
	if err != nil {
		return ChangedRequest{}, err
	}
	person, err := v.Person(ctx, r.PersonID)
	if err != nil {
		return ChangedRequest{}, err
	}
	out := ChangedRequest{Request: r, Person: person.Summary}
	if r.Exception != 0 {
		if out.Exception, err = v.Exception(ctx, ledger.ExceptionName(r.Exception)); err != nil {
			return out, err
		}
	}
	if !r.Undecided() {
		return out, nil
	}
	if out.Deciders, err = v.desk().Deciders(ctx, r); err != nil || r.Emergency {
		return out, err
	}
	now := v.Clock.Now()
	var refused *RefusedError
	if errors.As(expired(r, now), &refused) {
		out.Cannot = refused.Error()
		return out, nil
	}
	if person, out.Exception, err = v.grantOf(ctx, r, now); errors.As(err, &refused) {
		out.Cannot = refused.Error()
		return out, nil
	} else if err != nil {
		return out, err
	}
	if err = v.shows(ctx, person, &out); err != nil {
		return out, err
	}
	out.Changed = out.Digest != r.Preview
	if err := v.keptApart(out.Exception, out.Together); err != nil {
		out.Cannot = err.Error()
	}
	return out, nil
}

// tellRequest tells the run of a request, and that of its person if their access changes.
func (o *Operator) tellRequest(ctx context.Context, r ledger.Request, why string, person bool) error {
	var errs []error
	if err := o.runs.ResumeRequest(ctx, r.ID, why); err != nil {
		errs = append(errs, &UntoldError{People: []string{r.PersonID}, Err: err})
	}
	if person && len(errs) == 0 {
		has, err := o.Person(ctx, r.PersonID)
		id := cmp.Or(has.CarriedTo, r.PersonID) // what it gives follows the accounts
		errs = append(errs, err, o.tell(ctx, "a request was decided: "+r.Name(), id))
	}
	return errors.Join(errs...)
}
