package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
)

// RequestDecision says what somebody who was asked thinks of a request. About an emergency they
// confirm or dispute.
type RequestDecision struct {
	Request string // r-12
	As      string // the person who decides
	Vote    ledger.VoteKind
	// Shown is the digest of what they were shown. If something else would be done by now,
	// nothing is decided. Empty: whatever would be done.
	Shown string
}

// grantOf returns what a request gives if it is approved now. It refuses what cannot be given
// any more.
func (v *Viewer) grantOf(ctx context.Context, r ledger.Request, now time.Time) (ledger.Person, ledger.Exception, error) {
	x := ledger.Exception{Kind: string(policy.ExceptGrant), Role: r.Role, DecidedAt: now, StartsAt: now}
	if r.Duty != "" {
		x.Kind, x.Duty, x.Control = string(policy.ExceptWaive), r.Duty, r.Control
	}
	person, t, err := v.exceptional(ctx, r.PersonID, now, &x)
	if err != nil {
		return person, x, err
	}
	if r.Duty != "" {
		x.EndsAt = now.Add(r.For)
		return person, x, v.canWaive(DutyWaiver{PersonID: r.PersonID, Duty: r.Duty, Until: x.EndsAt, Control: r.Control}, now)
	}
	if r.StartsAt.After(now) {
		x.StartsAt = r.StartsAt
	}
	if r.Extends != 0 {
		extended, err := v.Exception(ctx, ledger.ExceptionName(r.Extends))
		if err != nil {
			return person, x, err
		}
		switch {
		case !extended.EndedAt.IsZero() && extended.EndedAt.Before(extended.EndsAt):
			return person, x, refuse(fmt.Sprintf("%s, which it prolongs, was ended before its time: %s", extended.Name(), extended.EndReason),
				"exception show %s", extended.Name())
		case extended.EndsAt.After(now):
			x.StartsAt = extended.EndsAt
		}
	}
	x.EndsAt = x.StartsAt.Add(r.For)
	return person, x, v.grantable(RoleGrant{PersonID: r.PersonID, Role: r.Role, For: r.For}, person, t, x.StartsAt)
}

// DecideRequest stores what somebody says about a request. With apply it does so; otherwise it
// returns what would come of it. It refuses somebody who may not decide, as of now, and says who
// may. The last approval that is needed grants the role, for the time that was asked for, from
// now or from the later date that was asked for. A denial ends the request.
func (o *Operator) DecideRequest(ctx context.Context, r Request, d RequestDecision, apply bool) (ChangedRequest, error) {
	if err := DecideRequest.Check(r); err != nil {
		return ChangedRequest{}, err
	}
	out, err := o.ShowRequest(ctx, d.Request)
	if err != nil {
		return ChangedRequest{}, err
	}
	if !out.Request.Undecided() {
		return ChangedRequest{}, refuse(fmt.Sprintf("%s is %s: nobody has to say anything about it", out.Request.Name(), out.Request.State), "request show %s", out.Request.Name())
	}
	if err := expired(out.Request, o.Clock.Now()); err != nil {
		return ChangedRequest{}, err
	}
	decider, err := o.decider(ctx, out, d.As)
	if err != nil {
		return ChangedRequest{}, err
	}
	if d.Shown != "" && d.Shown != out.Digest {
		return ChangedRequest{}, refuse(fmt.Sprintf("what %s would do has changed since it was shown (%s): it is %s now", out.Request.Name(), d.Shown, out.Digest),
			"request show %s", out.Request.Name())
	}
	c, err := o.voted(ctx, r, out, decider, d.Vote)
	if err != nil {
		return ChangedRequest{}, err
	}
	if !apply {
		return out, nil
	}
	out.Deciders = nil
	for _, v := range c.Asked {
		out.Deciders = append(out.Deciders, request.Decider{PersonID: v.Voter, Authority: v.Authority})
	}
	out.Request, err = o.ledger.ChangeRequest(ctx, c)
	if errors.Is(err, ledger.ErrStale) {
		return ChangedRequest{}, refuse("somebody else has changed "+out.Request.Name()+" at this moment: look again", "request show %s", d.Request)
	}
	if err != nil {
		return ChangedRequest{}, err
	}
	out.Applied, out.Exception.ID = true, out.Request.Exception
	return out, o.tellRequest(ctx, out.Request, "somebody has decided", c.Grant != nil || c.End != "")
}

// expired refuses a request that nobody has answered in time, whether or not that is on the record
// already. About an emergency something may be said later too.
func expired(r ledger.Request, now time.Time) error {
	if r.State != ledger.RequestAsked || r.ExpiresAt.After(now) {
		return nil
	}
	return refuse(fmt.Sprintf("%s has expired at %s: ask anew", r.Name(), r.ExpiresAt.UTC().Format(time.RFC3339)), "request show %s", r.Name())
}

// decider returns the person who decides, under the ID by which they are known now, and why they
// may. It refuses who may not.
func (o *Operator) decider(ctx context.Context, out ChangedRequest, as string) (request.Decider, error) {
	if as == "" {
		return request.Decider{}, refuse("say who decides, by their ID", "")
	}
	c, err := o.desk().Colleague(ctx, as, o.Clock.Now())
	if err != nil {
		return request.Decider{}, err
	}
	may := make([]string, 0, len(out.Deciders))
	for _, d := range out.Deciders {
		if d.PersonID == c.ID {
			return d, o.notTwice(ctx, out.Request, c.ID)
		}
		may = append(may, d.PersonID+" ("+d.Authority+")")
	}
	why := "they may not decide about it"
	if as == out.Request.PersonID || as == out.Request.AskedBy || c.ID == out.Request.PersonID {
		why = "nobody decides for themself"
	}
	return request.Decider{}, refuse(fmt.Sprintf("person %s: %s. Those who may: %s", visible.Line(as), why, cmp.Or(strings.Join(may, ", "), "nobody at the moment")),
		"request show %s", out.Request.Name())
}

// notTwice refuses somebody who has said something in this stage before, under any of their IDs.
func (o *Operator) notTwice(ctx context.Context, r ledger.Request, voter string) error {
	votes, err := o.desk().Said(ctx, r)
	if err != nil {
		return err
	}
	for _, v := range votes {
		if v.Voter == voter {
			return refuse(fmt.Sprintf("person %s has said %s before", visible.Line(voter), v.Vote), "request show %s", r.Name())
		}
	}
	return nil
}

// voted returns what comes of somebody's word.
func (o *Operator) voted(ctx context.Context, r Request, out ChangedRequest, by request.Decider, said ledger.VoteKind) (ledger.RequestChange, error) {
	now := o.Clock.Now()
	c := ledger.RequestChange{
		Request: out.Request, At: now, Actor: r.Actor, Cause: r.Reason,
		Detail: map[string]any{"as": by.PersonID, "authority": by.Authority, "stage": out.Request.Stage, "shown": out.Digest, "sign_in": OperatorsWord},
		Vote: &ledger.Vote{
			Stage: out.Request.Stage, Voter: by.PersonID, Authority: by.Authority, Vote: said, Operator: r.Actor, Shown: out.Digest, Reason: r.Reason,
		},
	}
	ends := func(state ledger.RequestState) {
		c.Request.State, c.Request.DecidedAt, c.Request.LookAt, c.Action = state, now, now, "request_"+string(state)
	}
	switch {
	case said != ledger.VoteApprove && said != ledger.VoteDeny:
		return c, refuse(fmt.Sprintf("a vote is %s or %s, not %q%s", ledger.VoteApprove, ledger.VoteDeny, said,
			nearest.Hint(string(said), []string{string(ledger.VoteApprove), string(ledger.VoteDeny)})), "")
	case out.Request.Emergency && said == ledger.VoteApprove:
		ends(ledger.RequestConfirmed)
		return c, nil
	case out.Request.Emergency:
		ends(ledger.RequestDisputed)
		if out.Exception.EndedAt.IsZero() && out.Exception.EndsAt.After(now) {
			c.End = "the emergency was disputed: " + r.Reason
		}
		return c, nil
	case said == ledger.VoteDeny:
		ends(ledger.RequestDenied)
		return c, nil
	}
	return c, o.approves(ctx, r, &c, out.Together)
}

// approves adds what comes of an approval: more of them are needed, the next stage begins, or the
// role is granted, unless a rule of separation of duties forbids it by now.
func (o *Operator) approves(ctx context.Context, r Request, c *ledger.RequestChange, together []KeptApart) error {
	terms, err := request.Terms(c.Request)
	if err != nil {
		return err
	}
	votes, err := o.desk().Said(ctx, c.Request)
	if err != nil {
		return err
	}
	approve := map[string]bool{c.Vote.Voter: true}
	for _, v := range votes {
		if v.Vote == ledger.VoteApprove {
			approve[v.Voter] = true
		}
	}
	c.Request.LookAt = c.At
	_, needed := request.Stage(c.Request, terms, c.Request.Stage)
	switch {
	case len(approve) < needed:
		c.Action = "request_supported"
		return nil
	case c.Request.Stage+1 < terms.Stages():
		c.Action = "request_passed"
		c.Request.Stage, c.Request.StageAt, c.Request.ExpiresAt = c.Request.Stage+1, c.At, c.At.Add(terms.Answer)
		c.Request.EscalatedAt, c.Request.Reminders = time.Time{}, 0
		deciders, err := o.desk().Deciders(ctx, c.Request)
		for _, d := range deciders {
			c.Asked = append(c.Asked, ledger.Vote{Voter: d.PersonID, Authority: d.Authority})
		}
		return err
	}
	_, grant, err := o.grantOf(ctx, c.Request, c.At)
	if err == nil {
		err = o.keptApart(grant, together)
	}
	if err != nil {
		return err
	}
	grant.DecidedAt, grant.DecidedBy, grant.Reason = c.At, r.Actor, c.Request.Reason
	c.Action, c.Grant = "request_approved", &grant
	c.Request.State, c.Request.DecidedAt = ledger.RequestApproved, c.At
	return nil
}

// CancelRequest takes back a request that is not decided.
func (o *Operator) CancelRequest(ctx context.Context, r Request, name string) (ledger.Request, error) {
	if err := CancelRequest.Check(r); err != nil {
		return ledger.Request{}, err
	}
	found, err := o.Request(ctx, name)
	if err != nil {
		return ledger.Request{}, err
	}
	if found.State != ledger.RequestAsked {
		see := "request show " + found.Name()
		if found.Exception != 0 {
			see = "exception end " + ledger.ExceptionName(found.Exception)
		}
		return ledger.Request{}, refuse(fmt.Sprintf("%s is %s, and cannot be taken back", found.Name(), found.State), see)
	}
	now := o.Clock.Now()
	found.State, found.DecidedAt, found.LookAt, found.Why = ledger.RequestCancelled, now, now, r.Reason
	changed, err := o.ledger.ChangeRequest(ctx, ledger.RequestChange{
		Request: found, At: now, Action: "request_cancelled", Actor: r.Actor, Cause: r.Reason,
	})
	if errors.Is(err, ledger.ErrStale) {
		return ledger.Request{}, refuse("somebody else has changed "+found.Name()+" at this moment: look again", "request show %s", name)
	}
	if err != nil {
		return ledger.Request{}, err
	}
	return changed, o.tellRequest(ctx, changed, "it was taken back", false)
}
