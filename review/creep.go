package review

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Creep is how much of what a person has is explained by no role that needs no request: privilege
// creep as a number. Accounts, and services, are not counted.
type Creep struct {
	Entitlements int      `json:"entitlements"`
	Unexplained  int      `json:"unexplained"`     // of these: granted, kept after a move, accepted, or given by nothing
	Share        float64  `json:"share"`           // of the entitlements; 0 if there are none
	Which        []string `json:"which,omitempty"` // "wiki:admins (kept)"
}

// CreepOf returns a person's number. It depends on nothing but its argument.
func CreepOf(s Snapshot) Creep {
	var c Creep
	for _, h := range s.All() {
		if h.Entitlement == "" || h.Kind == Service {
			continue
		}
		if c.Entitlements++; h.Kind != ByRole {
			c.Unexplained++
			c.Which = append(c.Which, h.App+":"+h.Entitlement+" ("+string(h.Kind)+")")
		}
	}
	if c.Entitlements > 0 {
		c.Share = float64(c.Unexplained) / float64(c.Entitlements)
	}
	return c
}

// CompanyCreep is the number of a whole company.
type CompanyCreep struct {
	People int `json:"people"` // employed, with an entitlement
	With   int `json:"with"`   // of these, with one that no role explains
	// Entitlements and Unexplained are the sums.
	Entitlements int     `json:"entitlements"`
	Unexplained  int     `json:"unexplained"`
	Share        float64 `json:"share"`   // of all entitlements
	Median       float64 `json:"median"`  // half of the people have this share or less
	Highest      float64 `json:"highest"` // share of one person
}

// CreepSum sums up the numbers of people. It holds each share once, of which there are few: its zero
// value is the sum of nobody.
type CreepSum struct {
	sum    CompanyCreep
	shares map[float64]int // how many people have each share
}

// Add adds the number of a person. Whoever has no entitlement is not counted.
func (s *CreepSum) Add(c Creep) {
	if c.Entitlements == 0 {
		return
	}
	s.sum.People++
	s.sum.Entitlements += c.Entitlements
	if s.sum.Unexplained += c.Unexplained; c.Unexplained > 0 {
		s.sum.With++
	}
	if s.shares == nil {
		s.shares = map[float64]int{}
	}
	s.shares[c.Share]++
}

// Company returns the number of all who were added.
func (s *CreepSum) Company() CompanyCreep {
	sum := s.sum
	if sum.People == 0 {
		return sum
	}
	sum.Share = float64(sum.Unexplained) / float64(sum.Entitlements)
	shares, below := slices.Sorted(maps.Keys(s.shares)), 0
	for _, share := range shares {
		if below += s.shares[share]; below > (sum.People-1)/2 {
			sum.Median = share
			break
		}
	}
	sum.Highest = shares[len(shares)-1]
	return sum
}

// PersonCreep is the number of one person.
type PersonCreep struct {
	ledger.Summary
	Creep
}

// Creep yields the numbers of everybody who is employed or, if one is named, of that person. It
// reads one person at a time, and passes over those for whom policy cannot be evaluated.
func (b *Board) Creep(ctx context.Context, personID string) iter.Seq2[PersonCreep, error] {
	return func(yield func(PersonCreep, error) bool) {
		if personID != "" {
			one, _, err := b.creepOf(ctx, personID)
			yield(one, err)
			return
		}
		for s, err := range ledger.AllPeople(ctx, b.Ledger, "") {
			if err == nil && (s.Status == hr.StatusEnded || s.Status == hr.StatusUnknown) {
				continue
			}
			var one PersonCreep
			known := true
			if err == nil {
				if one, known, err = b.creepOf(ctx, s.PersonID); missing(err) {
					continue
				}
			}
			if err != nil {
				yield(one, err)
				return
			}
			if known && !yield(one, nil) {
				return
			}
		}
	}
}

// creepOf returns the number of one person, and false if policy cannot be evaluated for them.
func (b *Board) creepOf(ctx context.Context, id string) (PersonCreep, bool, error) {
	person, err := b.Ledger.Person(ctx, id)
	if err != nil {
		return PersonCreep{}, false, err
	}
	s := Snapshot{Policy: b.Rules.Policy}
	if s.Decision, err = b.Rules.For(ctx, person, b.Clock.Now(), assess.Onlooker{Reader: b.Ledger}); err != nil {
		return PersonCreep{}, false, err
	}
	if s.Seen, err = b.seen(ctx, person); err != nil {
		return PersonCreep{}, false, err
	}
	return PersonCreep{Summary: person.Summary, Creep: CreepOf(s)}, s.Decision.PolicyErr == nil, nil
}

// seen returns a person's accounts as the last complete scans saw them, by app.
func (b *Board) seen(ctx context.Context, person ledger.Person) (map[string]ledger.Observed, error) {
	all := map[string]ledger.Observed{}
	for _, l := range person.Links {
		if !l.State.HasAccount() {
			continue
		}
		seen, ok, err := b.Ledger.Seen(ctx, l.App, l.AccountID)
		if err != nil {
			return nil, err
		}
		if ok {
			all[l.App] = seen
		}
	}
	return all, nil
}
