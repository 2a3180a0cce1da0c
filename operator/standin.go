package operator

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
)

// StandInOrder asks that somebody decides in a person's place for a time.
type StandInOrder struct {
	PersonID, StandIn string
	From              time.Time // zero: now
	Until             time.Time
}

// SetStandIn lets somebody decide about requests in a person's place, for a time.
func (o *Operator) SetStandIn(ctx context.Context, r Request, want StandInOrder) (ledger.StandIn, error) {
	if err := SetStandIn.Check(r); err != nil {
		return ledger.StandIn{}, err
	}
	now := o.Clock.Now()
	if !want.From.After(now) {
		want.From = now
	}
	if !want.Until.After(want.From) {
		return ledger.StandIn{}, refuse("it has to end in the future, and after it begins", "")
	}
	person, err := o.Person(ctx, want.PersonID)
	if err != nil {
		return ledger.StandIn{}, err
	}
	standIn, err := o.Person(ctx, want.StandIn)
	if err != nil {
		return ledger.StandIn{}, err
	}
	if cmp.Or(person.CarriedTo, person.PersonID) == cmp.Or(standIn.CarriedTo, standIn.PersonID) {
		return ledger.StandIn{}, refuse("nobody stands in for themself", "")
	}
	if _, employed := assess.Employment(assess.TimelineOf(standIn), now); !employed && standIn.CarriedTo == "" {
		return ledger.StandIn{}, refuse(fmt.Sprintf("person %s is not employed, and cannot decide anything", visible.Line(want.StandIn)), "person show %s", want.StandIn)
	}
	set, err := o.ledger.SetStandIn(ctx, ledger.StandIn{
		PersonID: want.PersonID, StandIn: want.StandIn, StartsAt: want.From, EndsAt: want.Until, Operator: r.Actor, Reason: r.Reason, At: now,
	})
	if err != nil {
		return ledger.StandIn{}, err
	}
	return set, o.tellWaiting(ctx)
}

// EndStandIn ends a stand-in (s-2) before its time.
func (o *Operator) EndStandIn(ctx context.Context, r Request, name string) (ledger.StandIn, error) {
	if err := EndStandIn.Check(r); err != nil {
		return ledger.StandIn{}, err
	}
	missing := refuse("there is no stand-in "+visible.Line(name), "standin list --all")
	id, ok := ledger.StandInID(name)
	if !ok {
		return ledger.StandIn{}, missing
	}
	found, err := o.Ledger.StandIns(ctx, ledger.StandInFilter{ID: id}, 0, 1)
	if err != nil || len(found) == 0 {
		return ledger.StandIn{}, cmp.Or(err, missing)
	}
	now := o.Clock.Now()
	if !found[0].EndedAt.IsZero() || !found[0].EndsAt.After(now) {
		return ledger.StandIn{}, refuse(found[0].Name()+" is over already", "standin list --all")
	}
	ended, err := o.ledger.EndStandIn(ctx, ledger.StandInEnd{ID: id, Operator: r.Actor, Reason: r.Reason, At: now})
	if err != nil {
		return ledger.StandIn{}, err
	}
	return ended, o.tellWaiting(ctx)
}

// tellWaiting tells the runs of all requests that are to be decided: others may decide now. If
// they cannot be told, they find it out within hours, and whoever may decide can do so at once.
func (o *Operator) tellWaiting(ctx context.Context) error {
	for r, err := range ledger.AllRequests(ctx, o.Ledger, ledger.RequestFilter{
		States: []ledger.RequestState{ledger.RequestAsked, ledger.RequestConfirming},
	}, 0) {
		if err != nil {
			return err
		}
		if err := o.runs.ResumeRequest(ctx, r.ID, "somebody stands in"); err != nil {
			return &UntoldError{People: []string{r.PersonID}, Err: err}
		}
	}
	return nil
}
