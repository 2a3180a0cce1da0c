package runs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/workflows"
)

// Run describes a person's open run by its search attributes.
type Run struct {
	Person     string    `json:"person"`
	Type       string    `json:"type"`
	Stage      string    `json:"stage,omitempty"`
	Urgency    string    `json:"urgency,omitempty"`
	Attention  []string  `json:"attention,omitempty"` // apps
	Cohorts    []string  `json:"cohorts,omitempty"`   // that hold something
	NextAction string    `json:"nextAction,omitempty"`
	NextDue    time.Time `json:"nextDue,omitzero"`
	Started    time.Time `json:"started"`
	RunID      string    `json:"runId"`
}

// Filter selects people's open runs. Its zero value selects all.
type Filter struct {
	Person  string // person ID
	Leaving bool   // only of people whose access is ending, or whose accounts are to be deleted
	AtWork  bool   // only those that do something, or wait for a human
	// DueBefore selects only runs in which something falls due before this instant.
	DueBefore time.Time
}

const (
	openRuns = "WorkflowId STARTS_WITH '" + workflows.PersonPrefix + "' AND ExecutionStatus = 'Running'"
	// leavingRuns selects the open runs of people whose access is ending: it is being
	// taken, it ends on a known day, or the accounts wait to be deleted (for the end of a
	// legal hold or for an operator's approval, too).
	leavingRuns = "(WorkflowType = '" + workflows.TypeLeaver + "' OR TenureNextAction = '" + string(plan.DueEnd) +
		"' OR TenureNextAction STARTS_WITH '" + string(plan.DueDelete) +
		"' OR TenureNextAction STARTS_WITH '" + string(plan.DueHold) +
		"' OR TenureNextAction STARTS_WITH '" + string(plan.DueApproval) + "')"
)

// query returns the filter as a query of Temporal's.
func (f Filter) query() string {
	query := openRuns
	if f.Person != "" {
		query = workflows.RunsOf(f.Person) + " AND ExecutionStatus = 'Running'"
	}
	if f.Leaving {
		query += " AND " + leavingRuns
	}
	if f.AtWork {
		query += " AND TenureStage != '" + workflows.StageScheduled + "'"
	}
	if !f.DueBefore.IsZero() {
		query += fmt.Sprintf(" AND TenureNextDue < '%s'", f.DueBefore.UTC().Format(time.RFC3339))
	}
	return query
}

// List returns the open runs that the filter selects. Those that are at work come in the
// order in which somebody has to see them, and those in which something falls due in the
// order in which it does.
func (c *Client) List(ctx context.Context, f Filter) ([]Run, error) {
	found := []Run{}
	for run, err := range c.Each(ctx, f) {
		if err != nil {
			return nil, err
		}
		found = append(found, run)
	}
	f.Sort(found)
	return found, nil
}

// Sort brings runs that the filter has selected into the order of List.
func (f Filter) Sort(found []Run) {
	if order := f.Order(); order != nil {
		slices.SortStableFunc(found, order)
	}
}

// Order returns the order of runs; nil if they are not sorted.
func (f Filter) Order() func(a, b Run) int {
	switch {
	case f.AtWork:
		return byNeed
	case !f.DueBefore.IsZero():
		return func(a, b Run) int { return a.NextDue.Compare(b.NextDue) }
	}
	return nil
}

// ErrSlow is wrapped by the error of a list of which Temporal has not given the first page in time.
var ErrSlow = errors.New("it has not answered in time")

const (
	// patience bounds how long Temporal may take for the first page of a list, of which the
	// ledger knows enough for an answer.
	patience = 5 * time.Second
	// pagePatience bounds how long it may take for another one.
	pagePatience = time.Minute
)

// Each yields the open runs that the filter selects, page by page, in Temporal's order.
func (c *Client) Each(ctx context.Context, f Filter) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		for info, err := range c.executions(ctx, f.query()) {
			if err != nil {
				yield(Run{}, fmt.Errorf("asking Temporal for the open runs: %w", err))
				return
			}
			if run, ok := runOf(info); ok && !yield(run, nil) {
				return
			}
		}
	}
}

// byNeed orders runs by how urgently somebody has to see them: a mass change that is
// held must not push what needs attention off the screen.
func byNeed(a, b Run) int {
	rank := func(r Run) int {
		switch r.Stage {
		case workflows.StageAttention:
			return 0
		case workflows.StageHeld:
			return 2
		default:
			return 1
		}
	}
	return cmp.Compare(rank(a), rank(b))
}

// listedPage is the number of runs on one page of a list.
const listedPage = 500

// executions yields what Temporal knows of the runs that a query selects.
func (c *Client) executions(ctx context.Context, query string) iter.Seq2[*workflowpb.WorkflowExecutionInfo, error] {
	return func(yield func(*workflowpb.WorkflowExecutionInfo, error) bool) {
		request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: c.namespace, PageSize: listedPage, Query: query}
		for within := patience; ; within = pagePatience {
			page, err := c.page(ctx, request, within)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, info := range page.GetExecutions() {
				if !yield(info, nil) {
					return
				}
			}
			if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
				return
			}
		}
	}
}

// page asks for one page of a list, and waits for it for as long as is said. The SDK's own call waits
// ten seconds for any.
func (c *Client) page(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest, within time.Duration) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, within, ErrSlow)
	defer cancel()
	page, err := c.temporal.WorkflowService().ListWorkflowExecutions(waiting, request)
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(waiting), ErrSlow) {
		return nil, fmt.Errorf("%w (%s)", ErrSlow, within)
	}
	return page, err
}

// runOf describes a run, and reports whether it is a person's.
func runOf(info *workflowpb.WorkflowExecutionInfo) (Run, bool) {
	person, ok := workflows.PersonID(info.GetExecution().GetWorkflowId())
	if !ok {
		return Run{}, false
	}
	run := Run{
		Person: person, Type: info.GetType().GetName(),
		Started: info.GetStartTime().AsTime(), RunID: info.GetExecution().GetRunId(),
	}
	attributes := info.GetSearchAttributes()
	attribute(attributes, workflows.AttrStage.GetName(), &run.Stage)
	attribute(attributes, workflows.AttrUrgency.GetName(), &run.Urgency)
	attribute(attributes, workflows.AttrAttention.GetName(), &run.Attention)
	attribute(attributes, workflows.AttrCohort.GetName(), &run.Cohorts)
	attribute(attributes, workflows.AttrNextAction.GetName(), &run.NextAction)
	attribute(attributes, workflows.AttrNextDue.GetName(), &run.NextDue)
	return run, true
}

// attribute reads a search attribute. It leaves the value as it is if the attribute is not
// there, or of another type.
func attribute(all *commonpb.SearchAttributes, name string, value any) {
	if payload, ok := all.GetIndexedFields()[name]; ok {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, value)
	}
}
