package assess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// HandOver holds who is given a leaver's data in an app.
type HandOver struct {
	To ledger.Receiver // zero: nobody can be given them
	// Could lists the IDs of the people who hold the role, if several do, sorted.
	Could []string
	Why   string // why nobody can be given them; no personal data
}

// received returns the apps in which somebody can be given the data.
func received(all map[string]HandOver) map[string]bool {
	apps := make(map[string]bool, len(all))
	for app, h := range all {
		apps[app] = h.To.PersonID != ""
	}
	return apps
}

// The reasons for a receiver, besides a role.
const (
	byManager        = "manager"
	byManagersLeader = "manager's manager"
)

// mostHolders bounds for how many people a role is evaluated to find the one who is given a
// leaver's data.
const mostHolders = 100

// People is the part of the ledger in which those are found who are given data.
type People interface {
	Person(ctx context.Context, personID string) (ledger.Person, error)
	// Granted is described at ledger.Query.
	Granted(ctx context.Context, app, entitlement string, limit int) ([]string, error)
}

// HandOvers says who would be given a leaver's data at an instant, in each app in which they have
// yet to be handed over; nothing if they have not left.
func (r Rules) HandOvers(ctx context.Context, leaver ledger.Person, now time.Time, people People) (map[string]HandOver, error) {
	return r.handOvers(ctx, leaver, TimelineOf(leaver).At(now), now, people)
}

// handOvers decides who is given a leaver's data, in each app in which they have yet to be
// handed over. Whoever was decided on before stays, as long as they can be given anything.
func (r Rules) handOvers(ctx context.Context, leaver ledger.Person, standing hr.Standing, now time.Time, people People) (map[string]HandOver, error) {
	if standing.Status != hr.StatusEnded {
		return nil, nil
	}
	s := succession{rules: r, leaver: leaver, standing: standing, now: now, people: people, known: map[string]ledger.Person{}}
	all := map[string]HandOver{}
	for _, link := range leaver.Links {
		over := link.State == ledger.LinkDisabled && !link.HandedOverAt.IsZero()
		app := r.Apps[link.App]
		if !app.HandOver && !app.HandOverByDelete || !link.State.HasAccount() || over {
			continue
		}
		h, err := s.of(ctx, link)
		if err != nil {
			return nil, err
		}
		all[link.App] = h
	}
	return all, nil
}

// succession finds those who are given one leaver's data.
type succession struct {
	rules    Rules
	leaver   ledger.Person
	standing hr.Standing
	now      time.Time
	people   People
	known    map[string]ledger.Person // those who were looked up
}

// of returns who is given the data of an account.
func (s *succession) of(ctx context.Context, link ledger.Link) (HandOver, error) {
	if was := link.Receiver; was.PersonID != "" && link.State == ledger.LinkDisabled {
		person, err := s.person(ctx, was.PersonID)
		if err != nil {
			return HandOver{}, err
		}
		if account, _ := s.accountOf(person, link); account != "" && account == was.AccountID {
			return HandOver{To: was}, nil
		}
	}
	role := s.rules.Apps[link.App].Leaver.HandOver
	if role == "" || role == policy.HandOverManager {
		return s.manager(ctx, link)
	}
	return s.holder(ctx, link, role)
}

// manager returns the manager, or the manager's manager if the manager cannot be given data.
func (s *succession) manager(ctx context.Context, link ledger.Link) (HandOver, error) {
	id := s.leaver.ManagerID
	if s.standing.Profile != nil {
		id = s.standing.Profile.ManagerID
	}
	if id == "" {
		return HandOver{Why: "HR names no manager"}, nil
	}
	manager, err := s.person(ctx, id)
	if err != nil {
		return HandOver{}, err
	}
	account, why := s.accountOf(manager, link)
	if account != "" {
		return HandOver{To: ledger.Receiver{PersonID: manager.PersonID, AccountID: account, By: byManager}}, nil
	}
	if id = s.managerOf(manager); id == "" {
		return HandOver{Why: "the manager " + why + ", and HR names no manager of theirs"}, nil
	}
	next, err := s.person(ctx, id)
	if err != nil {
		return HandOver{}, err
	}
	account, whyNext := s.accountOf(next, link)
	if account == "" {
		return HandOver{Why: "the manager " + why + ", and the manager's manager " + whyNext}, nil
	}
	return HandOver{To: ledger.Receiver{PersonID: next.PersonID, AccountID: account, By: byManagersLeader}}, nil
}

// managerOf returns the ID of a person's manager; empty if none is known.
func (s *succession) managerOf(person ledger.Person) string {
	if profile := TimelineOf(person).At(s.now).Profile; profile != nil {
		return profile.ManagerID
	}
	return person.ManagerID
}

// holder returns the one person who holds a role and can be given data; of several, the one in
// the leaver's department.
func (s *succession) holder(ctx context.Context, link ledger.Link, role string) (HandOver, error) {
	ids, err := s.mayHold(ctx, link.App, role)
	if err != nil {
		return HandOver{}, err
	}
	if len(ids) > mostHolders {
		return HandOver{Why: fmt.Sprintf("more than %d people may hold the role %q", mostHolders, role)}, nil
	}
	var holders, near []ledger.Receiver
	for _, id := range ids {
		person, err := s.person(ctx, id)
		if err != nil {
			return HandOver{}, err
		}
		timeline := TimelineOf(person)
		account, _ := s.accountOf(person, link)
		identity := policy.Identity{PersonID: person.PersonID, Username: person.Username}
		if account == "" || !s.has(person, role) || !s.rules.Policy.Holds(role, timeline, s.now, identity) {
			continue
		}
		r := ledger.Receiver{PersonID: person.PersonID, AccountID: account, By: "role " + role}
		holders = append(holders, r)
		if s.department() != "" && timeline.At(s.now).Profile.Department == s.department() {
			near = append(near, r)
		}
	}
	if len(holders) > 1 && len(near) > 0 {
		holders = near
	}
	switch len(holders) {
	case 0:
		return HandOver{Why: fmt.Sprintf("nobody at work holds the role %q and has an enabled account", role)}, nil
	case 1:
		return HandOver{To: holders[0]}, nil
	}
	h := HandOver{Why: fmt.Sprintf("%d people hold the role %q", len(holders), role)}
	for _, r := range holders {
		h.Could = append(h.Could, r.PersonID)
	}
	return h, nil
}

func (s *succession) department() string {
	if s.standing.Profile != nil {
		return s.standing.Profile.Department
	}
	return s.leaver.Department
}

// mayHold returns the IDs of the people who may hold a role, sorted; more than mostHolders if there
// are too many. Whoever holds the role and has got everything has an enabled account in the app and
// each thing that the role gives. The ledger is asked who has one of these after the other, until no
// more than mostHolders people have one.
func (s *succession) mayHold(ctx context.Context, app, role string) (ids []string, err error) {
	for _, grant := range append(slices.Clone(s.rules.Policy.RoleGrants(role)), policy.Grant{App: app}) {
		for _, entitlement := range append(slices.Clone(grant.Entitlements), "") {
			if entitlement == "" && len(grant.Entitlements) > 0 {
				continue
			}
			ids, err = s.people.Granted(ctx, grant.App, entitlement, mostHolders+1)
			if err != nil || len(ids) <= mostHolders {
				return ids, err
			}
		}
	}
	return ids, nil
}

// has reports whether somebody has all that a role gives.
func (s *succession) has(person ledger.Person, role string) bool {
	return !slices.ContainsFunc(s.rules.Policy.RoleGrants(role), func(grant policy.Grant) bool {
		return !slices.ContainsFunc(person.Links, func(l ledger.Link) bool {
			return l.App == grant.App && l.State == ledger.LinkActive && len(set.Minus(grant.Entitlements, l.Entitlements)) == 0
		})
	})
}

// accountOf returns the account by which somebody can be given the data of another account of
// the same app: their own, enabled and certain to be theirs. If there is none, it returns an
// empty ID and why, as the end of a sentence about them.
func (s *succession) accountOf(person ledger.Person, from ledger.Link) (accountID, why string) {
	leavers := func(e ledger.Earlier) bool { return e.PersonID == person.PersonID }
	switch {
	case person.PersonID == "":
		return "", "is not known"
	case person.PersonID == s.leaver.PersonID || slices.ContainsFunc(s.leaver.Earlier, leavers):
		return "", "is the leaver"
	case len(allEvents(person)) > 0 && TimelineOf(person).At(s.now).Status != hr.StatusActive:
		return "", "is not at work"
	}
	i := slices.IndexFunc(person.Links, func(l ledger.Link) bool { return l.App == from.App })
	if i < 0 || person.Links[i].State != ledger.LinkActive || person.Links[i].AccountID == "" {
		return "", "has no enabled account in this app"
	}
	switch link := person.Links[i]; {
	case link.Contested || link.AccountID == from.AccountID:
		return "", "has an account that is somebody else's too"
	case s.rules.protectsHuman(person) || s.rules.Policy.ProtectsAccount(from.App, link.AccountID, link.Username):
		return "", "is protected"
	default:
		return link.AccountID, ""
	}
}

// person returns the person with an ID, under the ID that they have now; the zero person if
// nothing is known of them.
func (s *succession) person(ctx context.Context, id string) (ledger.Person, error) {
	if person, ok := s.known[id]; ok {
		return person, nil
	}
	person, err := s.people.Person(ctx, id)
	if err == nil && person.CarriedTo != "" && person.CarriedTo != id {
		person, err = s.people.Person(ctx, person.CarriedTo)
	}
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return ledger.Person{}, err
	}
	s.known[id] = person
	return person, nil
}
