package main

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tenurehq/tenure/internal/service"
	"github.com/tenurehq/tenure/workflows"
)

// frontend is as much of a Temporal server as the command line needs.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	runs     []*workflowpb.WorkflowExecutionInfo
	queries  []string
	update   func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error)
	requests []workflows.RepairRequest
	nudged   []string // workflow IDs
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
	f.nudged = append(f.nudged, req.GetWorkflowId())
	return &workflowservice.SignalWithStartWorkflowExecutionResponse{}, nil
}

// ListWorkflowExecutions gives one run a page.
func (f *frontend) ListWorkflowExecutions(_ context.Context, req *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	f.queries = append(f.queries, req.GetQuery())
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

func (f *frontend) UpdateWorkflowExecution(_ context.Context, req *workflowservice.UpdateWorkflowExecutionRequest) (*workflowservice.UpdateWorkflowExecutionResponse, error) {
	var repair workflows.RepairRequest
	if err := converter.GetDefaultDataConverter().FromPayloads(req.GetRequest().GetInput().GetArgs(), &repair); err != nil {
		return nil, err
	}
	f.requests = append(f.requests, repair)
	outcome, err := f.update(req)
	if err != nil {
		return nil, serviceerror.ToStatus(err).Err()
	}
	return &workflowservice.UpdateWorkflowExecutionResponse{
		UpdateRef: &updatepb.UpdateRef{
			WorkflowExecution: req.GetWorkflowExecution(), UpdateId: req.GetRequest().GetMeta().GetUpdateId(),
		},
		Outcome: outcome,
		Stage:   enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
	}, nil
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
	assert.Contains(t, got.err, `--due: must be a duration such as "30d"`)

	f.runs = nil
	assert.Equal(t, "nothing runs\n", s.run("run", "list").stdout)
	assert.JSONEq(t, "[]", s.run("run", "list", "-o", "json").stdout)
}

func completed(t *testing.T, keys ...string) func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
	t.Helper()
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(workflows.RepairResult{Keys: keys})
	require.NoError(t, err)
	return func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
		return &updatepb.Outcome{Value: &updatepb.Outcome_Success{Success: payloads}}, nil
	}
}

func TestRetryAndSkipAskTheRun(t *testing.T) {
	s := newSite(t)
	f := &frontend{}
	f.serve(t)
	var asked *workflowservice.UpdateWorkflowExecutionRequest
	answer := completed(t, "wiki/Update/7d1f")
	f.update = func(req *workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
		asked = req
		return answer(req)
	}

	got := s.run("run", "retry", "10001", "--app", "wiki")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "wiki/Update/7d1f of 10001 will be tried again\n", got.stdout)
	assert.Equal(t, "person:10001", asked.GetWorkflowExecution().GetWorkflowId())
	assert.Equal(t, workflows.UpdateRetry, asked.GetRequest().GetInput().GetName())
	assert.Equal(t, workflows.RepairRequest{App: "wiki", Operator: "tester"}, f.requests[0])

	t.Setenv("TENURE_OPERATOR", "mary")
	got = s.run("run", "skip", "10001", "--key", "wiki/Update/7d1f", "--reason", "shut down")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "wiki/Update/7d1f of 10001 is skipped\n", got.stdout)
	assert.Equal(t, workflows.UpdateSkip, asked.GetRequest().GetInput().GetName())
	assert.Equal(t, workflows.RepairRequest{Key: "wiki/Update/7d1f", Operator: "mary", Reason: "shut down"}, f.requests[1])

	s.run("run", "retry", "10001", "--operator", "joe")
	assert.Equal(t, workflows.RepairRequest{Operator: "joe"}, f.requests[2])
}

func TestRepairsThatAreRefused(t *testing.T) {
	s := newSite(t)
	f := &frontend{}
	f.serve(t)
	retry := []string{"run", "retry", "10001"}
	for name, tc := range map[string]struct {
		args   []string
		update func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error)
		code   int
		err    string
	}{
		"by the run": {retry, func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
			return &updatepb.Outcome{Value: &updatepb.Outcome_Failure{Failure: &failurepb.Failure{
				Message:     "nothing of this person needs attention",
				FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{}},
			}}}, nil
		}, service.ExitFailed, "person 10001: nothing of this person needs attention"},
		"no run": {retry, func(*workflowservice.UpdateWorkflowExecutionRequest) (*updatepb.Outcome, error) {
			return nil, serviceerror.NewNotFound("workflow execution already completed")
		}, service.ExitFailed, `nothing runs for person "10001"`},
		"nobody named":     {[]string{"run", "retry"}, nil, service.ExitUsage, "say whose: a person, or by --app"},
		"two ways at once": {[]string{"run", "retry", "10001", "--since", "1h"}, nil, service.ExitUsage, "give either a person"},
		"unknown type":     {[]string{"run", "retry", "--type", "Quitter"}, nil, service.ExitUsage, "there is Joiner, Mover, Leaver"},
		"unknown step":     {[]string{"run", "retry", "--step", "disable"}, nil, service.ExitUsage, "there is Question, Provision"},
		"skip what":        {[]string{"run", "skip", "10001", "--reason", "x"}, nil, service.ExitUsage, "say what is to be skipped"},
		"skip without why": {[]string{"run", "skip", "10001", "--app", "wiki", "--reason", " "}, nil, service.ExitUsage, "say why with --reason"},
	} {
		t.Run(name, func(t *testing.T) {
			f.update = tc.update
			got := s.run(tc.args...)
			assert.Equal(t, tc.code, got.code)
			assert.Contains(t, got.err, tc.err)
			assert.Empty(t, got.stdout)
		})
	}
	assert.Len(t, f.requests, 2, "wrong usage asks nobody")
}

func TestTemporalThatIsNotThere(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	for _, args := range [][]string{{"run", "list"}, {"run", "retry", "10001"}} {
		got := s.run(args...)
		assert.Equal(t, service.ExitFailed, got.code)
		assert.Contains(t, got.err, "no answer from Temporal at 127.0.0.1:1 (check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE)")
	}
	(&frontend{}).serve(t)
	t.Setenv("TEMPORAL_NAMESPACE", "hr")
	assert.Contains(t, s.run("run", "list").err, `namespace "hr" does not exist`)
	t.Setenv("TEMPORAL_PROFILE", "nope")
	assert.Equal(t, service.ExitUsage, s.run("run", "list").code)
}
