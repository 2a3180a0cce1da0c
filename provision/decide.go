package provision

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// decision holds what has to be done for one person, and whether they are protected.
type decision struct {
	assess.Decision
	protected bool // the person, not only an account
}

// decide reads the ledger and plans. Its only write is to claim a username for a person who
// should have accounts and has none yet.
func (e *Engine) decide(ctx context.Context, personID string) (decision, error) {
	return e.decideBefore(ctx, personID, ledger.Link{})
}

// decideBefore is decide for an attempt that the ledger knows of already. What the attempt's
// own calls may change (ledger.Attempt.May) is no reason to make them: the link counts as it
// was before.
func (e *Engine) decideBefore(ctx context.Context, personID string, before ledger.Link) (decision, error) {
	person, err := e.reads.person(ctx, e.Ledger, personID)
	if err != nil {
		return decision{}, err
	}
	for i, l := range person.Links {
		if l.App == before.App {
			person.Links[i].Unsure = before.Unsure
		}
	}
	d, err := e.decideOn(ctx, person)
	if err != nil {
		return decision{}, err
	}
	if person.Username != "" && d.Person.Username != person.Username {
		return e.decideBefore(ctx, personID, before) // steps that an app refused under the old username are planned again
	}
	return d, nil
}

// decideOn decides by what was read of a person.
func (e *Engine) decideOn(ctx context.Context, person ledger.Person) (decision, error) {
	d, err := e.Rules().For(ctx, person, notBefore(e.Clock.Now(), person), e.Ledger)
	if err != nil {
		return decision{}, err
	}
	return decision{Decision: d, protected: e.Policy.ProtectsPerson(person.PersonID)}, nil
}

// mostBehind bounds how far notBefore corrects a worker's clock that is behind. With a
// larger difference the other clocks may be ahead, and a clock that is ahead must not
// have accounts deleted early.
const mostBehind = 36 * time.Hour

// notBefore returns now, or a later time if the ledger shows that it must be later: an
// event has a later time (by the clock of its sender and by that of its receiver), or an
// account was seen to be off at a later time. Then this worker's clock is behind, or was
// set back. With the later time, nobody who is to be cut off at once waits for the clock,
// and nobody who was cut off gets access back.
func notBefore(now time.Time, person ledger.Person) time.Time {
	latest := now
	known := func(at time.Time) {
		if at.After(latest) && at.Sub(now) <= mostBehind {
			latest = at
		}
	}
	for _, e := range assess.EventsOf(person) {
		known(e.Said())
	}
	for _, l := range person.Links {
		if l.State == ledger.LinkDisabled || l.State == ledger.LinkDeleted {
			known(l.ProvenAt)
		}
	}
	return latest
}

// step returns the planned step with a key.
func (d decision) step(key string) (plan.Step, bool) {
	for _, s := range d.Plan.Steps {
		if s.Key == key {
			return s, true
		}
	}
	return plan.Step{}, false
}

// account returns the account that policy wants in an app; the zero account if it wants none.
func (d decision) account(app string) policy.Account {
	for _, acc := range d.Desired.Accounts {
		if acc.App == app {
			return acc
		}
	}
	return policy.Account{}
}

// Rules returns what decisions depend on.
func (e *Engine) Rules() assess.Rules { return assess.Rules{Policy: e.Policy, Apps: e.traits()} }
