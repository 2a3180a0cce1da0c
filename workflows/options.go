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
	// app, and storing what became of them.
	attemptTimeout = activities.PlaceTime + 60*time.Second + provision.FinishTime
	// queueTimeout is how long a step stays in an app's own queue before it is
	// planned anew: the app may have left the configuration, and nobody hosts the
	// queue any more.
	queueTimeout = time.Hour
	// urgentTimeout is how long a step stays in the urgent queue before it goes the
	// way of all others: its slots are taken, or no worker hosts it.
	urgentTimeout = 10 * time.Second
	// heartbeatTimeout is how soon the death of a worker is noticed.
	heartbeatTimeout = 10 * time.Second
	// StopTimeout is how long a worker that is asked to stop may go on with the
	// attempts that are under way.
	StopTimeout = 20 * time.Second
	// ledgerTimeout bounds one attempt at what only needs the ledger.
	ledgerTimeout = 20 * time.Second
)

// The priorities of activities, 1 first: taking access away comes before giving
// it, whatever else is queued.
const (
	priorityUrgent = activities.PriorityUrgent
	priorityLeaver = 2
	priorityNormal = 3
)

// stepOptions are the options for one step. Retries have no end: the activity
// itself says when a human has to look.
func stepOptions(ctx workflow.Context, t provision.Todo, urgent bool) workflow.Context {
	priority := priorityNormal
	switch {
	case urgent && t.Kind == plan.Disable:
		priority = priorityUrgent
	case !t.Kind.Gives():
		priority = priorityLeaver
	}
	var inQueue time.Duration // for ever
	switch t.Queue {
	case "":
		// A run on the urgent queue takes only its cutting off there.
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
		WaitForCancellation:    true, // a call that was sent is seen to its end
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    time.Minute,
		},
		Priority: temporal.Priority{PriorityKey: priority},
		Summary:  summary(t.Step),
	})
}

// summary says in one line what a step does in which app.
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

// ledgerRetry is for what only needs the ledger: it comes back.
var ledgerRetry = &temporal.RetryPolicy{
	InitialInterval:    200 * time.Millisecond,
	BackoffCoefficient: 2,
	MaximumInterval:    10 * time.Second,
}

// assess asks what has to be done. It is a local activity: its result is in the
// history, at the cost of no extra round trip.
func assess(ctx workflow.Context, personID string) (provision.Assessment, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: ledgerTimeout,
		RetryPolicy:         ledgerRetry,
	})
	var a provision.Assessment
	err := workflow.ExecuteLocalActivity(ctx, activities.NameAssess, personID).Get(ctx, &a)
	return a, err
}
