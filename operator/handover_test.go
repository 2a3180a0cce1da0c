package operator_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
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
