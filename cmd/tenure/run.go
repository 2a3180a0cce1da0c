package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/workflows"
)

func (c *cli) runCommand() *cobra.Command {
	return noun("run", "Show what runs for people, and repair what needs attention",
		c.runListCommand(), c.runRetryCommand(), c.runSkipCommand())
}

func (c *cli) runListCommand() *cobra.Command {
	var attention bool
	var which runFilter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the open runs, or (--attention) what needs a human",
		Long: `List the open runs, as Temporal knows them: one per person for whom something is
under way or due; all of them, those of people whose access is ending
(--leaving), or those for which something falls due within a time (--due).

With --attention, list what needs a human instead, as the ledger knows it: the
steps that cannot succeed until somebody acts, and the questions that only HR
can answer. The exit status is 3 then, unless there is nothing.`,
		Example: `  tenure run list
  tenure run list --leaving
  tenure run list --due 7d
  tenure run list --attention
  tenure run list --attention -o json | jq -r '.[].person' | sort -u`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if attention {
				return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Ledger) error {
					return c.listAttention(cmd.Context(), l)
				})
			}
			query, err := c.queryOf(which)
			if err != nil {
				return err
			}
			return c.withTemporal(cmd.Context(), func(t client.Client) error { return c.listRuns(cmd.Context(), t, query, which) })
		},
	}
	cmd.Flags().BoolVar(&attention, "attention", false, "list what needs a human")
	cmd.Flags().BoolVar(&which.leaving, "leaving", false, "only people whose access is ending, or whose accounts are to be deleted (also after a hold or an approval)")
	cmd.Flags().StringVar(&which.due, "due", "", "only what falls due within this `time`, such as 7d or 12h")
	cmd.MarkFlagsMutuallyExclusive("attention", "leaving")
	cmd.MarkFlagsMutuallyExclusive("attention", "due")
	return c.lists(cmd)
}

func (c *cli) listAttention(ctx context.Context, l ledger.Ledger) error {
	found, err := eachStep(ctx, l, ledger.StepFilter{States: []ledger.StepState{ledger.StepAttention}}, func(ledger.Step) bool { return true })
	if err != nil {
		return err
	}
	steps := make([]stepView, len(found))
	for i, s := range found {
		steps[i] = viewStep(s)
	}
	steps = limited(c, steps)
	rows := rowsOf(steps, func(s stepView) []string {
		return []string{s.Person, s.App, s.Kind, strconv.Itoa(s.Attempts), s.what(), s.Key}
	})
	const header = "person,app,step,attempts,what,key"
	err = c.printList(steps, header, rows, func(p *page) {
		p.table("", header, rows)
		if len(steps) == 0 {
			p.note("nothing needs attention")
		}
	})
	if err == nil && len(steps) > 0 {
		return errAttention
	}
	return err
}

type runView struct {
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

// stage is what the run is at, and what holds it there.
func (r runView) stage() string {
	return strings.TrimSpace(r.Stage + " " + strings.Join(r.Cohorts, " "))
}

// byDue sorts runs by what falls due first.
func byDue(a, b runView) int { return a.NextDue.Compare(b.NextDue) }

// runFilter says which open runs are wanted; zero means all.
type runFilter struct {
	leaving bool
	due     string
}

const (
	// openRuns selects people's open runs in Temporal's visibility store.
	openRuns = "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus = 'Running'"
	// leavingRuns selects those of people whose access is ending: it is being taken,
	// or it will be on a day that is known, or the accounts are to be deleted, be it
	// after a legal hold or an operator's approval.
	leavingRuns = "(WorkflowType = '" + workflows.TypeLeaver + "' OR TenureNextAction = '" + string(plan.DueEnd) +
		"' OR TenureNextAction STARTS_WITH '" + string(plan.DueDelete) +
		"' OR TenureNextAction STARTS_WITH '" + string(plan.DueHold) +
		"' OR TenureNextAction STARTS_WITH '" + string(plan.DueApproval) + "')"
)

// queryOf is the filter as Temporal wants it.
func (c *cli) queryOf(f runFilter) (string, error) {
	query := openRuns
	if f.leaving {
		query += " AND " + leavingRuns
	}
	if f.due == "" {
		return query, nil
	}
	within, err := config.ParseDuration(f.due)
	if err != nil {
		return "", usagef("--due %s: %w", f.due, err)
	}
	cfg, err := c.config()
	if err != nil {
		return "", err
	}
	return query + " AND " + dueBefore(cfg.Clock().Now().Add(within)), nil
}

// dueBefore selects runs for which something falls due before an instant.
func dueBefore(at time.Time) string {
	return fmt.Sprintf("TenureNextDue < '%s'", at.UTC().Format(time.RFC3339))
}

// runsLike reads the open runs that a query selects.
func runsLike(ctx context.Context, t client.Client, query string) ([]runView, error) {
	runs := []runView{}
	for token := []byte(nil); ; {
		resp, err := t.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query, NextPageToken: token})
		if err != nil {
			return nil, fmt.Errorf("asking Temporal for the open runs: %w", err)
		}
		for _, info := range resp.GetExecutions() {
			if v, ok := viewRun(info); ok {
				runs = append(runs, v)
			}
		}
		if token = resp.GetNextPageToken(); len(token) == 0 {
			return runs, nil
		}
	}
}

func (c *cli) listRuns(ctx context.Context, t client.Client, query string, f runFilter) error {
	runs, err := runsLike(ctx, t, query)
	if err != nil {
		return err
	}
	if f.due != "" {
		slices.SortStableFunc(runs, byDue)
	}
	runs = limited(c, runs)
	rows := rowsOf(runs, func(r runView) []string {
		next := strings.TrimSpace(r.NextAction + " " + instant(r.NextDue))
		return []string{r.Person, r.Type, r.stage(), r.Urgency, strings.Join(r.Attention, " "), next, instant(r.Started)}
	})
	const header = "person,type,stage,urgency,attention,next,started"
	return c.printList(runs, header, rows, func(p *page) {
		p.table("", header, rows)
		if len(runs) == 0 {
			p.note("nothing runs")
		}
	})
}

func viewRun(info *workflowpb.WorkflowExecutionInfo) (runView, bool) {
	person, ok := workflows.PersonID(info.GetExecution().GetWorkflowId())
	if !ok {
		return runView{}, false
	}
	v := runView{
		Person: person, Type: info.GetType().GetName(),
		Started: info.GetStartTime().AsTime(), RunID: info.GetExecution().GetRunId(),
	}
	attributes := info.GetSearchAttributes()
	attribute(attributes, workflows.AttrStage.GetName(), &v.Stage)
	attribute(attributes, workflows.AttrUrgency.GetName(), &v.Urgency)
	attribute(attributes, workflows.AttrAttention.GetName(), &v.Attention)
	attribute(attributes, workflows.AttrCohort.GetName(), &v.Cohorts)
	attribute(attributes, workflows.AttrNextAction.GetName(), &v.NextAction)
	attribute(attributes, workflows.AttrNextDue.GetName(), &v.NextDue)
	return v, true
}

// attribute reads a search attribute; one that is not there, or of another type,
// leaves the value as it is.
func attribute(all *commonpb.SearchAttributes, name string, value any) {
	if payload, ok := all.GetIndexedFields()[name]; ok {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, value)
	}
}
