package ledger

import (
	"context"
	"time"
)

// Pacer shares out the calls of apps that may be called only so often, among all
// processes that use the ledger. Times are the store's own: those who ask need
// not agree on one.
type Pacer interface {
	// ReserveCalls takes the next calls of an app that nobody has taken yet, and
	// says from when on, counted from now, the first of them may be made; each
	// other one Every later. A negative time lies behind: that call, and others if
	// it is long ago, may be made at once. A call that was taken and never made is
	// lost. A turn that is farther away than CallReservation.Farthest comes from a
	// clock that was set back since, or from another rate, and is now.
	ReserveCalls(ctx context.Context, r CallReservation) (from time.Duration, err error)
	// PauseCalls has all calls that are taken from now on begin no earlier than
	// after the given time. It ends no longer pause. A pause longer than LongestPause may
	// be cut short.
	PauseCalls(ctx context.Context, app string, pause time.Duration) error
	// CallWaits says how long a call of each app would wait that was taken now, because
	// others were taken before it or the app's calls are paused. Apps whose calls do not
	// wait are left out.
	CallWaits(ctx context.Context) (map[string]time.Duration, error)
}

// CallReservation asks for calls of an app.
type CallReservation struct {
	App   string
	Calls int           // how many, at least one
	Every time.Duration // from one call to the next, above zero
	// Saved is how much time without calls may be made up for: calls of that long
	// a time may be made at once.
	Saved time.Duration
}

// LongestPause is the longest pause that every process keeps.
const LongestPause = time.Minute

// manyWaiting is more processes than ever wait for their turns at one app.
const manyWaiting = 100

// Farthest returns how far away the turn of a reservation may be: many processes may have
// taken calls before, and the app may have asked for a pause.
func (r CallReservation) Farthest() time.Duration {
	return 2*LongestPause + manyWaiting*time.Duration(r.Calls)*r.Every
}
