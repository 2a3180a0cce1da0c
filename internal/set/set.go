// Package set treats lists as sets. It imports the standard library only.
package set

import (
	"cmp"
	"slices"
)

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

// Index returns the items by key. Of several with the same key it keeps the last.
func Index[T any, K comparable](items []T, key func(T) K) map[K]T {
	byKey := make(map[K]T, len(items))
	for _, item := range items {
		byKey[key(item)] = item
	}
	return byKey
}

// Intersect returns the elements of a that are also in b, in their order; nil if there are
// none.
func Intersect[T comparable](a, b []T) []T { return Minus(a, Minus(a, b)) }

// Sorted sorts items, in place, and returns them without repetitions; nil if there are none.
func Sorted[T cmp.Ordered](items []T) []T {
	slices.Sort(items)
	if items = slices.Compact(items); len(items) == 0 {
		return nil
	}
	return items
}
