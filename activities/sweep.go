package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"
)

// sweepBatch is how many people one sweep looks at. What it leaves is due still,
// and is found by the next one.
const sweepBatch = 1000

// SweepResult says what one sweep did.
type SweepResult struct {
	Due     int `json:"due"`     // people whose time had come
	Resumed int `json:"resumed"` // ... and who had no open run
}

// Sweep finds people whose ledger has due work, and resumes those who have no
// open run: an operator ended it by hand, its history was deleted, or another
// person's change made them due.
func (a *Activities) Sweep(ctx context.Context) (SweepResult, error) {
	due, err := a.Ledger.Due(ctx, a.Clock.Now(), sweepBatch)
	if err != nil {
		return SweepResult{}, classify(err)
	}
	result := SweepResult{Due: len(due)}
	for _, p := range due {
		activity.RecordHeartbeat(ctx)
		open, err := a.Runs.Open(ctx, p.PersonID)
		if err != nil {
			return result, err
		}
		if open && p.What != "manager" {
			continue
		}
		if err := a.Runs.Resume(ctx, p.PersonID, "due: "+p.What); err != nil {
			return result, err
		}
		result.Resumed++
	}
	if result.Resumed > 0 {
		a.Log.Info("sweep resumed people who were due without a run", zap.Int("resumed", result.Resumed), zap.Int("due", result.Due))
	}
	return result, nil
}
