package runs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/workflows"
)

// Client starts, signals and looks at people's runs in one namespace.
type Client struct {
	temporal  client.Client
	namespace string
}

// New returns a Client for the namespace that c is connected to.
func New(c client.Client, namespace string) *Client {
	return &Client{temporal: c, namespace: namespace}
}

// Nudge delivers n by signal-with-start.
//
// It makes the request itself: the SDK's SignalWithStart invents a new request ID each
// time, so that a repeated event would be a second signal.
func (c *Client) Nudge(ctx context.Context, n workflows.Nudge) error {
	if n.RequestID == "" {
		n.RequestID = uuid.NewString()
	}
	dc := converter.GetDefaultDataConverter()
	input, err := dc.ToPayloads(workflows.Input{PersonID: n.PersonID})
	if err != nil {
		return fmt.Errorf("runs: encoding the input: %w", err)
	}
	signal, err := dc.ToPayloads(workflows.LookAgain{Seq: n.Seq, Urgent: n.Urgent})
	if err != nil {
		return fmt.Errorf("runs: encoding the signal: %w", err)
	}
	summary, err := dc.ToPayload(n.Why)
	if err != nil {
		return fmt.Errorf("runs: encoding the summary: %w", err)
	}
	attributes, err := startAttributes(n)
	if err != nil {
		return fmt.Errorf("runs: encoding the search attributes: %w", err)
	}
	var delay *durationpb.Duration
	if n.StartDelay > 0 {
		delay = durationpb.New(n.StartDelay)
	}
	queue := workflows.TaskQueue
	if n.Urgent {
		queue = workflows.UrgentQueue
		c.hurry(ctx, n.PersonID)
	}
	_, err = c.temporal.WorkflowService().SignalWithStartWorkflowExecution(ctx, &workflowservice.SignalWithStartWorkflowExecutionRequest{
		Namespace:                c.namespace,
		WorkflowId:               workflows.WorkflowID(n.PersonID),
		WorkflowType:             &commonpb.WorkflowType{Name: n.Type},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Input:                    input,
		SignalName:               workflows.SignalLookAgain,
		SignalInput:              signal,
		RequestId:                n.RequestID,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		SearchAttributes:         attributes,
		UserMetadata:             &sdkpb.UserMetadata{Summary: summary},
		Priority:                 &commonpb.Priority{PriorityKey: int32(n.Priority())},
		WorkflowStartDelay:       delay,
		Identity:                 "tenure",
	})
	if err != nil {
		return fmt.Errorf("runs: signalling %s: %w", workflows.WorkflowID(n.PersonID), err)
	}
	return nil
}

// hurryTimeout bounds how long raising the priority of a run may delay an urgent signal.
const hurryTimeout = 2 * time.Second

// hurry puts the tasks of the person's open run, which is on the main queue, before all
// others there. It may fail, because there is no run or the server is too old to change
// priorities: the signal is sent anyway.
func (c *Client) hurry(ctx context.Context, personID string) {
	ctx, cancel := context.WithTimeout(ctx, hurryTimeout)
	defer cancel()
	_, _ = c.temporal.WorkflowService().UpdateWorkflowExecutionOptions(ctx, &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace:                c.namespace,
		WorkflowExecution:        &commonpb.WorkflowExecution{WorkflowId: workflows.WorkflowID(personID)},
		WorkflowExecutionOptions: &workflowpb.WorkflowExecutionOptions{Priority: &commonpb.Priority{PriorityKey: activities.PriorityUrgent}},
		UpdateMask:               &fieldmaskpb.FieldMask{Paths: []string{"priority"}},
		Identity:                 "tenure",
	})
}

// startAttributes returns the search attributes that a run starts with. Set at the start,
// they cost no history event.
func startAttributes(n workflows.Nudge) (*commonpb.SearchAttributes, error) {
	urgency := workflows.UrgencyStandard
	if n.Urgent {
		urgency = workflows.UrgencyUrgent
	}
	fields := map[string]*commonpb.Payload{}
	for name, value := range map[string]string{workflows.AttrStage.GetName(): workflows.StageApplying, workflows.AttrUrgency.GetName(): urgency} {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			return nil, err
		}
		payload.Metadata["type"] = []byte(enumspb.INDEXED_VALUE_TYPE_KEYWORD.String())
		fields[name] = payload
	}
	return &commonpb.SearchAttributes{IndexedFields: fields}, nil
}

// status returns the status of the person's last run; unspecified if there is none.
func (c *Client) status(ctx context.Context, personID string) (enumspb.WorkflowExecutionStatus, error) {
	description, err := c.temporal.DescribeWorkflowExecution(ctx, workflows.WorkflowID(personID), "")
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, nil
	case err != nil:
		return enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, fmt.Errorf("runs: looking at %s: %w", workflows.WorkflowID(personID), err)
	}
	return description.GetWorkflowExecutionInfo().GetStatus(), nil
}

// EndedByHand yields the people whose last run was terminated or cancelled after since.
// It implements activities.Runs.
func (c *Client) EndedByHand(ctx context.Context, since time.Time) iter.Seq2[string, error] {
	query := fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND ExecutionStatus IN ('Terminated', 'Canceled') AND CloseTime > '%s'",
		workflows.PersonPrefix, since.UTC().Format(time.RFC3339))
	return func(yield func(string, error) bool) {
		for personID, err := range c.listed(ctx, query) {
			last := false
			if err == nil {
				last, err = c.endedByHand(ctx, personID)
			}
			if (last || err != nil) && !yield(personID, err) || err != nil {
				return
			}
		}
	}
}

// endedByHand reports whether the person's last run was terminated or cancelled. A reset
// terminates a run too, but goes on in another one.
func (c *Client) endedByHand(ctx context.Context, personID string) (bool, error) {
	status, err := c.status(ctx, personID)
	return status == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED || status == enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, err
}

// Resume starts a run that first finds out what has to be done, or tells the open run to
// look again. It implements activities.Runs.
func (c *Client) Resume(ctx context.Context, personID, why string) error {
	return c.Nudge(ctx, workflows.Nudge{PersonID: personID, Type: workflows.TypeScheduled, Why: why})
}

// ResumeRequest starts the run of a request for a role, or tells the open run to look again. It
// implements activities.Runs.
func (c *Client) ResumeRequest(ctx context.Context, requestID int64, why string) error {
	return c.resume(ctx, workflows.RequestWorkflowID(requestID), why, workflows.TypeRequest, workflows.RequestInput{Request: requestID})
}

// ResumeReview starts the run of a review, or tells the open run to look again. It implements
// activities.Runs.
func (c *Client) ResumeReview(ctx context.Context, reviewID int64, why string) error {
	return c.resume(ctx, workflows.ReviewWorkflowID(reviewID), why, workflows.TypeReview, workflows.ReviewInput{Review: reviewID})
}

// Scan starts a scan of an app, unless one is open. It implements activities.Runs.
func (c *Client) Scan(ctx context.Context, app string) error {
	_, err := c.StartScan(ctx, app)
	return err
}

// resume starts a run of something that is not a person's, or tells the open run to look again.
func (c *Client) resume(ctx context.Context, id, why, kind string, input any) error {
	_, err := c.temporal.SignalWithStartWorkflow(ctx, id, workflows.SignalLookAgain, workflows.LookAgain{}, client.StartWorkflowOptions{
		TaskQueue:                workflows.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            why,
	}, kind, input)
	if err != nil {
		return fmt.Errorf("runs: signalling %s: %w", id, err)
	}
	return nil
}
