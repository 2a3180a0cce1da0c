package notice

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Days are the days of a week on which notices are sent that are not urgent. The zero value means
// every day.
type Days struct{ off [7]bool } // by time.Weekday

// weekdays are the days in the order of a week as ISO 8601 has it.
var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// ParseDays reads days such as "Mon-Fri", "Sun-Thu" or "Mon-Wed,Fri".
func ParseDays(text string) (Days, error) {
	d := Days{off: [7]bool{true, true, true, true, true, true, true}}
	for part := range strings.SplitSeq(text, ",") {
		from, to, span := strings.Cut(part, "-")
		if !span {
			to = from
		}
		first, last := weekday(from), weekday(to)
		if first < 0 || last < 0 {
			return Days{}, errors.New(`must be days of the week, such as "Mon-Fri" or "Mon,Wed-Fri"`)
		}
		for n := first; ; n = (n + 1) % len(weekdays) {
			d.off[(n+1)%len(weekdays)] = false // time.Weekday begins with Sunday
			if n == last {
				break
			}
		}
	}
	return d, nil
}

// weekday returns where a day is in a week; below zero if it is none.
func weekday(name string) int {
	return slices.IndexFunc(weekdays, func(day string) bool { return strings.EqualFold(day, strings.TrimSpace(name)) })
}

// Has reports whether a day is one of them.
func (d Days) Has(day time.Weekday) bool { return !d.off[day] }

func (d Days) String() string {
	var names []string
	for n, name := range weekdays {
		if d.Has(time.Weekday((n + 1) % len(weekdays))) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}
