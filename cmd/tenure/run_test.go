package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// frontend fakes the part of a Temporal server that the command line calls.
type frontend struct {
	started []string // the IDs of workflows that were started
	workflowservice.UnimplementedWorkflowServiceServer
	runs    []*workflowpb.WorkflowExecutionInfo
	queries []string
	refuses func(workflowID string) error // may refuse a signal; nil: none is refused
	fails   error                         // of lists; nil: they do not

	mu     sync.Mutex
	nudged []string // workflow IDs
}

func (f *frontend) serve(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, f)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	t.Setenv("TEMPORAL_ADDRESS", ln.Addr().String())
}

func (f *frontend) DescribeNamespace(_ context.Context, req *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	if req.GetNamespace() != "default" {
		return nil, serviceerror.ToStatus(serviceerror.NewNamespaceNotFound(req.GetNamespace())).Err()
	}
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (f *frontend) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (f *frontend) SignalWithStartWorkflowExecution(_ context.Context, req *workflowservice.SignalWithStartWorkflowExecutionRequest) (*workflowservice.SignalWithStartWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuses != nil {
		if err := f.refuses(req.GetWorkflowId()); err != nil {
			return nil, serviceerror.ToStatus(err).Err()
		}
	}
	f.nudged = append(f.nudged, req.GetWorkflowId())
	return &workflowservice.SignalWithStartWorkflowExecutionResponse{}, nil
}

// ListWorkflowExecutions returns one run on each page.
func (f *frontend) ListWorkflowExecutions(_ context.Context, req *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	f.queries = append(f.queries, req.GetQuery())
	if f.fails != nil {
		return nil, serviceerror.ToStatus(f.fails).Err()
	}
	page := len(req.GetNextPageToken())
	if page >= len(f.runs) {
		return &workflowservice.ListWorkflowExecutionsResponse{}, nil
	}
	resp := &workflowservice.ListWorkflowExecutionsResponse{Executions: f.runs[page : page+1]}
	if page+1 < len(f.runs) {
		resp.NextPageToken = make([]byte, page+1)
	}
	return resp, nil
}

func run(id, kind, started string, attributes map[string]any) *workflowpb.WorkflowExecutionInfo {
	fields := map[string]*commonpb.Payload{}
	for name, value := range attributes {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			panic(err)
		}
		fields[name] = payload
	}
	return &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run-of-" + id},
		Type:      &commonpb.WorkflowType{Name: kind}, StartTime: timestamppb.New(at(started)),
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
}

func TestRunList(t *testing.T) {
	s := newSite(t)
	f := &frontend{runs: []*workflowpb.WorkflowExecutionInfo{
		run("person:10001", "Mover", "2026-03-01 00:00:00", map[string]any{
			"TenureStage": "attention", "TenureUrgency": "standard", "TenureAttention": []string{"chat", "wiki"},
		}),
		run("person:10002", "Scheduled", "2026-02-28 23:00:10", map[string]any{
			"TenureStage": "scheduled", "TenureNextAction": "delete wiki", "TenureNextDue": at("2026-03-30 23:00:00"),
		}),
		run("somebody-elses", "Order", "2026-02-28 23:00:10", nil),
	}}
	f.serve(t)
	got := s.run("run", "list")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	golden(t, "run-list", got.stdout)
	golden(t, "run-list.json", s.run("run", "list", "-o", "json").stdout)
	assert.Equal(t, "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus = 'Running'", f.queries[0])

	f.queries = nil
	assert.Equal(t, service.ExitDone, s.run("run", "list", "--leaving").code)
	assert.Equal(t, "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus = 'Running' AND "+
		"(WorkflowType = 'Leaver' OR TenureNextAction = 'end' OR TenureNextAction STARTS_WITH 'delete' "+
		"OR TenureNextAction STARTS_WITH 'hold' OR TenureNextAction STARTS_WITH 'approve')", f.queries[0])
	f.queries = nil
	f.runs = append(f.runs, run("person:10003", "Scheduled", "2026-02-27 00:00:00", map[string]any{
		"TenureNextAction": "end", "TenureNextDue": at("2026-03-29 23:00:00"),
	}))
	got = s.run("run", "list", "--due", "7d")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Regexp(t, `(?s)10003 .*10002 `, got.stdout, "what falls due first is first")
	assert.Regexp(t, `AND TenureNextDue < '20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ'$`, f.queries[0])
	got = s.run("run", "list", "--due", "7 days")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `--due 7 days: must be a duration such as "30d"`)

	f.runs = nil
	assert.Equal(t, "nothing runs\n", s.run("run", "list").stdout)
	assert.JSONEq(t, "[]", s.run("run", "list", "-o", "json").stdout)
}

// If Temporal is slow or away, the ledger tells who has a run, and the command says so.
func TestRunListFallsBackToTheLedger(t *testing.T) {
	s := newSite(t)
	s.people()
	for name, err := range map[string]error{
		"slow": serviceerror.NewDeadlineExceeded("the store is slow"), "away": serviceerror.NewUnavailable("no store"),
	} {
		f := &frontend{fails: err}
		f.serve(t)
		got := s.run("run", "list")
		assert.Equal(t, service.ExitDone, got.code, "%s: %s", name, got.err)
		assert.Contains(t, got.err, "as the ledger knows it, because Temporal does not tell: ")
		assert.Contains(t, got.stdout, "10001", name)
		assert.NotEmpty(t, f.queries, "it was asked")
	}
	f := &frontend{fails: serviceerror.NewPermissionDenied("no", "")}
	f.serve(t)
	got := s.run("run", "list")
	assert.Equal(t, service.ExitFailed, got.code, "what is no matter of time is said")
	assert.Empty(t, got.stdout)
}

// step returns a step of a person as the ledger has it, and the audit record of every
// retry and skip for the person.
func (s *site) step(person, key string) (step ledger.Step, record []string) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	p, err := l.Person(s.t.Context(), person)
	require.NoError(s.t, err)
	if i := slices.IndexFunc(p.Steps, func(x ledger.Step) bool { return x.Key == key }); i >= 0 {
		step = p.Steps[i]
	}
	rows, err := l.Audit(s.t.Context(), person, 0, 100)
	require.NoError(s.t, err)
	for _, r := range rows {
		if r.Action == "retry" || r.Action == "skip" {
			record = append(record, strings.Join([]string{r.Action, r.App, r.Actor, r.Cause}, " "))
		}
	}
	return step, record
}

// An operator's decision is written to the ledger, where it is on the record. The run is
// only told to look.
func TestRetryAndSkipDecideInTheLedger(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	got := s.run("run", "retry", "10001", "--app", "chat")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "chat/Update/7d1f of 10001 will be tried again\n", got.stdout)
	step, record := s.step("10001", "chat/Update/7d1f")
	assert.Equal(t, ledger.StepOpen, step.State)
	assert.Equal(t, []string{"retry chat tester "}, record)
	assert.Equal(t, []string{"person:10001"}, f.nudged)

	t.Setenv("TENURE_OPERATOR", "mary")
	question := "conflict/hired_after_end/e-5"
	got = s.run("run", "skip", "10002", "--key", question, "--reason", "HR's mistake")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, question+" of 10002 is skipped\n", got.stdout)
	_, record = s.step("10002", question)
	assert.Equal(t, []string{"skip  mary HR's mistake"}, record)
	assert.Equal(t, []string{"person:10001", "person:10002"}, f.nudged)
	l := s.ledger()
	person, err := l.Person(t.Context(), "10002")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	assert.Equal(t, []string{question}, person.Waivers)
	assert.Equal(t, ledger.DueDecision, person.DueWhat, "if the signal is lost, the sweeper tells their run")
}

func TestADecisionHoldsWhetherTheRunIsToldOrNot(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{refuses: func(string) error { return serviceerror.NewPermissionDenied("no more", "") }}
	f.serve(t)
	got := s.run("run", "retry", "10001", "--operator", "joe")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Equal(t, "chat/Update/7d1f of 10001 will be tried again\n", got.stdout)
	assert.Contains(t, got.err, "person 10001: it is on the record, and the sweeper will tell their run")
	step, record := s.step("10001", "chat/Update/7d1f")
	assert.Equal(t, ledger.StepOpen, step.State)
	assert.Equal(t, []string{"retry chat joe "}, record)
}

func TestRepairsThatAreRefused(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	for name, tc := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"nothing":          {[]string{"run", "retry", "10003"}, service.ExitFailed, "person 10003: nothing of this person needs attention"},
		"nobody":           {[]string{"run", "retry", "4711"}, service.ExitFailed, "person 4711: nothing of this person needs attention"},
		"something else":   {[]string{"run", "retry", "10001", "--key", "wiki/Disable/1"}, service.ExitFailed, "needs attention like that; what does: chat/Update/7d1f"},
		"nobody named":     {[]string{"run", "retry"}, service.ExitUsage, "say whose: a person, or by --app"},
		"two ways at once": {[]string{"run", "retry", "10001", "--since", "1h"}, service.ExitUsage, "give either a person"},
		"unknown type":     {[]string{"run", "retry", "--type", "Quitter"}, service.ExitUsage, "there is Joiner, Mover, Leaver"},
		"unknown step":     {[]string{"run", "retry", "--step", "disable"}, service.ExitUsage, "there is Question, Provision"},
		"skip what":        {[]string{"run", "skip", "10001", "--reason", "x"}, service.ExitUsage, "say what is to be skipped"},
		"skip without why": {[]string{"run", "skip", "10001", "--app", "wiki", "--reason", " "}, service.ExitUsage, "say why with --reason"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(tc.args...)
			assert.Equal(t, tc.code, got.code)
			assert.Contains(t, got.err, tc.err)
			assert.Empty(t, got.stdout)
		})
	}
	assert.Empty(t, f.nudged)
	_, record := s.step("10001", "")
	assert.Empty(t, record)
}

func TestTemporalThatIsNotThere(t *testing.T) {
	s := newSite(t)
	s.people()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	for code, args := range map[int][]string{service.ExitDone: {"run", "list"}, service.ExitFailed: {"run", "retry", "10001"}} {
		got := s.run(args...)
		assert.Equal(t, code, got.code, args) // the ledger tells who has a run
		assert.Contains(t, got.err, "no answer from Temporal at 127.0.0.1:1 (check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE)")
	}
	(&frontend{}).serve(t)
	t.Setenv("TEMPORAL_NAMESPACE", "hr")
	assert.Contains(t, s.run("run", "list").err, `namespace "hr" does not exist`)
	t.Setenv("TEMPORAL_PROFILE", "nope")
	assert.Equal(t, service.ExitUsage, s.run("run", "list").code)
}

// leavers adds n people to the ledger who have left, one a minute. None of them could be
// cut off in the wiki, and every third could not in the chat, either.
func (s *site) leavers(n int) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	for i := range n {
		person, failed := fmt.Sprintf("2%04d", i), at("2026-03-02 08:00:00").Add(time.Duration(i)*time.Minute)
		a := ledger.Assessment{Summary: ledger.Summary{PersonID: person, Status: hr.StatusEnded, AssessedAt: failed}}
		apps := []string{"wiki", "chat"}
		if i%3 != 0 {
			apps = apps[:1]
		}
		for _, app := range apps {
			a.Steps = append(a.Steps, ledger.Step{App: app, Key: app + "/Disable/1", Kind: "Disable", PlannedAt: failed})
		}
		require.NoError(s.t, l.SaveAssessment(s.t.Context(), a))
		for _, app := range apps {
			_, err := l.BeginStep(s.t.Context(), ledger.Attempt{PersonID: person, App: app, Key: app + "/Disable/1", Kind: "Disable", At: failed, Deadline: failed.Add(time.Minute)})
			require.NoError(s.t, err)
			require.NoError(s.t, l.FinishStep(s.t.Context(), ledger.Outcome{
				PersonID: person, App: app, Key: app + "/Disable/1", Kind: "Disable", At: failed,
				State: ledger.StepAttention, Code: "unavailable", Message: "disable: the app does not answer",
			}))
		}
	}
}

func TestWhatFailedOfEverybodyIsShownFirst(t *testing.T) {
	s := newSite(t)
	s.people()
	s.leavers(30)
	f := &frontend{}
	f.serve(t)
	got := s.run("run", "retry", "--app", "wiki", "--type", "Leaver")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "30 steps of 30 people; nothing was done: --apply does it")
	golden(t, "run-retry-many", got.stdout)
	assert.Empty(t, f.nudged, "nobody is told")

	for args, want := range map[string]string{
		"--type Leaver":                           "41 steps of 31 people",
		"--type Leaver --app chat":                "10 steps of 10 people",
		"--type Mover":                            "1 step of 1 person",
		"--code unavailable --step Disable":       "40 steps of 30 people",
		"--app wiki --since 2026-03-02T08:20:00Z": "10 steps of 10 people",
		"--app wiki --since 2026-03-02T08:10:00Z --until 2026-03-02T08:20:00Z": "10 steps of 10 people",
		"--step Question": "1 step of 1 person",
	} {
		assert.Contains(t, s.run(append([]string{"run", "retry"}, strings.Fields(args)...)...).err, want, args)
	}
	assert.Equal(t, "nothing like that needs attention\n", s.run("run", "retry", "--code", "forbidden").stdout)
}

func TestWhatFailedOfEverybodyIsRepairedPersonByPerson(t *testing.T) {
	s := newSite(t)
	s.people()
	s.leavers(30)
	f := &frontend{}
	f.serve(t)
	got := s.run("run", "retry", "--step", "Disable", "--type", "Leaver", "--until", "2026-03-02T08:10:00Z", "--apply", "--rate", "1000", "--operator", "mary", "--reason", "the apps are back")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "14 of 14 steps, of 10 people, will be tried again\n", got.stdout)
	require.Len(t, f.nudged, 10, "each run is told once")
	assert.Contains(t, f.nudged, "person:20003")
	for key, app := range map[string]string{"chat/Disable/1": "chat", "wiki/Disable/1": "wiki"} {
		step, record := s.step("20003", key)
		assert.Equal(t, ledger.StepOpen, step.State, key)
		assert.Contains(t, record, "retry "+app+" mary the apps are back")
	}
	assert.Equal(t, "nothing like that needs attention\n",
		s.run("run", "retry", "--step", "Disable", "--type", "Leaver", "--until", "2026-03-02T08:10:00Z", "--apply").stdout, "and again: nothing")
}

func TestARepairOfManyThatIsCutShortSaysHowFarItCame(t *testing.T) {
	s := newSite(t)
	s.leavers(12)
	f := &frontend{}
	f.refuses = func(string) error {
		if len(f.nudged) > 3 {
			return serviceerror.NewPermissionDenied("no more", "")
		}
		return nil
	}
	f.serve(t)
	got := s.run("run", "retry", "--app", "wiki", "--apply")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Regexp(t, `person 2\d+: it is on the record.*no more\n\d of 12 people were seen to: run it again for the others`, got.err)
}
