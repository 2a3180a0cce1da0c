package review_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

func TestCreepIsWhatNoRoleExplains(t *testing.T) {
	account := func(of string, until time.Time, names ...string) policy.Account {
		a := policy.Account{App: "wiki", Enabled: true, Roles: []string{"everyone"}}
		for _, name := range names {
			a.Entitlements = append(a.Entitlements, policy.Entitlement{Name: name, Roles: []string{of}, Until: until})
		}
		return a
	}
	for name, c := range map[string]struct {
		kind    hr.PersonType
		has     []string
		account policy.Account
		seen    []string
		want    review.Creep
	}{
		"nothing but an account":     {account: account("staff", time.Time{}), want: review.Creep{}},
		"a role gives all":           {has: []string{"a", "b"}, account: account("staff", time.Time{}, "a", "b"), want: review.Creep{Entitlements: 2}},
		"a role that is requested":   {has: []string{"c"}, account: account("admin (x-1)", time.Time{}, "c"), want: review.Creep{Entitlements: 1, Unexplained: 1, Share: 1, Which: []string{"wiki:c (grant)"}}},
		"kept after a move":          {has: []string{"a"}, account: account("staff", now.Add(day), "a"), want: review.Creep{Entitlements: 1, Unexplained: 1, Share: 1, Which: []string{"wiki:a (kept)"}}},
		"accepted, and given":        {has: []string{"a", "d"}, account: account("staff", time.Time{}, "a"), want: review.Creep{Entitlements: 2, Unexplained: 1, Share: 0.5, Which: []string{"wiki:d (accepted)"}}},
		"a scan saw more":            {has: []string{"a"}, account: account("staff", time.Time{}, "a"), seen: []string{"a", "e"}, want: review.Creep{Entitlements: 2, Unexplained: 1, Share: 0.5, Which: []string{"wiki:e (stray)"}}},
		"what a service has is none": {kind: hr.TypeService, has: []string{"e"}, want: review.Creep{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := review.Snapshot{Policy: rules(t), Seen: map[string]ledger.Observed{}}
			kind := c.kind
			if kind == "" {
				kind = hr.TypeEmployee
			}
			s.Decision.Now = now
			s.Decision.Desired.Standing = hr.Standing{Status: hr.StatusActive, Profile: &hr.Profile{Type: kind}}
			s.Decision.Desired.Accounts = []policy.Account{c.account}
			s.Decision.Person.PersonID = "10004"
			s.Decision.Person.Exceptions = []ledger.Exception{
				{ID: 1, Kind: "grant", Role: "admin", StartsAt: now.Add(-day), EndsAt: now.Add(day)},
				{ID: 2, Kind: "accept", App: "wiki", Entitlement: "d", StartsAt: now.Add(-day), EndsAt: now.Add(day)},
			}
			s.Decision.Person.Links = []ledger.Link{{PersonID: "10004", App: "wiki", AccountID: "7", ProvenAt: now.Add(-day), State: ledger.LinkActive, Entitlements: c.has}}
			if c.seen != nil {
				s.Seen["wiki"] = ledger.Observed{App: "wiki", AccountID: "7", At: now, Entitlements: c.seen}
			}
			assert.Equal(t, c.want, review.CreepOf(s))
		})
	}
}

func TestTheCompanysCreepIsOfItsPeople(t *testing.T) {
	share := func(unexplained, all int) review.Creep {
		return review.Creep{Entitlements: all, Unexplained: unexplained, Share: float64(unexplained) / float64(all)}
	}
	for name, c := range map[string]struct {
		all  []review.Creep
		want review.CompanyCreep
	}{
		"nobody":                         {want: review.CompanyCreep{}},
		"who has nothing is not counted": {all: []review.Creep{{}, share(0, 4)}, want: review.CompanyCreep{People: 1, Entitlements: 4}},
		"of four, the second":            {all: []review.Creep{share(4, 4), share(1, 4), share(0, 4), share(2, 4)}, want: review.CompanyCreep{People: 4, With: 3, Entitlements: 16, Unexplained: 7, Share: 7.0 / 16, Median: 0.25, Highest: 1}},
		"of three, the middle":           {all: []review.Creep{share(1, 2), share(0, 1), share(1, 4)}, want: review.CompanyCreep{People: 3, With: 2, Entitlements: 7, Unexplained: 2, Share: 2.0 / 7, Median: 0.25, Highest: 0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			var sum review.CreepSum
			for _, one := range c.all {
				sum.Add(one)
			}
			assert.Equal(t, c.want, sum.Company())
		})
	}
}

// TestCreepCountsEachEntitlementOnce holds the numbers to the list of all that somebody has.
func TestCreepCountsEachEntitlementOnce(t *testing.T) {
	p := rules(t)
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots(t, p)
		c := review.CreepOf(s)
		all, byRole := 0, 0
		for _, h := range s.All() {
			if h.Entitlement == "" || h.Kind == review.Service {
				continue
			}
			if all++; h.Kind == review.ByRole {
				byRole++
			}
		}
		if c.Entitlements != all || c.Unexplained != all-byRole || len(c.Which) != c.Unexplained || c.Share < 0 || c.Share > 1 {
			t.Fatalf("%+v of %d, of which roles explain %d", c, all, byRole)
		}
	})
}
