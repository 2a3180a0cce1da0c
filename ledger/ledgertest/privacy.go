package ledgertest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Traces are parts of whatever tells who the person is whom Named makes, in lower case.
var Traces = []string{"adelheid", "zwetschgenm", "heidi", "555 0177", "@zwetsch"}

// adelheid is somebody of whom HR says a lot.
func adelheid(id, typ string, minutes int) ledger.Received {
	r := received("p1", id, minutes)
	r.Event = hr.Event{
		EventKey: hr.EventKey{Source: "urn:hr", ID: id}, Type: hr.EventType(typ), PersonID: "p1", Recorded: at(minutes),
		Effective: hr.Date{Year: 2026, Month: time.March, Day: 2},
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Adelheid", FamilyName: "Zwetschgenmüller", PreferredName: "Heidi",
			WorkEmail: "Adelheid.Zwetschgenmueller@example.com", PersonalEmail: "heidi@zwetschge.example", Phone: "+49 30 555 0177",
			EmployeeNumber: "E-77", Department: "Sales", Location: hr.Location{TimeZone: "Europe/Berlin"}, ManagerID: "boss",
			StartDate: hr.Date{Year: 2026, Month: time.March, Day: 2}, Attributes: map[string]string{"display": "Zwetschgenmüller, Adelheid"},
		},
	}
	return r
}

// Pepper is the key of the digests in tests.
var Pepper = []byte("a pepper that only tests use, which is long enough")

func season(l ledger.Ledger) {
	l.(interface{ SetPepper(pepper []byte) }).SetPepper(Pepper)
}

// Named writes about somebody into every table that may hold anything of a person, with their
// name wherever texts are kept, and ends all that stands against erasing them. It also writes
// their name into other people's rows.
func Named(t *testing.T, l ledger.Ledger) {
	t.Helper()
	season(l)
	const who = "ADELHEID Zwetschgenmüller"
	record(t, l, adelheid("h1", string(hr.EventHired), 0), adelheid("h2", string(hr.EventUpdated), 1))
	report := received("p2", "e2", 1)
	report.Event.Profile.Attributes = map[string]string{"boss": "Frau Adelheid Zwetschgenmüller\nSales", "phone of boss": "+49 30 555 0177"}
	record(t, l, report, received("boss", "e3", 1))
	_, err := l.ClaimUsername(t.Context(), "p1", "azwetschgenmueller", 0)
	require.NoError(t, err)
	assess(t, l, "p1", 2, func(a *ledger.Assessment) {
		a.Summary.GivenName, a.Summary.FamilyName, a.Summary.ManagerID, a.Summary.Status = "Adelheid", "Zwetschgenmüller", "boss", hr.StatusEnded
		a.Identifiers = []ledger.Identifier{
			{Kind: ledger.IdentifiesPerson, Value: "p1"}, {Kind: ledger.IdentifiesEmployee, Value: "E-77"},
			{Kind: ledger.IdentifiesEmail, Value: "Adelheid.Zwetschgenmueller@example.com"},
		}
		a.Steps = []ledger.Step{step("wiki", "k1"), step("wiki", "k2")}
	})
	assess(t, l, "p2", 2, func(a *ledger.Assessment) {
		a.Summary.GivenName, a.Summary.FamilyName, a.Summary.ManagerID = "Zoë", "O'Brien", "p1"
	})
	o := outcome("p1", "wiki", "k1", 3, ledger.StepDone)
	o.Code, o.Message = "conflict", "there is an account azwetschgenmueller"
	o.Link = &ledger.Link{PersonID: "p1", App: "wiki", AccountID: "uid=Adelheid.Zwetschgenmueller", Username: "azwetschgenmueller", State: ledger.LinkActive, CreatedAt: at(3)}
	o.Audit = &ledger.AuditRow{Action: "created", Actor: "tenure", Cause: "urn:hr/h1", Detail: map[string]any{"account": "uid=Adelheid.Zwetschgenmueller", "n": 1}}
	finish(t, l, o)
	hold := placeHold(t, l, ledger.Hold{PersonID: "p1", PlacedAt: at(4), ExpiresAt: at(90), Operator: "ops", Reason: "matter of " + who})
	_, err = l.ReleaseHold(t.Context(), ledger.HoldRelease{ID: hold.Hold.ID, Operator: "ops", Reason: who + " settled", At: at(5)})
	require.NoError(t, err)
	retention := kept(6, "wiki", at(7), 0)
	retention.Reason = "for " + who
	setRetention(t, l, retention)
	x := placeException(t, l, func() ledger.Exception { x := granted(7, 90); x.Reason = "Heidi has to"; return x }())
	end := givenBack(x.ID, 8)
	end.Reason = "Heidi is gone"
	_, err = l.EndException(t.Context(), end)
	require.NoError(t, err)
	task := asked("k2", 8)
	task.Work = ledger.TaskWork{Account: "azwetschgenmueller", Attributes: map[string]any{"name": who}}
	says(t, l, ledger.VerbTaskDone, openTask(t, l, task).ID, "helpdesk", 9)
	gone := letter(7, 9)
	gone.PersonID, gone.Text = "p1", "profile of "+who
	actOnLetter(t, l, ledger.VerbDiscard, recordLetter(t, l, gone).ID, 10)
	a := asking(10)
	a.Request.PersonID, a.Request.AskedBy, a.Request.Reason = "p1", "p1", "I, "+who+", need it"
	r, err := l.AskFor(t.Context(), a)
	require.NoError(t, err)
	r.State, r.DecidedAt, r.LookAt, r.Why = ledger.RequestCancelled, at(11), time.Time{}, "Heidi asked not to"
	_, err = l.ChangeRequest(t.Context(), ledger.RequestChange{Request: r, At: at(11), Action: "request_cancelled", Actor: "bob", Cause: "Heidi asked not to"})
	require.NoError(t, err)
	scanned(t, l, "run 1", 12, ledger.Observed{AccountID: "uid=Adelheid.Zwetschgenmueller", Username: "azwetschgenmueller", Addresses: []string{"Adelheid.Zwetschgenmueller@example.com"}, ExternalID: "p1"},
		ledger.Observed{AccountID: "other", Username: "AZwetschgenmueller"})
	account := ledger.Observed{AccountID: "uid=Adelheid.Zwetschgenmueller", Username: "azwetschgenmueller", ExternalID: "p1"}
	second := scanned(t, l, "run 2", 12, account)
	verdicts(t, l, second, 12, ledger.Verdict{AccountID: account.AccountID, Findings: []ledger.Finding{{Kind: ledger.FindingStray, What: "friends of azwetschgenmueller", PersonID: "p1", State: ledger.FindingOpen, Why: "Heidi has it"}}})
	third := scanned(t, l, "run 3", 12, account, ledger.Observed{AccountID: "other", Username: "AZwetschgenmueller"})
	verdicts(t, l, third, 12, ledger.Verdict{AccountID: account.AccountID})
	// Other people's.
	placeHold(t, l, ledger.Hold{PersonID: "p2", PlacedAt: at(13), ExpiresAt: at(90), Operator: "ops", Reason: "took over from " + who + ", and not from Adelhard"})
	other := letter(8, 13)
	other.PersonID, other.Text = "p2", "manager Zwetschgenmüller, Adelheid is not known"
	recordLetter(t, l, other)
	// All that stands against it ends.
	for _, key := range []string{"k1", "k2"} {
		o := outcome("p1", "wiki", key, 14, ledger.StepDone)
		o.Link = &ledger.Link{PersonID: "p1", App: "wiki", AccountID: "uid=Adelheid.Zwetschgenmueller", Username: "azwetschgenmueller", State: ledger.LinkDeleted, CreatedAt: at(3), DeletedAt: at(14)}
		o.Audit = &ledger.AuditRow{Action: "deleted", Actor: "tenure", Cause: "urn:hr/h2", Detail: map[string]any{"key": key}}
		finish(t, l, o)
	}
	assess(t, l, "p1", 15, nil)
}

// Dump returns all that a ledger holds, in lower case.
func Dump(t *testing.T, l ledger.Ledger) string {
	t.Helper()
	var file bytes.Buffer
	_, err := l.Export(t.Context(), &file, aMove(1000), nil)
	require.NoError(t, err)
	return strings.ToLower(file.String())
}

// RequireForgotten requires that a text names nobody whom Named makes.
func RequireForgotten(t *testing.T, text string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, trace := range Traces {
		if at := strings.Index(text, trace); at >= 0 {
			t.Errorf("%q is still there: ...%q...", trace, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

// erasure returns that p1 is to be erased, as they are now.
func erasure(t *testing.T, l ledger.Ledger, minutes int) ledger.Erasure {
	t.Helper()
	return ledger.Erasure{PersonID: "p1", Revision: read(t, l, "p1").Revision, Operator: "dpo", Reason: "request 7", At: at(minutes)}
}

// Erasable writes what Named does, and returns how it is erased.
func Erasable(t *testing.T, l ledger.Ledger) ledger.Erasure {
	t.Helper()
	Named(t, l)
	sequence(t, l, takeAudit(t, l, "a"), 100)
	return erasure(t, l, 20)
}

// RequireErasedOnce requires that somebody was erased, that one row of the record says so, and that
// the record is sound.
func RequireErasedOnce(t *testing.T, l ledger.Ledger, personID string) {
	t.Helper()
	assert.False(t, read(t, l, personID).ErasedAt.IsZero())
	sequence(t, l, takeAudit(t, l, "a"), 100)
	assert.Empty(t, Verify(t, l).Findings)
	receipts := 0
	for _, row := range audit(t, l, personID) {
		if row.Action == ledger.AuditErased {
			receipts++
		}
	}
	assert.Equal(t, 1, receipts, "rows that say so")
}

// Forgotten writes what Named does, and erases it.
func Forgotten(t *testing.T, l ledger.Ledger) ledger.Erased {
	t.Helper()
	erased, err := l.Erase(t.Context(), Erasable(t, l))
	require.NoError(t, err)
	return erased
}

var privacyTests = tests{
	"NothingThatNamesSomebodyIsLeft": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		before := Dump(t, l)
		for _, trace := range Traces {
			require.Contains(t, before, trace)
		}
		erased, err := l.Erase(t.Context(), erasure(t, l, 20))
		require.NoError(t, err)
		RequireForgotten(t, Dump(t, l))
		assert.Equal(t, at(20), erased.At)
		assert.Positive(t, erased.Redacted)
		assert.EqualValues(t, 5, erased.Elsewhere, "an event, a hold, a dead letter, and where two scans go on")
		assert.EqualValues(t, 2, erased.Rows["events"])
		assert.EqualValues(t, 2, erased.Rows["observed"])
		for _, id := range []string{"p2", "boss"} {
			assert.NotEmpty(t, read(t, l, id).Events)
		}
		assert.Equal(t, "took over from [erased], and not from Adelhard", holdsOf(t, l, "p2")[0].Reason)
		assert.Equal(t, map[string]string{"boss": "Frau [erased]\nSales", "phone of boss": "[erased]"}, read(t, l, "p2").Events[0].Event.Profile.Attributes)
		assert.Equal(t, "Zoë", read(t, l, "p2").Events[0].Event.Profile.GivenName)
	},

	"ThePersonStaysByTheirIDAndTheRecordHolds": func(t *testing.T, l ledger.Ledger) {
		erased := Forgotten(t, l)
		p := read(t, l, "p1")
		assert.Equal(t, at(20), p.ErasedAt)
		assert.Equal(t, hr.StatusEnded, p.Status)
		assert.Empty(t, p.Username+p.GivenName+p.FamilyName+p.ManagerID)
		assert.Empty(t, p.Events)
		assert.Empty(t, p.Links)
		lease := takeAudit(t, l, "a")
		sequence(t, l, lease, 100)
		report := Verify(t, l)
		assert.Empty(t, report.Findings)
		assert.Equal(t, erased.Redacted, report.Redacted)
		rows := audit(t, l, "p1")
		last := rows[len(rows)-1]
		assert.Equal(t, []any{erased.Seq, ledger.AuditErased, "dpo", "request 7"}, []any{last.Seq, last.Action, last.Actor, last.Cause})
		assert.InDelta(t, float64(erased.Redacted), last.Detail["redacted"], 0)
		for _, r := range rows {
			if r.Action == "deleted" {
				assert.NotEmpty(t, r.Detail["key"], "what Tenure wrote without a name stays")
			}
		}
		_, found, err := l.LeafOf(t.Context(), erased.Seq)
		require.NoError(t, err)
		assert.True(t, found, "the receipt")
	},

	"ASecondErasureChangesNothing": func(t *testing.T, l ledger.Ledger) {
		first := Forgotten(t, l)
		before := len(audit(t, l, ""))
		e := erasure(t, l, 30)
		again, err := l.Erase(t.Context(), e)
		require.NoError(t, err)
		assert.Equal(t, ledger.Erased{Seq: first.Seq, At: first.At, Again: true}, again)
		assert.Len(t, audit(t, l, ""), before)
	},

	"ReadingATopicAgainBringsNothingBack": func(t *testing.T, l ledger.Ledger) {
		Forgotten(t, l)
		for _, r := range []ledger.Received{adelheid("h1", string(hr.EventHired), 40), adelheid("h2", string(hr.EventUpdated), 41)} {
			assert.True(t, record(t, l, r)[0].Duplicate, "the same record")
			r.Offset++
			assert.True(t, record(t, l, r)[0].Duplicate, "sent once more")
		}
		RequireForgotten(t, Dump(t, l))
		assert.False(t, read(t, l, "p1").ErasedAt.IsZero())
		other := received("p2", "e2", 42)
		other.Offset++
		assert.True(t, record(t, l, other)[0].Duplicate, "a text from which a name was taken is not another one")
		foreign := received("p3", "h1", 43)
		assert.True(t, record(t, l, foreign)[0].Conflict, "the key is somebody's")
		events, err := l.Events(t.Context(), ledger.EventFilter{}, 0, all)
		require.NoError(t, err)
		for _, e := range events {
			assert.NotEmpty(t, e.Event.PersonID)
		}
	},

	"ALetterThatComesAgainBringsNothingBack": func(t *testing.T, l ledger.Ledger) {
		Forgotten(t, l)
		again := letter(7, 40)
		again.PersonID, again.Text = "p1", "profile of ADELHEID Zwetschgenmüller"
		assert.True(t, recordLetter(t, l, again).Duplicate)
		RequireForgotten(t, Dump(t, l))
	},

	"AnotherIDOfTheSameHumanStandsAgainstIt": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p5", "e8", 0), received("p6", "e9", 0))
		season(l)
		_, err := l.LinkPeople(t.Context(), samePerson("p6", "p5", 1))
		require.NoError(t, err)
		assess(t, l, "p5", 2, nil)
		assess(t, l, "p6", 2, nil)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		e := ledger.Erasure{PersonID: "p5", Revision: read(t, l, "p5").Revision, Operator: "dpo", Reason: "x", At: at(20)}
		against, err := l.StandsAgainst(t.Context(), e)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Obstacle{{What: ledger.ObstacleHuman, Name: "p6"}}, against)
		e.PersonID, e.Revision = "p6", read(t, l, "p6").Revision
		_, err = l.Erase(t.Context(), e)
		require.NoError(t, err)
		e.PersonID, e.Revision = "p5", read(t, l, "p5").Revision
		_, err = l.Erase(t.Context(), e)
		require.NoError(t, err, "the other one is erased")
	},

	"ANewEventBeginsANewLifeUnderAnotherName": func(t *testing.T, l ledger.Ledger) {
		Forgotten(t, l)
		record(t, l, adelheid("h9", string(hr.EventHired), 50))
		p := read(t, l, "p1")
		assert.Zero(t, p.ErasedAt)
		require.Len(t, p.Events, 1)
		assert.Equal(t, "h9", p.Events[0].Event.ID)
		name, err := l.ClaimUsername(t.Context(), "p1", "AZwetschgenmueller", 0)
		require.NoError(t, err)
		assert.Equal(t, "AZwetschgenmueller2", name, "a name is given once")
	},

	"WhatTheyWereCalledIsNeverGivenAgain": func(t *testing.T, l ledger.Ledger) {
		Forgotten(t, l)
		for kind, value := range map[ledger.IdentifierKind]string{
			ledger.IdentifiesUsername: "AZWETSCHGENMUELLER", ledger.IdentifiesEmail: "adelheid.zwetschgenmueller@EXAMPLE.com", ledger.IdentifiesEmployee: "e-77",
		} {
			is, err := l.Reserved(t.Context(), kind, "", value)
			require.NoError(t, err)
			assert.True(t, is, "%s", kind)
			is, err = l.Reserved(t.Context(), kind, "", value+"x")
			require.NoError(t, err)
			assert.False(t, is)
		}
		name, err := l.ClaimUsername(t.Context(), "p2", "azwetschgenmueller", 0)
		require.NoError(t, err)
		assert.Equal(t, "azwetschgenmueller2", name)
		ids, err := l.Identifiers(t.Context(), "p1")
		require.NoError(t, err)
		assert.Equal(t, []string{"person p1"}, each(ids, func(i ledger.Identifier) string { return string(i.Kind) + " " + i.Value }))
	},

	"AnAccountThatCarriesTheirNameIsNobodysToAdopt": func(t *testing.T, l ledger.Ledger) {
		Forgotten(t, l)
		require.NoError(t, l.NoteIdentifiers(t.Context(), at(30), []ledger.Identifier{
			noted(ledger.IdentifiesEmail, "adelheid.zwetschgenmueller@example.com", "p2", at(30)), noted(ledger.IdentifiesEmail, "other@example.com", "p2", at(30)),
		}))
		scan := scanned(t, l, "run 9", 31,
			ledger.Observed{AccountID: "a", Username: "x", Addresses: []string{"Adelheid.Zwetschgenmueller@example.com"}},
			ledger.Observed{AccountID: "b", Username: "y", Addresses: []string{"other@example.com"}})
		found := map[string]int{}
		for _, s := range sightings(t, l, scan, 31) {
			found[s.Observed.AccountID] = len(s.Candidates)
		}
		assert.Equal(t, map[string]int{"a": 0, "b": 1}, found)
	},

	"WithoutTheKeyNoNameIsGivenAndNobodyErased": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		keyed := l.(interface{ SetPepper(pepper []byte) })
		keyed.SetPepper(nil)
		before := Dump(t, l)
		_, err := l.Erase(t.Context(), erasure(t, l, 20))
		require.ErrorIs(t, err, ledger.ErrPepper)
		assert.Contains(t, before, "adelheid")
		assert.Zero(t, read(t, l, "p1").ErasedAt)
		keyed.SetPepper(Pepper)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		_, err = l.Erase(t.Context(), erasure(t, l, 20))
		require.NoError(t, err)
		for _, other := range [][]byte{nil, []byte("another pepper")} {
			keyed.SetPepper(other)
			_, err = l.ClaimUsername(t.Context(), "p2", "mayer", 0)
			require.ErrorIs(t, err, ledger.ErrPepper)
			_, err = l.Reserved(t.Context(), ledger.IdentifiesUsername, "", "mayer")
			require.ErrorIs(t, err, ledger.ErrPepper)
		}
	},

	"AnAssessmentFromBeforeBringsNothingBack": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		var old ledger.Assessment
		old.Summary = read(t, l, "p1").Summary
		old.Summary.AssessedAt = at(21)
		_, err := l.Erase(t.Context(), erasure(t, l, 20))
		require.NoError(t, err)
		require.ErrorIs(t, l.SaveAssessment(t.Context(), old), ledger.ErrStale)
		RequireForgotten(t, Dump(t, l))
	},

	"WhatIsNewIsNotErased": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		e := erasure(t, l, 20)
		record(t, l, adelheid("h3", string(hr.EventRehired), 19))
		_, err := l.Erase(t.Context(), e)
		require.ErrorIs(t, err, ledger.ErrStale)
		require.ErrorIs(t, func() error { e.PersonID = "nobody"; _, err := l.Erase(t.Context(), e); return err }(), ledger.ErrNotFound)
		_, err = l.StandsAgainst(t.Context(), e)
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = l.Data(t.Context(), "nobody")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	},

	"TheReasonMustNotNameThem": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		e := erasure(t, l, 20)
		e.Reason = "Heidi asked for it"
		_, err := l.Erase(t.Context(), e)
		require.ErrorIs(t, err, ledger.ErrRefused)
		assert.Zero(t, read(t, l, "p1").ErasedAt)
	},

	"ANamesakeKeepsTheirs": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		assess(t, l, "boss", 16, func(a *ledger.Assessment) {
			a.Summary.GivenName, a.Summary.FamilyName = "Adelheid", "Zwetschgenmüller"
		})
		sequence(t, l, takeAudit(t, l, "a"), 100)
		_, err := l.Erase(t.Context(), erasure(t, l, 20))
		require.NoError(t, err)
		assert.Equal(t, "Frau Adelheid Zwetschgenmüller\nSales", read(t, l, "p2").Events[0].Event.Profile.Attributes["boss"])
		assert.Equal(t, "[erased]", read(t, l, "p2").Events[0].Event.Profile.Attributes["phone of boss"])
		assert.Equal(t, "Adelheid", read(t, l, "boss").GivenName)
		assert.Empty(t, read(t, l, "p1").GivenName)
	},

	"WhatStandsAgainstItIsListedAndStopsIt": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		against := func() []ledger.Obstacle {
			found, err := l.StandsAgainst(t.Context(), erasure(t, l, 20))
			require.NoError(t, err)
			return found
		}
		kinds := func() []ledger.ObstacleKind {
			return each(against(), func(o ledger.Obstacle) ledger.ObstacleKind { return o.What })
		}
		assert.Contains(t, kinds(), ledger.ObstacleRecord, "rows that have no leaf yet")
		sequence(t, l, takeAudit(t, l, "a"), 100)
		require.Empty(t, against())
		h := placeHold(t, l, hold(17, 90)).Hold
		recordLetter(t, l, letter(9, 17))
		begin(t, l, attempt("p1", "wiki", "k3", 17))
		openTask(t, l, asked("k4", 17))
		placeException(t, l, granted(17, 90))
		a := asking(17)
		a.Asked = []ledger.Vote{{Voter: "boss", Authority: "manager of p1"}}
		_, err := l.AskFor(t.Context(), a)
		require.NoError(t, err)
		opened(t, l, "k1", 18)
		link := fullLink("chat")
		link.State = ledger.LinkActive
		putLink(t, l, link)
		record(t, l, received("p7", "e7", 18))
		asked := asking(18)
		asked.Request.PersonID, asked.Request.AskedBy, asked.Asked = "p7", "p7", []ledger.Vote{{Voter: "p1", Authority: "manager of p7"}}
		_, err = l.AskFor(t.Context(), asked)
		require.NoError(t, err)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		all := against()
		assert.Subset(t, kinds(), []ledger.ObstacleKind{
			ledger.ObstacleHold, ledger.ObstacleLetter, ledger.ObstacleCall, ledger.ObstacleTask, ledger.ObstacleException, ledger.ObstacleRequest,
			ledger.ObstacleReview, ledger.ObstacleAccount, ledger.ObstacleDue, ledger.ObstacleStep,
		})
		assert.Contains(t, all, ledger.Obstacle{What: ledger.ObstacleHold, Name: h.Name(), Until: at(90)})
		var requests []string
		for _, o := range all {
			if o.What == ledger.ObstacleRequest {
				requests = append(requests, o.Name)
			}
		}
		assert.Equal(t, []string{"r-2", "r-3"}, requests)
		before := Dump(t, l)
		_, err = l.Erase(t.Context(), erasure(t, l, 20))
		var stands *ledger.StandsAgainstError
		require.ErrorAs(t, err, &stands)
		assert.NotEmpty(t, stands.Obstacles)
		assert.Contains(t, before, "heidi")
		assert.Equal(t, "Adelheid", read(t, l, "p1").GivenName, "nothing was changed")
	},

	// A breaker that is off never decides about what it noticed.
	"WhatTheBreakerNoticedStandsAgainstItWhileSomethingIsDue": func(t *testing.T, l ledger.Ledger) {
		season(l)
		record(t, l, received("p5", "e8", 0))
		employ(t, l, "p5")
		record(t, l, termination("p5", "e9", 1))
		sequence(t, l, takeAudit(t, l, "a"), 100)
		kinds := func() []ledger.ObstacleKind {
			against, err := l.StandsAgainst(t.Context(), ledger.Erasure{PersonID: "p5", At: at(20)})
			require.NoError(t, err)
			return each(against, func(o ledger.Obstacle) ledger.ObstacleKind { return o.What })
		}
		assert.Subset(t, kinds(), []ledger.ObstacleKind{ledger.ObstacleDue, ledger.ObstacleBreaker})
		putLink(t, l, ledger.Link{PersonID: "p5", App: "wiki", AccountID: "p5", State: ledger.LinkDeleted})
		assess(t, l, "p5", 2, nil)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		assert.Empty(t, kinds())
	},

	"WhoWaitsForTheirTurnIsDue": func(t *testing.T, l ledger.Ledger) {
		ended := termination("p6", "e2", 1)
		ended.WaitsIfNew = true
		record(t, l, queuedEvent("p6", "e1", 0, ""), ended)
		against, err := l.StandsAgainst(t.Context(), ledger.Erasure{PersonID: "p6", At: at(20)})
		require.NoError(t, err)
		assert.Contains(t, against, ledger.Obstacle{What: ledger.ObstacleDue, State: ledger.DueEvent})
	},

	"AKeptAccountStaysTheirs": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		link := fullLink("files")
		link.AccountID, link.Username, link.DoubtUntil, link.Creating = "f-77", "azwetschgenmueller", time.Time{}, ledger.Creation{}
		putLink(t, l, link)
		assess(t, l, "p1", 16, nil)
		sequence(t, l, takeAudit(t, l, "a"), 100)
		e := erasure(t, l, 20)
		_, err := l.Erase(t.Context(), e)
		require.ErrorContains(t, err, "account")
		e.KeptAccounts = []string{"files"}
		_, err = l.Erase(t.Context(), e)
		require.NoError(t, err)
		links := read(t, l, "p1").Links
		require.Len(t, links, 1)
		assert.Equal(t, []any{"files", "f-77", "", ledger.LinkDisabled}, []any{links[0].App, links[0].AccountID, links[0].Username, links[0].State})
		RequireForgotten(t, Dump(t, l))
	},

	"AllThatIsHeldIsShown": func(t *testing.T, l ledger.Ledger) {
		Named(t, l)
		data, err := l.Data(t.Context(), "p1")
		require.NoError(t, err)
		shown := map[string]int{}
		for _, d := range data {
			shown[d.Table] = len(d.Rows)
		}
		for _, table := range []string{"people", "events", "links", "steps", "tasks", "holds", "retentions", "exceptions", "requests", "votes", "identifiers", "observed", "dead_letters", "audit"} {
			assert.Positive(t, shown[table], table)
		}
		assert.Equal(t, "Adelheid", data[0].Rows[0]["given_name"])
		assert.Equal(t, at(15), data[0].Rows[0]["assessed_at"])
	},

	"ScrubbingChangesNothing": func(t *testing.T, l ledger.Ledger) {
		Forgotten(t, l)
		people, before := read(t, l, "p2"), audit(t, l, "")
		require.NoError(t, l.Scrub(t.Context()))
		assert.Equal(t, people, read(t, l, "p2"))
		assert.Equal(t, before, audit(t, l, ""))
	},
}

func holdsOf(t *testing.T, l ledger.Ledger, personID string) []ledger.Hold {
	t.Helper()
	found, err := l.Holds(t.Context(), ledger.HoldFilter{PersonID: personID}, 0, all)
	require.NoError(t, err)
	return found
}
