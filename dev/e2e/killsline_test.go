package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// TestKillsWhilePeopleWait kills the starter and the worker in turn (SIGKILL) while a crowd waits
// for its turn, each time when a few more people have had theirs. Everybody has their turn in the
// end, no account is made twice or is wrong, and who is cut off meanwhile does not wait.
func TestKillsWhilePeopleWait(t *testing.T) {
	t.Parallel()
	const (
		crowd = 36
		early = 2 // who were at work before
		ahead = 4
		kills = 2 // each costs ten seconds: a lease, or what Temporal has given to the worker, has to run out
	)
	r := startRig(t, stack.Options{Template: readingAhead(ahead)})
	for _, name := range []string{"directory", "chat", "wiki"} {
		r.App(name).SetFaults(scimtest.Faults{SlowMillis: 50}) // so that the crowd has to wait
	}
	keepRunning(t, r.Stack.Worker())
	keepRunning(t, r.Stack.Starter())
	var leavers, joiners, cutOff []hr.Event
	for i := range early + crowd {
		hired, left := hiredAndCutOff(i, i == 1)
		if i < early {
			leavers, cutOff = append(leavers, hired), append(cutOff, left)
			continue
		}
		joiners = append(joiners, hired)
	}
	r.say(t, leavers...)
	r.awaitRest(t)

	r.say(t, joiners...)
	waiting := func() int {
		b, err := r.ledger.Backlog(t.Context())
		require.NoError(t, err)
		return b.People
	}
	require.Eventually(t, func() bool { return waiting() > crowd/2 }, rest, 5*time.Millisecond, "a crowd waits")
	r.say(t, cutOff...)
	require.Eventually(t, func() bool { return r.unread(t) == "" }, rest, 5*time.Millisecond, "HR's word is read")
	killed := 0
	for next := waiting() - 3; killed < kills; {
		require.Eventually(t, func() bool { return waiting() <= next }, rest, 5*time.Millisecond, "the line does not move")
		next = waiting() - 3
		[]*process.Process{r.Stack.Starter(), r.Stack.Worker()}[killed%2].Kill()
		killed++
	}
	assert.Positive(t, waiting(), "people waited all the time")
	r.awaitRest(t)

	assert.Empty(t, r.attention(t))
	assert.Len(t, r.people(t), early+crowd)
	accounts := r.accounts(t)
	made := 0
	for app, of := range accounts {
		for person, users := range of {
			made += len(users)
			gone := slices.ContainsFunc(cutOff, func(e hr.Event) bool { return e.PersonID == person })
			if assert.Len(t, users, 1, "person %s in %s", person, app) {
				assert.Equal(t, !gone, users[0].Active, "person %s in %s", person, app)
			}
		}
	}
	for _, e := range joiners {
		assert.Contains(t, accounts["directory"], e.PersonID, "everybody has had their turn")
	}
	rows, err := r.ledger.Audit(t.Context(), "", 0, 10_000)
	require.NoError(t, err)
	created, off, after := 0, 0, map[string]bool{} // who got their first account after the last was off
	had := map[string]bool{}
	for _, row := range rows {
		switch row.Action {
		case "created":
			created++
			if !had[row.PersonID] {
				had[row.PersonID], after[row.PersonID] = true, true
			}
		case "disabled":
			off++
			clear(after)
		}
	}
	assert.Equal(t, made, created, "nothing was made twice")
	assert.Positive(t, off)
	assert.Greater(t, len(after), ahead, "who is cut off does not wait for the crowd")
	state, err := r.ledger.AtWork(t.Context(), time.Time{}, 1000)
	require.NoError(t, err)
	assert.Equal(t, []ledger.Told{}, append([]ledger.Told{}, state...), "nobody keeps a place")
	t.Logf("%d kills, %d accounts; %d people came after those who were cut off", killed, made, len(after))
}
