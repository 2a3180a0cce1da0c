package runs

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/workflows"
)

// sweepSchedule is the ID of the schedule that starts the sweeper.
const sweepSchedule = "tenure-sweep"

// Attribute is a search attribute that Tenure needs. Has is the type that the name has in
// the namespace; INDEXED_VALUE_TYPE_UNSPECIFIED if the namespace does not have it.
type Attribute struct {
	Name       string
	Needs, Has enumspb.IndexedValueType
}

// Attributes returns the search attributes that Tenure needs, and what the namespace has
// for each. It changes nothing.
func (c *Client) Attributes(ctx context.Context) ([]Attribute, error) {
	have, err := c.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: c.namespace})
	if err != nil {
		return nil, fmt.Errorf("runs: listing search attributes: %w", err)
	}
	var attributes []Attribute
	for _, key := range []temporal.SearchAttributeKey{workflows.AttrStage, workflows.AttrUrgency, workflows.AttrAttention, workflows.AttrNextAction, workflows.AttrNextDue, workflows.AttrCohort} {
		attributes = append(attributes, Attribute{
			Name: key.GetName(), Needs: key.GetValueType(), Has: have.GetCustomAttributes()[key.GetName()],
		})
	}
	return attributes, nil
}

// learnsWithin is longer than a part of a Temporal server takes to learn of a new search attribute.
const learnsWithin = 30 * time.Second

// RegisterAttributes makes sure that the namespace has Tenure's search attributes, and waits until
// the server takes them: a run cannot be started without them. Several processes may call it at
// once, any number of times.
func (c *Client) RegisterAttributes(ctx context.Context) error {
	attributes, err := c.Attributes(ctx)
	if err != nil {
		return err
	}
	want := map[string]enumspb.IndexedValueType{}
	for _, a := range attributes {
		switch a.Has {
		case enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED:
			want[a.Name] = a.Needs
		case a.Needs:
		default:
			return fmt.Errorf("runs: search attribute %s is of type %s in namespace %s, but Tenure needs %s: remove it there",
				a.Name, a.Has, c.namespace, a.Needs)
		}
	}
	if len(want) == 0 {
		return c.learned(ctx)
	}
	_, err = c.temporal.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: c.namespace, SearchAttributes: want,
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("runs: adding search attributes to namespace %s (let somebody with the right add %v): %w",
			c.namespace, want, err)
	}
	return c.learned(ctx)
}

// learned waits until the part of the server that answers takes the search attributes in a question.
// It keeps them in memory, and lists them before it takes them.
func (c *Client) learned(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, learnsWithin)
	defer cancel()
	attributes, err := c.Attributes(ctx)
	if err != nil {
		return err
	}
	question := "WorkflowId = 'tenure'" // of which there are none to count
	for _, a := range attributes {
		question += " AND " + a.Name + " IS NULL"
	}
	pauses := backoff.Range{Min: 100 * time.Millisecond, Max: time.Second}.Start()
	for {
		_, err := c.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: c.namespace, Query: question})
		var unknown *serviceerror.InvalidArgument
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &unknown):
			return fmt.Errorf("runs: asking whether the server knows the search attributes of namespace %s: %w", c.namespace, err)
		}
		if ended := pauses.Wait(ctx, 0); ended != nil {
			return fmt.Errorf("runs: the server lists the search attributes of namespace %s and does not know them yet: %w (%w)", c.namespace, ended, err)
		}
	}
}

// scanSchedule begins the ID of the schedule that scans an app; the app's name follows.
const scanSchedule = "tenure-reconcile-"

// ScheduleScans makes sure that each of these apps is scanned once in its span, and no other
// app. A span of zero means that the app is not scanned. Several workers may call it at once,
// any number of times. A schedule that somebody has paused stays paused.
func (c *Client) ScheduleScans(ctx context.Context, every map[string]time.Duration) error {
	schedules := c.temporal.ScheduleClient()
	known, err := schedules.List(ctx, client.ScheduleListOptions{PageSize: listedPage})
	if err != nil {
		return fmt.Errorf("runs: listing schedules: %w", err)
	}
	for known.HasNext() {
		one, err := known.Next()
		if err != nil {
			return fmt.Errorf("runs: listing schedules: %w", err)
		}
		app, ours := strings.CutPrefix(one.ID, scanSchedule)
		if !ours || every[app] > 0 {
			continue
		}
		var missing *serviceerror.NotFound
		if err := schedules.GetHandle(ctx, one.ID).Delete(ctx); err != nil && !errors.As(err, &missing) {
			return fmt.Errorf("runs: deleting the schedule %s: %w", one.ID, err)
		}
	}
	for app, span := range every {
		if span == 0 {
			continue
		}
		if err := c.schedule(ctx, scanSchedule+app, spread(app, span), &client.ScheduleWorkflowAction{
			ID: workflows.ReconcilePrefix + app, Workflow: workflows.TypeReconcile, TaskQueue: workflows.TaskQueue,
			Args:          []any{workflows.ReconcileInput{App: app}},
			StaticSummary: "compares all accounts of " + app + " with the ledger",
		}); err != nil {
			return err
		}
	}
	return nil
}

// spread returns the times at which an app is scanned: apps are not scanned all at once.
func spread(app string, every time.Duration) client.ScheduleSpec {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(app)) // never fails
	offset := time.Duration(sum.Sum64() % uint64(every))
	return client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every, Offset: offset.Truncate(time.Second)}}}
}

// StartScan starts a scan of an app now, or returns the one that was started so and is open.
func (c *Client) StartScan(ctx context.Context, app string) (client.WorkflowRun, error) {
	run, err := c.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.ReconcilePrefix + app, TaskQueue: workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "compares all accounts of " + app + " with the ledger",
	}, workflows.TypeReconcile, workflows.ReconcileInput{App: app})
	if err != nil {
		return nil, fmt.Errorf("runs: starting a scan of %s: %w", app, err)
	}
	return run, nil
}

// ScheduleSweeps makes sure that the sweeper's schedule starts it once in every span
// every, and starts nothing else. Several workers may call it at once, any number of
// times. A schedule that somebody has paused stays paused.
func (c *Client) ScheduleSweeps(ctx context.Context, every time.Duration) error {
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
	return c.schedule(ctx, sweepSchedule, spec, &client.ScheduleWorkflowAction{
		ID: "sweep", Workflow: workflows.TypeSweep, TaskQueue: workflows.TaskQueue,
		StaticSummary: "finds people who are due and have no open run",
	})
}

// eraseSchedule is the ID of the schedule that erases people whose time is over.
const eraseSchedule = "tenure-erase"

// eraseEvery is how often that is, and eraseOffset when in a day, in UTC.
const (
	eraseEvery  = 24 * time.Hour
	eraseOffset = 3 * time.Hour
)

// ScheduleErasures makes sure that people whose time is over are erased once a day or, if on is
// false, that nobody is. Several workers may call it at once, any number of times. A schedule that
// somebody has paused stays paused.
func (c *Client) ScheduleErasures(ctx context.Context, on bool) error {
	if !on {
		var missing *serviceerror.NotFound
		if err := c.temporal.ScheduleClient().GetHandle(ctx, eraseSchedule).Delete(ctx); err != nil && !errors.As(err, &missing) {
			return fmt.Errorf("runs: deleting the schedule %s: %w", eraseSchedule, err)
		}
		return nil
	}
	spec := client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: eraseEvery, Offset: eraseOffset}}}
	return c.schedule(ctx, eraseSchedule, spec, &client.ScheduleWorkflowAction{
		ID: "erase", Workflow: workflows.TypeErase, TaskQueue: workflows.TaskQueue, Args: []any{workflows.EraseInput{}},
		StaticSummary: "erases what is known of people who left long ago",
	})
}

// schedule makes or updates a schedule.
func (c *Client) schedule(ctx context.Context, id string, spec client.ScheduleSpec, action *client.ScheduleWorkflowAction) error {
	schedules := c.temporal.ScheduleClient()
	_, err := schedules.Create(ctx, client.ScheduleOptions{
		ID:      id,
		Spec:    spec,
		Action:  action,
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Note:    "Made by Tenure's worker.",
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		if err != nil {
			return fmt.Errorf("runs: creating the schedule %s: %w", id, err)
		}
		return nil
	}
	err = schedules.GetHandle(ctx, id).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			in.Description.Schedule.Spec, in.Description.Schedule.Action = &spec, action
			return &client.ScheduleUpdate{Schedule: &in.Description.Schedule}, nil
		},
	})
	if err != nil {
		return fmt.Errorf("runs: updating the schedule %s: %w", id, err)
	}
	return nil
}
