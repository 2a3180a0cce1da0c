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

// tooManyFailures is how often in a row a workflow task may fail before the run counts as
// stuck, because the code does not fit its history. A worker that dies in the middle of a
// task causes one failure.
const tooManyFailures = 5

// typesOfPeople lists the workflow types of people's runs.
var typesOfPeople = []string{workflows.TypeJoiner, workflows.TypeMover, workflows.TypeLeaver, workflows.TypeScheduled}

// Look returns the state of the person's last run. It implements activities.Runs.
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

// judge returns the state of a run by Temporal's description of it.
func judge(d *workflowservice.DescribeWorkflowExecutionResponse) activities.Run {
	info := d.GetWorkflowExecutionInfo()
	status := info.GetStatus()
	run := activities.Run{
		Open: status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || status == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED,
		// An older server does not name the first run: then this one stands for it.
		Chain:     cmp.Or(info.GetFirstRunId(), info.GetExecution().GetRunId()),
		StartedAt: info.GetStartTime().AsTime(),
	}
	if !run.Open {
		return run
	}
	queue := info.GetTaskQueue()
	run.Foreign = !slices.Contains(typesOfPeople, info.GetType().GetName()) || queue != workflows.TaskQueue && queue != workflows.UrgentQueue
	run.Stuck = whyStuck(d)
	run.Idle = d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0
	return run
}

// whyStuck returns why a run makes no progress, by Temporal's description of it; empty if
// it can make progress.
func whyStuck(d *workflowservice.DescribeWorkflowExecutionResponse) string {
	info := d.GetWorkflowExecutionInfo()
	switch {
	case info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return "it is paused although something is due"
	case info.GetVersioningInfo().GetVersioningOverride() != nil:
		return "it is pinned to a worker version, and Tenure's workers have no versions"
	case d.GetPendingWorkflowTask().GetAttempt() >= tooManyFailures:
		return "its workflow task fails again and again: the code does not fit its history"
	case slices.ContainsFunc(d.GetPendingActivities(), (*workflowpb.PendingActivityInfo).GetPaused):
		return "one of its steps is paused although something is due"
	}
	return ""
}

// lastEvents is how many of a run's last events Told reads.
const lastEvents = 50

// Told returns when the last signal to look again came that the person's run has handled;
// zero if its last events have none. It implements activities.Runs.
func (c *Client) Told(ctx context.Context, personID string) (time.Time, error) {
	page, err := c.temporal.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: c.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: workflows.WorkflowID(personID)}, MaximumPageSize: lastEvents,
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("runs: reading the history of %s: %w", workflows.WorkflowID(personID), err)
	}
	return toldIn(page.GetHistory().GetEvents()), nil
}

// toldIn returns when the last signal to look again came that the run has handled, by
// the run's events, the last one first. A run has handled what came before a workflow task
// that completed.
func toldIn(events []*historypb.HistoryEvent) time.Time {
	handled := false
	for _, e := range events {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			handled = true
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
			if handled && e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == workflows.SignalLookAgain {
				return e.GetEventTime().AsTime()
			}
		}
	}
	return time.Time{}
}

// Strangers yields the people under whose workflow ID a run is open that is not Tenure's, and
// began after since, unless that is zero. It implements activities.Runs.
func (c *Client) Strangers(ctx context.Context, since time.Time) iter.Seq2[string, error] {
	query := fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND ExecutionStatus = 'Running' AND (%s OR %s)", workflows.PersonPrefix,
		noneOf("WorkflowType", typesOfPeople), noneOf("TaskQueue", []string{workflows.TaskQueue, workflows.UrgentQueue}))
	if !since.IsZero() {
		// A delayed run has a later ExecutionTime than StartTime, and only the former has an index
		// that begins with it.
		query += fmt.Sprintf(" AND ExecutionTime > '%s'", since.UTC().Format(time.RFC3339))
	}
	return c.listed(ctx, query)
}

// noneOf returns the condition that an attribute has none of these values.
func noneOf(attribute string, values []string) string {
	conditions := make([]string, len(values))
	for i, v := range values {
		conditions[i] = attribute + " != '" + v + "'"
	}
	return "(" + strings.Join(conditions, " AND ") + ")"
}

// listed yields the people whose runs a query selects, each once.
func (c *Client) listed(ctx context.Context, query string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen := map[string]bool{}
		for info, err := range c.executions(ctx, query) {
			if err != nil {
				yield("", fmt.Errorf("runs: listing runs: %w", err))
				return
			}
			personID, ok := workflows.PersonID(info.GetExecution().GetWorkflowId())
			if !ok || seen[personID] {
				continue
			}
			seen[personID] = true
			if !yield(personID, nil) {
				return
			}
		}
	}
}

// Replace terminates an open run, even if it has continued as another one since, and
// starts a new one as Resume does. It implements activities.Runs.
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
