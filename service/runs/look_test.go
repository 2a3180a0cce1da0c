package runs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tenurehq/tenure/workflows"
)

// described returns the description of an open run of Tenure that waits for a date.
func described(change func(*workflowservice.DescribeWorkflowExecutionResponse)) *workflowservice.DescribeWorkflowExecutionResponse {
	d := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: "person:1", RunId: "second"}, FirstRunId: "first",
		Type: &commonpb.WorkflowType{Name: workflows.TypeScheduled}, TaskQueue: workflows.UrgentQueue,
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}}
	change(d)
	return d
}

func TestARunIsJudgedByWhatTemporalShows(t *testing.T) {
	type response = workflowservice.DescribeWorkflowExecutionResponse
	task := func(attempt int32) func(*response) {
		return func(d *response) { d.PendingWorkflowTask = &workflowpb.PendingWorkflowTaskInfo{Attempt: attempt} }
	}
	for name, tc := range map[string]struct {
		change         func(*response)
		closed         bool
		foreign, stuck bool
		busy           bool
	}{
		"sleeps":          {change: func(*response) {}},
		"on main":         {change: func(d *response) { d.WorkflowExecutionInfo.TaskQueue = workflows.TaskQueue }},
		"a stranger":      {change: func(d *response) { d.WorkflowExecutionInfo.Type.Name = "Order" }, foreign: true},
		"the sweeper":     {change: func(d *response) { d.WorkflowExecutionInfo.Type.Name = workflows.TypeSweep }, foreign: true},
		"on a dead queue": {change: func(d *response) { d.WorkflowExecutionInfo.TaskQueue = "tenure-nobody" }, foreign: true},
		"over": {change: func(d *response) {
			d.WorkflowExecutionInfo.Status = enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
			d.WorkflowExecutionInfo.Type.Name = "Order"
		}, closed: true},
		"paused": {change: func(d *response) {
			d.WorkflowExecutionInfo.Status = enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED
		}, stuck: true},
		"pinned": {change: func(d *response) {
			d.WorkflowExecutionInfo.VersioningInfo = &workflowpb.WorkflowExecutionVersioningInfo{VersioningOverride: &workflowpb.VersioningOverride{}}
		}, stuck: true},
		"waits for a worker":        {change: task(1), busy: true},
		"workers died in the midst": {change: task(tooManyFailures - 1), busy: true},
		"its code does not fit":     {change: task(tooManyFailures), busy: true, stuck: true},
		"a step fails for days": {change: func(d *response) {
			d.PendingActivities = []*workflowpb.PendingActivityInfo{{Attempt: 4711}}
		}, busy: true},
		"a step is paused": {change: func(d *response) {
			d.PendingActivities = []*workflowpb.PendingActivityInfo{{}, {Paused: true}}
		}, busy: true, stuck: true},
	} {
		run := judge(described(tc.change))
		assert.Equal(t, !tc.closed, run.Open, name)
		assert.Equal(t, tc.foreign, run.Foreign, name)
		assert.Equal(t, tc.stuck, run.Stuck != "", name)
		assert.Equal(t, !tc.busy && !tc.closed, run.Idle, name)
		assert.Equal(t, "first", run.Chain, name)
	}
}

func TestARunIsToldWhenItHasHeard(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	signal := func(name string, minute int) *historypb.HistoryEvent {
		return &historypb.HistoryEvent{
			EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, EventTime: timestamppb.New(at.Add(time.Duration(minute) * time.Minute)),
			Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
				WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{SignalName: name},
			},
		}
	}
	done := &historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED}
	events := func(list ...*historypb.HistoryEvent) []*historypb.HistoryEvent { return list } // the last one comes first
	assert.Zero(t, toldIn(nil))
	assert.Zero(t, toldIn(events(done)))
	assert.Zero(t, toldIn(events(signal(workflows.SignalLookAgain, 1))), "it has not heard it yet")
	assert.Zero(t, toldIn(events(done, signal("hello", 1))))
	assert.Equal(t, at.Add(time.Minute), toldIn(events(done, signal(workflows.SignalLookAgain, 1))))
	assert.Equal(t, at.Add(time.Minute), toldIn(events(signal(workflows.SignalLookAgain, 2), done, signal(workflows.SignalLookAgain, 1))))
	assert.Equal(t, at.Add(2*time.Minute), toldIn(events(done, signal(workflows.SignalLookAgain, 2), done, signal(workflows.SignalLookAgain, 1))))
}
