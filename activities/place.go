package activities

import (
	"context"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// PriorityUrgent is the priority of the activities that cut somebody off now.
const PriorityUrgent = 1

// PlaceTime bounds how long one attempt at a step waits for a place in the app. Meanwhile it
// occupies a slot that other steps need.
const PlaceTime = 30 * time.Second

// times divides the time of one attempt.
type times struct{ place, calls, finish time.Duration }

// timesOf divides the time of one attempt. An attempt that an earlier version has scheduled
// may have less time than all parts usually take.
func timesOf(all time.Duration) times {
	t := times{place: min(PlaceTime, all/3), finish: min(provision.FinishTime, all/10)}
	t.calls = all - t.place - t.finish
	return t
}

// claimOf returns the claim of a step to a place.
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

// place takes one of the places in the app, before the first call. If none is free in time,
// it returns an error that ends the attempt before anything was begun, so that nothing is in
// doubt.
func place(ctx context.Context, app *provision.App, wait time.Duration, claim pace.Claim) (leave func(), err error) {
	if app == nil {
		return func() {}, nil
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if leave, ok := app.Places.Enter(waiting, claim); ok {
		return leave, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err // the run has cancelled the step
	}
	return nil, busy(claim.Class)
}

// busy returns the error for an attempt that got no place. Steps that give access are
// tried again at random times, since many of them may have begun to wait together.
func busy(class pace.Class) *provision.Error {
	again := time.Second
	if class == pace.Giving {
		again += rand.N(2 * time.Second) //nolint:gosec // G404: nobody gains by guessing it
	}
	return &provision.Error{
		Code: provision.CodeBusy, Message: "as many steps call the app as may at a time (atOnce): this one waits for its turn, and has not begun",
		Retryable: true, RetryAfter: again, NoTurn: true,
	}
}
