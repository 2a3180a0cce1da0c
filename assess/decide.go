package assess

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Decision holds what has to be done for one person at one instant, according to the ledger
// and policy.
type Decision struct {
	Now      time.Time
	Person   ledger.Person // with the username that was claimed
	Timeline hr.Timeline
	Desired  policy.Desired
	Plan     plan.Plan
	Keys     connector.Keys // what an account of the person can be found by
	// HandOvers says, by app, who is given a leaver's data, for the apps in which they have
	// yet to be handed over.
	HandOvers map[string]HandOver
	// SameHumans lists earlier IDs that the person may have had. As long as there is one, no
	// account is made.
	SameHumans []SameHuman
	// LapsedSkips lists the keys of skipped steps that are no longer asked for.
	LapsedSkips []string
	// Ended holds by app what is given no more because the time of grants or waivers is over,
	// and for no other reason, until they have lapsed.
	Ended map[string]Ended
	// LapsedExceptions lists the exceptions that are over by themselves, once nothing is left
	// to do because of that.
	LapsedExceptions []ledger.LapsedException
	// Conflicts lists where the person has something of both sides of a rule of separation of
	// duties, waived or not, once the plan is done.
	Conflicts []policy.Conflict
	// PolicyErr says why policy could not be evaluated for this person. Then nothing is
	// desired, and the only steps are those that cut off somebody who must not have access:
	// see CutsOff.
	PolicyErr error
}

// Rules holds the policy and the traits of apps by which decisions are made.
type Rules struct {
	Policy *policy.Policy
	Apps   map[string]plan.App // every app of the policy, by name
}

// Registry is the part of the ledger that deciding needs besides the person: see
// ledger.Work, ledger.Query and ledger.Identities.
type Registry interface {
	ClaimUsername(ctx context.Context, personID, base string, longest int) (string, error)
	Links(ctx context.Context, f ledger.LinkFilter) ([]ledger.Link, error)
	Person(ctx context.Context, personID string) (ledger.Person, error)
	Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error)
	Granted(ctx context.Context, app, entitlement string, limit int) ([]string, error)
}

// CutsOff reports whether somebody with this status must not have access, even if policy
// grants them some, for example for their next employment, or for the time when they come
// back.
func CutsOff(status hr.Status) bool {
	return status == hr.StatusSuspended || status == hr.StatusEnded || status == hr.StatusOnLeave
}

// For decides for one person. It returns an error only if the registry fails.
func (r Rules) For(ctx context.Context, person ledger.Person, now time.Time, registry Registry) (Decision, error) {
	d := Decision{Now: now, Person: person}
	d.Timeline = TimelineOf(person)
	standing := d.Timeline.At(now)

	identity := policy.Identity{PersonID: person.PersonID, Username: person.Username}
	if standing.Profile != nil && standing.Status != hr.StatusEnded && person.CarriedTo == "" {
		var err error
		if identity, d.PolicyErr, err = r.identify(ctx, person, *standing.Profile, registry); err != nil {
			return Decision{}, err
		}
		d.Person.Username = identity.Username
		d.Keys.EmployeeNumber, d.Keys.Email = standing.Profile.EmployeeNumber, identity.Email
	}
	d.Keys.PersonID, d.Keys.Username = person.PersonID, d.Person.Username
	exceptions := Exceptions(person, d.Timeline, now)
	switch {
	case person.CarriedTo != "": // their access belongs to another ID of the same human
		d.Desired = policy.Desired{Standing: standing}
	case d.PolicyErr == nil:
		d.Desired, d.PolicyErr = r.Policy.Evaluate(d.Timeline, now, identity, exceptions...)
		if d.PolicyErr == nil {
			d.Ended = r.ended(&d, exceptions, identity)
		}
	}
	if d.PolicyErr != nil {
		d.Desired = policy.Desired{Standing: standing, Changes: standing.Changes}
		if !CutsOff(standing.Status) {
			return d, nil // an operator is asked
		}
	}
	var err error
	if d.SameHumans, err = r.sameHuman(ctx, person, standing, registry); err != nil {
		return Decision{}, err
	}
	if d.HandOvers, err = r.handOvers(ctx, person, standing, now, registry); err != nil {
		return Decision{}, err
	}
	d.Plan = plan.Make(plan.Input{
		Now:        now,
		Desired:    d.Desired,
		Orphan:     ledger.IsOrphan(person.PersonID),
		OnlyOff:    d.PolicyErr != nil,
		MakeNone:   len(d.SameHumans) > 0,
		Links:      planLinks(person.Links),
		Apps:       r.Apps,
		Skipped:    skipped(person.Steps),
		Recipients: received(d.HandOvers),
		Protected:  r.protected(d.Person),
		HeldUntil:  latest(ledger.HeldUntil(person.Holds), awaited(person, d.Timeline, now)),
		EndHeard:   endHeard(person, standing),
		Retentions: retentions(person.Retentions, standing, now),
		Approvals:  approvals(person.Approvals),
		Ended:      endedEntitlements(d.Ended),
	})
	if len(d.Plan.Steps) > 0 { // they may have to wait, and what has ended by itself does not
		d.Plan.Due = grantsEnd(d.Plan.Due, person, now)
	} else { // until then the breaker asks whether what is taken was granted for a time
		d.LapsedExceptions = lapsedExceptions(person, d.Timeline, now)
	}
	if d.PolicyErr == nil { // otherwise it is unknown what would be asked for
		d.Conflicts = r.conflicts(d, exceptions)
		d.LapsedSkips = lapsedSkips(person.Steps, d.Plan.Skipped)
	}
	return d, nil
}

// identify returns the person's username and e-mail address, and the manager's accounts.
// policyErr says what is wrong with the policy, err that the registry failed.
func (r Rules) identify(ctx context.Context, person ledger.Person, profile hr.Profile, registry Registry) (id policy.Identity, policyErr, err error) {
	id = policy.Identity{PersonID: person.PersonID, Username: person.Username, ManagerAccounts: person.ManagerAccounts}
	if id.Username == "" || !MayHaveAccount(person) {
		if id.Username, policyErr, err = r.claim(ctx, person, profile, registry); policyErr != nil || err != nil {
			return id, policyErr, err
		}
	}
	if id.Email, policyErr = r.Policy.Email(id, profile); policyErr != nil {
		return id, policyErr, nil
	}
	if profile.ManagerID == person.ManagerID {
		return id, nil, nil
	}
	// The person that was read has the accounts of the manager of the last assessment.
	// This manager is another one.
	id.ManagerAccounts, err = ManagerAccounts(ctx, profile.ManagerID, registry)
	return id, nil, err
}

// ManagerAccounts returns the manager's account in each app where one exists; nil if there is
// no manager.
func ManagerAccounts(ctx context.Context, managerID string, registry Registry) (map[string]string, error) {
	if managerID == "" {
		return nil, nil
	}
	links, err := registry.Links(ctx, ledger.LinkFilter{PersonID: managerID})
	if err != nil {
		return nil, err
	}
	accounts := map[string]string{}
	for _, l := range links {
		if l.AccountID != "" && l.State.HasAccount() {
			accounts[l.App] = l.AccountID
		}
	}
	return accounts, nil
}
