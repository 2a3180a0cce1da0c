package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// ask is an Ask about a person.
type ask struct {
	ledger.Ask
	person string
}

// leaver returns the end of a person's employment, said some minutes after t0.
func leaver(person string, minutes int) ask {
	event := hr.EventKey{Source: "urn:hr", ID: "of " + person}
	return ask{person: person, Ask: ledger.Ask{
		Kind: ledger.Leavers, Key: ledger.EventWithdrawal(event), Event: event, Voids: true,
		Apps: []string{"wiki", "chat"}, Why: "access ended", SaidAt: at(minutes),
	}}
}

// suspension returns a suspension by a source, said some minutes after t0.
func suspension(person, source string, minutes int) ask {
	event := hr.EventKey{Source: source, ID: "of " + person}
	return ask{person: person, Ask: ledger.Ask{
		Kind: ledger.Suspensions, Key: ledger.EventWithdrawal(event), Event: event, Voids: true,
		Apps: []string{"wiki"}, Why: "suspended", SaidAt: at(minutes), Immediate: true,
	}}
}

func deletion(person, app string) ask {
	return ask{person: person, Ask: ledger.Ask{Kind: ledger.Deletions, Key: app + "/Delete/1", Apps: []string{app}, Why: "access ended"}}
}

// atMost returns limits of that many people of each kind in a day; leavers settle for a
// minute.
func atMost(people int) ledger.Limits {
	l := ledger.Limits{Window: 24 * time.Hour, Settle: time.Minute, Of: map[ledger.WithdrawalKind]ledger.Limit{}}
	for _, kind := range ledger.WithdrawalKinds() {
		l.Of[kind] = ledger.Limit{Count: people}
	}
	return l
}

// askFor asks for one withdrawal, some minutes after t0.
func askFor(t *testing.T, l ledger.Ledger, a ask, minutes int, limits ledger.Limits) (ledger.Withdrawal, time.Time, []ledger.Cohort) {
	t.Helper()
	got, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: a.person, At: at(minutes), Asks: []ledger.Ask{a.Ask}, Limits: limits})
	require.NoError(t, err)
	require.Len(t, got.Withdrawals, 1)
	return got.Withdrawals[0], got.SettlesAt[0], got.Opened
}

// admit asks for a withdrawal that is admitted.
func admit(t *testing.T, l ledger.Ledger, a ask, minutes int) {
	t.Helper()
	w, _, _ := askFor(t, l, a, minutes, atMost(2))
	require.Equal(t, ledger.WithdrawalAdmitted, w.State)
}

// cohortOf makes a cohort that holds the leavers p0, p1, ..., said 10 minutes after t0.
func cohortOf(t *testing.T, l ledger.Ledger, people int) (id int64) {
	t.Helper()
	for i := range people {
		w, _, _ := askFor(t, l, leaver(fmt.Sprint("p", i), 10), 10, atMost(people-1))
		id = w.Cohort
	}
	require.NotZero(t, id)
	return id
}

// employ gives a person an account.
func employ(t *testing.T, l ledger.Ledger, person string) {
	t.Helper()
	putLink(t, l, ledger.Link{PersonID: person, App: "wiki", AccountID: person, State: ledger.LinkActive})
}

// termination ends a person's employment.
func termination(person, id string, minutes int) ledger.Received {
	r := received(person, id, minutes)
	r.Event.Type = hr.EventTerminated
	return r
}

// hireInto hires a person into a position, as of t0.
func hireInto(person, position string) ledger.Received {
	r := received(person, "into "+position+" of "+person, 0)
	r.Event.Type, r.Event.PositionID, r.Event.Primary = hr.EventHired, position, false
	r.Event.Effective = hr.DateOf(t0)
	profile := *r.Event.Profile
	profile.StartDate, profile.EndDate = r.Event.Effective, hr.Date{}
	r.Event.Profile = &profile
	return r
}

// endOf ends one position of a person.
func endOf(person, position string, minutes int) ledger.Received {
	r := termination(person, position+" of "+person, minutes)
	r.Event.Recorded = at(minutes)
	r.Event.PositionID, r.Event.Primary = position, false
	return r
}

func decision(verb ledger.Verb, cohort int64, people ...string) ledger.CohortDecision {
	return ledger.CohortDecision{Cohort: cohort, Verb: verb, People: people, Operator: "ops", Reason: "ticket 42", At: at(30)}
}

func decide(t *testing.T, l ledger.Ledger, verb ledger.Verb, cohort int64, people ...string) {
	t.Helper()
	n, err := l.DecideCohort(t.Context(), decision(verb, cohort, people...))
	require.NoError(t, err)
	require.Equal(t, len(people), n)
}

// cohorts returns the cohorts that match a filter, which are the same if they are read one by one.
func cohorts(t *testing.T, l ledger.Ledger, f ledger.CohortFilter) []ledger.Cohort {
	t.Helper()
	all, err := l.Cohorts(t.Context(), f)
	require.NoError(t, err)
	f.Limit = 1
	for _, want := range all {
		page, err := l.Cohorts(t.Context(), f)
		require.NoError(t, err)
		require.Equal(t, []ledger.Cohort{want}, page)
		f.After = want.ID
	}
	last, err := l.Cohorts(t.Context(), f)
	require.NoError(t, err)
	require.Empty(t, last)
	return all
}

// state returns the state of a person's only withdrawal.
func state(t *testing.T, l ledger.Ledger, person string) ledger.WithdrawalState {
	t.Helper()
	p := read(t, l, person)
	require.Len(t, p.Withdrawals, 1)
	return p.Withdrawals[0].State
}

// duePeople returns the people who are due for a reason, by ID.
func duePeople(t *testing.T, l ledger.Ledger, what string) []string {
	t.Helper()
	var people []string
	for _, d := range due(t, l) {
		if d.What == what {
			people = append(people, d.PersonID)
		}
	}
	return people
}
