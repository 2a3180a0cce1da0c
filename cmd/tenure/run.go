package main

import (
	"context"
	"fmt"
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
	"github.com/tenurehq/tenure/workflows"
)

func (c *cli) runCommand() *cobra.Command {
	return noun("run", "Show what runs for people, and repair what needs attention",
		c.runListCommand(), c.runRetryCommand(), c.runSkipCommand())
}

func (c *cli) runListCommand() *cobra.Command {
	var attention bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the open runs, or (--attention) what needs a human",
		Long: `List the open runs, as Temporal knows them: one per person for whom something is
under way or due.

With --attention, list what needs a human instead, as the ledger knows it: the
steps that cannot succeed until somebody acts, and the questions that only HR
can answer. The exit status is 3 then, unless there is nothing.`,
		Example: `  tenure run list
  tenure run list --attention
  tenure run list --attention -o json | jq -r '.[].person' | sort -u`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if attention {
				return c.withLedger(cmd.Context(), func(_ *config.Config, l ledger.Ledger) error {
					return c.listAttention(cmd.Context(), l)
				})
			}
			return c.withTemporal(cmd.Context(), func(t client.Client) error { return c.listRuns(cmd.Context(), t) })
		},
	}
	cmd.Flags().BoolVar(&attention, "attention", false, "list what needs a human")
	return c.reads(cmd)
}

func (c *cli) listAttention(ctx context.Context, l ledger.Ledger) error {
	steps := []stepView{}
	err := eachPerson(ctx, l, func(s ledger.Summary) error {
		person, err := l.Person(ctx, s.PersonID)
		if err != nil {
			return err
		}
		for _, step := range person.Steps {
			if step.State == ledger.StepAttention {
				steps = append(steps, viewStep(step))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.print(steps, func(p *page) {
		p.table("", "person,app,step,attempts,what,key", rowsOf(steps, func(s stepView) []string {
			return []string{s.Person, s.App, s.Kind, strconv.Itoa(s.Attempts), s.what(), s.Key}
		}))
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
	NextAction string    `json:"nextAction,omitempty"`
	NextDue    time.Time `json:"nextDue,omitzero"`
	Started    time.Time `json:"started"`
	RunID      string    `json:"runId"`
}

// openRuns selects people's open runs in Temporal's visibility store.
var openRuns = "WorkflowId STARTS_WITH '" + workflows.WorkflowID("") + "' AND ExecutionStatus = 'Running'"

func (c *cli) listRuns(ctx context.Context, t client.Client) error {
	runs := []runView{}
	for token := []byte(nil); ; {
		resp, err := t.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: openRuns, NextPageToken: token})
		if err != nil {
			return fmt.Errorf("asking Temporal for the open runs: %w", err)
		}
		for _, info := range resp.GetExecutions() {
			if v, ok := viewRun(info); ok {
				runs = append(runs, v)
			}
		}
		if token = resp.GetNextPageToken(); len(token) == 0 {
			break
		}
	}
	return c.print(runs, func(p *page) {
		p.table("", "person,type,stage,urgency,attention,next,started", rowsOf(runs, func(r runView) []string {
			next := strings.TrimSpace(r.NextAction + " " + instant(r.NextDue))
			return []string{r.Person, r.Type, r.Stage, r.Urgency, strings.Join(r.Attention, " "), next, instant(r.Started)}
		}))
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
