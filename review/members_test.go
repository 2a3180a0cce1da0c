package review_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/review"
)

// people returns a set of p<from> to p<to>.
func people(from, to int) map[string]bool {
	all := map[string]bool{}
	for n := from; n <= to; n++ {
		all[fmt.Sprintf("p%02d", n)] = true
	}
	return all
}

// working returns the jobs of people, all in one department.
func working(department string, from, to int) map[string]review.Job {
	jobs := map[string]review.Job{}
	for id := range people(from, to) {
		jobs[id] = review.Job{Department: department, Title: "Engineer"}
	}
	return jobs
}

func TestMembersOfARoleAreComparedWithBeforeAndWithPeers(t *testing.T) {
	for name, c := range map[string]struct {
		now, before map[string]bool
		jobs        map[string]review.Job
		want        review.Membership
	}{
		"nobody was asked before": {now: people(1, 3), want: review.Membership{}},
		"some came, and some went": {
			now: people(2, 4), before: people(1, 3),
			want: review.Membership{Came: 1, CameIDs: []string{"p04"}, Went: 1, WentIDs: []string{"p01"}},
		},
		"nobody had it before": {now: people(1, 2), before: people(1, 0), want: review.Membership{Came: 2, CameIDs: []string{"p01", "p02"}}},
		"the first twenty are listed": {
			now: people(1, 0), before: people(1, 25),
			want: review.Membership{Went: 25, WentIDs: slices.Sorted(func(yield func(string) bool) {
				for id := range people(1, 20) {
					yield(id)
				}
			})},
		},
		"one has it, and their peers do not": {
			now: people(7, 7), jobs: working("Development", 1, 20),
			want: review.Membership{Unlike: 1, Unlikes: []review.Outlier{{Person: "p07", Has: true, Peers: 20, Share: 5}}},
		},
		"a tenth of them have it": {now: people(7, 7), jobs: working("Development", 1, 10), want: review.Membership{}},
		"one has it not, and their peers do": {
			now: people(2, 20), jobs: working("Development", 1, 20),
			want: review.Membership{Unlike: 1, Unlikes: []review.Outlier{{Person: "p01", Peers: 20, Share: 95}}},
		},
		"four are too few to tell":        {now: people(1, 1), jobs: working("Development", 1, 4), want: review.Membership{}},
		"who is not at work has no peers": {now: people(50, 50), jobs: working("Development", 1, 20), want: review.Membership{}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, review.Members(c.now, c.before, c.jobs)) })
	}
}

// TestNobodyComesOrGoesUnseen holds the numbers to the sets: those who were there, with those who
// came and without those who went, are those who are there.
func TestNobodyComesOrGoesUnseen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) map[string]bool {
			some := map[string]bool{}
			for n := range 15 {
				if rapid.Bool().Draw(t, label) {
					some[fmt.Sprintf("p%02d", n)] = true
				}
			}
			return some
		}
		now, before := draw("now"), draw("before")
		m := review.Members(now, before, nil)
		for _, id := range m.CameIDs {
			before[id] = true
		}
		for _, id := range m.WentIDs {
			delete(before, id)
		}
		if fmt.Sprint(before) != fmt.Sprint(now) || m.Came != len(m.CameIDs) || m.Went != len(m.WentIDs) {
			t.Fatalf("%v is not %v: %+v", before, now, m)
		}
	})
}
