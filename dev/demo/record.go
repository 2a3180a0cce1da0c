package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/dev/stack"
)

// recordEach is how many histories of each workflow type are recorded: the
// longest ones, which tell most.
const recordEach = 4

// record writes histories of closed runs into dir, as fixtures for the replay
// test of package workflows. Existing fixtures stay: they are what released code
// has written.
func record(ctx context.Context, s *stack.Stack, dir string) error {
	temporal, err := client.Dial(client.Options{HostPort: s.TemporalAddress()})
	if err != nil {
		return err
	}
	defer temporal.Close()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for _, kind := range []string{"Joiner", "Mover", "Leaver", "Scheduled", "Sweep", "Request"} {
		runs, err := longest(ctx, temporal, kind)
		if err != nil {
			return err
		}
		for i, run := range runs {
			if err := save(ctx, temporal, run, filepath.Join(dir, fmt.Sprintf("%s-%d.json", kind, i+1))); err != nil {
				return err
			}
		}
	}
	return nil
}

// longest are the closed runs of a type with the longest histories.
func longest(ctx context.Context, temporal client.Client, kind string) ([]*workflowpb.WorkflowExecutionInfo, error) {
	list, err := temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1000,
		Query:    fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus != 'Running'", kind),
	})
	if err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	var best []*workflowpb.WorkflowExecutionInfo
	for _, run := range list.GetExecutions() {
		i := 0
		for i < len(best) && best[i].GetHistoryLength() >= run.GetHistoryLength() {
			i++
		}
		best = append(best[:i], append([]*workflowpb.WorkflowExecutionInfo{run}, best[i:]...)...)
		best = best[:min(len(best), recordEach)]
	}
	return best, nil
}

func save(ctx context.Context, temporal client.Client, run *workflowpb.WorkflowExecutionInfo, file string) error {
	events := temporal.GetWorkflowHistory(ctx, run.GetExecution().GetWorkflowId(), run.GetExecution().GetRunId(),
		false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	history := &historypb.History{}
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return fmt.Errorf("reading a history: %w", err)
		}
		history.Events = append(history.Events, event)
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	if err != nil {
		return fmt.Errorf("encoding a history: %w", err)
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}
