package settings

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

var durationForm = regexp.MustCompile(`^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$`)

// durationUnits holds the units of durationForm, in order.
var durationUnits = []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second, time.Millisecond}

// longestDuration keeps sums with today's date within what time.Duration and
// people understand: about a hundred years.
const longestDuration = 36_525 * 24 * time.Hour

var errTooLong = errors.New("must be no longer than 36525d (a hundred years)")

// ParseDuration reads a duration as the configuration writes it, in keys of its own and in
// settings of kinds: 30d, 12h, 90s, 1d12h, 0d. A day is 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return 0, errors.New(`must be a duration such as "30d", "12h", "90s" or "1d12h"`)
	}
	var sum time.Duration
	for i, unit := range durationUnits {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil || n > int64(longestDuration/unit) {
			return 0, errTooLong
		}
		sum += time.Duration(n) * unit
	}
	if sum > longestDuration {
		return 0, errTooLong
	}
	return sum, nil
}

// duration reads a TypeDuration. Settings of kinds took Go's own forms before, such as 1.5s,
// and still do.
func duration(raw any) (any, bool) {
	text, _ := raw.(string)
	d, err := ParseDuration(text)
	if err != nil {
		if d, err = time.ParseDuration(text); err != nil || d > longestDuration {
			return nil, false
		}
	}
	return d, d > 0
}
