package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// ReviewPrefix begins the workflow ID of every review's run.
const ReviewPrefix = "review:"

// ReviewWorkflowID returns the workflow ID of a review's runs: "review:v-3".
func ReviewWorkflowID(id int64) string { return ReviewPrefix + ledger.ReviewName(id) }

// ReviewInput is the argument of the workflow type Review.
type ReviewInput struct {
	Review int64 `json:"review"`
}

// reviewTimeout bounds one look at a review.
const reviewTimeout = 30 * time.Minute

// Review is the clock of one review: it has the ledger's rows brought up to date, and waits until
// something more is due, or until it is told that there is something new. It knows nothing by
// itself. It ends when everything that was revoked is proven to be gone.
func Review(ctx workflow.Context, in ReviewInput) error {
	signals := workflow.GetSignalChannel(ctx, SignalLookAgain)
	for {
		drainSignals(signals)
		p, err := lookAtReview(ctx, in.Review)
		if err != nil {
			return err
		}
		showRequest(ctx, p.State)
		told := signals.Len() > 0
		switch {
		case p.Over && !told:
			return nil
		case workflow.GetInfo(ctx).GetContinueAsNewSuggested() && !told:
			return workflow.NewContinueAsNewError(ctx, TypeReview, in)
		case told, p.More:
			continue
		}
		awaitRequest(ctx, signals, p.State)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// lookAtReview does what is due for a review.
func lookAtReview(ctx workflow.Context, id int64) (review.Progress, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: reviewTimeout,
		HeartbeatTimeout:    scanHeartbeat,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Priority:            temporal.Priority{PriorityKey: priorityScan},
		Summary:             ledger.ReviewName(id),
	})
	var p review.Progress
	err := workflow.ExecuteActivity(ctx, activities.NameLookAtReview, id).Get(ctx, &p)
	return p, err
}
