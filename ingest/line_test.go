package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/ledger"
)

func nobody(string) bool { return false }

// places makes places of "person" or "person<manager".
func places(pairs ...[2]string) []ledger.Place {
	all := make([]ledger.Place, len(pairs))
	for i, p := range pairs {
		all[i] = ledger.Place{PersonID: p[0], LastSeq: int64(i + 1), ManagerID: p[1], Known: p[1] != "" && p[1][0] == '*'}
	}
	return all
}

func TestLine(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		waits  []ledger.Place
		atWork map[string]bool
		after  time.Duration
		n      int
		want   []string
	}{
		"first come, first served":         {waits: places([2]string{"a"}, [2]string{"b"}, [2]string{"c"}), n: 2, want: []string{"a", "b"}},
		"a manager goes before the report": {waits: places([2]string{"a", "c"}, [2]string{"b", "a"}, [2]string{"c"}), n: 9, want: []string{"c"}},
		"others do not wait for that":      {waits: places([2]string{"a", "c"}, [2]string{"b", ""}, [2]string{"c"}), n: 9, want: []string{"c", "b"}},
		"a manager at work comes first":    {waits: places([2]string{"a", "m"}, [2]string{"b"}), atWork: map[string]bool{"m": true}, n: 9, want: []string{"b"}},
		"a manager whom the ledger knows":  {waits: places([2]string{"a", "*m"}), n: 9, want: []string{"a"}},
		"a manager whom nobody knows":      {waits: places([2]string{"a", "m"}, [2]string{"b"}), n: 9, want: []string{"b"}},
		"... and who does not come":        {waits: places([2]string{"a", "m"}, [2]string{"b"}), after: strangerPatience, n: 9, want: []string{"a", "b"}},
		"two who manage each other":        {waits: places([2]string{"a", "b"}, [2]string{"b", "a"}), n: 9, want: []string{"a"}},
		"whoever reports to such a circle": {waits: places([2]string{"a", "b"}, [2]string{"b", "c"}, [2]string{"c", "b"}), n: 9, want: []string{"b"}},
		"one who manages themselves":       {waits: places([2]string{"a", "a"}), n: 9, want: []string{"a"}},
		"... and is said to be at work":    {waits: places([2]string{"a", "a"}), atWork: map[string]bool{"a": true}, n: 9, want: []string{"a"}},
		"no room":                          {waits: places([2]string{"a"}), n: 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine()
			l.put(now, test.waits...)
			assert.Equal(t, test.want, l.next(now.Add(test.after), test.n, func(p string) bool { return test.atWork[p] }))
		})
	}
}

// Whatever managers people have, everybody has their turn, and nobody before their manager
// unless the managers form a circle, or theirs is nobody in the line.
func TestEverybodyHasTheirTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "people")
		managers := map[string]string{}
		l, now := newLine(), time.Now()
		for i := range n {
			id := fmt.Sprint(i)
			managers[id] = rapid.SampledFrom([]string{"", "nobody", fmt.Sprint(rapid.IntRange(0, n-1).Draw(t, "manager"))}).Draw(t, "which")
			l.put(now, ledger.Place{PersonID: id, LastSeq: int64(i), ManagerID: managers[id]})
		}
		room := rapid.IntRange(1, 5).Draw(t, "room")
		turn := map[string]int{}
		for round := 1; l.len() > 0; round++ {
			if round > 2*n+2 {
				t.Fatalf("%d people never have their turn", l.len())
			}
			ids := l.next(now.Add(time.Duration(round)*strangerPatience), room, nobody)
			for _, id := range ids {
				turn[id] = round
			}
			l.leave(ids...)
		}
		for id, manager := range managers {
			if turn[manager] > turn[id] && !circular(managers, id) {
				t.Fatalf("%s in round %d, and their manager %s in round %d", id, turn[id], manager, turn[manager])
			}
		}
	})
}

// circular reports whether the chain of somebody's managers ends in a circle.
func circular(managers map[string]string, id string) bool {
	met := map[string]bool{}
	for ; id != ""; id = managers[id] {
		if met[id] {
			return true
		}
		met[id] = true
	}
	return false
}
