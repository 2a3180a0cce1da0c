package workflows

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
)

// Nudge asks that a person's run looks at the ledger again, and that one is
// started if none is open. Repeating a nudge with the same RequestID is harmless.
type Nudge struct {
	PersonID string
	Seq      int64  // the event that this is about; 0 if about none
	Urgent   bool   // cut off now: do not wait for steps that have not begun
	Type     string // workflow type to start if none is open: see TypeFor
	Why      string // one line for people, shown as the run's summary: no personal data
	// StartDelay is how long (real time) a run that is started waits before it
	// begins, unless it is nudged again. One that is open is told at once.
	StartDelay time.Duration
	RequestID  string // makes a repeated signal one signal; empty for a random one
}

// Client starts and signals people's runs.
type Client struct {
	temporal  client.Client
	namespace string
}

// NewClient makes a Client for a namespace.
func NewClient(c client.Client, namespace string) *Client {
	return &Client{temporal: c, namespace: namespace}
}

// Nudge delivers n by signal-with-start.
//
// It makes the request itself, because the SDK's own SignalWithStart invents a
// new request ID each time, so that a repeated event would be a second signal.
func (c *Client) Nudge(ctx context.Context, n Nudge) error {
	if n.RequestID == "" {
		n.RequestID = uuid.NewString()
	}
	dc := converter.GetDefaultDataConverter()
	input, err := dc.ToPayloads(Input{PersonID: n.PersonID})
	if err != nil {
		return fmt.Errorf("workflows: encoding the input: %w", err)
	}
	signal, err := dc.ToPayloads(LookAgain{Seq: n.Seq, Urgent: n.Urgent})
	if err != nil {
		return fmt.Errorf("workflows: encoding the signal: %w", err)
	}
	summary, err := dc.ToPayload(n.Why)
	if err != nil {
		return fmt.Errorf("workflows: encoding the summary: %w", err)
	}
	attributes, err := startAttributes(n)
	if err != nil {
		return fmt.Errorf("workflows: encoding the search attributes: %w", err)
	}
	var delay *durationpb.Duration
	if n.StartDelay > 0 {
		delay = durationpb.New(n.StartDelay)
	}
	queue := TaskQueue
	if n.Urgent {
		queue = UrgentQueue
		c.hurry(ctx, n.PersonID)
	}
	_, err = c.temporal.WorkflowService().SignalWithStartWorkflowExecution(ctx, &workflowservice.SignalWithStartWorkflowExecutionRequest{
		Namespace:                c.namespace,
		WorkflowId:               WorkflowID(n.PersonID),
		WorkflowType:             &commonpb.WorkflowType{Name: n.Type},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Input:                    input,
		SignalName:               SignalLookAgain,
		SignalInput:              signal,
		RequestId:                n.RequestID,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		SearchAttributes:         attributes,
		UserMetadata:             &sdkpb.UserMetadata{Summary: summary},
		Priority:                 &commonpb.Priority{PriorityKey: int32(priorityOf(n))},
		WorkflowStartDelay:       delay,
		Identity:                 "tenure",
	})
	if err != nil {
		return fmt.Errorf("workflows: signalling %s: %w", WorkflowID(n.PersonID), err)
	}
	return nil
}

// hurryTimeout bounds how long an urgent signal waits for its run to be told of it.
const hurryTimeout = 2 * time.Second

// hurry has the tasks of the person's open run, which is on the main queue, go before
// all others there. That it fails is no reason not to send the signal: there may be no
// run, or a server that does not know of this.
func (c *Client) hurry(ctx context.Context, personID string) {
	ctx, cancel := context.WithTimeout(ctx, hurryTimeout)
	defer cancel()
	_, _ = c.temporal.WorkflowService().UpdateWorkflowExecutionOptions(ctx, &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace:                c.namespace,
		WorkflowExecution:        &commonpb.WorkflowExecution{WorkflowId: WorkflowID(personID)},
		WorkflowExecutionOptions: &workflowpb.WorkflowExecutionOptions{Priority: &commonpb.Priority{PriorityKey: priorityUrgent}},
		UpdateMask:               &fieldmaskpb.FieldMask{Paths: []string{"priority"}},
		Identity:                 "tenure",
	})
}

// priorityOf is the priority of the run's own tasks.
func priorityOf(n Nudge) int {
	switch {
	case n.Urgent:
		return priorityUrgent
	case n.Type == TypeLeaver:
		return priorityLeaver
	}
	return priorityNormal
}

// startAttributes are the search attributes that a run starts with: set at the
// start they cost no history event.
func startAttributes(n Nudge) (*commonpb.SearchAttributes, error) {
	urgency := UrgencyStandard
	if n.Urgent {
		urgency = UrgencyUrgent
	}
	fields := map[string]*commonpb.Payload{}
	for name, value := range map[string]string{AttrStage.GetName(): StageApplying, AttrUrgency.GetName(): urgency} {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			return nil, err
		}
		payload.Metadata["type"] = []byte(enumspb.INDEXED_VALUE_TYPE_KEYWORD.String())
		fields[name] = payload
	}
	return &commonpb.SearchAttributes{IndexedFields: fields}, nil
}

// status is that of the person's last run; unspecified if there is none.
func (c *Client) status(ctx context.Context, personID string) (enumspb.WorkflowExecutionStatus, error) {
	description, err := c.temporal.DescribeWorkflowExecution(ctx, WorkflowID(personID), "")
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, nil
	case err != nil:
		return enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, fmt.Errorf("workflows: looking at %s: %w", WorkflowID(personID), err)
	}
	return description.GetWorkflowExecutionInfo().GetStatus(), nil
}

// EndedByHand gives the people whose last run was terminated or cancelled since. It
// implements activities.Runs.
func (c *Client) EndedByHand(ctx context.Context, since time.Time) iter.Seq2[string, error] {
	query := fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND ExecutionStatus IN ('Terminated', 'Canceled') AND CloseTime > '%s'",
		personPrefix, since.UTC().Format(time.RFC3339))
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

// endedByHand reports whether the person's last run was: a reset terminates a run too,
// and goes on in another one.
func (c *Client) endedByHand(ctx context.Context, personID string) (bool, error) {
	status, err := c.status(ctx, personID)
	return status == enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED || status == enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, err
}

// Resume starts a run that finds out by itself what has to be done, or tells the
// open one to look again. It implements activities.Runs.
func (c *Client) Resume(ctx context.Context, personID, why string) error {
	return c.Nudge(ctx, Nudge{PersonID: personID, Type: TypeScheduled, Why: why})
}
