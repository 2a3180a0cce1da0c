package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Registry is the part of the ledger that a Desk reads: see ledger.Reader.
type Registry interface {
	ledger.RequestReader
	Person(ctx context.Context, personID string) (ledger.Person, error)
	Exceptions(ctx context.Context, f ledger.ExceptionFilter, after int64, limit int) ([]ledger.Exception, error)
}

// Desk finds out from the ledger and the policy who decides about requests. All fields are
// needed.
type Desk struct {
	Registry Registry
	Policy   *policy.Policy
	Clock    clock.Clock
}

// Terms returns how a role could be requested when a request was made.
func Terms(r ledger.Request) (policy.RequestRules, error) {
	var terms policy.RequestRules
	if err := json.Unmarshal([]byte(r.Terms), &terms); err != nil {
		return terms, fmt.Errorf("request: the terms of %s: %w", r.Name(), err)
	}
	return terms, nil
}

// WriteTerms returns terms as a request keeps them.
func WriteTerms(terms policy.RequestRules) (string, error) {
	text, err := json.Marshal(terms)
	return string(text), err
}

// Stage returns whom a stage of a request names, and how many of them have to approve. An
// emergency is confirmed by an owner.
func Stage(r ledger.Request, terms policy.RequestRules, stage int) (names []string, needed int) {
	if r.Emergency {
		return []string{policy.DecideOwner}, 1
	}
	if stage >= len(terms.Approve) {
		return nil, terms.Approvals()
	}
	return terms.Approve[stage], terms.Approvals()
}

// Deciders lists who decides in the present stage of a request, as of now.
func (d Desk) Deciders(ctx context.Context, r ledger.Request) ([]Decider, error) {
	terms, err := Terms(r)
	if err != nil {
		return nil, err
	}
	now := d.Clock.Now()
	standIns, err := ledger.Collect(ledger.AllStandIns(ctx, d.Registry, ledger.StandInFilter{At: now}, 0))
	if err != nil {
		return nil, err
	}
	q := Question{
		PersonID: r.PersonID, AskedBy: r.AskedBy, Role: r.Role, Duty: r.Duty, Escalated: !r.EscalatedAt.IsZero(),
		Owner: d.owner(r), Groups: d.Policy.Deciders, Fallback: d.Policy.Fallback(), StandIns: standIns,
		Lookup: func(id string) (Colleague, error) { return d.Colleague(ctx, id, now) },
	}
	q.Stage, q.Needed = Stage(r, terms, r.Stage)
	return Deciders(q)
}

// owner returns who answers for what is requested. If the configuration does not say it, or not any
// more, that is whoever decides where nobody else can.
func (d Desk) owner(r ledger.Request) []string {
	var owner []string
	if r.Duty != "" {
		duty, _ := d.Policy.Duty(r.Duty)
		owner = duty.Owner
	} else {
		facts, _ := d.Policy.Facts(r.Role)
		owner = facts.Owner
	}
	if len(owner) == 0 {
		return d.Policy.Fallback()
	}
	return owner
}

// Colleague returns what has to be known of somebody at an instant.
func (d Desk) Colleague(ctx context.Context, id string, at time.Time) (Colleague, error) {
	person, err := d.person(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return Colleague{ID: id, Status: assess.TimelineOf(ledger.Person{}).At(at).Status}, nil
	}
	if err != nil {
		return Colleague{}, err
	}
	standing := assess.TimelineOf(person).At(at)
	c := Colleague{ID: person.PersonID, Status: standing.Status}
	if standing.Profile != nil {
		c.Manager = standing.Profile.ManagerID
	}
	return c, nil
}

// Said lists what was said in the present stage of a request, by the IDs by which those who said it
// are known now: two IDs may be found to be of one human after that.
func (d Desk) Said(ctx context.Context, r ledger.Request) ([]ledger.Vote, error) {
	votes, err := d.Registry.Votes(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	var said []ledger.Vote
	for _, v := range votes {
		if v.Stage != r.Stage || v.Vote == "" {
			continue
		}
		voter, err := d.Colleague(ctx, v.Voter, d.Clock.Now())
		if err != nil {
			return nil, err
		}
		v.Voter = voter.ID
		said = append(said, v)
	}
	return said, nil
}

// longestChain bounds how many IDs of one human are followed.
const longestChain = 20

// person reads somebody under the ID by which they are known now.
func (d Desk) person(ctx context.Context, id string) (ledger.Person, error) {
	person, err := d.Registry.Person(ctx, id)
	for range longestChain {
		if err != nil || person.CarriedTo == "" {
			break
		}
		person, err = d.Registry.Person(ctx, person.CarriedTo)
	}
	return person, err
}
