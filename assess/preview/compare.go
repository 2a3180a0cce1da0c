package preview

import (
	"reflect"
	"slices"

	"github.com/tenurehq/tenure/internal/set"
)

// compare returns the changes that only the second life has, and the changes that only
// the first one has. A change that both have at different times is one change, with Was
// set.
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

// less returns an update with the entitlements and attributes of c that b does not change. b
// is the same change at the same time.
func less(c, b Change) Change {
	c.Grant, c.Revoke = set.Minus(c.Grant, b.Grant), set.Minus(c.Revoke, b.Revoke)
	c.Attributes = slices.DeleteFunc(slices.Clone(c.Attributes), func(a Attribute) bool {
		return slices.ContainsFunc(b.Attributes, func(other Attribute) bool { return reflect.DeepEqual(a, other) })
	})
	c.Do, c.Username, c.Off = Update, "", false
	return c
}

// empty reports whether an update changes nothing.
func (c Change) empty() bool { return len(c.Grant)+len(c.Revoke)+len(c.Attributes) == 0 }
