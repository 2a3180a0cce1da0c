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
	"github.com/tenurehq/tenure/workflows"
)

// Queue is a task queue that needs workers, and the workers that it has.
type Queue struct {
	Name    string
	Workers []string // identities of the workers that poll it, sorted
}

// pollFresh is how old the last poll of a worker that is alive may be. A poll lasts a
// minute at most, and the server remembers workers that are gone for longer than that.
const pollFresh = 2 * time.Minute

// Queues returns every task queue that Tenure uses for these apps, with its workers. A
// worker of the main or the urgent queue counts only if it polls for workflow tasks and
// for activities.
func (c *Client) Queues(ctx context.Context, apps []string) ([]Queue, error) {
	both := []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY}
	queues := []Queue{{Name: workflows.TaskQueue}, {Name: workflows.UrgentQueue}}
	for _, app := range apps {
		queues = append(queues, Queue{Name: activities.AppQueue(app)})
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

// Sweeps is the state of the sweeper's schedule.
type Sweeps struct {
	Exists bool
	Paused bool
	Note   string    // why it is paused, in the words of the human who paused it
	Last   time.Time // when it last started the sweeper; zero if it never has
}

// Sweeps returns the state of the sweeper's schedule.
func (c *Client) Sweeps(ctx context.Context) (Sweeps, error) {
	found, err := c.temporal.ScheduleClient().GetHandle(ctx, sweepSchedule).Describe(ctx)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return Sweeps{}, nil
	case err != nil:
		return Sweeps{}, fmt.Errorf("runs: asking for the schedule %s: %w", sweepSchedule, err)
	}
	s := Sweeps{Exists: true}
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
