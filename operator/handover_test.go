package operator_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// town is a ledger that knows these people.
type town struct {
	ledger.Reader
	people map[string]ledger.Person
}

func (t town) Person(_ context.Context, id string) (ledger.Person, error) {
	person, ok := t.people[id]
	if !ok {
		return person, ledger.ErrNotFound
	}
	return person, nil
}

// A hand-over that an operator has skipped is shown as one, and not as one to somebody.
func TestASkippedHandOverIsShown(t *testing.T) {
	day := hr.DateOf(now)
	event := func(id string, kind hr.EventType) ledger.StoredEvent {
		e := hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: kind, PersonID: "ada", Recorded: now.AddDate(-1, 0, 0), Effective: day.AddDays(-300)}
		e.Profile = &hr.Profile{Type: hr.TypeEmployee, GivenName: "A", FamilyName: "L", ManagerID: "kim", StartDate: e.Effective, Location: hr.Location{TimeZone: "UTC"}}
		if kind == hr.EventTerminated {
			e.Profile, e.Effective, e.Termination = nil, day.AddDays(-10), &hr.Termination{LastDay: day.AddDays(-10)}
		}
		return ledger.StoredEvent{Event: e, At: e.Recorded}
	}
	ada := ledger.Person{
		Summary: ledger.Summary{PersonID: "ada", ManagerID: "kim"},
		Events:  []ledger.StoredEvent{event("1", hr.EventHired), event("2", hr.EventTerminated)},
		Links:   []ledger.Link{{PersonID: "ada", App: "calls", AccountID: "a", State: ledger.LinkDisabled}},
		Steps:   []ledger.Step{{PersonID: "ada", App: "calls", Kind: "HandOver", Key: "calls/HandOver/1", State: ledger.StepAttention}},
	}
	people := map[string]ledger.Person{"ada": ada, "kim": {
		Summary: ledger.Summary{PersonID: "kim"},
		Links:   []ledger.Link{{PersonID: "kim", App: "calls", AccountID: "k", State: ledger.LinkActive}},
	}}
	rules, err := policy.Compile(policy.Rules{Apps: map[string]policy.AppRules{"calls": {}}})
	require.NoError(t, err)
	v := operator.Viewer{
		Ledger: town{people: people}, Policy: rules, Clock: clock.Func(now.UTC),
		Apps: apps{rules: assess.Rules{Policy: rules, Apps: map[string]plan.App{"calls": {HandOverByDelete: true}}}},
	}
	shown, err := v.HandOvers(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, []operator.HandOver{{App: "calls", To: "kim", By: "manager"}}, shown)

	ada.Steps[0].State = ledger.StepSkipped
	shown, err = v.HandOvers(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, []operator.HandOver{{App: "calls", Why: "an operator has skipped the hand-over"}}, shown)
}

// Nobody says that data were handed over to somebody who has left meanwhile: not the one who does
// the task, and not the one who confirms it.
func TestAHandOverToAnEarlierReceiverIsNotTakenForDone(t *testing.T) {
	l, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	rules, err := policy.Compile(policy.Rules{Apps: map[string]policy.AppRules{"mail": {}}})
	require.NoError(t, err)
	r := &runs{}
	o := operator.New(l, r, operator.Viewer{
		Policy: rules, Clock: clock.Func(func() time.Time { return now }),
		Apps: apps{rules: assess.Rules{Policy: rules, Apps: map[string]plan.App{"mail": {HandOver: true}}}},
	})
	start := hr.DateOf(now).AddDays(-300)
	says := func(person, manager string, kind hr.EventType) {
		e := hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: person + string(kind)}, Type: kind, PersonID: person, Recorded: now.AddDate(-1, 0, 0), Effective: start}
		if kind == hr.EventTerminated {
			e.Effective = hr.DateOf(now).AddDays(-10)
			e.Termination = &hr.Termination{LastDay: e.Effective}
		} else {
			e.Profile = &hr.Profile{Type: hr.TypeEmployee, GivenName: "A", FamilyName: person, ManagerID: manager, StartDate: start, Location: hr.Location{TimeZone: "UTC"}}
		}
		_, err := l.Record(t.Context(), []ledger.Received{{At: e.Recorded, Event: e}})
		require.NoError(t, err)
	}
	for person, manager := range map[string]string{"ada": "kim", "kim": "lee", "lee": ""} {
		says(person, manager, hr.EventHired)
		state := ledger.LinkActive
		if person == "ada" {
			state = ledger.LinkDisabled
		}
		require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
			PersonID: person, App: "mail", Key: "mail/Provision/1", Kind: "Provision", At: now, State: ledger.StepDone,
			Link: &ledger.Link{PersonID: person, App: "mail", AccountID: "of " + person, State: state},
		}))
	}
	says("ada", "", hr.EventTerminated)
	_, err = l.BeginStep(t.Context(), ledger.Attempt{PersonID: "ada", App: "mail", Key: "mail/HandOver/1", Kind: "HandOver", At: now, Deadline: now.Add(time.Second)})
	require.NoError(t, err)
	task := ledger.Task{
		PersonID: "ada", App: "mail", Key: "mail/HandOver/1", Kind: "HandOver", SecondPerson: true, OpenedAt: now, DueAt: now, LookAt: now,
		Work: ledger.TaskWork{To: "of kim", ToPerson: "kim"},
	}
	_, err = l.OpenTask(t.Context(), task)
	require.NoError(t, err)
	done := func(who string) (ledger.TaskState, error) {
		got, err := o.FinishTask(ledger.WithLogin(t.Context(), ledger.Login{Name: who}), operator.Request{Actor: who}, 1, "moved", "")
		return got.State, err
	}
	state, err := done("grace")
	require.NoError(t, err)
	assert.Equal(t, ledger.TaskConfirming, state)

	says("kim", "", hr.EventTerminated)
	_, err = done("mary")
	require.ErrorContains(t, err, "task 1 asks to give the data to somebody who cannot be given them any more")
	assert.Equal(t, []string{"ada"}, r.told, "the run asks anew")
	got, err := o.Task(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, ledger.TaskConfirming, got.State)

	task.Work = ledger.TaskWork{To: "of lee", ToPerson: "lee"}
	_, err = l.OpenTask(t.Context(), task)
	require.NoError(t, err)
	for _, who := range []string{"mary", "grace"} {
		state, err = done(who)
		require.NoError(t, err)
	}
	assert.Equal(t, ledger.TaskDone, state)
}
