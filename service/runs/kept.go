package runs

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"github.com/tenurehq/tenure/workflows"
)

// Kept says what Temporal has of a person's runs. Their histories hold IDs, keys of steps and
// codes, and neither names nor addresses.
type Kept struct {
	Open, Closed int64
	// Retention is how long the namespace keeps closed runs; zero if it does not say.
	Retention time.Duration
}

// KeptOf asks Temporal what it has of a person's runs.
func (c *Client) KeptOf(ctx context.Context, personID string) (k Kept, err error) {
	for query, n := range map[string]*int64{
		workflows.RunsOf(personID) + " AND ExecutionStatus = 'Running'":  &k.Open,
		workflows.RunsOf(personID) + " AND ExecutionStatus != 'Running'": &k.Closed,
	} {
		answer, err := c.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: c.namespace, Query: query})
		if err != nil {
			return k, fmt.Errorf("runs: counting the runs of a person: %w", err)
		}
		*n = answer.GetCount()
	}
	space, err := c.temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.namespace})
	if err != nil {
		return k, fmt.Errorf("runs: asking how long the namespace %s keeps runs: %w", c.namespace, err)
	}
	k.Retention = space.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	return k, nil
}
