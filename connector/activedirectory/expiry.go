package activedirectory

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// An account's expiry (accountExpires) is counted in 100 ns since 1601. Both 0 and
// the greatest number mean never (MS-ADA1, attribute accountExpires).
const (
	noExpiry       = "0"
	ticksPerSecond = 10_000_000
	secondsTo1970  = 11_644_473_600 // from 1601
	dateForm       = "2006-01-02"
)

// encodeExpiry takes a day, at whose end (UTC) the account expires, as Active
// Directory's own tools have it; or an RFC 3339 time; or nothing for never.
func encodeExpiry(text string) (string, error) {
	if text == "" {
		return noExpiry, nil
	}
	at, err := time.Parse(dateForm, text)
	if err == nil {
		at = at.AddDate(0, 0, 1)
	} else if at, err = time.Parse(time.RFC3339, text); err != nil {
		return "", errors.New(`must be a day such as "2026-11-30", or an RFC 3339 time`)
	}
	seconds := at.Unix() + secondsTo1970
	if seconds <= 0 || seconds > math.MaxInt64/ticksPerSecond {
		return "", errors.New("must be between the years 1601 and 9999")
	}
	return strconv.FormatInt(seconds*ticksPerSecond+int64(at.Nanosecond())/100, 10), nil
}

// decodeExpiry is encodeExpiry's reverse. A midnight is shown as the day that ends
// with it.
func decodeExpiry(raw string) string {
	at := timeOf(raw)
	if at.IsZero() {
		return ""
	}
	if at.Equal(at.Truncate(24 * time.Hour)) {
		return at.AddDate(0, 0, -1).Format(dateForm)
	}
	return at.Format(time.RFC3339Nano)
}

// timeOf is an instant that is counted in 100 ns since 1601; zero for never.
func timeOf(raw string) time.Time {
	ticks, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || ticks <= 0 || ticks == math.MaxInt64 {
		return time.Time{}
	}
	return time.Unix(ticks/ticksPerSecond-secondsTo1970, ticks%ticksPerSecond*100).UTC()
}
