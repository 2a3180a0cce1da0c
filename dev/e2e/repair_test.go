package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// TestOneCommandRepairsADayOfFailedOffboardings lets an app break down while 250
// people leave. Once the app is back, one command repairs all of them.
func TestOneCommandRepairsADayOfFailedOffboardings(t *testing.T) {
	const leavers = 250
	r, apps := startTwoApps(t, stack.Options{Template: twoApps})
	var joins, leaves []hr.Event
	for i := range leavers {
		hired, left := hiredAndCutOff(i, false)
		hired.Recorded, left.Recorded = time.Now().UTC(), time.Now().UTC().Add(time.Second)
		joins, leaves = append(joins, hired), append(leaves, left)
	}
	r.publish(t, joins...)
	r.awaitRest(t)
	require.Equal(t, leavers, r.links(t, "wiki", ledger.LinkActive))

	apps["wiki"].SetFaults(scimtest.Faults{Down: true})
	r.publish(t, leaves...)
	require.Eventually(t, func() bool { return r.links(t, "directory", ledger.LinkDisabled) == leavers }, rest, 200*time.Millisecond,
		"the other app does not wait for it")
	require.Eventually(t, func() bool { return r.inAttention(t, "wiki") == leavers }, rest, 200*time.Millisecond)
	require.Equal(t, leavers, r.links(t, "wiki", ledger.LinkActive))

	apps["wiki"].SetFaults(scimtest.Faults{})
	before := map[string]scimtest.Stats{"directory": apps["directory"].Stats(), "wiki": apps["wiki"].Stats()}
	command := []string{"run", "retry", "--app", "wiki", "--type", "Leaver", "--since", "1h", "--operator", "grace", "--rate", "200"}
	_, said, err := r.tenure(t, command...)
	require.Error(t, err, "it is only shown")
	assert.Contains(t, said, fmt.Sprintf("%d steps of %d people; nothing was done", leavers, leavers))
	assert.Equal(t, before["wiki"], apps["wiki"].Stats(), "nothing was done")

	said = r.does(t, append(command, "--apply", "--reason", "the wiki is back")...)
	t.Log(said)
	require.Eventually(t, func() bool { return r.links(t, "wiki", ledger.LinkDisabled) == leavers }, rest, 200*time.Millisecond)
	r.awaitRest(t)
	assert.Empty(t, r.attention(t))
	for _, u := range apps["wiki"].Users() {
		assert.False(t, u.Active, u.UserName)
	}
	after := map[string]scimtest.Stats{"directory": apps["directory"].Stats(), "wiki": apps["wiki"].Stats()}
	assert.Equal(t, before["directory"], after["directory"], "no app is called for what was done")
	assert.Equal(t, leavers, after["wiki"].ByKind["PATCH Users"]-before["wiki"].ByKind["PATCH Users"], "each is disabled once")

	said = r.does(t, append(command, "--apply")...)
	assert.Equal(t, "nothing like that needs attention\n", said, "and again: nothing")
	rows, err := r.ledger.Audit(t.Context(), joins[0].PersonID, 0, 100)
	require.NoError(t, err)
	var retried []string
	for _, row := range rows {
		if row.Action == "retry" {
			retried = append(retried, row.Actor+": "+row.Cause)
		}
	}
	assert.Equal(t, []string{"grace: the wiki is back"}, retried, "on the record")

	person, err := r.ledger.Person(t.Context(), joins[0].PersonID)
	require.NoError(t, err)
	_, said, err = r.tenure(t, "replay", "--person", joins[0].PersonID)
	require.NoError(t, err, said)
	require.Eventually(t, func() bool {
		now, err := r.ledger.Person(t.Context(), joins[0].PersonID)
		return err == nil && now.AssessedAt.After(person.AssessedAt)
	}, patience, 50*time.Millisecond, "what was received is looked at again")
	r.awaitRest(t)
	assert.Equal(t, after["wiki"], apps["wiki"].Stats(), "where nothing differs no app is called")
	assert.Equal(t, after["directory"], apps["directory"].Stats())
}

// links counts the links of an app that are in a state.
func (r *rig) links(t *testing.T, app string, state ledger.LinkState) int {
	t.Helper()
	links, err := r.ledger.Links(t.Context(), ledger.LinkFilter{App: app, State: state})
	require.NoError(t, err)
	return len(links)
}

// inAttention counts the steps of an app that need attention.
func (r *rig) inAttention(t *testing.T, app string) int {
	t.Helper()
	steps, err := r.ledger.Steps(t.Context(), ledger.StepFilter{App: app, States: []ledger.StepState{ledger.StepAttention}}, ledger.StepPlace{}, 10_000)
	require.NoError(t, err)
	return len(steps)
}
