package scheme

import (
	"strconv"
	"time"
)

// parseTimestamp reads seconds since 1970 (ten digits, which last until the year
// 2286) or an RFC 3339 instant. Nothing else is taken, not milliseconds either:
// where body and timestamp are signed with nothing between them, digits of the
// one could be passed off as digits of the other.
func parseTimestamp(text string) (time.Time, Refusal) {
	if len(text) == 10 && text[0] != '+' && text[0] != '-' {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			return time.Unix(seconds, 0), Taken
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, Taken
	}
	return time.Time{}, Malformed
}
