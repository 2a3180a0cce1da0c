package ledger

import (
	"context"
	"math"
	"time"
)

// Licences keeps how many seats the licences of apps had when the apps were last asked, so
// that every process can say it without asking them again.
type Licences interface {
	// SaveLicences replaces the licences of an app by these, of which App and CountedAt are
	// ignored.
	SaveLicences(ctx context.Context, app string, at time.Time, licences []Licence) error
	// Licences returns the licences of all apps, by app and name.
	Licences(ctx context.Context) ([]Licence, error)
}

// Licence holds the seats of one licence of an app, as they were at CountedAt.
type Licence struct {
	App, Name string
	Seats     int // zero if the app does not say
	Used      int
	Awaited   int       // people who are to get one within EnoughSeats.Ahead, and have none
	CountedAt time.Time // real time, whatever clock the configuration has
}

// licencesGoodFor is how old the numbers of a licence may be. Older ones would look like new
// ones while the app does not answer.
const licencesGoodFor = 2 * time.Hour

// Known reports whether the app has said lately how many seats there are. now is real time,
// as CountedAt is.
func (l Licence) Known(now time.Time) bool {
	return l.Seats > 0 && now.Sub(l.CountedAt) <= licencesGoodFor
}

// Free returns how many seats nobody has, or zero if the app does not say how many there
// are.
func (l Licence) Free() int { return max(0, l.Seats-l.Used) }

// EnoughSeats says how many free seats of a licence are enough. Besides, there have to be as
// many as people are to get within Ahead.
type EnoughSeats struct {
	Seats int     // or
	Share float64 // of all seats, from 0 to 1
	Ahead time.Duration
}

// Low reports whether an operator should get more seats: fewer are free than enough, or
// than people are to get soon. A licence of which the app does not say how many seats there
// are is never low.
func (l Licence) Low(enough EnoughSeats) bool {
	if l.Seats <= 0 {
		return false
	}
	least := max(enough.Seats, int(math.Ceil(enough.Share*float64(l.Seats))))
	return l.Free() < max(least, l.Awaited)
}
