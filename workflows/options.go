package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

const (
	// attemptTimeout bounds one attempt at a step: waiting for a place, a few calls to one
	// app, and storing the outcome.
	attemptTimeout = activities.PlaceTime + 60*time.Second + provision.FinishTime
	// queueTimeout is how long a step stays in an app's own queue before it is
	// planned again: the app may have left the configuration, so that no worker takes
	// tasks from its queue any more.
	queueTimeout = time.Hour
	// urgentTimeout is how long a step stays in the urgent queue before it moves to the
	// main queue: the urgent slots are taken, or no worker hosts the urgent queue.
	urgentTimeout = 10 * time.Second
	// heartbeatTimeout is the time within which the death of a worker is noticed.
	heartbeatTimeout = 10 * time.Second
	// StopTimeout is the time that a worker which is asked to stop has for the attempts
	// that are under way.
	StopTimeout = 20 * time.Second
	// ledgerTimeout bounds one attempt at an activity that needs the ledger only.
	ledgerTimeout = 20 * time.Second
)

// The priorities of activities, 1 first. Taking access comes before giving it,
// whatever else is in the queue.
const (
	priorityUrgent = activities.PriorityUrgent
	priorityLeaver = 2
	priorityNormal = 3
	priorityScan   = 5
)

// stepOptions returns ctx with the activity options of one step. Temporal retries
// without end: the activity itself (provision.Engine) decides when a step needs attention.
func stepOptions(ctx workflow.Context, t provision.Todo, urgent bool) workflow.Context {
	priority := priorityNormal
	switch {
	case urgent && t.Kind == plan.Disable:
		priority = priorityUrgent
	case !t.Kind.Gives():
		priority = priorityLeaver
	}
	var inQueue time.Duration // zero: without end
	switch t.Queue {
	case "":
		// Without this, all steps of a run on the urgent queue would use the urgent slots.
		t.Queue = TaskQueue
	case UrgentQueue:
		inQueue = urgentTimeout
	default:
		inQueue = queueTimeout
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              t.Queue,
		ScheduleToStartTimeout: inQueue,
		StartToCloseTimeout:    attemptTimeout + t.Patience,
		HeartbeatTimeout:       heartbeatTimeout,
		WaitForCancellation:    true, // a call that was sent is never abandoned
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    provision.LongestBackoff,
		},
		Priority: temporal.Priority{PriorityKey: priority},
		Summary:  summary(t.Step),
	})
}

// summary returns one line that names the app of a step and what it grants and revokes.
func summary(s plan.Step) string {
	parts := []string{s.App}
	for _, name := range s.Grant {
		parts = append(parts, "+"+name)
	}
	for _, name := range s.Revoke {
		parts = append(parts, "-"+name)
	}
	line := strings.Join(parts, " ")
	const limit = 190 // the server takes 200 bytes, JSON quotes included
	if len(line) > limit {
		line = line[:limit]
	}
	return strings.ToValidUTF8(line, "")
}

// ledgerRetry retries activities that need the ledger only: the ledger comes back.
var ledgerRetry = &temporal.RetryPolicy{
	InitialInterval:    200 * time.Millisecond,
	BackoffCoefficient: 2,
	MaximumInterval:    10 * time.Second,
}

// assess asks what has to be done. It is a local activity, so that its result is in the
// history without another round trip to the server.
func assess(ctx workflow.Context, personID string) (provision.Assessment, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: ledgerTimeout,
		RetryPolicy:         ledgerRetry,
	})
	var a provision.Assessment
	err := workflow.ExecuteLocalActivity(ctx, activities.NameAssess, personID).Get(ctx, &a)
	return a, err
}
