package preview

import (
	"reflect"
	"slices"

	"github.com/tenurehq/tenure/internal/set"
)

// compare lists what is done in the second life and not in the first, and what is
// done in the first only. What is done in both at different times is one change
// that says so.
func compare(first, second []Change) (changes, calledOff []Change) {
	first, second = slices.Clone(first), slices.Clone(second)
	changes = []Change{}
	find := func(c Change, same func(b Change) bool) (Change, bool) {
		i := slices.IndexFunc(first, func(b Change) bool { return b.App == c.App && b.Do == c.Do && b.Problem == c.Problem && same(b) })
		if i < 0 {
			return Change{}, false
		}
		b := first[i]
		first = slices.Delete(first, i, i+1)
		return b, true
	}
	var rest []Change
	for _, c := range second {
		b, ok := find(c, func(b Change) bool { return b.At.Equal(c.At) && b.Username == c.Username && b.Off == c.Off })
		if !ok {
			rest = append(rest, c)
			continue
		}
		if more := less(c, b); !more.empty() {
			changes = append(changes, more)
		}
		if fewer := less(b, c); !fewer.empty() {
			calledOff = append(calledOff, fewer)
		}
	}
	for _, c := range rest {
		if b, ok := find(c, func(b Change) bool { return b.Username == c.Username }); ok && c.Do != Update {
			c.Was = b.At
		} else if ok {
			first = append(first, b)
		}
		changes = append(changes, c)
	}
	calledOff = append(calledOff, first...)
	byTime := func(a, b Change) int { return a.At.Compare(b.At) }
	slices.SortStableFunc(changes, byTime)
	slices.SortStableFunc(calledOff, byTime)
	return changes, calledOff
}

// less returns c without the entitlements and attributes that b, the same change at the
// same time, changes too.
func less(c, b Change) Change {
	c.Grant, c.Revoke = set.Minus(c.Grant, b.Grant), set.Minus(c.Revoke, b.Revoke)
	c.Attributes = slices.DeleteFunc(slices.Clone(c.Attributes), func(a Attribute) bool {
		return slices.ContainsFunc(b.Attributes, func(other Attribute) bool { return reflect.DeepEqual(a, other) })
	})
	c.Do, c.Username, c.Off = Update, "", false
	return c
}

// empty reports whether an update does nothing.
func (c Change) empty() bool { return len(c.Grant)+len(c.Revoke)+len(c.Attributes) == 0 }
