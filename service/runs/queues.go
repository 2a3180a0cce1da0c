package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/operator/health"
	"github.com/tenurehq/tenure/workflows"
)

// pollFresh is how old the last poll of a worker that is alive may be. A poll lasts a
// minute at most, and the server remembers workers that are gone for longer than that.
const pollFresh = 2 * time.Minute

// Queues implements health.Runs. A worker of the main or the urgent queue counts only if it
// polls for workflow tasks and for activities.
func (c *Client) Queues(ctx context.Context, apps []string) ([]health.Queue, error) {
	both := []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY}
	queues := []health.Queue{{Name: workflows.TaskQueue}, {Name: workflows.UrgentQueue}}
	for _, app := range apps {
		queues = append(queues, health.Queue{Name: activities.AppQueue(app)})
	}
	for i := range queues {
		kinds := both
		if i > 1 {
			kinds = both[1:] // an app's queue is for steps only
		}
		for n, kind := range kinds {
			who, err := c.pollers(ctx, queues[i].Name, kind)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				before := queues[i].Workers
				who = slices.DeleteFunc(who, func(one string) bool { return !slices.Contains(before, one) })
			}
			queues[i].Workers = who
		}
	}
	return queues, nil
}

// pollers returns the identities of the workers that have polled a queue lately.
func (c *Client) pollers(ctx context.Context, queue string, kind enumspb.TaskQueueType) ([]string, error) {
	found, err := c.temporal.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return nil, fmt.Errorf("runs: looking for the workers of %s: %w", queue, err)
	}
	var who []string
	for _, p := range found.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollFresh {
			who = append(who, p.GetIdentity())
		}
	}
	slices.Sort(who)
	return slices.Compact(who), nil
}

// Sweeps implements health.Runs.
func (c *Client) Sweeps(ctx context.Context) (health.Sweeps, error) {
	found, err := c.temporal.ScheduleClient().GetHandle(ctx, sweepSchedule).Describe(ctx)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return health.Sweeps{}, nil
	case err != nil:
		return health.Sweeps{}, fmt.Errorf("runs: asking for the schedule %s: %w", sweepSchedule, err)
	}
	s := health.Sweeps{Exists: true}
	if state := found.Schedule.State; state != nil && state.Paused {
		s.Paused, s.Note = true, state.Note
	}
	for _, action := range found.Info.RecentActions {
		if action.ActualTime.After(s.Last) {
			s.Last = action.ActualTime
		}
	}
	return s, nil
}
