// Package words writes numbers and instants for people. It imports the standard library
// only.
package words

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Count returns a number of things: "1 app", "2 apps".
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Tally lists counts by name, the greatest first: "wiki 2, chat 1". It writes unnamed for
// the empty name.
func Tally(counts map[string]int, unnamed string) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %d", cmp.Or(name, unnamed), counts[name])
	}
	return strings.Join(parts, ", ")
}

// Instant returns a point in time in UTC. The zero one is empty.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// Span returns a length of time, in days if it is whole days: "2 days", "8h", "1h30m".
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return Count(int(d/day), "day")
	}
	text := d.String()
	for _, end := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, end) {
			text = text[:len(text)-2]
		}
	}
	return text
}
