package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
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
	// Replaced are the people whose run was ended, since it was not Tenure's or did not
	// get on, and who were given another.
	Replaced int `json:"replaced,omitempty"`
}

// Sweep finds people whose ledger has due work, and resumes those who have no
// open run: an operator ended it by hand, its history was deleted, or another
// person's change made them due. A run that is not Tenure's, or does not get on while
// the ledger has something due for long, is ended and replaced: what is due is what the
// ledger says, whatever Temporal has under a person's ID.
func (a *Activities) Sweep(ctx context.Context) (SweepResult, error) {
	var result SweepResult
	var failed failures
	seen := map[string]bool{}
	// Those who are due longest come first, and may all have an open run (their
	// app is down, say): what is asked for grows until there is no more.
	for limit := sweepBatch; ; limit *= 4 {
		due, err := a.Ledger.Due(ctx, a.Clock.Now(), limit)
		if err != nil {
			return result, temporalError(provision.LedgerError(err))
		}
		for _, p := range due {
			if seen[p.PersonID] {
				continue
			}
			seen[p.PersonID] = true
			alive(ctx)
			done, err := a.resume(ctx, p)
			if err != nil {
				if failed.of(p.PersonID, err); ctx.Err() != nil || failed.all() {
					return result, err
				}
				continue
			}
			failed.others++
			switch done {
			case resumed:
				result.Resumed++
			case replaced:
				result.Replaced++
			case leftAlone:
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
		alive(ctx)
		if err := a.Runs.Resume(ctx, personID, "the run before was ended by hand"); err != nil {
			if failed.of(personID, err); ctx.Err() != nil {
				return result, err
			}
			continue
		}
		result.Ended++
	}
	if err := a.endStrangers(ctx, seen, &failed, &result); err != nil {
		return result, err
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

// What was done about a person who is due.
type sweepDone int

const (
	leftAlone sweepDone = iota
	resumed
	replaced
)

// Why a run is replaced. It is the reason of its end in Temporal, and goes on the log.
const (
	whyForeign = "not Tenure's: of a workflow type or on a task queue that Tenure does not have"
	whyNoHelp  = "told that something is due for long, it has not looked at the ledger"
)

// toldFor is how long (real time) a run is given for looking at the ledger once it has
// heard that it is to.
const toldFor = 30 * time.Second

// resume sees to one person who is due. An open run sees to its own dues; what it
// cannot know of is told to it.
func (a *Activities) resume(ctx context.Context, p ledger.DuePerson) (sweepDone, error) {
	run, err := a.Runs.Look(ctx, p.PersonID)
	switch {
	case err != nil:
		return leftAlone, err
	case !run.Open:
		return resumed, a.Runs.Resume(ctx, p.PersonID, "due: "+p.What)
	case run.Foreign:
		return a.replace(ctx, p.PersonID, run, whyForeign)
	case a.isOverdue(p) && (run.Stuck != "" || run.Idle):
		return a.hasten(ctx, p, run)
	case slices.Contains(untold, p.What):
		return resumed, a.Runs.Resume(ctx, p.PersonID, "due: "+p.What)
	}
	return leftAlone, nil
}

// isOverdue reports whether the person's time passed long ago.
func (a *Activities) isOverdue(p ledger.DuePerson) bool {
	return a.Overdue > 0 && a.Clock.Now().Sub(p.At) > a.Clock.Span(a.Overdue)
}

// hasten sees to somebody overdue whose run cannot get on, or waits for a date or a
// signal and for nothing else. That one may not know that its time has come, and is told;
// it is replaced if it was told after that, and has not looked at the ledger. Runs that
// wait for steps, or for a worker to take them up, do not come here, however long it takes.
func (a *Activities) hasten(ctx context.Context, p ledger.DuePerson, run Run) (sweepDone, error) {
	why := run.Stuck
	if why == "" {
		told, err := a.Runs.Told(ctx, p.PersonID)
		if err != nil {
			return leftAlone, err
		}
		due := time.Now().Add(-a.Clock.Wait(a.Clock.Now().Sub(p.At)))
		if !told.After(due) {
			return resumed, a.Runs.Resume(ctx, p.PersonID, "due: "+p.What)
		}
		if time.Since(told) <= toldFor {
			return leftAlone, nil
		}
		why = whyNoHelp
	}
	if time.Since(run.StartedAt) <= a.Overdue {
		return leftAlone, nil // the one before may have been replaced: not over and over
	}
	// It may have got on since the ledger was asked.
	now, err := a.Ledger.Person(ctx, p.PersonID)
	if err != nil {
		return leftAlone, temporalError(provision.LedgerError(err))
	}
	if now.DueAt.IsZero() || !a.isOverdue(ledger.DuePerson{At: now.DueAt}) {
		return leftAlone, nil
	}
	return a.replace(ctx, p.PersonID, run, why)
}

// replace ends a run and starts another.
func (a *Activities) replace(ctx context.Context, personID string, run Run, why string) (sweepDone, error) {
	if err := a.Runs.Replace(ctx, personID, run, why); err != nil {
		return leftAlone, err
	}
	a.Log.Warn("sweep ended a run under a person's ID, and started another", zap.String("person", personID), zap.String("why", why))
	return replaced, nil
}

// endStrangers ends what is open under the ID of somebody whom the ledger knows and is
// not Tenure's, before anything of theirs is due.
func (a *Activities) endStrangers(ctx context.Context, seen map[string]bool, failed *failures, result *SweepResult) error {
	for personID, err := range a.Runs.Strangers(ctx) {
		if err != nil {
			return err
		}
		if seen[personID] {
			continue
		}
		alive(ctx)
		done, err := a.endStranger(ctx, personID)
		if err != nil {
			if failed.of(personID, err); ctx.Err() != nil {
				return err
			}
			continue
		}
		if done == replaced {
			result.Replaced++
		}
	}
	return nil
}

func (a *Activities) endStranger(ctx context.Context, personID string) (sweepDone, error) {
	_, err := a.Ledger.Person(ctx, personID)
	if errors.Is(err, ledger.ErrNotFound) {
		return leftAlone, nil // nobody of ours
	}
	if err != nil {
		return leftAlone, temporalError(provision.LedgerError(err))
	}
	run, err := a.Runs.Look(ctx, personID)
	if err != nil || !run.Open || !run.Foreign {
		return leftAlone, err
	}
	return a.replace(ctx, personID, run, whyForeign)
}

// alive says that a sweep is at work, if it is Temporal that waits for it.
func alive(ctx context.Context) {
	if activity.IsActivity(ctx) {
		activity.RecordHeartbeat(ctx)
	}
}

// CountOverdue counts the people who are overdue. It asks the ledger alone.
func (a *Activities) CountOverdue(ctx context.Context) (int, error) {
	return a.Ledger.Overdue(ctx, ledger.LateSince(a.Clock, a.Overdue))
}
