package workflows_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/request"
	"github.com/tenurehq/tenure/workflows"
)

// A petition plays the life of requests through the real workflow, the real activity, a real
// ledger and what operators do, with skipped time. Person 10001 works for 10000, who works for
// 10010; 10020 and 10021 own the role admin; 10030 and 10031 are the fallback.
type petition struct {
	*biography
	o       *operator.Operator
	events  []happening
	phases  []request.Phase // of the run, in order, each once
	nexts   []string        // likewise
	done    bool            // the run has ended
	running int64           // the request whose run is open
	told    map[int64]bool  // requests whose run was told
	people  []string        // whose run was told
}

// configured are the apps of the configuration, as far as deciding needs them.
type configured struct {
	operator.Apps
	rules assess.Rules
}

func (c configured) Rules(context.Context) (assess.Rules, error) { return c.rules, nil }
func (c configured) Find(string) error                           { return nil }

// told tells the run of a request.
type told struct {
	signals
	p *petition
}

func (t told) Resume(_ context.Context, id, _ string) error {
	t.p.people = append(t.p.people, id)
	return nil
}

func (t told) ResumeRequest(_ context.Context, id int64, _ string) error {
	t.p.told[id] = true
	if t.p.running == id && t.p.env != nil {
		t.p.env.SignalWorkflow(workflows.SignalLookAgain, workflows.LookAgain{})
	}
	return nil
}

func newPetition(t *testing.T, change func(r *policy.RequestRules)) *petition {
	t.Helper()
	rules := testRules()
	admin := policy.Role{
		Name: "admin", When: "person.department == 'Development'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"admins"}}},
		About: policy.RoleFacts{Owner: []string{"10020", "10021"}},
		Request: &policy.RequestRules{
			Most: 8 * time.Hour, Approve: [][]string{{"manager"}, {"owner"}}, Needed: 1, Answer: 3 * day, Escalate: day,
			Ahead: 14 * day, Emergency: &policy.EmergencyRules{Most: 2 * time.Hour, Confirm: day},
		},
	}
	if change != nil {
		change(admin.Request)
	}
	rules.Roles, rules.Fallback = append(rules.Roles, admin), []string{"10030", "10031"}
	p := &petition{biography: newBiography(t, rules), told: map[int64]bool{}}
	p.employs("10001", "10000")
	p.employs("10000", "10010")
	for _, id := range []string{"10010", "10020", "10021", "10030", "10031"} {
		p.employs(id, "")
	}
	traits := map[string]plan.App{}
	for _, app := range p.acts.Policy.Apps() {
		traits[app] = plan.App{Disable: true, Delete: true}
	}
	p.o = operator.New(p.ledger, told{signals{p.biography}, p}, operator.Viewer{
		Policy: p.acts.Policy, Clock: clock.Func(p.now), Apps: configured{rules: assess.Rules{Policy: p.acts.Policy, Apps: traits}},
	})
	return p
}

// hr records what HR says about somebody.
func (p *petition) hr(e hr.Event) {
	p.t.Helper()
	e.Source, e.ID, e.Recorded = "/hr/test", fmt.Sprintf("%s-%s-%d", e.Type, e.PersonID, p.now().Unix()), p.now()
	_, err := p.ledger.Record(context.Background(), []ledger.Received{{Event: e, At: p.now()}})
	require.NoError(p.t, err)
}

// employs makes somebody an employee who works for another.
func (p *petition) employs(id, boss string) {
	who := profile("Development")
	who.ManagerID, who.StartDate = boss, hr.DateOf(epoch.Add(-30*day))
	p.hr(hr.Event{Type: hr.EventHired, PersonID: id, Effective: who.StartDate, Profile: who})
}

// cutsOff suspends somebody at a time.
func (p *petition) cutsOff(after time.Duration, id string) {
	p.during(after, func() { p.hr(hr.Event{Type: hr.EventSuspended, PersonID: id, Effective: hr.DateOf(p.now())}) })
}

// at2 adds something that happens at a time after the epoch.
func (p *petition) during(after time.Duration, do func()) {
	p.events = append(p.events, happening{at: epoch.Add(after), do: do})
}

var olga = operator.Request{Actor: "olga", Reason: "INC-1"}

// asks asks for the role at a time.
func (p *petition) asks(after time.Duration, want operator.RoleRequest) {
	p.during(after, func() {
		_, err := p.ask(want)
		require.NoError(p.t, err)
	})
}

func (p *petition) ask(want operator.RoleRequest) (operator.ChangedRequest, error) {
	if want.PersonID == "" {
		want.PersonID = p.person
	}
	want.Role = "admin"
	return p.o.AskRole(context.Background(), olga, want, true)
}

// says has somebody say something about r-1 at a time.
func (p *petition) says(after time.Duration, as string, vote ledger.VoteKind) {
	p.during(after, func() {
		_, err := p.decide(1, as, vote)
		require.NoError(p.t, err)
	})
}

func (p *petition) decide(id int64, as string, vote ledger.VoteKind) (operator.ChangedRequest, error) {
	return p.o.DecideRequest(context.Background(), olga, operator.RequestDecision{Request: ledger.RequestName(id), As: as, Vote: vote}, true)
}

// proves has the wiki show, at a time, that the person has an entitlement.
func (p *petition) proves(after time.Duration, entitlements ...string) {
	p.during(after, func() {
		require.NoError(p.t, p.ledger.FinishStep(context.Background(), ledger.Outcome{
			PersonID: p.person, App: "wiki", Key: fmt.Sprint("wiki", after), Kind: "Update", At: p.now(), State: ledger.StepDone,
			Link: &ledger.Link{PersonID: p.person, App: "wiki", AccountID: "7", Username: "ada", State: ledger.LinkActive, Entitlements: entitlements, ProvenAt: p.now()},
		}))
	})
}

// lives plays what happens, and the run of a request from its making on, until it ends or until a
// time.
func (p *petition) lives(id int64, until time.Duration) {
	p.t.Helper()
	slices.SortStableFunc(p.events, func(x, y happening) int { return x.at.Compare(y.at) })
	next := func() bool {
		if len(p.events) == 0 || p.events[0].at.After(epoch.Add(until)) {
			return false
		}
		e := p.events[0]
		p.events, p.at = p.events[1:], later(p.at, e.at)
		e.do()
		return true
	}
	for !p.told[id] && next() {
	}
	require.True(p.t, p.told[id], "r-%d was asked for", id)
	p.runRequest(id, until)
	for next() {
	}
}

func (p *petition) runRequest(id int64, until time.Duration) {
	p.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.SetWorkerOptions(patient)
	env.SetStartTime(p.at)
	workflows.Register(env, p.acts)
	env.SetOnLocalActivityCompletedListener(func(_ *activity.Info, result converter.EncodedValue, err error) {
		var state request.State
		if err != nil || result.Get(&state) != nil {
			return
		}
		if n := len(p.phases); n == 0 || p.phases[n-1] != state.Phase || p.nexts[n-1] != state.Next {
			p.phases, p.nexts = append(p.phases, state.Phase), append(p.nexts, state.Next)
		}
	})
	happened := 0
	for i := range p.events {
		event := p.events[i]
		env.RegisterDelayedCallback(func() {
			event.do()
			happened++
		}, max(event.at.Sub(p.at), 0))
	}
	env.RegisterDelayedCallback(func() { env.CancelWorkflow() }, max(epoch.Add(until).Sub(p.at), 0))
	p.running = id
	p.setEnv(env)
	env.ExecuteWorkflow(workflows.TypeRequest, workflows.RequestInput{Request: id})
	p.setEnv(nil)
	p.at, p.running, p.events = env.Now(), 0, p.events[happened:]
	require.True(p.t, env.IsWorkflowCompleted())
	p.done = env.GetWorkflowError() == nil
}

// request returns a request as it stands.
func (p *petition) request(id int64) ledger.Request {
	p.t.Helper()
	r, err := p.o.Request(context.Background(), ledger.RequestName(id))
	require.NoError(p.t, err)
	return r
}

// grant returns an exception.
func (p *petition) grant(id int64) ledger.Exception {
	p.t.Helper()
	x, err := p.o.Exception(context.Background(), ledger.ExceptionName(id))
	require.NoError(p.t, err)
	return x
}

// asked lists who was asked about r-1, stage by stage, and what they said.
func (p *petition) asked() []string {
	p.t.Helper()
	votes, err := p.ledger.Votes(context.Background(), 1)
	require.NoError(p.t, err)
	var all []string
	for _, v := range votes {
		said := string(v.Vote)
		if said == "" && !v.MootAt.IsZero() {
			said = "no longer"
		}
		all = append(all, fmt.Sprintf("%d %s %s: %s", v.Stage, v.Voter, said, v.Authority))
	}
	return all
}

// recorded lists what the record says of requests, in order.
func (p *petition) recorded() []string {
	p.t.Helper()
	rows, err := p.ledger.Audit(context.Background(), p.person, 0, 1000)
	require.NoError(p.t, err)
	var all []string
	for _, r := range rows {
		if _, ok := r.Detail["request"]; ok {
			all = append(all, r.Action)
		}
	}
	return all
}

func at(after time.Duration) time.Time { return epoch.Add(after) }
