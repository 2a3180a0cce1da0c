package activities

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/review"
)

// Reviews says how reviews are held.
type Reviews struct {
	Terms []review.Terms
	Fresh time.Duration  // see review.Board
	Zone  *time.Location // in which their days begin and end; nil: UTC
}

// secretary returns what keeps reviews up to date.
func (a *Activities) secretary(ctx context.Context) *review.Secretary {
	return &review.Secretary{
		Scan: func(ctx context.Context, app string) error { return a.Runs.Scan(ctx, app) },
		Scannable: func(app string) bool {
			if a.Scanner == nil {
				return false
			}
			_, ok := a.Scanner.Apps[app]
			return ok
		},
		Board:  &review.Board{Ledger: a.Ledger, Rules: a.Rules(), Clock: a.Clock, Limits: a.Breaker, Fresh: a.Reviews.Fresh, Zone: a.Reviews.Zone},
		Keeper: a.Ledger,
		Alive:  func() { alive(ctx) },
		Told: func(ctx context.Context, people []string) {
			for _, id := range people {
				if err := a.Runs.Resume(ctx, id, "a review has decided"); err != nil {
					a.Log.Warn("somebody was not told of what a review has decided; the sweeper does it", zap.String("person", id), zap.Error(err))
					return
				}
			}
		},
	}
}

// LookAtReview finds out what has become of a review, does what is due, and stores it. It works
// for some minutes at most.
func (a *Activities) LookAtReview(ctx context.Context, id int64) (review.Progress, error) {
	stop := beats(ctx)
	defer stop()
	p, err := a.secretary(ctx).Look(ctx, id)
	if err != nil {
		return review.Progress{}, temporalError(provision.LedgerError(err))
	}
	return p, nil
}

// sweepReviews starts the reviews that are to begin, and tells the runs of those that somebody
// has to look at, or starts these runs: Temporal may have lost them.
func (a *Activities) sweepReviews(ctx context.Context, result *SweepResult) error {
	if err := a.secretary(ctx).StartDue(ctx, a.Reviews.Terms); err != nil {
		return temporalError(provision.LedgerError(err))
	}
	if err := a.sweepTurns(ctx); err != nil {
		return temporalError(provision.LedgerError(err))
	}
	for r, err := range ledger.AllReviews(ctx, a.Ledger, ledger.ReviewFilter{DueBy: a.Clock.Now()}, 0) {
		if err != nil {
			return temporalError(provision.LedgerError(err))
		}
		alive(ctx)
		if err := a.Runs.ResumeReview(ctx, r.ID, "due"); err != nil {
			a.Log.Warn("sweep could not resume a review; the next one tries again", zap.String("review", r.Ref()), zap.Error(err))
			if ctx.Err() != nil {
				return err
			}
			continue
		}
		result.Reviews++
	}
	return nil
}

// turnsEvery is how often everybody is looked at for what a review may have to be held after: each
// person is read for it.
const turnsEvery = 12 * time.Hour

// sweepTurns starts the reviews of single people to whom something has happened. A worker that
// was started looks at once; what another has started is not started again.
func (a *Activities) sweepTurns(ctx context.Context) error {
	now := a.Clock.Now()
	a.turns.Lock()
	due := !now.Before(a.turns.next)
	if due {
		a.turns.next = now.Add(turnsEvery)
	}
	a.turns.Unlock()
	if !due {
		return nil
	}
	err := a.secretary(ctx).StartAfter(ctx, a.Reviews.Terms)
	if err != nil { // the next sweep tries again
		a.turns.Lock()
		a.turns.next = time.Time{}
		a.turns.Unlock()
	}
	return err
}
