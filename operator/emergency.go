package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// emergency returns an error unless somebody may have a role at once, before anybody has
// approved it. What they asked for under earlier IDs counts too.
func (v *Viewer) emergency(ctx context.Context, person ledger.Person, want RoleRequest, rules policy.RequestRules, now time.Time) error {
	switch {
	case rules.Emergency == nil:
		return refuse(fmt.Sprintf("role %q is not given in an emergency: it has to be approved first", want.Role), "")
	case !want.From.IsZero():
		return refuse("an emergency is now", "")
	case want.For > rules.Emergency.Most:
		return refuse(fmt.Sprintf("role %q is given for %s at most in an emergency", want.Role, words.Span(rules.Emergency.Most)), "")
	}
	ids := []string{person.PersonID}
	for _, e := range person.Earlier {
		ids = append(ids, e.PersonID)
	}
	var before []ledger.Request
	for _, id := range ids {
		asked := ledger.RequestFilter{PersonID: id, States: []ledger.RequestState{
			ledger.RequestConfirming, ledger.RequestDisputed, ledger.RequestApproved,
		}}
		for r, err := range ledger.AllRequests(ctx, v.Ledger, asked, 0) {
			if err != nil {
				return err
			}
			before = append(before, r)
		}
	}
	return breaksGlass(before, want, rules.Emergency.Most, now)
}

// breaksGlass returns an error if what became of somebody's earlier requests forbids another
// emergency: one of them is late to be confirmed; those for the role that nobody has confirmed
// yet give it for as long as one may; or one for the role was disputed, and no request for it was
// approved since.
func breaksGlass(before []ledger.Request, want RoleRequest, most time.Duration, now time.Time) error {
	var unconfirmed time.Duration
	var first, last ledger.Request // the first of the role that nobody has confirmed, and the last that was disputed or approved
	for _, r := range before {
		confirming := r.State == ledger.RequestConfirming
		switch {
		case confirming && !r.ExpiresAt.After(now):
			return refuse(fmt.Sprintf("person %s gets nothing more in an emergency until somebody has confirmed or disputed %s, which is late",
				visible.Line(want.PersonID), r.Name()), "request show %s", r.Name())
		case r.Role != want.Role:
		case confirming:
			if unconfirmed += r.For; first.ID == 0 {
				first = r
			}
		case !r.DecidedAt.Before(last.DecidedAt):
			last = r
		}
	}
	switch {
	case last.State == ledger.RequestDisputed:
		return refuse(fmt.Sprintf("%s was disputed: role %q is not given to person %s in an emergency until somebody has approved a request for it",
			last.Name(), want.Role, visible.Line(want.PersonID)), "request show %s", last.Name())
	case unconfirmed+want.For > most:
		return refuse(fmt.Sprintf("role %q is given for %s at most in emergencies that nobody has confirmed, and %s counts: have it confirmed, or ask for %s at most",
			want.Role, most, first.Name(), max(0, most-unconfirmed)), "request show %s", first.Name())
	}
	return nil
}
