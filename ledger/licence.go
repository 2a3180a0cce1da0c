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
	Awaited   int // people who are to get one soon, and have none
	CountedAt time.Time
}

// Free returns how many seats nobody has, or zero if the app does not say how many there
// are.
func (l Licence) Free() int { return max(0, l.Seats-l.Used) }

// Enough says how many free seats are enough. It does not count the seats that people are
// to get soon.
type Enough struct {
	Seats int     // or
	Share float64 // of all seats, from 0 to 1
}

// Low reports whether an operator should get more seats: fewer are free than enough, or
// than people are to get soon. A licence of which the app does not say how many seats there
// are is never low.
func (l Licence) Low(enough Enough) bool {
	if l.Seats <= 0 {
		return false
	}
	least := max(enough.Seats, int(math.Ceil(enough.Share*float64(l.Seats))))
	return l.Free() < max(least, l.Awaited)
}
