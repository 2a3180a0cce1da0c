package activities

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
)

// sweepBatch is how many people a sweep looks at first.
const sweepBatch = 1000

// endedWithin is how far back (real time) runs are looked for that were ended by hand.
// It covers some sweeps that fail; what is older is found when the person is due.
const endedWithin = 15 * time.Minute

// SweepResult says what one sweep did.
type SweepResult struct {
	Due     int `json:"due"`              // people whose time had come
	Resumed int `json:"resumed"`          // ... and who were told to look, or had no open run
	Ended   int `json:"ended,omitempty"`  // people whose run was ended by hand, and who were given another
	Failed  int `json:"failed,omitempty"` // people whose run could not be asked for or told
}

// Sweep finds people whose ledger has due work, and resumes those who have no
// open run: an operator ended it by hand, its history was deleted, or another
// person's change made them due.
func (a *Activities) Sweep(ctx context.Context) (SweepResult, error) {
	var result SweepResult
	var failed failures
	seen := map[string]bool{}
	// Those who are due longest come first, and may all have an open run (their
	// app is down, say): what is asked for grows until there is no more.
	for limit := sweepBatch; ; limit *= 4 {
		due, err := a.Ledger.Due(ctx, a.Clock.Now(), limit)
		if err != nil {
			return result, classify(err)
		}
		for _, p := range due {
			if seen[p.PersonID] {
				continue
			}
			seen[p.PersonID] = true
			activity.RecordHeartbeat(ctx)
			resumed, err := a.resume(ctx, p)
			if err != nil {
				if failed.of(p.PersonID, err); ctx.Err() != nil || failed.all() {
					return result, err
				}
				continue
			}
			failed.others++
			if resumed {
				result.Resumed++
			}
		}
		result.Due = len(seen)
		if len(due) < limit {
			break
		}
	}
	// What was under way when a run was ended by hand is due only when that run would
	// surely have been over. That is too long for somebody who is being cut off.
	for personID, err := range a.Runs.EndedByHand(ctx, time.Now().Add(-endedWithin)) {
		if err != nil {
			return result, err
		}
		activity.RecordHeartbeat(ctx)
		if err := a.Runs.Resume(ctx, personID, "the run before was ended by hand"); err != nil {
			if failed.of(personID, err); ctx.Err() != nil {
				return result, err
			}
			continue
		}
		result.Ended++
	}
	if result.Failed = failed.people; failed.people > 0 {
		a.Log.Warn("sweep could not resume some people; the next one tries again",
			zap.Int("people", failed.people), zap.String("person", failed.first), zap.Error(failed.err))
	}
	if result.Ended > 0 {
		a.Log.Warn("sweep resumed people whose run was ended by hand", zap.Int("people", result.Ended))
	}
	if result.Resumed > 0 {
		a.Log.Info("sweep resumed people who were due", zap.Int("resumed", result.Resumed), zap.Int("due", result.Due))
	}
	return result, nil
}

// failures are the people whom a sweep could not see to: nobody else waits for them.
type failures struct {
	people int
	others int    // who were seen to
	first  string // who was the first
	err    error  // of the first
}

func (f *failures) of(personID string, err error) {
	if f.people++; f.people == 1 {
		f.first, f.err = personID, err
	}
}

// all says whether it is not about some: of many nobody was seen to.
func (f *failures) all() bool {
	const many = 100
	return f.people >= many && f.others == 0
}

// untold are the dues that an open run cannot know of.
var untold = []string{ledger.DueManager, ledger.DueLetter, ledger.DueTask, ledger.DueOperator, ledger.DueBreaker, ledger.DueDecision}

// resume sees to one person who is due. An open run sees to its own dues; what it
// cannot know of is told to it.
func (a *Activities) resume(ctx context.Context, p ledger.DuePerson) (bool, error) {
	open, err := a.Runs.Open(ctx, p.PersonID)
	if err != nil {
		return false, err
	}
	if open && !slices.Contains(untold, p.What) {
		return false, nil
	}
	return true, a.Runs.Resume(ctx, p.PersonID, "due: "+p.What)
}
