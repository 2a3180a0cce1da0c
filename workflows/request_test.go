package workflows_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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

func TestARequestPassesItsStagesAndTimeRunsFromTheApproval(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(time.Hour, operator.RoleRequest{For: 4 * time.Hour})
	p.says(20*time.Hour, "10000", ledger.VoteApprove)
	p.during(21*time.Hour, func() { assert.Zero(t, p.request(1).Exception, "another stage has to approve it") })
	p.says(40*time.Hour, "10021", ledger.VoteApprove)
	p.proves(40*time.Hour+10*time.Minute, "admins", "engineers")
	p.lives(1, 10*day)

	assert.True(t, p.done)
	r := p.request(1)
	assert.Equal(t, ledger.RequestApproved, r.State)
	assert.Equal(t, []time.Time{at(time.Hour), at(40 * time.Hour)}, []time.Time{r.AskedAt, r.DecidedAt})
	x := p.grant(r.Exception)
	assert.Equal(t, []any{"r-1", at(40 * time.Hour), at(44 * time.Hour), "INC-1"}, []any{x.Origin, x.StartsAt, x.EndsAt, x.Reason}, "a slow approver eats no time")
	assert.WithinRange(t, r.ProvenAt, at(40*time.Hour+10*time.Minute), at(40*time.Hour+20*time.Minute))
	assert.True(t, r.LookAt.IsZero(), "nothing is left to do")
	assert.Equal(t, []string{
		"0 10000 approve: manager of 10001", "1 10020 : owner of role admin", "1 10021 approve: owner of role admin",
	}, p.asked())
	assert.Equal(t, []string{"request_made", "request_passed", "request_approved", "request_proven"}, p.recorded())
	assert.Equal(t, []request.Phase{request.Waiting, request.Applying, ""}, slices.Compact(p.phases))
	assert.Equal(t, []string{"vote r-1", "grant x-1", ""}, slices.Compact(p.nexts))
}

func TestAManagerWhoLeavesInTheMiddleIsReplaced(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.cutsOff(2*time.Hour, "10000")
	p.during(2*time.Hour+time.Minute, func() {
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide about it. Those who may: 10010 (next above 10001 (10000 is suspended))", "as of now, whoever was asked")
	})
	p.during(13*time.Hour, func() {
		assert.Equal(t, []string{"0 10000 no longer: manager of 10001", "0 10010 : next above 10001 (10000 is suspended)"}, p.asked())
	})
	p.says(14*time.Hour, "10010", ledger.VoteApprove)
	p.lives(1, 20*time.Hour)
	assert.Equal(t, 1, p.request(1).Stage)
	assert.Contains(t, p.recorded(), "request_reassigned")
}

func TestAManagerWhoAsksIsNotAsked(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{AskedBy: "10000"})
	p.during(time.Hour, func() {
		for _, self := range []string{"10000", "10001"} {
			_, err := p.decide(1, self, ledger.VoteApprove)
			assert.ErrorContains(t, err, "nobody decides for themself")
		}
	})
	p.lives(1, 2*time.Hour)
	assert.Equal(t, []string{"0 10010 : next above 10001 (10000 is concerned)"}, p.asked())
}

func TestARequestThatNobodyAnswersEscalatesAndExpires(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.during(day-time.Minute, func() { assert.Equal(t, []string{"0 10000 : manager of 10001"}, p.asked()) })
	p.during(day+time.Minute, func() {
		assert.Equal(t, []string{"0 10000 : manager of 10001", "0 10010 : next above 10000, asked since nobody had answered"}, p.asked())
	})
	p.during(3*day-time.Minute, func() {
		votes, err := p.ledger.Votes(context.Background(), 1)
		require.NoError(t, err)
		assert.Equal(t, 2, votes[0].Reminders, "after one day, and after two")
		assert.Equal(t, ledger.RequestAsked, p.request(1).State)
	})
	p.during(3*day+time.Minute, func() {
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "r-1 is expired")
	})
	p.lives(1, 10*day)
	assert.True(t, p.done)
	r := p.request(1)
	assert.Equal(t, []any{ledger.RequestExpired, "nobody answered in time", at(3 * day), true}, []any{r.State, r.Why, r.DecidedAt, r.LookAt.IsZero()})
	assert.Equal(t, []string{"request_made", "request_escalated", "request_reminded", "request_expired"}, p.recorded())
	assert.Empty(t, p.personOf(p.person).Exceptions)
}

func (p *petition) personOf(id string) ledger.Person {
	p.t.Helper()
	person, err := p.ledger.Person(context.Background(), id)
	require.NoError(p.t, err)
	return person
}

func TestWhoeverIsAskedAfterAnEscalationMayDecide(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{})
	p.during(12*time.Hour, func() {
		_, err := p.decide(1, "10010", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide", "not yet")
	})
	p.says(day+time.Hour, "10010", ledger.VoteApprove)
	p.lives(1, 2*day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
}

func TestOneDenialEndsARequest(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10000", ledger.VoteApprove)
	p.says(2*time.Hour, "10020", ledger.VoteDeny)
	p.lives(1, day)
	assert.True(t, p.done)
	assert.Equal(t, ledger.RequestDenied, p.request(1).State)
	assert.Empty(t, p.personOf(p.person).Exceptions)
}

func TestAsManyApproveAsAreNeeded(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve, r.Needed = [][]string{{"owner"}}, 2 })
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10020", ledger.VoteApprove)
	p.during(2*time.Hour, func() {
		assert.Equal(t, ledger.RequestAsked, p.request(1).State)
		_, err := p.decide(1, "10020", ledger.VoteApprove)
		assert.ErrorContains(t, err, "person 10020 has said approve before")
	})
	p.says(3*time.Hour, "10021", ledger.VoteApprove)
	p.lives(1, day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
}

// Somebody who has got another ID meanwhile is still one human.
func TestOneHumanApprovesOnceUnderAnyID(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve, r.Needed = [][]string{{"owner"}}, 2 })
	p.employs("10022", "")
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10020", ledger.VoteApprove)
	p.during(2*time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: "10022", OldID: "10020", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		for _, id := range []string{"10020", "10022"} {
			_, err = p.decide(1, id, ledger.VoteApprove)
			assert.ErrorContains(t, err, "has said approve before", id)
		}
	})
	p.during(12*time.Hour, func() {
		assert.Equal(t, []string{"0 10020 approve: owner of role admin", "0 10021 : owner of role admin"}, p.asked(), "and is not asked again")
	})
	p.says(13*time.Hour, "10021", ledger.VoteApprove)
	p.lives(1, day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
}

// Two who have approved, and are found to be one human, have approved once.
func TestTwoIDsOfOneHumanAreOneApproval(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve, r.Needed = [][]string{{"owner", "manager"}}, 3 })
	p.asks(0, operator.RoleRequest{})
	p.says(time.Hour, "10020", ledger.VoteApprove)
	p.says(2*time.Hour, "10021", ledger.VoteApprove)
	p.during(3*time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: "10021", OldID: "10020", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		_, err = p.decide(1, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		assert.Equal(t, ledger.RequestAsked, p.request(1).State, "two of three")
	})
	p.lives(1, 4*time.Hour)
}

// Whether somebody has answered in time does not depend on when a request is looked at.
func TestNobodyApprovesAfterTheTimeToAnswer(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	_, err := p.ask(operator.RoleRequest{})
	require.NoError(t, err)
	p.at = at(3 * day)
	for _, vote := range []ledger.VoteKind{ledger.VoteApprove, ledger.VoteDeny} {
		_, err = p.decide(1, "10000", vote)
		assert.ErrorContains(t, err, "r-1 has expired at "+at(3*day).UTC().Format(time.RFC3339))
	}
	shown, err := p.o.ShowRequest(context.Background(), "r-1")
	require.NoError(t, err)
	assert.Contains(t, shown.Cannot, "r-1 has expired")
	p.at = at(3*day - time.Second)
	_, err = p.decide(1, "10000", ledger.VoteApprove)
	assert.NoError(t, err)
}

func TestARequestIsTakenBack(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.during(time.Hour, func() {
		_, err := p.o.CancelRequest(context.Background(), olga, "r-1")
		require.NoError(t, err)
	})
	p.lives(1, day)
	assert.True(t, p.done)
	r := p.request(1)
	assert.Equal(t, []any{ledger.RequestCancelled, at(time.Hour), "INC-1"}, []any{r.State, r.DecidedAt, r.Why})
}

func TestARequestEndsWithTheEmployment(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{})
	p.during(time.Hour, func() {
		p.hr(hr.Event{Type: hr.EventTerminated, PersonID: p.person, Effective: hr.DateOf(epoch.Add(-day)), Termination: &hr.Termination{LastDay: hr.DateOf(epoch.Add(-day))}})
	})
	p.during(2*time.Hour, func() {
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		require.NoError(t, err, "the first stage")
		_, err = p.decide(1, "10020", ledger.VoteApprove)
		assert.ErrorContains(t, err, "is not employed")
	})
	p.lives(1, day)
	assert.True(t, p.done)
	assert.Equal(t, []any{ledger.RequestCancelled, "the employment has ended"}, []any{p.request(1).State, p.request(1).Why})
}

func TestAStandInDecides(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{})
	p.during(time.Hour, func() {
		_, err := p.o.SetStandIn(context.Background(), olga, operator.StandInOrder{PersonID: "10000", StandIn: "10021", Until: at(3 * time.Hour)})
		require.NoError(t, err)
	})
	p.during(2*time.Hour, func() {
		assert.Equal(t, []string{"0 10000 : manager of 10001", "0 10021 : stand-in for 10000 (s-1)"}, p.asked(), "told at once")
	})
	p.during(4*time.Hour, func() {
		_, err := p.decide(1, "10021", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide", "it is over")
		_, err = p.o.SetStandIn(context.Background(), olga, operator.StandInOrder{PersonID: "10000", StandIn: "10020", Until: at(9 * time.Hour)})
		require.NoError(t, err)
	})
	p.says(5*time.Hour, "10020", ledger.VoteApprove)
	p.lives(1, day)
	assert.Equal(t, ledger.RequestApproved, p.request(1).State)
	assert.Contains(t, p.asked(), "0 10020 approve: stand-in for 10000 (s-2)")
}

func TestAGrantThatIsDatedAheadBeginsThen(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = nil })
	p.asks(0, operator.RoleRequest{From: at(5 * day), For: time.Hour})
	p.proves(5*day+time.Minute, "admins")
	p.lives(1, 10*day)
	assert.True(t, p.done)
	r, x := p.request(1), p.grant(1)
	assert.Equal(t, []any{ledger.RequestApproved, "nobody has to approve it"}, []any{r.State, r.Why})
	assert.Equal(t, []time.Time{at(5 * day), at(5*day + time.Hour)}, []time.Time{x.StartsAt, x.EndsAt})
	assert.Equal(t, []request.Phase{request.Scheduled, request.Applying, ""}, slices.Compact(p.phases))
	assert.WithinRange(t, r.ProvenAt, at(5*day+time.Minute), at(5*day+3*time.Minute))
}

func TestAGrantThatDoesNotComeAboutNeedsAttentionAndEnds(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = nil })
	p.asks(0, operator.RoleRequest{For: 8 * time.Hour})
	p.proves(time.Minute, "engineers")
	p.during(time.Hour, func() {
		moved := profile("Sales")
		moved.StartDate = hr.DateOf(epoch.Add(-30 * day))
		p.hr(hr.Event{Type: hr.EventTransferred, PersonID: p.person, Effective: hr.DateOf(epoch), Profile: moved})
	})
	p.lives(1, 2*day)
	assert.True(t, p.done)
	assert.Equal(t, []request.Phase{request.Applying, request.Attention, ""}, slices.Compact(p.phases))
	assert.True(t, p.request(1).ProvenAt.IsZero())
}

func TestAGrantIsProlongedOnceFromItsEnd(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{For: 4 * time.Hour})
	p.says(time.Hour, "10000", ledger.VoteApprove)
	p.proves(time.Hour+time.Minute, "admins")
	p.asks(2*time.Hour, operator.RoleRequest{Extends: "x-1", For: 3 * time.Hour})
	p.during(3*time.Hour, func() {
		_, err := p.decide(2, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		x := p.grant(2)
		assert.Equal(t, []time.Time{at(5 * time.Hour), at(8 * time.Hour)}, []time.Time{x.StartsAt, x.EndsAt})
		_, err = p.ask(operator.RoleRequest{Extends: "x-2"})
		assert.ErrorContains(t, err, `x-2 prolongs another grant already, and role "admin" can be prolonged once`)
	})
	p.lives(1, day)
}

// Whoever ends a grant means it: neither what was asked for to prolong it nor what prolongs it
// already gives the role again.
func TestWhatProlongsAGrantEndsWithIt(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	ends := func(name string) {
		_, err := p.o.EndException(context.Background(), olga, name, true)
		require.NoError(t, err)
	}
	p.asks(0, operator.RoleRequest{For: 4 * time.Hour})
	p.says(time.Hour, "10000", ledger.VoteApprove)
	p.proves(time.Hour+time.Minute, "admins")
	p.asks(2*time.Hour, operator.RoleRequest{Extends: "x-1", For: 3 * time.Hour})
	p.during(3*time.Hour, func() {
		ends("x-1")
		shown, err := p.o.ShowRequest(context.Background(), "r-2")
		require.NoError(t, err)
		assert.Contains(t, shown.Cannot, "x-1, which it prolongs, was ended before its time: INC-1")
		_, err = p.decide(2, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "x-1, which it prolongs, was ended before its time")
		_, err = p.ask(operator.RoleRequest{For: 4 * time.Hour})
		require.NoError(t, err, "a new grant can be asked for")
		_, err = p.decide(3, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		_, err = p.decide(2, "10000", ledger.VoteDeny)
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Extends: "x-2", For: 3 * time.Hour})
		require.NoError(t, err)
		_, err = p.decide(4, "10000", ledger.VoteApprove)
		require.NoError(t, err)
		ends("x-2")
		assert.Equal(t, p.now(), p.grant(3).EndedAt, "it would have begun at the end of the other")
	})
	p.lives(1, day)
}

func TestAnEmergencyIsConfirmed(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{Emergency: true})
	p.during(time.Minute, func() {
		x := p.grant(1)
		assert.Equal(t, []any{at(0), at(2 * time.Hour), true}, []any{x.StartsAt, x.EndsAt, x.Emergency}, "at once, and shorter than usual")
		assert.Equal(t, []string{"0 10020 : owner of role admin", "0 10021 : owner of role admin"}, p.asked())
		_, err := p.decide(1, "10000", ledger.VoteApprove)
		assert.ErrorContains(t, err, "they may not decide", "no owner")
	})
	p.proves(2*time.Minute, "admins")
	p.says(5*time.Hour, "10020", ledger.VoteApprove)
	p.lives(1, 2*day)
	assert.True(t, p.done)
	assert.Equal(t, ledger.RequestConfirmed, p.request(1).State)
	assert.Equal(t, []string{"emergency_granted", "request_proven", "request_confirmed"}, p.recorded())
	assert.Equal(t, []string{"confirm r-1", ""}, slices.Compact(p.nexts))
}

func TestAnEmergencyThatIsDisputedEndsAtOnce(t *testing.T) {
	p := newPetition(t, nil)
	p.asks(0, operator.RoleRequest{Emergency: true})
	p.says(time.Hour, "10021", ledger.VoteDeny)
	p.lives(1, 2*day)
	assert.True(t, p.done)
	assert.Equal(t, ledger.RequestDisputed, p.request(1).State)
	assert.Equal(t, at(time.Hour), p.grant(1).EndedAt)
}

func TestSilenceAboutAnEmergencyClosesTheDoor(t *testing.T) {
	p := newPetition(t, nil)
	hour := operator.RoleRequest{Emergency: true, For: time.Hour}
	p.asks(0, hour)
	p.during(day-time.Minute, func() {
		_, err := p.ask(hour)
		assert.NoError(t, err, "as long as there is time to confirm")
		_, err = p.ask(operator.RoleRequest{Emergency: true, For: time.Minute})
		assert.ErrorContains(t, err, `role "admin" is given for 2h0m0s at most in emergencies that nobody has confirmed, and r-1 counts`)
	})
	p.during(day+time.Minute, func() {
		_, err := p.ask(operator.RoleRequest{Emergency: true})
		assert.ErrorContains(t, err, "gets nothing more in an emergency until somebody has confirmed or disputed r-1, which is late")
		assert.Contains(t, p.asked(), "0 10030 : governance.fallback: nobody had answered", "those above the owners, or the fallback")
		assert.Equal(t, request.Attention, p.phases[len(p.phases)-1])
	})
	p.says(3*day, "10030", ledger.VoteApprove)
	p.during(3*day+time.Minute, func() {
		_, err := p.decide(2, "10020", ledger.VoteApprove)
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Emergency: true})
		assert.NoError(t, err, "it is open again")
	})
	p.lives(1, 4*day)
	assert.True(t, p.done)
	assert.Equal(t, []string{"emergency_granted", "request_escalated"}, p.recordedOf("r-1")[:2])
}

func TestADisputedEmergencyClosesTheDoorUntilSomebodyApproves(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	p.asks(0, operator.RoleRequest{Emergency: true})
	p.during(time.Hour, func() {
		_, err := p.decide(1, "10020", ledger.VoteDeny)
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Emergency: true, For: time.Minute})
		assert.ErrorContains(t, err, `r-1 was disputed: role "admin" is not given to person 10001 in an emergency until somebody has approved a request for it`)
		_, err = p.ask(operator.RoleRequest{For: time.Hour})
		require.NoError(t, err, "the ordinary way is open")
		_, err = p.decide(2, "10000", ledger.VoteApprove)
		require.NoError(t, err)
	})
	p.during(2*time.Hour, func() {
		_, err := p.ask(operator.RoleRequest{Emergency: true})
		assert.NoError(t, err)
	})
	p.lives(1, day)
}

func TestAConfirmationDoesNotOpenTheDoorThatADisputeHasClosed(t *testing.T) {
	p := newPetition(t, nil)
	hour := operator.RoleRequest{Emergency: true, For: time.Hour}
	p.asks(0, hour)
	p.asks(time.Minute, hour)
	p.during(time.Hour, func() {
		_, err := p.decide(2, "10020", ledger.VoteDeny)
		require.NoError(t, err)
	})
	p.says(2*time.Hour, "10020", ledger.VoteApprove)
	p.during(3*time.Hour, func() {
		_, err := p.ask(hour)
		assert.ErrorContains(t, err, "r-2 was disputed")
	})
	p.lives(1, day)
}

// The grant of an earlier ID gives the role to the ID that has the accounts now.
func TestADisputeTellsWhoHasTheAccountsByNow(t *testing.T) {
	p := newPetition(t, nil)
	p.employs("10005", "10000")
	p.asks(0, operator.RoleRequest{PersonID: "10005", Emergency: true})
	p.during(time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: p.person, OldID: "10005", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		p.people = nil
		_, err = p.decide(1, "10020", ledger.VoteDeny)
		require.NoError(t, err)
		assert.Equal(t, []string{p.person}, p.people)
	})
	p.lives(1, 2*time.Hour)
}

func TestAnEmergencyUnderAnEarlierIDCounts(t *testing.T) {
	p := newPetition(t, nil)
	p.employs("10005", "10000")
	p.asks(0, operator.RoleRequest{PersonID: "10005", Emergency: true})
	p.during(time.Hour, func() {
		_, err := p.ledger.LinkPeople(context.Background(), ledger.SamePerson{NewID: p.person, OldID: "10005", At: p.now(), Operator: "it", Reason: "one human"})
		require.NoError(t, err)
		_, err = p.ask(operator.RoleRequest{Emergency: true})
		assert.ErrorContains(t, err, "and r-1 counts")
	})
	p.lives(1, 2*time.Hour)
}

// recordedOf lists what the record says of one request.
func (p *petition) recordedOf(name string) []string {
	p.t.Helper()
	rows, err := p.ledger.Audit(context.Background(), p.person, 0, 1000)
	require.NoError(p.t, err)
	var all []string
	for _, r := range rows {
		if r.Detail["request"] == name {
			all = append(all, r.Action)
		}
	}
	return all
}

// What somebody was shown is on the record, and is compared with what would be done by then.
func TestWhatChangedSinceItWasShownIsSaid(t *testing.T) {
	p := newPetition(t, func(r *policy.RequestRules) { r.Approve = r.Approve[:1] })
	var before operator.ChangedRequest
	p.during(0, func() {
		var err error
		before, err = p.ask(operator.RoleRequest{})
		require.NoError(t, err)
	})
	p.during(time.Hour, func() {
		shown, err := p.o.ShowRequest(context.Background(), "r-1")
		require.NoError(t, err)
		assert.False(t, shown.Changed)
		_, err = p.o.Withhold(context.Background(), olga, operator.Withholding{PersonID: p.person, App: "wiki", Entitlement: "admins"}, true)
		require.NoError(t, err)
		shown, err = p.o.ShowRequest(context.Background(), "r-1")
		require.NoError(t, err)
		assert.True(t, shown.Changed)
		_, err = p.o.DecideRequest(context.Background(), olga, operator.RequestDecision{Request: "r-1", As: "10000", Vote: ledger.VoteApprove, Shown: before.Digest}, true)
		assert.ErrorContains(t, err, "what r-1 would do has changed since it was shown")
		_, err = p.o.DecideRequest(context.Background(), olga, operator.RequestDecision{Request: "r-1", As: "10000", Vote: ledger.VoteApprove, Shown: shown.Digest}, true)
		require.NoError(t, err)
		votes, err := p.ledger.Votes(context.Background(), 1)
		require.NoError(t, err)
		assert.Equal(t, shown.Digest, votes[0].Shown)
	})
	p.lives(1, 2*time.Hour)
}
