package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

func noted(kind ledger.IdentifierKind, value, personID string, since time.Time) ledger.Identifier {
	return ledger.Identifier{Kind: kind, Value: value, PersonID: personID, Since: since}
}

// called returns the kinds and values of what a person is called.
func called(t *testing.T, l ledger.Ledger, personID string) []string {
	t.Helper()
	ids, err := l.Identifiers(t.Context(), personID)
	require.NoError(t, err)
	return each(ids, func(i ledger.Identifier) string { return string(i.Kind) + "/" + i.App + "/" + i.Value })
}

var identifierTests = tests{
	"WhatSomebodyIsCalledIsNeverRemoved": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "Ada")
		assess(t, l, "Ada", 2, func(a *ledger.Assessment) {
			a.Identifiers = []ledger.Identifier{
				noted(ledger.IdentifiesPerson, "Ada", "", time.Time{}), noted(ledger.IdentifiesEmail, " Ada@Example.com", "", time.Time{}),
				noted(ledger.IdentifiesEmployee, "", "", time.Time{}),
			}
		})
		assess(t, l, "Ada", 3, func(a *ledger.Assessment) {
			a.Identifiers = []ledger.Identifier{noted(ledger.IdentifiesEmail, "zoë@example.com", "", time.Time{})}
		})
		putLink(t, l, ledger.Link{PersonID: "Ada", App: "chat", AccountID: "Aa1", State: ledger.LinkActive})
		putLink(t, l, ledger.Link{PersonID: "Ada", App: "chat", State: ledger.LinkDeleted})
		_, err := l.RenamePerson(t.Context(), ledger.Rename{PersonID: "Ada", Base: "Lovelace", At: at(4), Operator: "ops", Reason: "married"})
		require.NoError(t, err)
		assert.Equal(t, []string{
			"account/chat/Aa1", "account/wiki/account of Ada", "email//ada@example.com", "email//zoë@example.com",
			"person//Ada", "username//ada", "username//lovelace",
		}, called(t, l, "Ada"))
	},
	"WhoIsNotIdentifiedYet": func(t *testing.T, l ledger.Ledger) {
		for _, id := range []string{"c", "a", "b"} {
			record(t, l, received(id, "hired "+id, 0))
		}
		require.NoError(t, l.NoteIdentifiers(t.Context(), at(1), []ledger.Identifier{
			noted(ledger.IdentifiesPerson, "b", "b", time.Time{}), noted(ledger.IdentifiesEmail, "x@example.com", "a", time.Time{}),
			noted(ledger.IdentifiesEmail, "x@example.com", "b", time.Time{}),
		}))
		ids, err := l.Unidentified(t.Context(), "", all)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "c"}, ids)
		ids, err = l.Unidentified(t.Context(), "a", 1)
		require.NoError(t, err)
		assert.Equal(t, []string{"c"}, ids)
		assert.Zero(t, read(t, l, "b").AssessedAt)
		assert.Equal(t, []string{"email//x@example.com", "person//b"}, called(t, l, "b"))
		again, err := l.Identifiers(t.Context(), "b")
		require.NoError(t, err)
		assert.Equal(t, noted(ledger.IdentifiesPerson, "b", "b", at(1)), again[1])
	},
}

// scanned makes a scan of the wiki that saw these accounts, at some minutes after t0.
func scanned(t *testing.T, l ledger.Ledger, key string, minutes int, accounts ...ledger.Observed) ledger.Scan {
	t.Helper()
	scan, err := l.BeginScan(t.Context(), "wiki", key, at(minutes))
	require.NoError(t, err)
	for i := range accounts {
		accounts[i].At = at(minutes)
	}
	require.NoError(t, l.Observe(t.Context(), ledger.Listed{Scan: scan.ID, Accounts: accounts}))
	scan, err = l.EndListing(t.Context(), scan.ID, at(minutes), -1)
	require.NoError(t, err)
	return scan
}

func sightings(t *testing.T, l ledger.Ledger, scan ledger.Scan, minutes int) []ledger.Sighting {
	t.Helper()
	page, err := l.Sightings(t.Context(), scan.ID, "", at(minutes), all)
	require.NoError(t, err)
	return page
}

// verdicts stores a comparison of a scan.
func verdicts(t *testing.T, l ledger.Ledger, scan ledger.Scan, minutes int, all ...ledger.Verdict) []string {
	t.Helper()
	due, err := l.SaveVerdicts(t.Context(), compared(scan, minutes, all...))
	require.NoError(t, err)
	require.NoError(t, l.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: at(minutes), State: ledger.ScanDone}))
	return due
}

func compared(scan ledger.Scan, minutes int, all ...ledger.Verdict) ledger.Compared {
	return ledger.Compared{Scan: scan.ID, At: at(minutes), After: scan.Place, Verdicts: all, Flapping: 2, FlapsSince: at(minutes - 1000)}
}

// found returns a finding about ada.
func found(kind ledger.FindingKind, what string, state ledger.FindingStatus) ledger.Finding {
	return ledger.Finding{Kind: kind, What: what, PersonID: "ada", Enabled: true, State: state}
}

func findings(t *testing.T, l ledger.Ledger) []ledger.Finding {
	t.Helper()
	list, err := l.Findings(t.Context(), ledger.FindingFilter{Ended: true}, 0, all)
	require.NoError(t, err)
	return list
}

// turnedOff makes somebody whose account in the wiki is proven off.
func turnedOff(t *testing.T, l ledger.Ledger, id string) ledger.Link {
	t.Helper()
	link := worker(t, l, id)
	link.State, link.DisabledAt, link.StrippedAt = ledger.LinkDisabled, at(1), at(1)
	putLink(t, l, link)
	assess(t, l, id, 2, func(a *ledger.Assessment) { a.Summary.Status = hr.StatusEnded })
	return link
}

var scanTests = tests{
	"AScanIsFoundAgainByItsKey": func(t *testing.T, l ledger.Ledger) {
		first, err := l.BeginScan(t.Context(), "wiki", "run 1", at(1))
		require.NoError(t, err)
		other, err := l.BeginScan(t.Context(), "chat", "run 1", at(1))
		require.NoError(t, err)
		again, err := l.BeginScan(t.Context(), "wiki", "run 1", at(5))
		require.NoError(t, err)
		assert.Equal(t, first, again)
		second, err := l.BeginScan(t.Context(), "wiki", "run 2", at(6))
		require.NoError(t, err)
		assert.Greater(t, second.ID, first.ID)
		scans, err := l.Scans(t.Context(), "", all)
		require.NoError(t, err)
		first.State, first.EndedAt = ledger.ScanAbandoned, at(6)
		assert.Equal(t, []ledger.Scan{second, other, first}, scans)
		scans, err = l.Scans(t.Context(), "wiki", 1)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Scan{second}, scans)

		require.NoError(t, l.Observe(t.Context(), ledger.Listed{Scan: first.ID, Accounts: []ledger.Observed{{AccountID: "1", At: at(1)}}}))
		_, seen, err := l.Seen(t.Context(), "wiki", "1")
		require.NoError(t, err)
		assert.False(t, seen, "a scan that is abandoned sees nothing more")
	},
	"PagesAreStoredInOrderAndOnce": func(t *testing.T, l ledger.Ledger) {
		scan, err := l.BeginScan(t.Context(), "wiki", "run 1", at(1))
		require.NoError(t, err)
		one := ledger.Observed{
			AccountID: "1", At: at(2), Username: "Zoë", ExternalID: "p1", Addresses: []string{"zoë@example.com"}, Employee: "7", Active: true,
			Entitlements: []string{"Größe", "staff"}, LastUsedAt: at(-9), Seen: map[string]string{"title": "ab"},
		}
		page := ledger.Listed{Scan: scan.ID, Next: "page 2", Accounts: []ledger.Observed{one}}
		require.NoError(t, l.Observe(t.Context(), page))
		page.Accounts[0].Username = "later"
		require.NoError(t, l.Observe(t.Context(), page), "it begins elsewhere by now")
		require.NoError(t, l.Observe(t.Context(), ledger.Listed{Scan: scan.ID, Token: "page 2", Accounts: []ledger.Observed{{AccountID: "2", At: at(3)}}}))
		scan, err = l.EndListing(t.Context(), scan.ID, at(4), 2)
		require.NoError(t, err)
		assert.Equal(t, ledger.Scan{
			ID: scan.ID, App: "wiki", Key: "run 1", State: ledger.ScanComparing, StartedAt: at(1), ListedAt: at(4), Accounts: 2, Enabled: 1, Reported: 2, Pages: 2,
		}, scan)
		again, err := l.EndListing(t.Context(), scan.ID, at(9), 7)
		require.NoError(t, err)
		assert.Equal(t, scan, again)
		got, seen, err := l.Seen(t.Context(), "wiki", "1")
		require.NoError(t, err)
		require.True(t, seen)
		one.App, one.Scan, one.FirstAt, one.Username = "wiki", scan.ID, at(2), "Zoë"
		assert.Equal(t, one, got)
		none, err := l.LastScans(t.Context())
		require.NoError(t, err)
		assert.Empty(t, none)
		require.NoError(t, l.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: at(5), State: ledger.ScanDone}))
		require.NoError(t, l.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: at(6), State: ledger.ScanFailed, Why: "x"}))
		last, err := l.LastScans(t.Context())
		require.NoError(t, err)
		require.Len(t, last, 1)
		assert.Equal(t, at(5), last[0].EndedAt)
		assert.Equal(t, ledger.ScanDone, last[0].State)
	},
	"TheAccountsOfAScanAreListed": func(t *testing.T, l ledger.Ledger) {
		seen := func(id string) ledger.Observed {
			return ledger.Observed{AccountID: id, Username: "of " + id, Active: true}
		}
		first := scanned(t, l, "run 1", 1, seen("b"), seen("a"), seen("gone"))
		second := scanned(t, l, "run 2", 3, seen("c"), seen("b"), seen("a"))
		listed := func(scan int64, after string, limit int) (ids []string) {
			page, err := l.Listing(t.Context(), "wiki", scan, after, limit)
			require.NoError(t, err)
			return each(page, func(o ledger.Observed) string { return o.AccountID })
		}
		assert.Equal(t, 1, second.Pages)
		assert.Equal(t, []string{"a", "b", "c"}, listed(second.ID, "", 9))
		assert.Equal(t, []string{"a", "b", "c", "gone"}, listed(first.ID, "", 9))
		assert.Equal(t, []string{"b"}, listed(second.ID, "a", 1))
		none, err := l.Listing(t.Context(), "mail", 0, "", 9)
		require.NoError(t, err)
		assert.Empty(t, none)
	},
	"ASuspiciousListIsBelievedOnAnOperatorsWord": func(t *testing.T, l ledger.Ledger) {
		b := ledger.Belief{App: "wiki", Operator: "ops", Reason: "half of them left", At: at(9)}
		var refused *ledger.DecisionError
		require.ErrorAs(t, l.Believe(t.Context(), b), &refused)
		scan := scanned(t, l, "run 1", 1)
		require.NoError(t, l.EndScan(t.Context(), ledger.ScanEnd{Scan: scan.ID, At: at(2), State: ledger.ScanSuspicious, Why: "shrank"}))
		require.NoError(t, l.Believe(t.Context(), b))
		require.NoError(t, l.Believe(t.Context(), b))
		scans, err := l.Scans(t.Context(), "wiki", 1)
		require.NoError(t, err)
		assert.Equal(t, []any{at(9), "ops", "half of them left", "shrank"}, []any{scans[0].BelievedAt, scans[0].BelievedBy, scans[0].BelieveReason, scans[0].Why})
		rows := audit(t, l, "")
		require.Len(t, rows, 1)
		assert.Equal(t, ledger.AuditScanBelieved, rows[0].Action)
	},
	"AccountsAreSeenWithWhatTheLedgerSays": func(t *testing.T, l ledger.Ledger) {
		ada := worker(t, l, "ada")
		worker(t, l, "zoe")
		gone := worker(t, l, "gone")
		gone.State, gone.Binned, gone.AccountID = ledger.LinkDeleted, ledger.Binned{AccountID: "account of gone", At: at(1)}, ""
		putLink(t, l, gone)
		newcomer(t, l, "new")
		claim(t, l, "new", "newcomer")
		require.NoError(t, l.NoteIdentifiers(t.Context(), at(1), []ledger.Identifier{
			noted(ledger.IdentifiesPerson, "new", "new", time.Time{}),
			noted(ledger.IdentifiesEmail, "shared@example.com", "new", time.Time{}), noted(ledger.IdentifiesEmail, "shared@example.com", "zoe", time.Time{}),
		}))
		begin(t, l, attempt("ada", "wiki", "k", 5))
		begin(t, l, attempt("new", "wiki", "k", 5))
		scan := scanned(t, l, "run 1", 7,
			ledger.Observed{AccountID: "account of ada", Active: true}, ledger.Observed{AccountID: "account of gone", Active: true},
			ledger.Observed{AccountID: "n1", ExternalID: "new", Username: "x"}, ledger.Observed{AccountID: "n2", Username: "NewComer", Addresses: []string{"shared@example.com"}},
			ledger.Observed{AccountID: "n3", Addresses: []string{"shared@example.com"}}, ledger.Observed{AccountID: "n4", ExternalID: "nobody", Username: "newcomer"},
		)
		byID := map[string]ledger.Sighting{}
		for _, s := range sightings(t, l, scan, 6) {
			byID[s.AccountID] = s
		}
		require.Len(t, byID, 7)
		it := byID["account of ada"]
		assert.True(t, it.Busy)
		require.Len(t, it.Links, 1)
		assert.Equal(t, ada.AccountID, it.Links[0].AccountID)
		assert.Empty(t, it.Candidates)
		assert.Nil(t, byID["account of zoe"].Observed)
		assert.False(t, byID["account of zoe"].Busy)
		assert.Equal(t, ledger.LinkDeleted, byID["account of gone"].Links[0].State)
		whom := func(id string) []string {
			return each(byID[id].Candidates, func(c ledger.Candidate) string { return c.PersonID + " by " + string(c.By) })
		}
		assert.Equal(t, []string{"new by person"}, whom("n1"))
		assert.True(t, byID["n1"].Candidates[0].Busy)
		assert.Equal(t, []string{"new by username"}, whom("n2"), "the surer key")
		assert.Equal(t, []string{"new by email", "zoe by email"}, whom("n3"))
		assert.Equal(t, ledger.LinkActive, byID["n3"].Candidates[1].Link.State)
		assert.Empty(t, whom("n4"), "it carries somebody else's ID")

		some, err := l.Sightings(t.Context(), scan.ID, "account of gone", at(6), 2)
		require.NoError(t, err)
		assert.Equal(t, []string{"account of zoe", "n1"}, each(some, func(s ledger.Sighting) string { return s.AccountID }))
	},
	"ARepairSaysWhatTheAppShows": func(t *testing.T, l ledger.Ledger) {
		was := turnedOff(t, l, "ada")
		scan := scanned(t, l, "run 1", 10, ledger.Observed{AccountID: was.AccountID, Active: true, Seen: map[string]string{"title": "ab"}})
		verdict := ledger.Verdict{AccountID: was.AccountID, Baseline: true, Findings: []ledger.Finding{found(ledger.FindingState, "", ledger.FindingRepairing)}}
		assert.Equal(t, []string{"ada"}, verdicts(t, l, scan, 11, verdict))
		p := read(t, l, "ada")
		now := was
		now.State, now.ProvenAt, now.DisabledAt, now.StrippedAt = ledger.LinkActive, at(10), time.Time{}, time.Time{}
		assert.Equal(t, []ledger.Link{now}, p.Links)
		assert.Equal(t, ledger.DueDrift, p.DueWhat)
		assert.Equal(t, at(11), p.DueAt)
		rows := audit(t, l, "ada")
		assert.Equal(t, ledger.AuditDriftSeen, rows[len(rows)-1].Action)
		assert.Equal(t, "disabled", rows[len(rows)-1].Detail["was"])
		all := findings(t, l)
		require.Len(t, all, 1)
		assert.Equal(t, ledger.FindingRepairing, all[0].State)
		assert.Equal(t, []any{ledger.ActorTenure, at(11)}, []any{all[0].DecidedBy, all[0].DecidedAt})
		seen, _, err := l.Seen(t.Context(), "wiki", was.AccountID)
		require.NoError(t, err)
		assert.Equal(t, []any{seen.Seen, at(10)}, []any{seen.Baseline, seen.BaselineAt})

		due, err := l.SaveVerdicts(t.Context(), compared(scan, 11, verdict))
		require.NoError(t, err)
		assert.Empty(t, due, "the page was stored before")

		// It is not proven yet, and then it is.
		next := scanned(t, l, "run 2", 20, ledger.Observed{AccountID: was.AccountID, Active: true})
		verdicts(t, l, next, 21, ledger.Verdict{AccountID: was.AccountID, Keep: []int64{all[0].ID}})
		assert.Equal(t, ledger.FindingRepairing, findings(t, l)[0].State)
		last := scanned(t, l, "run 3", 30, ledger.Observed{AccountID: was.AccountID})
		verdicts(t, l, last, 31, ledger.Verdict{AccountID: was.AccountID})
		ended := findings(t, l)[0]
		assert.Equal(t, []any{ledger.FindingRepaired, at(31)}, []any{ended.State, ended.EndedAt})
	},
	"ARepairNeverOverwritesWhatIsNewer": func(t *testing.T, l ledger.Ledger) {
		was := turnedOff(t, l, "ada")
		scan := scanned(t, l, "run 1", 10, ledger.Observed{AccountID: was.AccountID, Active: true})
		verdict := ledger.Verdict{AccountID: was.AccountID, Findings: []ledger.Finding{found(ledger.FindingState, "", ledger.FindingRepairing)}}
		begun := begin(t, l, attempt("ada", "wiki", "k", 11))
		assert.Empty(t, verdicts(t, l, scan, 12, verdict), "an attempt may be under way")
		assert.Equal(t, ledger.LinkDisabled, read(t, l, "ada").Links[0].State)
		assert.Equal(t, []any{ledger.FindingPending, "newer"}, []any{findings(t, l)[0].State, findings(t, l)[0].Why})

		proven := was
		proven.ProvenAt = at(13)
		o := outcome("ada", "wiki", "k", 13, ledger.StepDone)
		o.Attempt, o.Link = begun.Attempt, &proven
		finish(t, l, o)
		var refused *ledger.DecisionError
		_, err := l.RepairFinding(t.Context(), ledger.FindingDecision{ID: findings(t, l)[0].ID, Operator: "ops", Reason: "now", At: at(14)})
		require.ErrorAs(t, err, &refused, "it was proven since it was seen")
		assert.Equal(t, ledger.LinkDisabled, read(t, l, "ada").Links[0].State)
	},
	"WhatIsRepairedAgainAndAgainIsAskedAbout": func(t *testing.T, l ledger.Ledger) {
		was := turnedOff(t, l, "ada")
		for turn := range 3 {
			minutes := 10 + 10*turn
			scan := scanned(t, l, "run "+string(rune('a'+turn)), minutes, ledger.Observed{AccountID: was.AccountID, Active: true})
			v := ledger.Verdict{AccountID: was.AccountID, Findings: []ledger.Finding{found(ledger.FindingState, "", ledger.FindingRepairing)}}
			for _, f := range findings(t, l) {
				v.Proven = append(v.Proven, f.ID)
			}
			verdicts(t, l, scan, minutes+1, v)
			off := was
			off.ProvenAt = at(minutes + 2)
			o := outcome("ada", "wiki", "off", minutes+2, ledger.StepDone)
			o.Link = &off
			finish(t, l, o)
		}
		assert.Equal(t, []ledger.FindingStatus{ledger.FindingRepaired, ledger.FindingRepaired, ledger.FindingOpen},
			each(findings(t, l), func(f ledger.Finding) ledger.FindingStatus { return f.State }))
		assert.Equal(t, "flapping", findings(t, l)[2].Why)
	},
	"EachKindIsRepairedInItsWay": func(t *testing.T, l ledger.Ledger) {
		link := ledger.Link{
			PersonID: "ada", App: "wiki", AccountID: "1", Username: "ada", State: ledger.LinkActive, Entitlements: []string{"lost", "staff"},
			Attributes: "digest", CreatedAt: at(1), ProvenAt: at(1),
		}
		for _, c := range []struct {
			f     ledger.Finding
			seen  ledger.Observed
			check func(t *testing.T, now ledger.Link)
		}{
			{found(ledger.FindingOff, "", ledger.FindingRepairing), ledger.Observed{}, func(t *testing.T, now ledger.Link) {
				assert.Equal(t, []any{ledger.LinkDisabled, at(10)}, []any{now.State, now.DisabledAt})
			}},
			{found(ledger.FindingAttributes, "title", ledger.FindingRepairing), ledger.Observed{Active: true}, func(t *testing.T, now ledger.Link) {
				assert.Equal(t, ledger.AttributesUnknown, now.Attributes)
			}},
			{found(ledger.FindingLacking, "lost", ledger.FindingRepairing), ledger.Observed{Active: true, Entitlements: []string{"staff"}}, func(t *testing.T, now ledger.Link) {
				assert.Equal(t, []string{"staff"}, now.Entitlements)
			}},
			{found(ledger.FindingStray, "admins", ledger.FindingRepairing), ledger.Observed{Active: true, Entitlements: []string{"admins", "lost", "staff"}}, func(t *testing.T, now ledger.Link) {
				assert.Equal(t, []string{"admins", "lost", "staff"}, now.Entitlements)
			}},
		} {
			record(t, l, received("ada", "hired", 0))
			putAgain(t, l, link)
			c.seen.AccountID = "1"
			scan := scanned(t, l, string(c.f.Kind), 10, c.seen)
			assert.Equal(t, []string{"ada"}, verdicts(t, l, scan, 11, ledger.Verdict{AccountID: "1", Findings: []ledger.Finding{c.f}}), c.f.Kind)
			c.check(t, read(t, l, "ada").Links[0])
		}
		putAgain(t, l, link)
		scan := scanned(t, l, "missing", 20)
		verdicts(t, l, scan, 21, ledger.Verdict{AccountID: "1", Findings: []ledger.Finding{found(ledger.FindingMissing, "", ledger.FindingRepairing)}})
		now := read(t, l, "ada").Links[0]
		assert.Equal(t, []any{ledger.LinkDeleted, at(21), "", "1"}, []any{now.State, now.DeletedAt, now.AccountID, now.Binned.AccountID})

		// It is there again.
		back := scanned(t, l, "back", 30, ledger.Observed{AccountID: "1", Active: true, Username: "ada"})
		require.Len(t, sightings(t, l, back, 30), 1)
		verdicts(t, l, back, 31, ledger.Verdict{AccountID: "1", Findings: []ledger.Finding{found(ledger.FindingState, "", ledger.FindingRepairing)}})
		now = read(t, l, "ada").Links[0]
		assert.Equal(t, []any{ledger.LinkActive, "1", ledger.Binned{}}, []any{now.State, now.AccountID, now.Binned})
	},
	"AnAccountThatIsNobodysIsLinkedToWhoeverIsNamed": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "ada")
		newcomer(t, l, "new")
		scan := scanned(t, l, "run 1", 10, ledger.Observed{AccountID: "7", Username: "who", Active: true})
		verdicts(t, l, scan, 11, ledger.Verdict{AccountID: "7", Findings: []ledger.Finding{{Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingOpen}}})
		counts, err := l.CountFindings(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.FindingCount{{App: "wiki", Kind: ledger.FindingOrphan, State: ledger.FindingOpen, Enabled: true, N: 1, Oldest: at(11)}}, counts)
		id := findings(t, l)[0].ID
		var refused *ledger.DecisionError
		for _, personID := range []string{"", "ada"} {
			_, err = l.RepairFinding(t.Context(), ledger.FindingDecision{ID: id, PersonID: personID, Operator: "ops", Reason: "theirs", At: at(12)})
			require.ErrorAs(t, err, &refused, personID)
		}
		_, err = l.RepairFinding(t.Context(), ledger.FindingDecision{ID: 999, PersonID: "new", Operator: "ops", Reason: "theirs", At: at(12)})
		require.ErrorIs(t, err, ledger.ErrNotFound)
		d := ledger.FindingDecision{ID: id, PersonID: "new", Operator: "ops", Reason: "theirs", At: at(12)}
		f, err := l.RepairFinding(t.Context(), d)
		require.NoError(t, err)
		assert.Equal(t, []any{"new", ledger.FindingRepairing, "ops", "theirs"}, []any{f.PersonID, f.State, f.DecidedBy, f.Reason})
		again, err := l.RepairFinding(t.Context(), d)
		require.NoError(t, err)
		assert.Equal(t, f, again)
		link := read(t, l, "new").Links[0]
		assert.Equal(t, []any{"7", ledger.LinkActive, true}, []any{link.AccountID, link.State, link.Adopted})
		assert.Equal(t, ledger.DueDrift, read(t, l, "new").DueWhat)
	},
	"AnOrphanThatIsToGoIsAPersonOfItsOwn": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "ada")
		orphan := ledger.Finding{Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingRepairing, Candidates: []string{"ada"}}
		scan := scanned(t, l, "run 1", 10, ledger.Observed{AccountID: "7", Username: "who", Active: true})
		assert.Equal(t, []string{"orphan:f-1"}, verdicts(t, l, scan, 11, ledger.Verdict{AccountID: "7", Findings: []ledger.Finding{orphan}}))
		f := findings(t, l)[0]
		assert.Equal(t, []any{"orphan:f-1", ledger.FindingRepairing, []string{"ada"}}, []any{f.PersonID, f.State, f.Candidates})
		p := read(t, l, "orphan:f-1")
		require.Len(t, p.Links, 1)
		assert.Equal(t, []any{"7", ledger.LinkActive, true, ledger.DueDrift}, []any{p.Links[0].AccountID, p.Links[0].State, p.Links[0].Adopted, p.DueWhat})
		assert.Empty(t, p.Events)
		assert.Equal(t, "7", sightings(t, l, scanned(t, l, "run 2", 12, ledger.Observed{AccountID: "7", Username: "who", Active: true}), 12)[0].Links[0].AccountID)

		// Nobody matches by what stands for an account.
		require.NoError(t, l.NoteIdentifiers(t.Context(), at(13), []ledger.Identifier{noted(ledger.IdentifiesUsername, "who", "orphan:f-1", time.Time{})}))
		for _, s := range sightings(t, l, scanned(t, l, "run 3", 14, ledger.Observed{AccountID: "8", Username: "who", Active: true}), 14) {
			assert.Empty(t, s.Candidates)
		}

		d := ledger.FindingDecision{ID: 1, Orphan: true, Operator: "ops", Reason: "nobody knows it", At: at(20)}
		var refused *ledger.DecisionError
		_, err := l.RepairFinding(t.Context(), d)
		require.ErrorAs(t, err, &refused, "it ends already")
	},
	"HowManyAccountsAreNobodys": func(t *testing.T, l ledger.Ledger) {
		rates := func() []ledger.OrphanRate {
			t.Helper()
			all, err := l.OrphanRates(t.Context())
			require.NoError(t, err)
			return all
		}
		assert.Empty(t, rates())
		worker(t, l, "ada")
		on := ledger.Observed{AccountID: "account of ada", Active: true}
		orphan := func(id string, enabled bool, state ledger.FindingStatus) ledger.Verdict {
			return ledger.Verdict{AccountID: id, Findings: []ledger.Finding{{Kind: ledger.FindingOrphan, Enabled: enabled, State: state}}}
		}
		list := []ledger.Observed{on, {AccountID: "7", Active: true}, {AccountID: "8", Active: true}, {AccountID: "9"}}
		verdicts(t, l, scanned(t, l, "run 1", 10, list...), 11,
			orphan("7", true, ledger.FindingOpen), orphan("8", true, ledger.FindingRepairing), orphan("9", false, ledger.FindingReported))
		first := ledger.OrphanRate{App: "wiki", At: at(11), Accounts: 3, Orphans: 2, Off: 1}
		assert.Equal(t, []ledger.OrphanRate{first}, rates())
		assert.InDelta(t, 0.667, first.Share(), 0.001)
		assert.Zero(t, ledger.OrphanRate{Orphans: 1}.Share())

		// One is turned off, and kept.
		ends := findings(t, l)[1].PersonID
		link := read(t, l, ends).Links[0]
		link.State, link.DisabledAt, link.ProvenAt = ledger.LinkDisabled, at(13), at(13)
		putLink(t, l, link)
		assert.Equal(t, []ledger.OrphanRate{first}, rates(), "the last scan saw it on")
		list[2].Active = false
		second := []ledger.Verdict{orphan("7", true, ledger.FindingOpen), {AccountID: "8", Proven: []int64{2}}, orphan("9", false, ledger.FindingReported)}
		verdicts(t, l, scanned(t, l, "run 2", 20, list...), 21, second...)
		again := ledger.OrphanRate{App: "wiki", At: at(21), Accounts: 2, Orphans: 1, Off: 2}
		assert.Equal(t, []ledger.OrphanRate{again}, rates())

		// Somebody turns it on again.
		list[2].Active = true
		second[1] = ledger.Verdict{AccountID: "8", Findings: []ledger.Finding{{Kind: ledger.FindingState, PersonID: ends, Enabled: true, State: ledger.FindingRepairing}}}
		verdicts(t, l, scanned(t, l, "run 3", 30, list...), 31, second...)
		third := ledger.OrphanRate{App: "wiki", At: at(31), Accounts: 3, Orphans: 2, Off: 1}
		assert.Equal(t, []ledger.OrphanRate{third}, rates())

		history, err := l.OrphanHistory(t.Context(), at(11), at(31))
		require.NoError(t, err)
		assert.Equal(t, []ledger.OrphanRate{first, again}, history, "each scan's own, whatever was found since")
	},
	"AnOperatorEndsAnOrphanAndFreesItAgain": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "ada")
		scan := scanned(t, l, "run 1", 10, ledger.Observed{AccountID: "7", Username: "who", Active: true})
		open := ledger.Finding{Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingOpen}
		verdicts(t, l, scan, 11, ledger.Verdict{AccountID: "7", Findings: []ledger.Finding{open}})
		d := ledger.FindingDecision{ID: 1, Orphan: true, Operator: "ops", Reason: "nobody knows it", At: at(12)}
		free := ledger.FindingDecision{ID: 1, Operator: "ops", Reason: "it is ada's", At: at(20)}
		_, err := l.FreeOrphan(t.Context(), free)
		require.ErrorIs(t, err, ledger.ErrNotFound, "nobody stands for it")
		f, err := l.RepairFinding(t.Context(), d)
		require.NoError(t, err)
		assert.Equal(t, []any{"orphan:f-1", ledger.FindingRepairing, "ops"}, []any{f.PersonID, f.State, f.DecidedBy})
		again, err := l.RepairFinding(t.Context(), d)
		require.NoError(t, err)
		assert.Equal(t, f, again)

		// It is proven off, and kept.
		begun := begin(t, l, attempt("orphan:f-1", "wiki", "off", 13))
		var refused *ledger.DecisionError
		_, err = l.FreeOrphan(t.Context(), ledger.FindingDecision{ID: 1, Operator: "ops", Reason: "it is ada's", At: at(13)})
		require.ErrorAs(t, err, &refused, "a step may be under way")
		off := read(t, l, "orphan:f-1").Links[0]
		off.State, off.DisabledAt, off.ProvenAt = ledger.LinkDisabled, at(13), at(13)
		o := outcome("orphan:f-1", "wiki", "off", 13, ledger.StepDone)
		o.Attempt, o.Link = begun.Attempt, &off
		finish(t, l, o)
		verdicts(t, l, scanned(t, l, "run 2", 14, ledger.Observed{AccountID: "7", Username: "who"}), 15, ledger.Verdict{AccountID: "7", Proven: []int64{1}})
		assert.Equal(t, ledger.FindingRepaired, findings(t, l)[0].State)

		f, err = l.FreeOrphan(t.Context(), free)
		require.NoError(t, err)
		assert.Equal(t, []any{"", ledger.FindingOpen, time.Time{}}, []any{f.PersonID, f.State, f.EndedAt})
		again, err = l.FreeOrphan(t.Context(), free)
		require.NoError(t, err)
		assert.Equal(t, f, again)
		p := read(t, l, "orphan:f-1")
		assert.Equal(t, []any{ledger.LinkDeleted, "", ledger.Binned{}}, []any{p.Links[0].State, p.Links[0].AccountID, p.Links[0].Binned})
		rows := audit(t, l, "orphan:f-1")
		assert.Equal(t, []any{ledger.AuditFreed, "ops", "it is ada's"}, []any{rows[len(rows)-1].Action, rows[len(rows)-1].Actor, rows[len(rows)-1].Cause})
		it := sightings(t, l, scanned(t, l, "run 3", 31, ledger.Observed{AccountID: "7", Username: "who"}), 31)[0]
		assert.Empty(t, it.Links, "it is nobody's")
		assert.Len(t, it.Findings, 1)

		_, err = l.RepairFinding(t.Context(), ledger.FindingDecision{ID: 1, Orphan: true, PersonID: "ada", Operator: "ops", Reason: "x", At: at(32)})
		require.ErrorAs(t, err, &refused, "it is one or the other")
		f, err = l.RepairFinding(t.Context(), ledger.FindingDecision{ID: 1, Orphan: true, Operator: "ops", Reason: "after all", At: at(32)})
		require.NoError(t, err)
		assert.Equal(t, "orphan:f-1", f.PersonID)
		assert.Equal(t, ledger.LinkDisabled, read(t, l, "orphan:f-1").Links[0].State)
	},
	"FindingsEndWhenTheyDoNotShowAnyMore": func(t *testing.T, l ledger.Ledger) {
		worker(t, l, "ada")
		id := "account of ada"
		scan := scanned(t, l, "run 1", 10, ledger.Observed{AccountID: id, Active: true})
		stray := found(ledger.FindingStray, "admins", ledger.FindingOpen)
		other := found(ledger.FindingStray, "owners", ledger.FindingReported)
		verdicts(t, l, scan, 11, ledger.Verdict{AccountID: id, Findings: []ledger.Finding{stray, other}})
		scan = scanned(t, l, "run 2", 20, ledger.Observed{AccountID: id, Active: true})
		verdicts(t, l, scan, 21, ledger.Verdict{AccountID: id, Unjudged: true})
		assert.Len(t, findings(t, l), 2)
		scan = scanned(t, l, "run 3", 30, ledger.Observed{AccountID: id, Active: true})
		verdicts(t, l, scan, 31, ledger.Verdict{AccountID: id, Findings: []ledger.Finding{stray}})
		now := findings(t, l)
		assert.Equal(t, []any{ledger.FindingOpen, 2, ledger.FindingGone}, []any{now[0].State, now[0].Scans, now[1].State})
		open, err := l.Findings(t.Context(), ledger.FindingFilter{App: "wiki", PersonID: "ada", Kind: ledger.FindingStray, States: []ledger.FindingStatus{ledger.FindingOpen}}, 0, all)
		require.NoError(t, err)
		assert.Len(t, open, 1)
		one, err := l.Findings(t.Context(), ledger.FindingFilter{ID: now[1].ID, Ended: true}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, now[1:], one)
	},
}

// putAgain stores a link that was stored before.
func putAgain(t *testing.T, l ledger.Ledger, link ledger.Link) {
	t.Helper()
	for minutes := range 2 {
		o := outcome(link.PersonID, link.App, "put again", minutes, ledger.StepDone)
		o.Link = &link
		finish(t, l, o)
	}
}
