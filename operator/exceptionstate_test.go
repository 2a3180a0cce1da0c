package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

// An exception that has no effect is not said to be in force.
func TestTheStateOfAnExceptionSaysWhyItHasNoEffect(t *testing.T) {
	request := &policy.RequestRules{Most: 1000 * time.Hour}
	rules, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{"wiki": {}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"papers"}}}},
			{Name: "admin", When: "person.department == 'Development'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}}, Request: request},
			{Name: "judge", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"judges"}}}, Request: request},
		},
		Duties: []policy.Duty{{
			Name: "write-and-judge", Mode: policy.DutyPrevent, Since: now.AddDate(-1, 0, 0), Waive: &policy.WaiveRules{Most: time.Hour},
			One: []policy.Grant{{App: "wiki", Entitlements: []string{"papers"}}}, Other: []policy.Grant{{App: "wiki", Entitlements: []string{"judges"}}},
		}},
	})
	require.NoError(t, err)
	day := 24 * time.Hour
	said := func(id string, kind hr.EventType, at time.Duration, department string) ledger.StoredEvent {
		on := hr.DateOf(now.Add(at))
		e := hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: kind, PersonID: "ada", Recorded: now.Add(at), Effective: on}
		if department != "" {
			e.Profile = &hr.Profile{GivenName: "Ada", FamilyName: "Lovelace", Department: department, StartDate: on}
		}
		if kind == hr.EventTerminated {
			e.Termination = &hr.Termination{LastDay: on}
		}
		return ledger.StoredEvent{At: now.Add(at), Event: e}
	}
	hired := func(at time.Duration, department string) ledger.StoredEvent {
		e := said("e1", hr.EventHired, at, department)
		e.Event.Recorded, e.At = now.Add(-100*day), now.Add(-100*day)
		return e
	}
	for name, tc := range map[string]struct {
		x      ledger.Exception
		events []ledger.StoredEvent
		state  string
	}{
		"in force":                {ledger.Exception{Kind: "grant", Role: "admin"}, []ledger.StoredEvent{hired(-90*day, "Development")}, "in force"},
		"ended":                   {ledger.Exception{Kind: "grant", Role: "admin", EndedAt: now}, []ledger.StoredEvent{hired(-90*day, "Development")}, "ended"},
		"to come":                 {ledger.Exception{Kind: "grant", Role: "admin", StartsAt: now.Add(time.Hour)}, []ledger.StoredEvent{hired(-90*day, "Development")}, "to come"},
		"over":                    {ledger.Exception{Kind: "grant", Role: "admin", EndsAt: now}, []ledger.StoredEvent{hired(-90*day, "Development")}, "over"},
		"no such role":            {ledger.Exception{Kind: "grant", Role: "boss"}, []ledger.StoredEvent{hired(-90*day, "Development")}, "void: the configuration has no such role to request"},
		"no such rule":            {ledger.Exception{Kind: "waive", Duty: "none"}, []ledger.StoredEvent{hired(-90*day, "Development")}, "void: the configuration has no such rule"},
		"a waiver":                {ledger.Exception{Kind: "waive", Duty: "write-and-judge"}, []ledger.StoredEvent{hired(-90*day, "Development")}, "in force"},
		"the condition":           {ledger.Exception{Kind: "grant", Role: "admin"}, []ledger.StoredEvent{hired(-90*day, "Sales")}, "not given: the role's condition does not hold"},
		"a rule":                  {ledger.Exception{Kind: "grant", Role: "judge"}, []ledger.StoredEvent{hired(-90*day, "Sales")}, "not given: rule write-and-judge keeps it apart from wiki:papers"},
		"before the first day":    {ledger.Exception{Kind: "withhold", App: "wiki"}, []ledger.StoredEvent{hired(10*day, "Sales")}, "to come: the employment has not begun"},
		"withheld":                {ledger.Exception{Kind: "withhold", App: "wiki"}, []ledger.StoredEvent{hired(-90*day, "Sales")}, "in force"},
		"the employment is over":  {ledger.Exception{Kind: "grant", Role: "admin"}, []ledger.StoredEvent{hired(-90*day, "Development"), said("e2", hr.EventTerminated, -5*day, "")}, "over: the employment has ended"},
		"the person is away":      {ledger.Exception{Kind: "grant", Role: "admin"}, []ledger.StoredEvent{hired(-90*day, "Development"), said("e2", hr.EventLeaveStarted, -5*day, "")}, "in force, but the person is on leave"},
		"the person is suspended": {ledger.Exception{Kind: "grant", Role: "admin"}, []ledger.StoredEvent{hired(-90*day, "Development"), said("e2", hr.EventSuspended, -5*day, "")}, "in force, but the person is suspended"},
	} {
		t.Run(name, func(t *testing.T) {
			x := tc.x
			x.ID, x.PersonID, x.Employment, x.DecidedAt = 7, "ada", tc.events[0].Event.EventKey, now.Add(-20*day)
			if x.StartsAt.IsZero() {
				x.StartsAt = now.Add(-20 * day)
			}
			person := ledger.Person{Events: tc.events, Exceptions: []ledger.Exception{x}}
			person.PersonID = "ada"
			assert.Equal(t, tc.state, operator.ExceptionState(rules, person, x, now))
		})
	}
}
