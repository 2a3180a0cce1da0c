package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// t0 is the time at which the tests happen. It has microseconds, which a ledger keeps.
var t0 = time.Date(2026, time.March, 2, 9, 30, 0, 123456000, time.UTC)

// at returns the instant some minutes after t0.
func at(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

// all is a limit that no test reaches.
const all = 1_000_000

// event returns an event about a person with every field set.
func event(personID, id string) hr.Event {
	voluntary := false
	return hr.Event{
		EventKey:  hr.EventKey{Source: "urn:hr", ID: id},
		Type:      hr.EventTransferred,
		PersonID:  personID,
		Recorded:  t0,
		Sequence:  "7",
		Effective: hr.Date{Year: 2026, Month: time.April, Day: 1},
		Profile: &hr.Profile{
			Type: hr.TypeContractor, GivenName: "Zoë", FamilyName: "O'Brien-Łukasiewicz", PreferredName: "山田 \"Z\"",
			WorkEmail: "zoe@example.com", JobTitle: "Engineer & <Lead>", Department: "R\u2028D",
			Location:  hr.Location{Site: "HQ", Country: "DE", TimeZone: "Europe/Berlin"},
			ManagerID: "boss", StartDate: hr.Date{Year: 1986, Month: time.December, Day: 1},
			EndDate:    hr.Date{Year: 9999, Month: time.December, Day: 31},
			Attributes: map[string]string{"badge": "🪪", "": "empty key"},
		},
		Termination: &hr.Termination{
			LastDay: hr.Date{Year: 2026, Month: time.July, Day: 31}, AccessEndsAt: at(99),
			Urgency: hr.UrgencyImmediate, Voluntary: &voluntary, Reason: "reorganisation",
		},
		Leave:      &hr.Leave{ExpectedReturn: hr.Date{Year: 2026, Month: time.May, Day: 1}},
		Suspension: &hr.Suspension{Reason: "investigation"},
		Rescinds:   "earlier",
		PositionID: "P-2", Primary: true,
	}
}

// received returns an event about a person, received some minutes after t0.
func received(personID, id string, minutes int) ledger.Received {
	return ledger.Received{
		Event: event(personID, id), At: at(minutes), Topic: "hr.events", Partition: 3, Offset: 1 << 40,
	}
}

// record stores events and returns the receipts.
func record(t *testing.T, l ledger.Ledger, events ...ledger.Received) []ledger.Receipt {
	t.Helper()
	receipts, err := l.Record(t.Context(), events)
	require.NoError(t, err)
	require.Len(t, receipts, len(events))
	return receipts
}

// read reads a person who is there.
func read(t *testing.T, l ledger.Ledger, personID string) ledger.Person {
	t.Helper()
	p, err := l.Person(t.Context(), personID)
	require.NoError(t, err)
	return p
}

// assess reads the person and saves an assessment that sees everything, with
// nothing due, some minutes after t0.
func assess(t *testing.T, l ledger.Ledger, personID string, minutes int, change func(*ledger.Assessment)) {
	t.Helper()
	var a ledger.Assessment
	if p, err := l.Person(t.Context(), personID); err == nil {
		a.Summary = p.Summary
	} else {
		require.ErrorIs(t, err, ledger.ErrNotFound)
	}
	a.Summary.PersonID, a.Summary.AssessedAt = personID, at(minutes)
	a.Summary.DueAt, a.Summary.DueWhat = time.Time{}, ""
	if change != nil {
		change(&a)
	}
	require.NoError(t, l.SaveAssessment(t.Context(), a))
}

// plan sets the steps of an assessment.
func plan(steps ...ledger.Step) func(*ledger.Assessment) {
	return func(a *ledger.Assessment) { a.Steps = steps }
}

// step returns a step that provisions an account.
func step(app, key string) ledger.Step { return ledger.Step{App: app, Key: key, Kind: "Provision"} }

// attempt returns an attempt at step(app, key) that gives access and lasts an hour.
func attempt(personID, app, key string, minutes int) ledger.Attempt {
	return ledger.Attempt{
		PersonID: personID, App: app, Key: key, Kind: "Provision",
		At: at(minutes), Deadline: at(minutes + 60), Gives: true,
	}
}

// begin begins an attempt.
func begin(t *testing.T, l ledger.Ledger, a ledger.Attempt) ledger.Begun {
	t.Helper()
	begun, err := l.BeginStep(t.Context(), a)
	require.NoError(t, err)
	return begun
}

// outcome returns an outcome of step(app, key).
func outcome(personID, app, key string, minutes int, state ledger.StepState) ledger.Outcome {
	return ledger.Outcome{PersonID: personID, App: app, Key: key, Kind: "Provision", At: at(minutes), State: state}
}

// finish stores an outcome.
func finish(t *testing.T, l ledger.Ledger, o ledger.Outcome) {
	t.Helper()
	require.NoError(t, l.FinishStep(t.Context(), o))
}

// fullLink returns a link of p1 with every field set.
func fullLink(app string) ledger.Link {
	return ledger.Link{
		PersonID: "p1", App: app, AccountID: "account 7", Username: "zoë", State: ledger.LinkDisabled, Adopted: true,
		Entitlements: []string{"Größe", "engineers", "staff"}, Attributes: "sha256:abc",
		CreatedAt: at(1), DisabledAt: at(2), StrippedAt: at(3), HandedOverAt: at(4), DeletedAt: at(5), ProvenAt: at(6), DoubtUntil: at(7),
		RenameTo: "zoë2", OwnerWas: "p0",
		Creating:  ledger.Creation{At: at(8), Username: "zoë", State: ledger.CreationAcknowledged, AccountID: "account 8"},
		ChangedAt: at(9), GaveAt: at(10), Unsure: ledger.Unsure{State: true, Entitlements: []string{"engineers", "sales"}},
		Binned: ledger.Binned{AccountID: "account 6", At: at(0)},
	}
}

// putLink stores the link as the outcome of a step.
func putLink(t *testing.T, l ledger.Ledger, link ledger.Link) {
	t.Helper()
	o := outcome(link.PersonID, link.App, "put:"+link.App+":"+string(link.State), 0, ledger.StepDone)
	o.Link = &link
	finish(t, l, o)
}

// steps returns the person's unfinished steps, by key.
func steps(t *testing.T, l ledger.Ledger, personID string) map[string]ledger.Step {
	t.Helper()
	byKey := map[string]ledger.Step{}
	for _, s := range read(t, l, personID).Steps {
		byKey[s.Key] = s
	}
	return byKey
}

// each returns the result of f for each element.
func each[T, U any](list []T, f func(T) U) []U {
	all := make([]U, len(list))
	for i, one := range list {
		all[i] = f(one)
	}
	return all
}

// numbers returns f(0) to f(n-1).
func numbers[T any](n int, f func(i int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = f(i)
	}
	return all
}

// audit returns the audit rows of a person, or of everybody.
func audit(t *testing.T, l ledger.Ledger, personID string) []ledger.AuditRow {
	t.Helper()
	rows, err := l.Audit(t.Context(), personID, 0, all)
	require.NoError(t, err)
	return rows
}

// due returns everybody who is due ten years after t0 or earlier.
func due(t *testing.T, l ledger.Ledger) []ledger.DuePerson {
	t.Helper()
	people, err := l.Due(t.Context(), t0.AddDate(10, 0, 0), all)
	require.NoError(t, err)
	return people
}
