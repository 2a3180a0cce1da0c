// Package nearest finds the name that somebody probably meant to write. It imports only an
// edit distance.
package nearest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Of returns the known name that is nearest to the given one, without regard to case, or "" if
// none is near enough to be a misspelling. If two are equally near, it returns the one that
// sorts first.
func Of(given string, known []string) string {
	best, bestDistance := "", tolerance(given)+1
	for _, name := range slices.Sorted(slices.Values(known)) {
		distance := levenshtein.ComputeDistance(strings.ToLower(given), strings.ToLower(name))
		if distance < bestDistance && distance < len(given) {
			best, bestDistance = name, distance
		}
	}
	return best
}

// tolerance returns how many letters may be wrong. Two swapped letters count as two.
func tolerance(given string) int {
	if len(given) < 4 {
		return 1
	}
	return max(2, len(given)/3)
}

// Hint returns the end of an error message ("; did you mean "wiki"?"), or "" if nothing is
// near.
func Hint(given string, known []string) string {
	if name := Of(given, known); name != "" {
		return fmt.Sprintf("; did you mean %q?", name)
	}
	return ""
}
