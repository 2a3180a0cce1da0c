package scheme

import (
	"strconv"
	"time"
)

// parseTimestamp reads seconds since 1970 (ten digits, which last until the year 2286) or
// an RFC 3339 instant. It refuses everything else, also milliseconds. If a scheme signs
// body and timestamp with nothing between them, an attacker could otherwise move digits
// from one to the other.
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
