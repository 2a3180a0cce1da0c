package provision

import (
	"context"

	"github.com/tenurehq/tenure/assess"
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
	person, err := e.Ledger.Person(ctx, personID)
	if err != nil {
		return decision{}, err
	}
	rules := assess.Rules{Policy: e.Policy, Apps: e.traits()}
	d, err := rules.For(ctx, person, e.Clock.Now(), e.Ledger)
	if err != nil {
		return decision{}, err
	}
	if person.Username != "" && d.Person.Username != person.Username {
		return e.decide(ctx, personID) // steps that an app refused under the old username are planned again
	}
	return decision{Decision: d, protected: e.Policy.ProtectsPerson(personID)}, nil
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
