package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
)

// EraseInput is the argument of Erase: how far the runs before it have come.
type EraseInput struct {
	After   string `json:"after,omitempty"`
	Erased  int    `json:"erased,omitempty"`
	Waiting int    `json:"waiting,omitempty"`
	Scrub   bool   `json:"scrub,omitempty"` // see activities.ErasePage
}

// EraseResult says what a day's erasure did.
type EraseResult struct {
	Erased  int `json:"erased"`
	Waiting int `json:"waiting,omitempty"` // people whose time is over, and against whom something stands
}

const (
	// erasePages is how many pages one run makes before it continues as new.
	erasePages = 500
	// eraseTimeout bounds one page. Each person is a transaction that searches the record.
	eraseTimeout = time.Hour
	// scrubTimeout bounds writing the ledger's files anew.
	scrubTimeout = 6 * time.Hour
)

// Erase erases the people whose time is over, page by page, and scrubs the ledger's files if there
// were any. A Temporal Schedule starts it once a day: see runs.Client.ScheduleErasures.
func Erase(ctx workflow.Context, in EraseInput) (EraseResult, error) {
	pages := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: eraseTimeout, HeartbeatTimeout: 5 * time.Minute, RetryPolicy: ledgerRetry,
	})
	for range erasePages {
		var page activities.ErasePage // a new one each time: what an answer leaves out is not what the last one said
		if err := workflow.ExecuteActivity(pages, activities.NameErase, activities.EraseRequest{After: in.After}).Get(ctx, &page); err != nil {
			return EraseResult{in.Erased, in.Waiting}, err
		}
		in = EraseInput{After: page.After, Erased: in.Erased + page.Erased, Waiting: in.Waiting + page.Waiting, Scrub: in.Scrub || page.Scrub}
		if page.More {
			continue
		}
		result := EraseResult{in.Erased, in.Waiting}
		if in.Erased == 0 && !in.Scrub {
			return result, nil
		}
		scrub := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: scrubTimeout, HeartbeatTimeout: time.Minute, RetryPolicy: ledgerRetry,
		})
		return result, workflow.ExecuteActivity(scrub, activities.NameScrub).Get(ctx, nil)
	}
	return EraseResult{}, workflow.NewContinueAsNewError(ctx, Erase, in)
}
