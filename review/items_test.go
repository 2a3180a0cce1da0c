package review_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

var (
	now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	day = 24 * time.Hour
)

// rules is a policy with two apps, in which several roles give the same thing.
func rules(t require.TestingT) *policy.Policy {
	p, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"wiki": {Owner: []string{"wanda"}}, "chat": {}},
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "wiki"}}},
			{Name: "staff", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"a", "b"}}}},
			{Name: "admin", When: "true", About: policy.RoleFacts{Risk: policy.RiskPrivileged}, Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"c"}}},
				Request: &policy.RequestRules{Most: day}},
		},
		Fallback: []string{"fay"},
		Duties: []policy.Duty{{
			Name: "apart", Mode: policy.DutyDetect,
			One: []policy.Grant{{App: "wiki", Entitlements: []string{"a"}}}, Other: []policy.Grant{{App: "chat", Entitlements: []string{"a"}}},
		}},
	})
	require.NoError(t, err)
	return p
}

// snapshots draws what is known of somebody: what accounts have, what scans saw there, what policy
// gives and by what, and what was accepted.
func snapshots(t *rapid.T, p *policy.Policy) review.Snapshot {
	names := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), func(s string) string { return s })
	s := review.Snapshot{Policy: p, Seen: map[string]ledger.Observed{}}
	d := &s.Decision
	d.Now = now
	d.Person.PersonID = "10004"
	profile := &hr.Profile{Type: rapid.SampledFrom([]hr.PersonType{hr.TypeEmployee, hr.TypeService}).Draw(t, "type")}
	d.Desired.Standing = hr.Standing{Status: rapid.SampledFrom([]hr.Status{hr.StatusActive, hr.StatusOnLeave, hr.StatusEnded}).Draw(t, "status"), Profile: profile}
	d.Person.Exceptions = []ledger.Exception{
		{ID: 1, Kind: "grant", Role: "admin", StartsAt: now.Add(-day), EndsAt: now.Add(day)},
		{ID: 2, Kind: "accept", App: "wiki", Entitlement: "d", StartsAt: now.Add(-day), EndsAt: now.Add(day)},
	}
	var held []policy.Held
	for _, app := range []string{"chat", "wiki"} {
		link := ledger.Link{
			PersonID: "10004", App: app, AccountID: "7", ProvenAt: now.Add(-day),
			State:        rapid.SampledFrom([]ledger.LinkState{ledger.LinkActive, ledger.LinkDisabled, ledger.LinkDeleted}).Draw(t, app),
			Entitlements: names.Draw(t, "has"),
		}
		d.Person.Links = append(d.Person.Links, link)
		for _, e := range link.Entitlements {
			held = append(held, policy.Held{App: app, Entitlement: e})
		}
		if rapid.Bool().Draw(t, "scanned") {
			at := now.Add(time.Duration(rapid.IntRange(-2, 0).Draw(t, "days")) * day)
			s.Seen[app] = ledger.Observed{App: app, AccountID: "7", At: at, Entitlements: names.Draw(t, "seen"), LastUsedAt: now.Add(-200 * day)}
		}
		if rapid.Bool().Draw(t, "wanted") {
			account := policy.Account{App: app, Enabled: true, Roles: []string{"everyone"}}
			for _, name := range names.Draw(t, "given") {
				e := policy.Entitlement{Name: name, Roles: rapid.SampledFrom([][]string{{"staff"}, {"everyone", "staff"}, {"admin (x-1)"}, {"admin (x-1)", "staff"}}).Draw(t, "by")}
				if rapid.Bool().Draw(t, "kept") {
					e.Until = now.Add(day)
				}
				account.Entitlements = append(account.Entitlements, e)
			}
			d.Desired.Accounts = append(d.Desired.Accounts, account)
		}
	}
	d.Conflicts = p.Conflicts(held, now)
	return s
}

// What a review is about depends on what is known and on its terms, and on nothing else; each thing
// that somebody has is in exactly one item, however the review asks.
func TestEverythingThatSomebodyHasIsInExactlyOneItem(t *testing.T) {
	p := rules(t)
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots(t, p)
		terms := review.Terms{Explain: rapid.SampledFrom(review.Explains()).Draw(t, "explain"), UnusedAfter: 90 * day}
		items, err := review.Items(s, terms, nil)
		require.NoError(t, err)
		again, err := review.Items(s, terms, nil)
		require.NoError(t, err)
		assert.Equal(t, items, again)

		in := map[ledger.AccessPlace]int{}
		for _, i := range items {
			for _, a := range i.Accesses {
				in[a]++
			}
		}
		want := map[ledger.AccessPlace]int{}
		for _, l := range s.Decision.Person.Links { // counted independently of review.All
			if l.State == ledger.LinkDeleted || l.State == ledger.LinkDisabled && s.Decision.Desired.Standing.Status == hr.StatusEnded {
				continue
			}
			want[ledger.AccessPlace{PersonID: "10004", App: l.App}] = 1
			for _, e := range l.Entitlements {
				want[ledger.AccessPlace{PersonID: "10004", App: l.App, Entitlement: e}] = 1
			}
			if seen, ok := s.Seen[l.App]; ok && seen.At.After(l.ProvenAt) {
				for _, e := range seen.Entitlements {
					if !slices.Contains(l.Entitlements, e) {
						want[ledger.AccessPlace{PersonID: "10004", App: l.App, AccountID: "7", Entitlement: e}] = 1
					}
				}
			}
		}
		assert.Equal(t, want, in)

		duties := 0
		for _, i := range items {
			if i.Kind == string(review.Duty) {
				duties++
			}
		}
		assert.Len(t, s.Decision.Conflicts, duties)
	})
}

// The terms cover the same things whether they are asked about one by one or not.
func TestWhatIsCoveredDoesNotDependOnHowItIsAsked(t *testing.T) {
	p := rules(t)
	cover, err := policy.CompileCover("covers", `item.risk == 'privileged' || item.because == 'stray' || 'conflict' in item.flags`)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots(t, p)
		var populations []map[ledger.AccessPlace]bool
		for _, explain := range review.Explains() {
			items, err := review.Items(s, review.Terms{Explain: explain}, cover)
			require.NoError(t, err)
			all := map[ledger.AccessPlace]bool{}
			for _, i := range items {
				for _, a := range i.Accesses {
					all[a] = true
				}
			}
			populations = append(populations, all)
		}
		assert.Equal(t, populations[0], populations[1])
	})
}

// Completion counts what people have decided, whatever silence has.
func TestSilenceIsNoCompletion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOf(rapid.Custom(func(t *rapid.T) ledger.ItemCount {
			return ledger.ItemCount{
				Verdict: rapid.SampledFrom([]ledger.ItemVerdict{"", ledger.VerdictKeep, ledger.VerdictRevoke, ledger.VerdictMoot}).Draw(t, "verdict"),
				Nobody:  rapid.Bool().Draw(t, "nobody"), Items: rapid.IntRange(0, 9).Draw(t, "items"),
			}
		})).Draw(t, "counts")
		s := review.Outcome(counts)
		assert.Equal(t, s.Items, s.Moot+s.Open+s.Human+s.Silence)
		human, asked := 0, 0
		for _, c := range counts {
			if c.Verdict != ledger.VerdictMoot {
				asked += c.Items
			}
			if (c.Verdict == ledger.VerdictKeep || c.Verdict == ledger.VerdictRevoke) && !c.Nobody {
				human += c.Items
			}
		}
		if asked > 0 {
			assert.InDelta(t, float64(human)/float64(asked), s.Completion, 1e-9)
		}
	})
}

func TestWhyIsAskedByKind(t *testing.T) {
	p := rules(t)
	give := func(roles ...string) []policy.Account {
		return []policy.Account{{App: "wiki", Enabled: true, Entitlements: []policy.Entitlement{{Name: "c", Roles: roles}}}}
	}
	person := func(change func(s *review.Snapshot)) review.Snapshot {
		s := review.Snapshot{Policy: p, Seen: map[string]ledger.Observed{}, Decision: assess.Decision{Now: now}}
		s.Decision.Person.PersonID = "10004"
		s.Decision.Person.Exceptions = []ledger.Exception{{ID: 1, Kind: "grant", Role: "admin", StartsAt: now.Add(-day), EndsAt: now.Add(day)}}
		s.Decision.Desired.Standing = hr.Standing{Status: hr.StatusActive, Profile: &hr.Profile{Type: hr.TypeEmployee}}
		s.Decision.Person.Links = []ledger.Link{{PersonID: "10004", App: "wiki", AccountID: "7", State: ledger.LinkActive, Entitlements: []string{"c"}, ProvenAt: now.Add(-day)}}
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		change func(s *review.Snapshot)
		want   []string // kind and key of each item
		flags  []review.Flag
	}{
		"a role": {func(s *review.Snapshot) { s.Decision.Desired.Accounts = give("staff") }, []string{"role role:staff"}, nil},
		"a grant": {func(s *review.Snapshot) { s.Decision.Desired.Accounts = give("admin (x-1)") },
			[]string{"grant grant:x-1"}, []review.Flag{review.FlagPrivileged}},
		"a role and a grant": {func(s *review.Snapshot) { s.Decision.Desired.Accounts = give("admin (x-1)", "staff") }, []string{"role role:staff"}, nil},
		"kept after a move": {func(s *review.Snapshot) {
			s.Decision.Desired.Accounts = give("staff")
			s.Decision.Desired.Accounts[0].Entitlements[0].Until = now.Add(day)
		}, []string{"kept access:10004:wiki:", "kept access:10004:wiki:c"}, []review.Flag{review.FlagCreep}},
		"nothing": {func(*review.Snapshot) {}, []string{"stray access:10004:wiki:", "stray access:10004:wiki:c"}, []review.Flag{review.FlagCreep}},
		"accepted": {func(s *review.Snapshot) {
			s.Decision.Person.Exceptions = []ledger.Exception{{ID: 2, Kind: "accept", App: "wiki", StartsAt: now.Add(-day), EndsAt: now.Add(day)}}
		}, []string{"accepted access:10004:wiki:", "accepted access:10004:wiki:c"}, []review.Flag{review.FlagCreep}},
		"a service": {func(s *review.Snapshot) {
			s.Decision.Desired.Accounts, s.Decision.Desired.Standing.Profile = give("staff"), &hr.Profile{Type: hr.TypeService}
		}, []string{"service service:10004:wiki"}, nil},
		"withheld by an earlier review": {func(s *review.Snapshot) {
			s.Decision.Desired.Accounts = give("staff")
			s.Withheld = []ledger.Exception{{ID: 9, Kind: "withhold", App: "wiki", Entitlement: "b", Origin: "v-1/3"}}
		}, []string{"role role:staff", "withheld withheld:x-9"}, nil},
		"used long ago, new, proven by nobody": {func(s *review.Snapshot) {
			s.Seen["wiki"] = ledger.Observed{AccountID: "7", LastUsedAt: now.Add(-91 * day)}
			s.Before, s.Decision.Person.Links[0].ProvenAt = map[ledger.AccessPlace]bool{}, time.Time{}
			s.Decision.Desired.Accounts = give("admin (x-1)")
		}, []string{"grant grant:x-1"}, []review.Flag{review.FlagNeverProven, review.FlagNew, review.FlagPrivileged, review.FlagUnused}},
		"unlike the others": {func(s *review.Snapshot) {
			s.Decision.Desired.Accounts, s.Peers = give("admin (x-1)"), func(string, string) int { return 9 }
		}, []string{"grant grant:x-1"}, []review.Flag{review.FlagPeers, review.FlagPrivileged}},
	} {
		t.Run(name, func(t *testing.T) {
			items, err := review.Items(person(c.change), review.Terms{UnusedAfter: 90 * day}, nil)
			require.NoError(t, err)
			var got []string
			for _, i := range items {
				got = append(got, fmt.Sprintf("%s %s", i.Kind, i.Key))
			}
			assert.Equal(t, c.want, got)
			if c.flags != nil {
				flags := review.FactsOf(items[len(items)-1].ReviewItem).Flags
				slices.Sort(flags)
				slices.Sort(c.flags)
				for _, f := range c.flags {
					assert.Contains(t, flags, f)
				}
			}
		})
	}
}
