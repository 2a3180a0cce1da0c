package ledger

import (
	"context"
	"time"
)

// Pacer shares the rates of apps among all processes that use the ledger. It uses the
// store's own clock, so that the clocks of the processes need not agree.
type Pacer interface {
	// ReserveCalls reserves the next calls of an app, and returns when the first of them may
	// be made. Each further call comes Every later. A turn that lies in the past may be taken
	// at once. A call that is reserved and never made is lost. If the turn would be farther
	// away than CallReservation.Farthest, the clock was set back or the rate has changed, and
	// the turn is now.
	ReserveCalls(ctx context.Context, r CallReservation) (CallTurn, error)
	// PauseCalls makes all calls that are reserved from now on begin no earlier than after
	// the given time. It does not shorten a longer pause. A pause longer than LongestPause
	// may be cut short.
	PauseCalls(ctx context.Context, app string, pause time.Duration) error
	// CallWaits returns, by app, how long a call that was reserved now would wait, because
	// others were reserved before it or the app's calls are paused. Apps whose calls do not
	// wait are left out.
	CallWaits(ctx context.Context) (map[string]time.Duration, error)
}

// CallReservation asks for calls of an app.
type CallReservation struct {
	App   string
	Calls int           // how many, at least one
	Every time.Duration // from one call to the next, above zero
	// Saved bounds the time without calls that may be made up for: the calls of so long a
	// time may be made at once.
	Saved time.Duration
	// Ahead is how far away the first turn is at least, for a caller who gets answers so late
	// that nearer turns would have passed.
	Ahead time.Duration
}

// CallTurn says when a call may be made, by the store's own clock.
type CallTurn struct {
	At  time.Time
	Now time.Time // when the store gave the turn
}

// Wait returns how far away the turn was when it was given. A negative time lies in the past.
func (t CallTurn) Wait() time.Duration { return t.At.Sub(t.Now) }

// LongestPause is the longest pause that every process keeps.
const LongestPause = time.Minute

// manyWaiting is more processes than ever wait for their turns at one app.
const manyWaiting = 100

// Farthest returns how far away the turn of a reservation can be, since many processes may
// have reserved calls before, and the app may have asked for a pause.
func (r CallReservation) Farthest() time.Duration {
	return 2*LongestPause + manyWaiting*time.Duration(r.Calls)*r.Every
}
