package notice

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Hours are the hours of a day in which notices are sent that are not urgent.
type Hours struct{ From, To time.Duration } // since midnight by the clock on the wall

// AllDay are hours that never close.
var AllDay = Hours{To: 24 * time.Hour}

// ParseHours reads hours such as "08:00-18:00".
func ParseHours(text string) (Hours, error) {
	from, to, ok := strings.Cut(text, "-")
	var h Hours
	if !ok || parseTime(from, &h.From) != nil || parseTime(to, &h.To) != nil {
		return Hours{}, errors.New(`must be two times of a day, such as "08:00-18:00"`)
	}
	if h.From >= h.To {
		return Hours{}, fmt.Errorf("%s is not before %s", from, to)
	}
	return h, nil
}

func parseTime(text string, to *time.Duration) error {
	if text == "24:00" {
		*to = 24 * time.Hour
		return nil
	}
	t, err := time.Parse("15:04", text)
	*to = time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	return err
}

func (h Hours) String() string {
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	return clock(h.From) + "-" + clock(h.To)
}

// longestBreak is more days than there are between two on which hours open: a week with one such
// day, on which the clock leaps over the hours, and the next week.
const longestBreak = 16

// Next returns the first instant, from an instant on, at which the hours are open in a zone, on
// one of the days.
func (h Hours) Next(at time.Time, zone *time.Location, days Days) time.Time {
	local := at.In(zone)
	for day := range longestBreak {
		opens, closes := h.on(local, day)
		if next := laterOf(at, opens); next.Before(closes) && h.open(next.In(zone)) && days.Has(next.In(zone).Weekday()) {
			return next
		}
	}
	return at
}

// open reports whether the clock on the wall shows a time within the hours.
func (h Hours) open(local time.Time) bool {
	shows := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	return h.From <= shows && shows < h.To
}

// on returns when the hours open and close on the day that many days after t's.
func (h Hours) on(t time.Time, days int) (opens, closes time.Time) {
	wall := func(d time.Duration) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()+days, int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, t.Location())
	}
	return wall(h.From), wall(h.To)
}
