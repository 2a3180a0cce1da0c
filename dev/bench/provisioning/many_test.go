package provisioning

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWaitsAreReadFromTheLog(t *testing.T) {
	got, err := locksIn(strings.NewReader(`|LOG:  database system is ready to accept connections
tenure|LOG:  process 7 still waiting for ShareLock on transaction 742 after 1.063 ms
temporal|ERROR:  duplicate key value violates unique constraint "a"
tenure|DETAIL:  Process holding the lock: 8. Wait queue: 7.
tenure|CONTEXT:  while locking tuple (0,7) in relation "people"
tenure|STATEMENT:  SELECT id FROM people
	WHERE id = $1 FOR UPDATE
temporal|STATEMENT:  INSERT INTO a
tenure|LOG:  process 7 acquired ShareLock on transaction 742 after 20.500 ms
tenure|STATEMENT:  SELECT id FROM people
tenure|ERROR:  deadlock detected
tenure|STATEMENT:  UPDATE b
tenure|ERROR:  could not serialize access due to concurrent update
`))
	require.NoError(t, err)
	assert.Equal(t, map[string]*Locks{
		"tenure":   {Waits: 1, Waited: 20500 * time.Microsecond, Deadlocks: 1, Conflicts: 1, By: map[string]int{"SELECT id FROM people": 1}},
		"temporal": {Refused: 1, By: map[string]int{}},
	}, got)
}

func TestCallsAreCountedInAnySpan(t *testing.T) {
	var c calls
	began := time.Now()
	for _, ms := range []int{2100, 0, 900, 1000, 1001, 1899, 1900, 3200} { // they may come in any order
		c.add(began.Add(time.Duration(ms) * time.Millisecond))
	}
	all := c.since()
	assert.Len(t, all, 8)
	assert.Equal(t, 4, mostWithin(all, time.Second), "from 900 to 1899, and from 1000 to 1900")
	assert.Equal(t, 7, mostWithin(all, 3*time.Second))
	assert.Empty(t, c.since())
	assert.Zero(t, mostWithin(nil, time.Second))
	r := ManyReport{Runs: []Many{{Processes: 2, Rates: []Rate{
		{App: "a", Rate: 10, Most: 12, MostOfTen: 100}, {App: "b", Rate: 10, Most: 11, MostOfTen: 101}, {App: "d", Rate: 100, Most: 110, MostOfTen: 1000},
	}, Wrong: []string{"c"}}}}
	assert.Equal(t, []string{"2 workers: c", "2 workers: 12 calls of a in a second, of 10", "2 workers: 101 calls of b in ten seconds, of 100"}, r.Wrong())
}
