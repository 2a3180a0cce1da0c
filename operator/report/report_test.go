package report

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

var now = time.Date(2026, time.March, 5, 12, 0, 0, 0, time.UTC)

// facts is a ledger that knows some people, sorted by ID.
type facts struct {
	ledger.Reader
	people []ledger.Person
	steps  []ledger.Step
	audit  []ledger.AuditRow
}

func (f facts) Person(_ context.Context, id string) (ledger.Person, error) {
	for _, p := range f.people {
		if p.PersonID == id {
			return p, nil
		}
	}
	return ledger.Person{}, ledger.ErrNotFound
}

func (f facts) People(_ context.Context, after string, _ int) (found []ledger.Summary, _ error) {
	for _, p := range f.people {
		if p.PersonID > after {
			found = append(found, p.Summary)
		}
	}
	return found, nil
}

func (f facts) Links(_ context.Context, of ledger.LinkFilter) (found []ledger.Link, _ error) {
	for _, p := range f.people {
		for _, l := range p.Links {
			if l.App == of.App && (of.State == "" || l.State == of.State) {
				found = append(found, l)
			}
		}
	}
	return found, nil
}

func (f facts) Steps(_ context.Context, _ ledger.StepFilter, after ledger.StepPlace, _ int) ([]ledger.Step, error) {
	if after != (ledger.StepPlace{}) {
		return nil, nil
	}
	return f.steps, nil
}

func (f facts) Audit(_ context.Context, _ string, after int64, _ int) ([]ledger.AuditRow, error) {
	if after > 0 {
		return nil, nil
	}
	return f.audit, nil
}

func (f facts) DeadLetters(context.Context, ledger.LetterFilter, int64, int) ([]ledger.DeadLetter, error) {
	return nil, nil
}

func date(text string) hr.Date {
	day, err := hr.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return day
}

// person is somebody who was hired on the fifth of January.
func person(id, given, department string, links ...ledger.Link) ledger.Person {
	day := date("2026-01-05")
	recorded := time.Date(2026, time.January, 2, 9, 0, 0, 0, time.UTC)
	hired := hr.Event{
		EventKey: hr.EventKey{Source: "workday", ID: "hired-" + id}, PersonID: id, Type: hr.EventHired, Recorded: recorded, Effective: day,
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: given, FamilyName: "Byron", Department: department, StartDate: day,
			Location: hr.Location{TimeZone: "Europe/Berlin"},
		},
	}
	for i := range links {
		links[i].PersonID = id
	}
	return ledger.Person{
		Summary: ledger.Summary{PersonID: id, GivenName: given, FamilyName: "Byron", Department: department, Status: hr.StatusActive, ManagerID: "9"},
		Links:   links, Events: []ledger.StoredEvent{{Event: hired, Seq: 1, At: recorded}},
	}
}

// company has Ada, who has the wiki with more than policy gives, Bob, who has left it, and
// Cleo, who has nothing.
func company() facts {
	bob := person("2", "Bob", "Sales", ledger.Link{App: "wiki", State: ledger.LinkDisabled, DisabledAt: now.Add(-time.Hour)})
	bob.Status = hr.StatusEnded
	end := hr.Event{
		EventKey: hr.EventKey{Source: "workday", ID: "left-2"}, PersonID: "2", Type: hr.EventTerminated,
		Recorded: now.Add(-72 * time.Hour), Effective: date("2026-03-04"), Termination: &hr.Termination{LastDay: date("2026-03-04")},
	}
	bob.Events = append(bob.Events, ledger.StoredEvent{Event: end, Seq: 2, At: end.Recorded})
	return facts{people: []ledger.Person{
		person("1", "Ada", "Research", ledger.Link{App: "wiki", State: ledger.LinkActive, Entitlements: []string{"editors", "staff"}}),
		bob, person("3", "Cleo", "Sales"),
	}}
}

func rules(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"wiki": {}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"staff"}}}},
			{Name: "sales", When: "person.department == 'Sales'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"deals"}}}},
		},
	})
	require.NoError(t, err)
	return p
}

func TestPeople(t *testing.T) {
	for name, tc := range map[string]struct {
		filter PeopleFilter
		ids    []string
	}{
		"all":        {PeopleFilter{}, []string{"1", "2", "3"}},
		"status":     {PeopleFilter{Status: hr.StatusEnded}, []string{"2"}},
		"department": {PeopleFilter{Department: "SALES"}, []string{"2", "3"}},
		"manager":    {PeopleFilter{Manager: "9", Name: "ada b"}, []string{"1"}},
		"role":       {PeopleFilter{Role: "sales"}, []string{"3"}}, // nobody who has left
		"app":        {PeopleFilter{App: "wiki"}, []string{"1", "2"}},
		"page":       {PeopleFilter{After: "1"}, []string{"2", "3"}},
		"none":       {PeopleFilter{After: "1", Department: "Research"}, []string{}}, // it is somebody's
	} {
		t.Run(name, func(t *testing.T) {
			ids := []string{}
			for s, err := range People(t.Context(), company(), rules(t), now, tc.filter) {
				require.NoError(t, err)
				ids = append(ids, s.ID)
			}
			assert.Equal(t, tc.ids, ids)
		})
	}
	for _, f := range []PeopleFilter{{Department: "Saless"}, {Manager: "77"}} {
		_, err := ledger.Collect(People(t.Context(), company(), rules(t), now, f))
		var wrong *WrongError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, map[bool]string{true: "manager", false: "department"}[f.Manager != ""], wrong.Field)
	}
}

func TestWhoAndWhy(t *testing.T) {
	l := company()
	who, err := ledger.Collect(Who(t.Context(), l, rules(t), now, "wiki", ""))
	require.NoError(t, err)
	require.Len(t, who, 1, "an account that is off is no access")
	assert.Equal(t, "Ada Byron", who[0].Name)
	assert.Equal(t, []string{"everybody"}, who[0].Roles)
	who, err = ledger.Collect(Who(t.Context(), l, rules(t), now, "wiki", "editors"))
	require.NoError(t, err)
	require.Len(t, who, 1)
	assert.Empty(t, who[0].Roles, "no role gives it")
	_, err = ledger.Collect(Who(t.Context(), l, rules(t), now, "wiki", "stuff"))
	require.ErrorAs(t, err, new(*WrongError))

	why, err := WhyOf(rules(t), l.people[0], now, "", "")
	require.NoError(t, err)
	require.Len(t, why.Roles, 2)
	assert.True(t, why.Roles[0].Holds)
	assert.Equal(t, []string{"wiki:staff"}, why.Roles[0].Grants)
	assert.False(t, why.Roles[1].Holds)
	assert.Equal(t, []string{`person.department == "Sales"`}, why.Roles[1].Failed)
	why, err = WhyOf(rules(t), l.people[0], now, "wiki", "deals")
	require.NoError(t, err)
	assert.Len(t, why.Roles, 1)
}

func TestEvidenceOf(t *testing.T) {
	l := company()
	l.steps = []ledger.Step{
		{PersonID: "2", App: "wiki", Kind: "Disable", State: ledger.StepDone, PlannedAt: now},
		{PersonID: "2", App: "chat", Kind: "Disable", State: ledger.StepAttention, PlannedAt: now},
		{PersonID: "2", Kind: "Question", State: ledger.StepOpen, PlannedAt: now},
	}
	l.audit = []ledger.AuditRow{{Seq: 1, App: "wiki", Action: "disabled"}, {Seq: 2, Action: "suspend"}}
	v, err := EvidenceOf(t.Context(), l, rules(t), "2", now)
	require.NoError(t, err)
	assert.Equal(t, 2, v.Unfinished)
	assert.Len(t, v.Said, 2)
	assert.Len(t, v.General, 1)
	assert.Equal(t, "suspend", v.Record[0].Action)
	require.Len(t, v.Apps, 2)
	assert.Equal(t, "chat", v.Apps[0].App)
	assert.Nil(t, v.Apps[0].Account, "there never was one")
	wiki := v.Apps[1]
	require.NotNil(t, wiki.Off)
	assert.False(t, wiki.Off.NotProven)
	assert.Equal(t, int64(12*60*60), wiki.Off.AfterSeconds, "the day ends at 23:00 UTC")
	assert.Equal(t, "disabled", wiki.Record[0].Action)
	require.Len(t, v.Timeline, 2)
	assert.Equal(t, "access ends (terminated)", v.Timeline[1].What)
}
