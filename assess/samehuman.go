package assess

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// SameHuman is an earlier ID that a person without accounts may have had.
type SameHuman struct {
	OldID string
	// Event is the ID of the event that says so; empty if only names and addresses do.
	Event string
	// Certain means that the two can be linked without asking an operator: see certain.
	Certain bool
	// Unknown means that the ledger has nobody with that ID.
	Unknown bool
}

// maxNamesakes is how many people of the same name are looked at.
const maxNamesakes = 50

// sameHuman finds earlier IDs under which a person who should be given accounts may have some
// already. It does not look at people who have, or may have, accounts of their own, and
// leaves out IDs about which an operator has decided.
func (r Rules) sameHuman(ctx context.Context, p ledger.Person, standing hr.Standing, registry Registry) ([]SameHuman, error) {
	if p.CarriedTo != "" || standing.Profile == nil || CutsOff(standing.Status) || MayHaveAccount(p) {
		return nil, nil
	}
	var found []SameHuman
	for _, e := range p.Events {
		if old := e.Event.Previous; old != "" && old != p.PersonID && !decided(p, old) && !among(found, old) {
			is, ask, err := r.previous(ctx, p, standing, e.Event, registry)
			if err != nil {
				return nil, err
			}
			if ask {
				found = append(found, is)
			}
		}
	}
	ids, err := registry.Namesakes(ctx, standing.Profile.GivenName, standing.Profile.FamilyName, maxNamesakes)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if id == p.PersonID || decided(p, id) || among(found, id) {
			continue
		}
		other, err := registry.Person(ctx, id)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return nil, err
		}
		if err == nil && leavesSomething(other) && sameReach(TimelineOf(other), *standing.Profile) {
			found = append(found, SameHuman{OldID: id})
		}
	}
	return found, nil
}

// previous returns the earlier ID that an event names as the person's previous one. ask
// reports whether that ID matters: it does not if it leaves nothing.
func (r Rules) previous(ctx context.Context, p ledger.Person, standing hr.Standing, e hr.Event, registry Registry) (is SameHuman, ask bool, err error) {
	is = SameHuman{OldID: e.Previous, Event: e.ID}
	old, err := registry.Person(ctx, e.Previous)
	if errors.Is(err, ledger.ErrNotFound) {
		is.Unknown = true
		return is, true, nil
	}
	if err != nil || !leavesSomething(old) {
		return is, false, err
	}
	is.Certain = r.certain(p, old, standing, e)
	return is, true, nil
}

// certain reports whether an event that says that two IDs are one human is proof enough:
// the same HR system has sent both, name and address are the same, the old employment
// ends by the time the new one begins, and nobody is protected or suspended. Somebody who
// can forge all of that could send a rehire of the old ID instead.
func (r Rules) certain(p, old ledger.Person, standing hr.Standing, e hr.Event) bool {
	t := TimelineOf(old)
	last := lastProfile(t)
	if last == nil || r.protectsHuman(p) || r.protectsHuman(old) || len(t.Suspensions) > 0 {
		return false
	}
	otherSources := slices.ContainsFunc(old.Events, func(s ledger.StoredEvent) bool {
		return s.Event.Profile != nil && s.Event.Source != e.Source
	})
	ends := t.Periods[len(t.Periods)-1].Ends
	begins := e.Profile.StartDate.StartIn(time.UTC).AddDate(0, 0, 2) // in every time zone
	return !otherSources && strings.EqualFold(last.GivenName, standing.Profile.GivenName) &&
		strings.EqualFold(last.FamilyName, standing.Profile.FamilyName) &&
		sameReach(t, *standing.Profile) && !ends.IsZero() && ends.Before(begins)
}

// lastProfile returns the last profile that HR has sent; nil if there is none.
func lastProfile(t hr.Timeline) *hr.Profile {
	if len(t.Periods) == 0 {
		return nil
	}
	snapshots := t.Periods[len(t.Periods)-1].Profiles
	return &snapshots[len(snapshots)-1].Profile
}

// sameReach reports whether a person ever had an e-mail address or a phone number of the
// profile.
func sameReach(t hr.Timeline, profile hr.Profile) bool {
	reach := reachOf(profile)
	for _, period := range t.Periods {
		for _, s := range period.Profiles {
			if slices.ContainsFunc(reachOf(s.Profile), func(at string) bool { return slices.Contains(reach, at) }) {
				return true
			}
		}
	}
	return false
}

// reachOf returns a profile's e-mail addresses and phone number in a comparable form.
func reachOf(p hr.Profile) (all []string) {
	for _, address := range []string{p.PersonalEmail, p.WorkEmail} {
		if address = strings.ToLower(strings.TrimSpace(address)); address != "" {
			all = append(all, address)
		}
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, p.Phone)
	if len(digits) >= 7 { // a shorter one is an extension
		all = append(all, digits)
	}
	return all
}

// leavesSomething reports whether a person has something under this ID that another one of the same
// human has to take over: an account, or what is withheld from them.
func leavesSomething(p ledger.Person) bool {
	return p.CarriedTo == "" && (slices.ContainsFunc(p.Links, func(l ledger.Link) bool { return l.State.HasAccount() }) ||
		slices.ContainsFunc(p.Exceptions, func(x ledger.Exception) bool { return x.Kind == string(policy.ExceptWithhold) }))
}

// SameHumanKey returns the key of the question whether a person had an earlier ID.
func SameHumanKey(oldID string) string { return SameHumanPrefix + oldID }

// SameHumanPrefix begins the keys of such questions. No app has a colon in its name.
const SameHumanPrefix = "same-human:"

// decided reports whether it is settled whether the person had this earlier ID.
func decided(p ledger.Person, oldID string) bool {
	return slices.Contains(p.Waivers, SameHumanKey(oldID)) ||
		slices.ContainsFunc(p.Earlier, func(e ledger.Earlier) bool { return e.PersonID == oldID })
}

func among(list []SameHuman, id string) bool {
	return slices.ContainsFunc(list, func(s SameHuman) bool { return s.OldID == id })
}
