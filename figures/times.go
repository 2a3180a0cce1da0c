package figures

import (
	"maps"
	"math"
	"slices"
	"time"
)

// times counts how long something took, by the second.
type times struct {
	took   map[int64]int
	people map[cause]span // nil if they are not counted
	sums   Times
}

// cause identifies what one person waited for.
type cause struct {
	person string
	since  int64
}

// span is how long somebody waited until the last of their accounts.
type span struct {
	longest int64
	open    bool
}

func newTimes(people bool) *times {
	t := &times{took: map[int64]int{}}
	if people {
		t.people = map[cause]span{}
	}
	return t
}

// seconds rounds up. What came before its time took none.
func seconds(d time.Duration) int64 { return int64(math.Ceil(max(d, 0).Seconds())) }

// turn counts what is done.
func (t *times) turn(one Turn, within time.Duration) {
	d := one.At.Sub(one.Since)
	took := seconds(d)
	t.took[took]++
	t.sums.Count++
	t.sums.Longest = max(t.sums.Longest, took)
	t.inTime(d <= within)
	if one.Held {
		t.sums.Held++
	}
	if one.ByHand {
		t.sums.ByHand++
	}
	t.person(one.Person, one.Since, span{longest: took})
}

// open counts what is not done yet.
func (t *times) open(waits time.Duration, person string, since time.Time, within time.Duration) {
	t.sums.Open++
	t.sums.Oldest = max(t.sums.Oldest, seconds(waits))
	if waits > within {
		t.sums.Late++
	}
	t.person(person, since, span{open: true})
}

func (t *times) inTime(yes bool) {
	if yes {
		t.sums.Within++
	} else {
		t.sums.Late++
	}
}

func (t *times) person(id string, since time.Time, s span) {
	if t.people == nil {
		return
	}
	key := cause{id, since.UnixMicro()}
	was := t.people[key]
	t.people[key] = span{max(was.longest, s.longest), was.open || s.open}
}

func (t *times) sum() *Times {
	sums := t.sums
	sums.Median, sums.P95 = quantile(t.took, 0.5), quantile(t.took, 0.95)
	last := map[int64]int{}
	for _, s := range t.people {
		if !s.open {
			last[s.longest]++
			sums.People++
		}
	}
	sums.PeopleMedian, sums.PeopleP95 = quantile(last, 0.5), quantile(last, 0.95)
	return &sums
}

// quantile returns the smallest time that at least a share q of all did not exceed; 0 if there are
// none.
func quantile(took map[int64]int, q float64) int64 {
	n := 0
	for _, count := range took {
		n += count
	}
	rank, seen := int(math.Ceil(q*float64(n))), 0
	for _, s := range slices.Sorted(maps.Keys(took)) {
		if seen += took[s]; seen >= rank {
			return s
		}
	}
	return 0
}
