package activities

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// decision is what has to be done for one person, as the ledger and policy say
// at one instant.
type decision struct {
	now      time.Time
	person   ledger.Person
	timeline hr.Timeline
	desired  policy.Desired
	plan     plan.Plan
	keys     connector.Keys // what an account of the person's can be found by
	// policyErr is set when policy could not be evaluated for this person: then
	// nothing is desired and nothing is planned.
	policyErr error
}

// decide reads the ledger and plans. It changes nothing but, for a person who is
// to have accounts and has no username yet, claims one.
func (a *Activities) decide(ctx context.Context, personID string) (decision, error) {
	person, err := a.Ledger.Person(ctx, personID)
	if err != nil {
		return decision{}, err
	}
	d := decision{now: a.Clock.Now(), person: person}
	d.timeline = hr.Merge(personID, eventsOf(person))
	standing := d.timeline.At(d.now)

	identity := policy.Identity{PersonID: personID, Username: person.Username}
	if standing.Profile != nil && standing.Status != hr.StatusEnded {
		if identity, d.policyErr, err = a.identify(ctx, person, *standing.Profile); err != nil {
			return decision{}, err
		}
		d.person.Username = identity.Username
		d.keys.EmployeeNumber, d.keys.Email = standing.Profile.EmployeeNumber, identity.Email
	}
	d.keys.PersonID, d.keys.Username = personID, d.person.Username
	if d.policyErr == nil {
		d.desired, d.policyErr = a.Policy.Evaluate(d.timeline, d.now, identity)
	}
	if d.policyErr != nil {
		d.desired = policy.Desired{Standing: standing}
		return d, nil //nolint:nilerr // wrong policy is no failure to decide: a human is asked
	}
	d.plan = plan.Make(plan.Input{
		Now:        d.now,
		Desired:    d.desired,
		Links:      planLinks(person.Links),
		Apps:       a.traits(),
		Skipped:    skipped(person.Steps),
		Recipients: recipients(person.ManagerAccounts),
	})
	return d, nil
}

// identify gives the person their username and email, and finds the manager's
// accounts. The second result says what is wrong with the policy, the third that
// the ledger failed.
func (a *Activities) identify(ctx context.Context, person ledger.Person, profile hr.Profile) (id policy.Identity, policyErr, err error) {
	id = policy.Identity{PersonID: person.PersonID, Username: person.Username, ManagerAccounts: person.ManagerAccounts}
	if id.Username == "" {
		base, policyErr := a.Policy.Username(person.PersonID, profile)
		if policyErr != nil {
			return id, policyErr, nil
		}
		if id.Username, err = a.Ledger.ClaimUsername(ctx, person.PersonID, base); err != nil {
			return id, nil, err
		}
	}
	if id.Email, policyErr = a.Policy.Email(id, profile); policyErr != nil {
		return id, policyErr, nil
	}
	if profile.ManagerID == person.ManagerID {
		return id, nil, nil
	}
	// The ledger knows the accounts of the manager whom the last assessment found.
	// This is another one.
	id.ManagerAccounts = nil
	if profile.ManagerID != "" {
		links, err := a.Ledger.Links(ctx, ledger.LinkFilter{PersonID: profile.ManagerID})
		if err != nil {
			return id, nil, err
		}
		id.ManagerAccounts = accountsOf(links)
	}
	return id, nil, nil
}

// accountsOf maps apps to the accounts of links that are there.
func accountsOf(links []ledger.Link) map[string]string {
	accounts := map[string]string{}
	for _, l := range links {
		if l.AccountID != "" && (l.State == ledger.LinkActive || l.State == ledger.LinkDisabled) {
			accounts[l.App] = l.AccountID
		}
	}
	return accounts
}

func (d decision) step(key string) (plan.Step, bool) {
	for _, s := range d.plan.Steps {
		if s.Key == key {
			return s, true
		}
	}
	return plan.Step{}, false
}

// account is what policy wants in an app: the zero account if it wants none.
func (d decision) account(app string) policy.Account {
	for _, acc := range d.desired.Accounts {
		if acc.App == app {
			return acc
		}
	}
	return policy.Account{}
}

func eventsOf(p ledger.Person) []hr.Event {
	events := make([]hr.Event, len(p.Events))
	for i, e := range p.Events {
		events[i] = e.Event
	}
	return events
}

func planLinks(links []ledger.Link) []plan.Link {
	out := make([]plan.Link, len(links))
	for i, l := range links {
		out[i] = plan.Link{
			App:          l.App,
			State:        plan.LinkState(l.State),
			Entitlements: l.Entitlements,
			Attributes:   l.Attributes,
			DisabledAt:   l.DisabledAt,
			StrippedAt:   l.StrippedAt,
			HandedOverAt: l.HandedOverAt,
			DoubtUntil:   l.DoubtUntil,
		}
	}
	return out
}

func recipients(managerAccounts map[string]string) map[string]bool {
	apps := make(map[string]bool, len(managerAccounts))
	for app := range managerAccounts {
		apps[app] = true
	}
	return apps
}

func skipped(steps []ledger.Step) map[string]bool {
	keys := map[string]bool{}
	for _, s := range steps {
		if s.State == ledger.StepSkipped {
			keys[s.Key] = true
		}
	}
	return keys
}
