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

// endedWithin is how far back (real time) a sweep looks for runs that were ended by hand. It
// covers a few sweeps that fail; people whose run ended earlier are found when they are due.
const endedWithin = 15 * time.Minute

// A sweep looks for strangers' workflows that began within strangersWithin (real time), since
// Temporal finds these by an index. It looks at all open runs, which are as many as there are
// retained leavers, once in strangersEvery. Whoever is due is looked at by each sweep.
const (
	strangersWithin = 15 * time.Minute
	strangersEvery  = time.Hour
)

// SweepResult says what one sweep did.
type SweepResult struct {
	Due     int `json:"due"`              // people for whom something was due
	Resumed int `json:"resumed"`          // ... whose run was started, or told to look again
	Ended   int `json:"ended,omitempty"`  // people whose run was ended by hand, and was started again
	Failed  int `json:"failed,omitempty"` // people whose run could not be looked at, started or told
	// Replaced counts the people whose run was replaced, since it was not Tenure's or made no
	// progress.
	Replaced int `json:"replaced,omitempty"`
	// Requests counts the requests for roles whose run was started, or told to look again.
	Requests int `json:"requests,omitempty"`
	// Reviews counts the reviews whose run was started, or told to look again.
	Reviews int `json:"reviews,omitempty"`
}

// Sweep finds people for whom the ledger has something due, and starts a run for those who
// have none open: an operator ended it by hand, its history was deleted, or another person's
// change made them due. It replaces a run that is not Tenure's, or that makes no progress
// while something has been due for long: the ledger says what is due, whatever Temporal has
// under a person's ID.
func (a *Activities) Sweep(ctx context.Context) (SweepResult, error) {
	var result SweepResult
	var failed failures
	seen := map[string]bool{}
	// The people who have been due longest come first, and may all have an open run
	// (because an app is down, for example). So the limit grows until there are no more
	// people.
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
				if failed.add(p.PersonID, err); ctx.Err() != nil || failed.all() {
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
	// A person whose run was ended by hand is due only at a time when the run would
	// surely have been over. That is too late for somebody who is being cut off.
	for personID, err := range a.Runs.EndedByHand(ctx, time.Now().Add(-endedWithin)) {
		if err != nil {
			return result, err
		}
		alive(ctx)
		if err := a.Runs.Resume(ctx, personID, "the run before was ended by hand"); err != nil {
			if failed.add(personID, err); ctx.Err() != nil {
				return result, err
			}
			continue
		}
		result.Ended++
	}
	if err := a.endStrangers(ctx, seen, &failed, &result); err != nil {
		return result, err
	}
	if err := a.sweepRequests(ctx, &result); err != nil {
		return result, err
	}
	if err := a.sweepReviews(ctx, &result); err != nil {
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

// failures counts the people whom a sweep could not help. Nobody else waits for them.
type failures struct {
	people int
	others int    // people for whom all went well
	first  string // the first person who failed
	err    error  // the error of the first
}

func (f *failures) add(personID string, err error) {
	if f.people++; f.people == 1 {
		f.first, f.err = personID, err
	}
}

// all reports whether it is useless to go on: many people failed, and nobody succeeded.
func (f *failures) all() bool {
	const many = 100
	return f.people >= many && f.others == 0
}

// untold lists the kinds of due that an open run cannot know by itself.
var untold = []string{ledger.DueManager, ledger.DueLetter, ledger.DueTask, ledger.DueOperator, ledger.DueBreaker, ledger.DueDecision, ledger.DueDrift}

// sweepDone says what a sweep did about a person.
type sweepDone int

const (
	leftAlone sweepDone = iota
	resumed
	replaced
)

// The reasons for replacing a run. Temporal shows the reason with the end of the run, and
// the log has it too.
const (
	whyForeign = "not Tenure's: of a workflow type or on a task queue that Tenure does not have"
	whyDeaf    = "told that something has been due for long, it has not looked at the ledger"
)

// toldFor is how long (real time) a run has to look at the ledger once it has received the
// signal to do so.
const toldFor = 30 * time.Second

// resume helps one person who is due. An open run knows most of its dues by itself, and is
// told the others (untold).
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

// isOverdue reports whether the person has been due for longer than Overdue.
func (a *Activities) isOverdue(p ledger.DuePerson) bool {
	return a.Overdue > 0 && a.Clock.Now().Sub(p.At) > a.Clock.Span(a.Overdue)
}

// hasten helps an overdue person whose run cannot make progress, or waits for a date or a
// signal only. An idle run may not know that something is due, and is told. It is replaced if
// it was told since then and has not looked at the ledger. Runs that wait for steps, or for a
// worker, are never hastened.
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
		why = whyDeaf
	}
	if time.Since(run.StartedAt) <= a.Overdue {
		return leftAlone, nil // it may be the replacement of another: do not replace over and over
	}
	// It may have made progress since the ledger was asked who is due.
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

// endStrangers replaces open workflows that are not Tenure's under the ID of somebody whom
// the ledger knows, even before anything is due for them. A worker that was started looks at all
// open runs at once.
func (a *Activities) endStrangers(ctx context.Context, seen map[string]bool, failed *failures, result *SweepResult) error {
	now := a.Clock.Now()
	a.strangers.Lock()
	all := !now.Before(a.strangers.next)
	a.strangers.Unlock()
	var since time.Time
	if !all {
		since = time.Now().Add(-strangersWithin)
	}
	before := failed.people
	for personID, err := range a.Runs.Strangers(ctx, since) {
		if err != nil {
			return err
		}
		if seen[personID] {
			continue
		}
		alive(ctx)
		done, err := a.endStranger(ctx, personID)
		if err != nil {
			if failed.add(personID, err); ctx.Err() != nil {
				return err
			}
			continue
		}
		if done == replaced {
			result.Replaced++
		}
	}
	if all && failed.people == before { // otherwise the next sweep looks at all of them again
		a.strangers.Lock()
		a.strangers.next = now.Add(strangersEvery)
		a.strangers.Unlock()
	}
	return nil
}

// endStranger replaces what is open under one person's ID if it is still not Tenure's.
func (a *Activities) endStranger(ctx context.Context, personID string) (sweepDone, error) {
	_, err := a.Ledger.Person(ctx, personID)
	if errors.Is(err, ledger.ErrNotFound) {
		return leftAlone, nil // the ledger does not know them
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

// alive sends a heartbeat, if the sweep runs as an activity.
func alive(ctx context.Context) {
	if activity.IsActivity(ctx) {
		activity.RecordHeartbeat(ctx)
	}
}

// CountOverdue counts the people who are overdue. It asks only the ledger.
func (a *Activities) CountOverdue(ctx context.Context) (int, error) {
	return a.Ledger.Overdue(ctx, ledger.LateSince(a.Clock, a.Overdue))
}
