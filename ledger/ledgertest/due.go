package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var dueTests = tests{
	"EarliestFirstThenByID": func(t *testing.T, l ledger.Ledger) {
		for id, minutes := range map[string]int{"c": 3, "b": 1, "d": 3, "a": 3, "e": 9} {
			setDue(t, l, id, at(minutes), "start")
		}
		assess(t, l, "nothing due", 0, nil)
		ids := func(minutes, limit int) []string {
			people, err := l.Due(t.Context(), at(minutes), limit)
			require.NoError(t, err)
			return each(people, func(p ledger.DuePerson) string { return p.PersonID })
		}
		assert.Equal(t, []string{"b", "a", "c", "d"}, ids(3, all), "at the instant and before")
		assert.Equal(t, []string{"b", "a"}, ids(3, 2))
		assert.Equal(t, []string{"b"}, ids(2, all))
		assert.Empty(t, ids(0, all))
		assert.Empty(t, ids(3, 0))
	},
	"ToTheMicrosecond": func(t *testing.T, l ledger.Ledger) {
		setDue(t, l, "p1", at(1), "start")
		people, err := l.Due(t.Context(), at(1).Add(-time.Microsecond), all)
		require.NoError(t, err)
		assert.Empty(t, people)
	},
	"FarFutureIsKept": func(t *testing.T, l ledger.Ledger) {
		end := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC).Add(12 * time.Hour)
		setDue(t, l, "p1", end, "end")
		assert.Equal(t, end, read(t, l, "p1").DueAt)
		assert.Empty(t, due(t, l), "HR's no end is not the past")
	},
	"AnAssessmentThatSawEverythingReplacesIt": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		require.Len(t, due(t, l), 1)
		setDue(t, l, "p1", at(90), "delete")
		assert.Equal(t, []ledger.DuePerson{{PersonID: "p1", At: at(90), What: "delete", LastSeq: read(t, l, "p1").LastSeq}}, due(t, l))
		assess(t, l, "p1", 2, nil)
		assert.Empty(t, due(t, l))
		assert.Empty(t, read(t, l, "p1").DueWhat)
	},
	"AnEventThatComesMeanwhileIsNotLost": func(t *testing.T, l ledger.Ledger) {
		for _, c := range meanwhile("event") {
			record(t, l, received(c.name, "first-"+c.name, 0))
			seen := read(t, l, c.name).Summary
			record(t, l, received(c.name, "second-"+c.name, 10), received(c.name, "third-"+c.name, 11))
			c.check(t, l, seen)
		}
	},
	"AManagersDoingThatComesMeanwhileIsNotLost": func(t *testing.T, l ledger.Ledger) {
		cases := meanwhile("manager")
		seen := map[string]ledger.Summary{}
		for _, c := range cases {
			assess(t, l, c.name, 0, func(a *ledger.Assessment) { a.Summary.ManagerID = "boss" })
			seen[c.name] = read(t, l, c.name).Summary
		}
		dueReports(t, l, 10)
		dueReports(t, l, 11)
		for _, c := range cases {
			c.check(t, l, seen[c.name])
		}
	},
	"OfAManagersDoingAndAnEventTheEarlierHolds": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, func(a *ledger.Assessment) { a.Summary.ManagerID = "boss" })
		seen := read(t, l, "p1").Summary
		dueReports(t, l, 8)
		record(t, l, received("p1", "e1", 9))
		seen.AssessedAt = at(10)
		require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: seen}))
		p := read(t, l, "p1")
		assert.Equal(t, at(8), p.DueAt)
		assert.Equal(t, "manager", p.DueWhat)
	},
	"AManagersDoingMakesTheirReportsDue": func(t *testing.T, l ledger.Ledger) {
		for id, manager := range map[string]string{"p1": "boss", "p2": "boss", "p3": "other", "p4": "", "p5": "boss", "p6": "boss"} {
			assess(t, l, id, 0, func(a *ledger.Assessment) { a.Summary.ManagerID = manager })
		}
		setDue(t, l, "p5", at(5), "start")
		setDue(t, l, "p6", at(50), "end")
		dueReports(t, l, 10)
		assert.Equal(t, []ledger.DuePerson{
			{PersonID: "p5", At: at(5), What: "start"},
			{PersonID: "p1", At: at(10), What: "manager"},
			{PersonID: "p2", At: at(10), What: "manager"},
			{PersonID: "p6", At: at(10), What: "manager"},
		}, due(t, l))
	},
	"WithoutDueReportsNobodyBecomesDue": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, func(a *ledger.Assessment) { a.Summary.ManagerID = "boss" })
		finish(t, l, outcome("boss", "wiki", "k", 1, ledger.StepDone))
		assert.Empty(t, due(t, l))
	},
}

// overtaken is an assessment that finds the person due at a minute (or not at all), while
// something happened at minute 10 that the assessment did not see.
type overtaken struct {
	name     string
	due      time.Time
	what     string
	wantDue  time.Time
	wantWhat string
}

func meanwhile(what string) []overtaken {
	return []overtaken{
		{"due later", at(90), "delete", at(10), what},
		{"due earlier", at(5), "start", at(5), "start"},
		{"due at the same time", at(10), "end", at(10), what},
		{"not due", time.Time{}, "", at(10), what},
	}
}

// check saves the assessment that saw no more than seen, and then one that saw everything.
func (c overtaken) check(t *testing.T, l ledger.Ledger, seen ledger.Summary) {
	t.Helper()
	seen.AssessedAt, seen.DueAt, seen.DueWhat = at(12), c.due, c.what
	require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: seen}))
	p := read(t, l, c.name)
	assert.Equal(t, c.wantDue, p.DueAt, c.name)
	assert.Equal(t, c.wantWhat, p.DueWhat, c.name)
	assess(t, l, c.name, 13, nil)
	assert.Zero(t, read(t, l, c.name).DueAt, "seen by now")
}

// setDue assesses the person, and makes them due at when for the reason what.
func setDue(t *testing.T, l ledger.Ledger, personID string, when time.Time, what string) {
	t.Helper()
	assess(t, l, personID, 0, func(a *ledger.Assessment) { a.Summary.DueAt, a.Summary.DueWhat = when, what })
}

// dueReports finishes a step of the manager that makes their reports due.
func dueReports(t *testing.T, l ledger.Ledger, minutes int) {
	t.Helper()
	o := outcome("boss", "wiki", "k", minutes, ledger.StepDone)
	o.DueReports = true
	finish(t, l, o)
}
