package activities

import (
	"context"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/tenurehq/tenure/internal/pace"
	"github.com/tenurehq/tenure/plan"
)

// PriorityUrgent is the priority of the activities that cut somebody off now.
const PriorityUrgent = 1

const (
	// PlaceTime is how long one attempt at a step waits for a place in the app before its
	// first call. There are enough others behind it that want its slot.
	PlaceTime = 30 * time.Second
	// FinishTime is what an attempt keeps for storing what became of its calls.
	FinishTime = 5 * time.Second
)

// times are the parts of the time that one attempt has.
type times struct{ place, calls, finish time.Duration }

// timesOf divides the time of one attempt. Most of one that is short (it was begun
// before there were places) is for the calls.
func timesOf(all time.Duration) times {
	t := times{place: min(PlaceTime, all/3), finish: min(FinishTime, all/10)}
	t.calls = all - t.place - t.finish
	return t
}

// claimOf is what a step has to show for a place.
func claimOf(info activity.Info, kind plan.Kind, urgent bool) pace.Claim {
	claim := pace.Claim{Class: pace.Taking, Since: info.ScheduledTime}
	switch {
	case urgent:
		claim.Class = pace.Cutting
	case kind.Gives():
		claim.Class = pace.Giving
	}
	return claim
}

// place takes one of the places in the app, before the first call. If none comes in
// time, the attempt ends, and is none: nothing was begun that might be in doubt.
func (app *App) place(ctx context.Context, wait time.Duration, claim pace.Claim) (leave func(), err error) {
	if app == nil {
		return func() {}, nil
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if leave, ok := app.Places.Enter(waiting, claim); ok {
		return leave, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err // the run has lost interest
	}
	return nil, busy(claim.Class).temporal(false)
}

// busy is the failure to get a place. Who has waited for long comes first whenever they
// come again, so that it is soon, but not all at the same time.
func busy(class pace.Class) failure {
	again := time.Second
	if class == pace.Giving {
		again += rand.N(2 * time.Second) //nolint:gosec // G404: nobody gains by guessing it
	}
	return failure{
		code: CodeBusy, message: "as many steps call the app as may at a time (atOnce): this one waits for its turn, and has not begun",
		retryable: true, retryAfter: again, noTurn: true,
	}
}
