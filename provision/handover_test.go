package provision_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// estate is an office with licences and three people: Ada, her manager Kim, and Kim's manager Lee.
// Data are handed over only from an account with a licence.
type estate struct{ *office }

func newEstate(t *testing.T, leaver policy.LeaverRules, can connector.Settings) *estate {
	t.Helper()
	o := newOfficeThatGives(t, "licence:office", "staff")
	leaver.Retain, leaver.Delete = 10*day, true
	rules, err := policy.Compile(policy.Rules{
		Apps:   map[string]policy.AppRules{"mail": {}},
		Roles:  []policy.Role{{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"licence:office", "staff"}}}}},
		Leaver: leaver,
	})
	require.NoError(t, err)
	open, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, can)
	require.NoError(t, err)
	o.engine.Policy, o.engine.Apps = rules, map[string]*provision.App{"mail": {Connector: open}}
	for person, manager := range map[string]string{"ada": "kim", "kim": "lee", "lee": ""} {
		_, err := o.engine.Ledger.Record(t.Context(), []ledger.Received{{At: o.now, Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: "hired " + person}, Type: hr.EventHired, PersonID: person, Recorded: o.now, Effective: hr.DateOf(o.now),
			Profile: &hr.Profile{
				Type: hr.TypeEmployee, GivenName: person, FamilyName: person, ManagerID: manager,
				StartDate: hr.DateOf(o.now), Location: hr.Location{TimeZone: "UTC"},
			},
		}}})
		require.NoError(t, err)
		require.NoError(t, settle(o, person))
	}
	o.now = o.now.Add(20 * day)
	return &estate{o}
}

// leaves records that somebody has left.
func (e *estate) leaves(person string) {
	last := hr.DateOf(e.now).AddDays(-1)
	_, err := e.engine.Ledger.Record(e.t.Context(), []ledger.Received{{At: e.now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "left " + person}, Type: hr.EventTerminated, PersonID: person,
		Recorded: e.now, Effective: last, Termination: &hr.Termination{LastDay: last},
	}}})
	require.NoError(e.t, err)
}

// did lists the audit rows about Ada of these actions, with whom they name.
func (e *estate) did(actions ...string) (rows []string) {
	all, err := e.engine.Ledger.Audit(e.t.Context(), "ada", 0, 1000)
	require.NoError(e.t, err)
	for _, r := range all {
		for _, action := range actions {
			if r.Action == action {
				rows = append(rows, fmt.Sprint(action, " ", r.Detail["to"]))
			}
		}
	}
	return rows
}

var steps = []string{"disabled", "stripped", ledger.AuditHandOverBegun, "handed_over", "deleted"}

func licensed() connector.Settings {
	return connector.Settings{"handOverNeeds": []any{"licence:"}}
}

func TestDataAreHandedOverWhileTheLicenceIsThere(t *testing.T) {
	e := newEstate(t, policy.LeaverRules{}, licensed())
	account, kim := linkOf(e.office, "ada").AccountID, linkOf(e.office, "kim").AccountID
	e.leaves("ada")
	require.NoError(t, settle(e.office, "ada"))
	to, ok := e.memory.HandedOver(account)
	require.True(t, ok, "the app refuses to hand over from an account without a licence")
	assert.Equal(t, kim, to)
	assert.Equal(t, []string{"disabled <nil>", "stripped <nil>", "hand_over_begun kim", "handed_over kim", "stripped <nil>"}, e.did(steps...))
	left, ok := e.memory.Account(account)
	require.True(t, ok)
	assert.Empty(t, left.Entitlements, "nothing is kept after it")
	assert.Equal(t, "kim", linkOf(e.office, "ada").Receiver.PersonID)
	e.now = e.now.Add(11 * day)
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, ledger.LinkDeleted, linkOf(e.office, "ada").State)
}

// The receiver is chosen once. Only if they cannot be given anything any more, another one is.
func TestTheReceiverStays(t *testing.T) {
	e := newEstate(t, policy.LeaverRules{}, licensed())
	e.leaves("ada")
	account := linkOf(e.office, "ada").AccountID
	refuse := true
	e.memory.OnCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpHandOver && refuse {
			return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "not now"}
		}
		return nil
	})
	require.Error(t, settle(e.office, "ada"))
	assert.Equal(t, "kim", linkOf(e.office, "ada").Receiver.PersonID, "written down before the call")

	require.Error(t, settle(e.office, "ada"))
	assert.Equal(t, []string{"hand_over_begun kim"}, e.did(ledger.AuditHandOverBegun), "said once")

	e.leaves("kim")
	refuse = false
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, []string{"hand_over_begun kim", "hand_over_begun lee", "handed_over lee"}, e.did(ledger.AuditHandOverBegun, "handed_over"))
	to, _ := e.memory.HandedOver(account)
	assert.Equal(t, linkOf(e.office, "lee").AccountID, to)
}

// Whatever the ledger says, the app has the last word on whose the account is.
func TestNothingGoesToAnAccountThatIsNotTheReceivers(t *testing.T) {
	for name, change := range map[string]func(*estate, string){
		"turned off in the app": func(e *estate, id string) {
			require.NoError(e.t, e.engine.Apps["mail"].Connector.Disable(e.t.Context(), id))
		},
		"gone from the app": func(e *estate, id string) {
			require.NoError(e.t, e.engine.Apps["mail"].Connector.Delete(e.t.Context(), id))
		},
		"somebody else's by now": func(e *estate, id string) {
			require.NoError(e.t, e.engine.Apps["mail"].Connector.Relabel(e.t.Context(), id, connector.Label{PersonID: "zoe", WasPersonID: "kim"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t, policy.LeaverRules{}, licensed())
			account := linkOf(e.office, "ada").AccountID
			change(e, linkOf(e.office, "kim").AccountID)
			e.leaves("ada")
			require.ErrorContains(t, settle(e.office, "ada"), "nobody can be given the data: ")
			assert.Zero(t, e.memory.Calls(connector.OpHandOver))
			left, _ := e.memory.Account(account)
			assert.Equal(t, []string{"licence:office"}, left.Entitlements, "it stays until that is settled")
			e.now = e.now.Add(30 * day)
			require.Error(t, settle(e.office, "ada"))
			_, there := e.memory.Account(account)
			assert.True(t, there, "nor is the account deleted")
		})
	}
}

func TestWhatCannotBeMovedIsATask(t *testing.T) {
	e := newEstate(t, policy.LeaverRules{HandOverBy: "archive", HandOverNeeds: []string{"licence:office"}}, nil)
	e.engine.Apps["mail"] = &provision.App{Connector: clerical{e.engine.Apps["mail"].Connector}}
	e.leaves("ada")
	account := linkOf(e.office, "ada").AccountID
	waits := func() ledger.Task {
		e.t.Helper()
		for range 5 {
			assessment, err := e.engine.Assess(t.Context(), "ada")
			require.NoError(t, err)
			for _, todo := range assessment.Todo {
				if todo.Kind == plan.Delete {
					assert.NotEmpty(t, todo.Needs, "it waits for the hand-over")
					continue
				}
				_, _, err := e.engine.Apply(t.Context(), provision.Attempt{
					PersonID: "ada", Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key,
				})
				require.NoError(t, err)
			}
		}
		person, err := e.engine.Ledger.Person(t.Context(), "ada")
		require.NoError(t, err)
		require.Len(t, person.Tasks, 1)
		return person.Tasks[0]
	}
	task := waits()
	assert.Equal(t, "archive", task.Assignee)
	assert.Equal(t, "HandOver", task.Kind)
	assert.Equal(t, "kim", task.Work.ToPerson)
	assert.Equal(t, linkOf(e.office, "kim").AccountID, task.Work.To)
	assert.Equal(t, []string{"hand_over_begun kim"}, e.did(ledger.AuditHandOverBegun))

	// Kim leaves while it is open: then it says Lee.
	e.leaves("kim")
	now := waits()
	assert.Equal(t, task.ID, now.ID)
	assert.Equal(t, "lee", now.Work.ToPerson)

	// Nothing is deleted while it waits, and the licence stays.
	e.now = e.now.Add(100 * day)
	waits()
	left, there := e.memory.Account(account)
	require.True(t, there)
	assert.Equal(t, []string{"licence:office"}, left.Entitlements)

	_, err := e.engine.Ledger.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: task.ID, Operator: "grace", Text: "moved", At: e.now})
	require.NoError(t, err)
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, []string{"handed_over lee"}, e.did("handed_over"))
	e.now = e.now.Add(11 * day)
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, ledger.LinkDeleted, linkOf(e.office, "ada").State)
}

// fourEyes is an app that humans operate, two for each hand-over.
type fourEyes struct{ clerical }

func (fourEyes) Ask(step string) (connector.Ask, bool) {
	return connector.Ask{Assignee: "archive", Within: 2 * day, Remind: day, SecondPerson: true}, step == "HandOver"
}

// Whoever is asked to confirm what somebody else has done for an earlier receiver would confirm
// what is wrong by then.
func TestAHandOverThatWaitsForItsSecondPersonIsAskedForAnew(t *testing.T) {
	e := newEstate(t, policy.LeaverRules{}, nil)
	e.engine.Apps["mail"] = &provision.App{Connector: fourEyes{clerical{e.engine.Apps["mail"].Connector}}}
	e.leaves("ada")
	require.Error(t, settleWaiting(e.office))
	done := func(operator string, minutes int) ledger.Task {
		task, err := e.engine.Ledger.ActOnTask(ledger.WithLogin(t.Context(), ledger.Login{Name: operator}), ledger.TaskAction{
			Verb: ledger.VerbTaskDone, ID: 1, Operator: operator, Text: "moved", At: e.now.Add(time.Duration(minutes) * time.Minute),
		})
		require.NoError(t, err)
		return task
	}
	todo := func() provision.Todo {
		assessment, err := e.engine.Assess(t.Context(), "ada")
		require.NoError(t, err)
		require.Len(t, assessment.Todo, 1)
		require.Equal(t, plan.HandOver, assessment.Todo[0].Kind)
		return assessment.Todo[0]
	}
	task := done("grace", 1)
	assert.Equal(t, ledger.TaskConfirming, task.State)
	assert.Equal(t, "kim", task.Work.ToPerson)
	assert.NotNil(t, todo().Waiting, "nobody looks at it until it is time to remind")

	e.leaves("kim")
	assert.Nil(t, todo().Waiting, "it is looked at whatever the time")
	require.Error(t, settleWaiting(e.office))
	assert.NotNil(t, todo().Waiting, "once")
	tasks, err := e.engine.Ledger.Tasks(t.Context(), ledger.TaskFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, tasks, 1)
	assert.Equal(t, ledger.TaskOpen, tasks[0].State)
	assert.Equal(t, "lee", tasks[0].Work.ToPerson)
	assert.Empty(t, tasks[0].DoneBy)

	assert.Equal(t, ledger.TaskConfirming, done("mary", 2).State)
	assert.Equal(t, ledger.TaskDone, done("grace", 3).State)
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, []string{"handed_over lee"}, e.did("handed_over"))
}

// What a human has done for somebody who leaves right after it is on the record as it was done.
func TestTheRecordNamesWhomAHumanGaveTheData(t *testing.T) {
	e := newEstate(t, policy.LeaverRules{HandOverBy: "archive"}, nil)
	e.engine.Apps["mail"] = &provision.App{Connector: clerical{e.engine.Apps["mail"].Connector}}
	e.leaves("ada")
	require.Error(t, settleWaiting(e.office))
	_, err := e.engine.Ledger.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: 1, Operator: "grace", Text: "moved", At: e.now})
	require.NoError(t, err)
	e.leaves("kim")
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, []string{"hand_over_begun kim", "handed_over kim"}, e.did(ledger.AuditHandOverBegun, "handed_over"))
	assert.Equal(t, "kim", linkOf(e.office, "ada").Receiver.PersonID)
}

// An account that somebody deleted by hand has nothing to hand over, and holds nobody up.
func TestWhatIsGoneIsNotHandedOver(t *testing.T) {
	for name, byHand := range map[string]bool{"by the app": false, "with a human": true} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t, policy.LeaverRules{}, nil)
			app := e.engine.Apps["mail"].Connector
			if byHand {
				e.engine.Apps["mail"] = &provision.App{Connector: &partly{Connector: app}}
			}
			e.leaves("ada")
			account := linkOf(e.office, "ada").AccountID
			e.memory.OnCall(func(_ context.Context, op, _ string) error {
				if op != connector.OpHandOver {
					return nil
				}
				e.memory.OnCall(nil)
				return app.Delete(t.Context(), account)
			})
			if byHand {
				require.Error(t, settleWaiting(e.office))
				_, err := e.engine.Ledger.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: 1, Operator: "grace", Text: "moved", At: e.now})
				require.NoError(t, err)
			}
			require.NoError(t, settle(e.office, "ada"))
			assert.Equal(t, []string{"hand_over_begun kim"}, e.did(ledger.AuditHandOverBegun, "handed_over"))
			assert.Equal(t, ledger.LinkDeleted, linkOf(e.office, "ada").State)
			assert.Zero(t, linkOf(e.office, "ada").HandedOverAt)
		})
	}
}

// clerical is an app that hands nothing over by itself.
type clerical struct{ connector.Connector }

func (c clerical) Capabilities() connector.Capabilities {
	can := c.Connector.Capabilities()
	can.HandOver = false
	return can
}

func TestNothingIsHandedOverIfPolicySaysSo(t *testing.T) {
	e := newEstate(t, policy.LeaverRules{HandOver: policy.HandOverNone, HandOverBy: "archive"}, licensed())
	e.leaves("ada")
	require.NoError(t, settle(e.office, "ada"))
	e.now = e.now.Add(11 * day)
	require.NoError(t, settle(e.office, "ada"))
	assert.Equal(t, ledger.LinkDeleted, linkOf(e.office, "ada").State)
	assert.Zero(t, e.memory.Calls(connector.OpHandOver))
	assert.Equal(t, []string{"disabled <nil>", "stripped <nil>", "deleted <nil>"}, e.did(steps...))
}
