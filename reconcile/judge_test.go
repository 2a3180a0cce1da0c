package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/reconcile"
)

var t0 = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

var defaults = reconcile.Terms{Shrink: 0.1, Grace: 2, Flapping: 3}

// seen returns a sighting of Ada's account, which is as the ledger has it.
func seen(change func(a *reconcile.Account, l *reconcile.Link)) reconcile.Sighting {
	a := &reconcile.Account{
		At: at(10), Active: true, Entitlements: []string{"staff"},
		Seen: map[string]string{"title": "a"}, Baseline: map[string]string{"title": "a"}, BaselineAt: at(5),
	}
	l := reconcile.Link{PersonID: "ada", State: reconcile.LinkActive, Entitlements: []string{"staff"}, Quiet: at(1)}
	if change != nil {
		change(a, &l)
	}
	return reconcile.Sighting{Account: a, Present: true, Links: []reconcile.Link{l}, ProvenAt: at(1), Settled: true, AssessedAt: at(2)}
}

func match(person string, change func(m *reconcile.Match)) reconcile.Match {
	m := reconcile.Match{PersonID: person}
	if change != nil {
		change(&m)
	}
	return m
}

func nobodys(matches ...reconcile.Match) reconcile.Sighting {
	return reconcile.Sighting{Account: &reconcile.Account{At: at(10), Active: true}, Present: true, Matches: matches}
}

func finding(kind reconcile.Kind, what string, status reconcile.Status, on bool) reconcile.Finding {
	return reconcile.Finding{Kind: kind, What: what, PersonID: "ada", Enabled: on, Status: status}
}

func TestJudge(t *testing.T) {
	left := func(m *reconcile.Match) { m.Left = true }
	external := func(m *reconcile.Match) { m.ByExternal, m.Wanted = true, true }
	missing := func(scans int) reconcile.Sighting {
		s := seen(nil)
		s.Present, s.Gone = false, true
		if scans > 0 {
			s.Known = []reconcile.Known{{ID: 1, Kind: reconcile.Missing, Scans: scans}}
		}
		return s
	}
	for name, c := range map[string]struct {
		in   reconcile.Sighting
		want []reconcile.Finding
	}{
		"as it should be": {seen(nil), nil},
		"turned on again": {
			seen(func(_ *reconcile.Account, l *reconcile.Link) { l.State = reconcile.LinkDisabled }),
			[]reconcile.Finding{finding(reconcile.State, "", reconcile.Repairing, true)},
		},
		"deleted, and there again": {
			seen(func(_ *reconcile.Account, l *reconcile.Link) { l.State, l.Entitlements = reconcile.LinkDeleted, nil }),
			[]reconcile.Finding{finding(reconcile.State, "", reconcile.Repairing, true)},
		},
		"deleted, and kept by the app": {
			seen(func(a *reconcile.Account, l *reconcile.Link) { l.State, a.Active = reconcile.LinkDeleted, false }), nil,
		},
		"turned off by hand": {
			seen(func(a *reconcile.Account, _ *reconcile.Link) { a.Active = false }),
			[]reconcile.Finding{finding(reconcile.Off, "", reconcile.Open, false)},
		},
		"entitlements": {
			seen(func(a *reconcile.Account, _ *reconcile.Link) { a.Entitlements = []string{"owners", "admins"} }),
			[]reconcile.Finding{
				finding(reconcile.Lacking, "staff", reconcile.Repairing, true),
				finding(reconcile.Stray, "admins", reconcile.Open, true), finding(reconcile.Stray, "owners", reconcile.Open, true),
			},
		},
		"accepted": {
			seen(func(a *reconcile.Account, l *reconcile.Link) {
				a.Entitlements, l.Accepted = []string{"owners", "staff"}, []string{"owners"}
			}), nil,
		},
		"just adopted": {
			seen(func(a *reconcile.Account, l *reconcile.Link) {
				a.Entitlements, l.Just = []string{"owners", "staff"}, true
			}), nil,
		},
		"adopted, and all taken": {
			seen(func(a *reconcile.Account, l *reconcile.Link) {
				a.Active, l.State = false, reconcile.LinkDisabled
				a.Entitlements, l.Entitlements, l.Just, l.Stripped = []string{"owners"}, nil, true, true
				a.Seen = map[string]string{"title": "b"}
			}),
			[]reconcile.Finding{finding(reconcile.Stray, "owners", reconcile.Open, false)},
		},
		"what a rule keeps apart": {
			func() reconcile.Sighting {
				s := seen(func(a *reconcile.Account, _ *reconcile.Link) { a.Entitlements = []string{"admins", "staff"} })
				s.Duties = []string{"pay", "buy"}
				return s
			}(),
			[]reconcile.Finding{
				finding(reconcile.Duty, "buy", reconcile.Open, true), finding(reconcile.Duty, "pay", reconcile.Open, true),
				finding(reconcile.Stray, "admins", reconcile.Open, true),
			},
		},
		"an attribute": {
			seen(func(a *reconcile.Account, _ *reconcile.Link) { a.Seen = map[string]string{"title": "b", "phone": "x"} }),
			[]reconcile.Finding{finding(reconcile.Attributes, "title", reconcile.Repairing, true)},
		},
		"missing once":  {missing(0), []reconcile.Finding{finding(reconcile.Missing, "", reconcile.Pending, true)}},
		"missing twice": {missing(1), []reconcile.Finding{finding(reconcile.Missing, "", reconcile.Repairing, true)}},
		"nobody's": {
			nobodys(), []reconcile.Finding{{Kind: reconcile.Orphan, Enabled: true, Status: reconcile.Open}},
		},
		"a leaver's": {
			nobodys(match("ada", left)),
			[]reconcile.Finding{{Kind: reconcile.Orphan, PersonID: "ada", People: []string{"ada"}, Enabled: true, Status: reconcile.Open}},
		},
		"made by hand for a leaver": {
			nobodys(match("ada", func(m *reconcile.Match) { m.Left, m.ByExternal = true, true })),
			[]reconcile.Finding{{Kind: reconcile.Orphan, PersonID: "ada", People: []string{"ada"}, Enabled: true, Status: reconcile.Repairing}},
		},
		"made by hand for a leaver who has another account": {
			nobodys(match("ada", func(m *reconcile.Match) { m.Left, m.ByExternal, m.Linked = true, true, true })),
			[]reconcile.Finding{{Kind: reconcile.Orphan, People: []string{"ada"}, Enabled: true, Status: reconcile.Repairing}},
		},
		"theirs by external ID": {
			nobodys(match("ada", external)),
			[]reconcile.Finding{{Kind: reconcile.Unlinked, PersonID: "ada", People: []string{"ada"}, Enabled: true, Status: reconcile.Repairing}},
		},
		"theirs, and no role gives it": {
			nobodys(match("ada", func(m *reconcile.Match) { m.ByExternal = true })),
			[]reconcile.Finding{{Kind: reconcile.Unlinked, PersonID: "ada", People: []string{"ada"}, Enabled: true, Status: reconcile.Open}},
		},
		"theirs by something that can be guessed": {
			nobodys(match("ada", nil)),
			[]reconcile.Finding{{Kind: reconcile.Unlinked, PersonID: "ada", People: []string{"ada"}, Enabled: true, Status: reconcile.Open}},
		},
		"a second account": {
			nobodys(match("ada", func(m *reconcile.Match) { m.ByExternal, m.Wanted, m.Linked = true, true, true })),
			[]reconcile.Finding{{Kind: reconcile.Disputed, PersonID: "ada", People: []string{"ada"}, Enabled: true, Status: reconcile.Open}},
		},
		"several people's": {
			nobodys(match("zoe", nil), match("ada", left)),
			[]reconcile.Finding{{Kind: reconcile.Disputed, People: []string{"ada", "zoe"}, Enabled: true, Status: reconcile.Open}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := reconcile.Judge(c.in, defaults)
			assert.False(t, j.Unjudged)
			assert.Equal(t, c.want, j.Findings)
		})
	}
}

func TestAnOrphanThatIsToGoEndsAsTheLeaversOrAsNobodys(t *testing.T) {
	ends := defaults
	ends.Reactions = map[reconcile.Kind]reconcile.Reaction{reconcile.Orphan: reconcile.End}
	left := func(m *reconcile.Match) { m.Left = true }
	for name, c := range map[string]struct {
		matches []reconcile.Match
		want    string
	}{
		"nobody":                           {nil, ""},
		"one who has left":                 {[]reconcile.Match{match("ada", left)}, "ada"},
		"two who have left":                {[]reconcile.Match{match("ada", left), match("zoe", left)}, ""},
		"one who has left and has another": {[]reconcile.Match{match("ada", func(m *reconcile.Match) { m.Left, m.Linked = true, true })}, ""},
	} {
		found := reconcile.Judge(nobodys(c.matches...), ends).Findings
		require.Len(t, found, 1, name)
		assert.Equal(t, []any{reconcile.Orphan, c.want, reconcile.Repairing}, []any{found[0].Kind, found[0].PersonID, found[0].Status}, name)
		assert.Len(t, found[0].People, len(c.matches), name)
	}
	assert.Equal(t, reconcile.Disputed, reconcile.Judge(nobodys(match("ada", left), match("zoe", nil)), ends).Findings[0].Kind, "somebody who works here may own it")
}

func TestWhatCannotBeJudgedYet(t *testing.T) {
	busy := nobodys(match("ada", func(m *reconcile.Match) { m.Unsure = true }))
	contested := seen(nil)
	contested.Links = append(contested.Links, contested.Links[0])
	unread := seen(nil)
	unread.Present = false
	for name, s := range map[string]reconcile.Sighting{
		"older than a proof":   seen(func(a *reconcile.Account, l *reconcile.Link) { l.Quiet, a.Active = a.At, false }),
		"under way":            seen(func(a *reconcile.Account, l *reconcile.Link) { l.Unsure, a.Active = true, false }),
		"planned":              seen(func(_ *reconcile.Account, l *reconcile.Link) { l.State = reconcile.LinkPlanned }),
		"being made":           busy,
		"contested":            contested,
		"not listed, not read": unread,
	} {
		assert.Equal(t, reconcile.Judgement{Unjudged: true}, reconcile.Judge(s, defaults), name)
	}
}

func TestTheBaselineIsTakenAfterAProof(t *testing.T) {
	for name, change := range map[string]func(a *reconcile.Account, l *reconcile.Link){
		"first":        func(a *reconcile.Account, _ *reconcile.Link) { a.BaselineAt = time.Time{} },
		"since then":   func(_ *reconcile.Account, l *reconcile.Link) { l.Quiet = at(6) },
		"at that time": func(_ *reconcile.Account, l *reconcile.Link) { l.Quiet = at(5) },
	} {
		s := seen(change)
		s.Account.Seen = map[string]string{"title": "b"}
		assert.Equal(t, reconcile.Judgement{Baseline: true}, reconcile.Judge(s, defaults), name)
	}
}

func TestARepairEndsWithAProof(t *testing.T) {
	known := []reconcile.Known{{ID: 7, Kind: reconcile.State, Repairing: true, DecidedAt: at(3)}}
	s := seen(nil)
	s.Known, s.ProvenAt = known, at(2)
	s.Settled = false
	assert.Equal(t, []int64{7}, reconcile.Judge(s, defaults).Keep, "it does not show any more because the link says so")
	s.Settled = true
	assert.Equal(t, []int64{7}, reconcile.Judge(s, defaults).Keep, "nobody has assessed the person since")
	s.AssessedAt = at(4)
	assert.Empty(t, reconcile.Judge(s, defaults).Keep, "policy wants it as it is")
	s.ProvenAt = at(4)
	assert.Equal(t, []int64{7}, reconcile.Judge(s, defaults).Proven)
}

func TestDoubts(t *testing.T) {
	for name, c := range map[string]struct {
		now    reconcile.Count
		before int // below zero: none
		want   string
	}{
		"the first":                  {reconcile.Count{Accounts: 3, Reported: -1}, -1, ""},
		"fewer than the app says":    {reconcile.Count{Accounts: 3, Reported: 4}, -1, reconcile.Contradicts},
		"more than the app says":     {reconcile.Count{Accounts: 4, Reported: 3}, -1, ""},
		"a few fewer in a small one": {reconcile.Count{Accounts: 5, Reported: -1}, 25, ""},
		"more than a few":            {reconcile.Count{Accounts: 79, Reported: -1}, 100, reconcile.Shrank},
		"a few of many":              {reconcile.Count{Accounts: 910, Reported: -1}, 1000, ""},
		"too many of many":           {reconcile.Count{Accounts: 899, Reported: -1}, 1000, reconcile.Shrank},
		"all":                        {reconcile.Count{Accounts: 0, Reported: -1}, 3, reconcile.Shrank},
		"never any":                  {reconcile.Count{Accounts: 0, Reported: 0}, 0, ""},
	} {
		var before *reconcile.Count
		if c.before >= 0 {
			before = &reconcile.Count{Accounts: c.before, Reported: -1}
		}
		assert.Equal(t, c.want, defaults.Doubts(c.now, before), name)
	}
}

func TestWhatAnAppNeverListsIsNotDoubtedEachTime(t *testing.T) {
	before := &reconcile.Count{Accounts: 100, Reported: 103}
	assert.Empty(t, defaults.Doubts(reconcile.Count{Accounts: 101, Reported: 104}, before))
	assert.Equal(t, reconcile.Contradicts, defaults.Doubts(reconcile.Count{Accounts: 101, Reported: 105}, before))
}

// anySighting draws what may be known of an account.
func anySighting(t *rapid.T) reconcile.Sighting {
	names := []string{"admins", "staff", "owners"}
	some := func(label string) []string {
		return rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, label)
	}
	minute := func(label string) time.Time { return at(rapid.IntRange(0, 9).Draw(t, label)) }
	s := reconcile.Sighting{
		Present: rapid.Bool().Draw(t, "present"), Gone: rapid.Bool().Draw(t, "gone"), Protected: rapid.Bool().Draw(t, "protected"),
		ProvenAt: minute("proven"), Settled: rapid.Bool().Draw(t, "settled"), AssessedAt: minute("assessed"),
	}
	if s.Present {
		digests := rapid.MapOf(rapid.SampledFrom([]string{"title", "phone"}), rapid.SampledFrom([]string{"a", "b"}))
		s.Account = &reconcile.Account{
			At: minute("at"), Active: rapid.Bool().Draw(t, "active"), Entitlements: some("has"),
			Seen: digests.Draw(t, "seen"), Baseline: digests.Draw(t, "baseline"), BaselineAt: minute("baselineAt"),
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "links") {
		s.Links = append(s.Links, reconcile.Link{
			PersonID: "ada", Entitlements: some("given"), Quiet: minute("quiet"), Unsure: rapid.Bool().Draw(t, "unsure"), Just: rapid.Bool().Draw(t, "just"),
			State: rapid.SampledFrom([]reconcile.LinkState{reconcile.LinkPlanned, reconcile.LinkActive, reconcile.LinkDisabled, reconcile.LinkDeleted}).Draw(t, "state"),
		})
	}
	if len(s.Links) == 0 {
		for _, person := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"ada", "zoe", "kim"}), rapid.ID).Draw(t, "matches") {
			s.Matches = append(s.Matches, reconcile.Match{
				PersonID: person, ByExternal: rapid.Bool().Draw(t, "external"), Left: rapid.Bool().Draw(t, "left"),
				Linked: rapid.Bool().Draw(t, "linked"), Wanted: rapid.Bool().Draw(t, "wanted"), Unsure: rapid.Bool().Draw(t, "busy"),
			})
		}
	}
	for i, kind := range rapid.SliceOfDistinct(rapid.SampledFrom(reconcile.Kinds()), rapid.ID).Draw(t, "known") {
		s.Known = append(s.Known, reconcile.Known{ID: int64(i + 1), Kind: kind, Repairing: rapid.Bool().Draw(t, "repairing"), DecidedAt: minute("decided"), Scans: 1})
	}
	return s
}

func TestJudgeNeverGoesTooFar(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anySighting(rt)
		terms := defaults
		terms.Reactions = map[reconcile.Kind]reconcile.Reaction{}
		for _, kind := range reconcile.Kinds() {
			terms.Reactions[kind] = rapid.SampledFrom(reconcile.Choices(kind)).Draw(rt, "reaction")
		}
		j := reconcile.Judge(s, terms)
		if s.Protected {
			require.Equal(rt, reconcile.Judgement{}, j, "protected accounts are never judged")
			return
		}
		if j.Unjudged {
			require.Equal(rt, reconcile.Judgement{Unjudged: true}, j)
			return
		}
		type key struct {
			kind reconcile.Kind
			what string
		}
		seen := map[key]bool{}
		for _, f := range j.Findings {
			require.False(rt, seen[key{f.Kind, f.What}], "one finding for each difference")
			seen[key{f.Kind, f.What}] = true
			if f.Status == reconcile.Repairing {
				if f.Kind == reconcile.Orphan {
					for _, m := range s.Matches {
						require.True(rt, m.Left, "nobody who works here loses an account as nobody's")
					}
				} else {
					require.NotEmpty(rt, f.PersonID, "a repair is about somebody")
				}
				if f.Kind == reconcile.Unlinked || f.Kind == reconcile.Orphan && f.PersonID != "" {
					require.Len(rt, s.Matches, 1)
					require.False(rt, s.Matches[0].Linked, "nobody gets a second account")
				}
				if f.Kind == reconcile.Unlinked {
					require.True(rt, s.Matches[0].ByExternal, "nobody gets an account by what others can guess")
					require.True(rt, s.Matches[0].Wanted, "nobody who works here loses an account by being linked to it")
				}
			}
			if len(s.Links) == 1 && f.Kind != reconcile.Missing {
				require.True(rt, s.Account.At.After(s.Links[0].Quiet), "nothing is judged that is older than a proof")
				require.False(rt, s.Links[0].Unsure)
			}
			if f.Kind == reconcile.Missing {
				require.True(rt, s.Gone && !s.Present)
			}
		}
	})
}
