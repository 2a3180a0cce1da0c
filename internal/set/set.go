// Package set computes with lists of names as sets. It imports the standard library only.
package set

import "slices"

// Minus returns the elements of all that are not in some, in their order; nil if there are
// none.
func Minus[T comparable](all, some []T) []T {
	var rest []T
	for _, x := range all {
		if !slices.Contains(some, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

// Intersect returns the elements of a that are also in b, in their order; nil if there are
// none.
func Intersect[T comparable](a, b []T) []T { return Minus(a, Minus(a, b)) }
