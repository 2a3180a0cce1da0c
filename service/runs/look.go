package runs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/workflows"
)

// tooManyFailures is how often a run's task may fail in a row before it does not get on:
// its code does not fit its history. A worker that dies in the midst of it is one.
const tooManyFailures = 5

// typesOfPeople are the workflow types of people's runs.
var typesOfPeople = []string{workflows.TypeJoiner, workflows.TypeMover, workflows.TypeLeaver, workflows.TypeScheduled}

// Look says how the person's last run is. It implements activities.Runs.
func (c *Client) Look(ctx context.Context, personID string) (activities.Run, error) {
	description, err := c.temporal.DescribeWorkflowExecution(ctx, workflows.WorkflowID(personID), "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return activities.Run{}, nil
	}
	if err != nil {
		return activities.Run{}, fmt.Errorf("runs: looking at %s: %w", workflows.WorkflowID(personID), err)
	}
	return judge(description), nil
}

// judge says how a run is by its description.
func judge(d *workflowservice.DescribeWorkflowExecutionResponse) activities.Run {
	info := d.GetWorkflowExecutionInfo()
	status := info.GetStatus()
	run := activities.Run{
		Open: status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || status == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED,
		// The server of before there was a first run's ID names none: then it is this one.
		Chain:     cmp.Or(info.GetFirstRunId(), info.GetExecution().GetRunId()),
		StartedAt: info.GetStartTime().AsTime(),
	}
	if !run.Open {
		return run
	}
	queue := info.GetTaskQueue()
	run.Foreign = !slices.Contains(typesOfPeople, info.GetType().GetName()) || queue != workflows.TaskQueue && queue != workflows.UrgentQueue
	run.Stuck = standsStill(d)
	run.Idle = d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0
	return run
}

// standsStill says why a run cannot get on, by what Temporal shows of it; empty if it can.
func standsStill(d *workflowservice.DescribeWorkflowExecutionResponse) string {
	info := d.GetWorkflowExecutionInfo()
	switch {
	case info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return "it is paused, and something is due"
	case info.GetVersioningInfo().GetVersioningOverride() != nil:
		return "it is pinned to a version of the worker, which Tenure has none of"
	case d.GetPendingWorkflowTask().GetAttempt() >= tooManyFailures:
		return "its task fails again and again: its code does not fit its history"
	case slices.ContainsFunc(d.GetPendingActivities(), (*workflowpb.PendingActivityInfo).GetPaused):
		return "a step of it is paused, and something is due"
	}
	return ""
}

// lately is how many of a run's last events are looked at.
const lately = 50

// Told is when the person's run was last told to look again, and has heard it: zero if
// it was not lately. It implements activities.Runs.
func (c *Client) Told(ctx context.Context, personID string) (time.Time, error) {
	page, err := c.temporal.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: c.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: workflows.WorkflowID(personID)}, MaximumPageSize: lately,
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("runs: reading the history of %s: %w", workflows.WorkflowID(personID), err)
	}
	return toldIn(page.GetHistory().GetEvents()), nil
}

// toldIn is when the last signal came that a run has heard, by its events, the last
// first.
func toldIn(events []*historypb.HistoryEvent) time.Time {
	heard := false
	for _, e := range events {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			heard = true
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			if heard && e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == workflows.SignalLookAgain {
				return e.GetEventTime().AsTime()
			}
		}
	}
	return time.Time{}
}

// Strangers gives the people under whose ID something is open that is not Tenure's. It
// implements activities.Runs.
func (c *Client) Strangers(ctx context.Context) iter.Seq2[string, error] {
	query := fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND ExecutionStatus = 'Running' AND (%s OR %s)", workflows.PersonPrefix,
		noneOf("WorkflowType", typesOfPeople), noneOf("TaskQueue", []string{workflows.TaskQueue, workflows.UrgentQueue}))
	return c.listed(ctx, query)
}

// noneOf is the condition that an attribute is none of some values.
func noneOf(attribute string, values []string) string {
	conditions := make([]string, len(values))
	for i, v := range values {
		conditions[i] = attribute + " != '" + v + "'"
	}
	return "(" + strings.Join(conditions, " AND ") + ")"
}

// listed gives the people whose runs a query selects, each once.
func (c *Client) listed(ctx context.Context, query string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: c.namespace, PageSize: listedPage, Query: query}
		seen := map[string]bool{}
		for {
			page, err := c.temporal.ListWorkflow(ctx, request)
			if err != nil {
				yield("", fmt.Errorf("runs: listing runs: %w", err))
				return
			}
			for _, run := range page.GetExecutions() {
				personID, ok := workflows.PersonID(run.GetExecution().GetWorkflowId())
				if !ok || seen[personID] {
					continue
				}
				seen[personID] = true
				if !yield(personID, nil) {
					return
				}
			}
			if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
				return
			}
		}
	}
}

// listedPage is how many runs are asked for at once.
const listedPage = 500

// Replace ends a run that is open, also if it has continued as another since, and starts
// another as Resume does. It implements activities.Runs.
func (c *Client) Replace(ctx context.Context, personID string, run activities.Run, why string) error {
	_, err := c.temporal.WorkflowService().TerminateWorkflowExecution(ctx, &workflowservice.TerminateWorkflowExecutionRequest{
		Namespace:           c.namespace,
		WorkflowExecution:   &commonpb.WorkflowExecution{WorkflowId: workflows.WorkflowID(personID)},
		FirstExecutionRunId: run.Chain,
		Reason:              "ended by Tenure's sweeper: " + why,
		Identity:            "tenure",
	})
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("runs: ending %s: %w", workflows.WorkflowID(personID), err)
	}
	return c.Resume(ctx, personID, "the run before was ended by the sweeper")
}
