package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// shortRetention changes the configuration: accounts are deleted as soon as access has
// ended, in the wiki with an approval.
var shortRetention = strings.NewReplacer(
	"leaver: {retain: 30d, delete: true}", "leaver: {retain: 0d, delete: true}",
	"\n    attributes:\n", "\n{{- if eq $app.Name \"wiki\"}}\n    leaver: {approval: required}\n{{- end}}\n    attributes:\n",
).Replace(withBreaker("{enabled: false}")) + "\nsweep: {every: 1s}\n"

// TestAHeldPersonIsNotDeletedUntilReleasedAndApproved has somebody leave who is under
// legal hold, with no retention. It uses the real command line and the real servers.
func TestAHeldPersonIsNotDeletedUntilReleasedAndApproved(t *testing.T) {
	t.Parallel()
	require.Contains(t, shortRetention, "retain: 0d")
	require.Contains(t, shortRetention, "approval: required")
	r := startRig(t, stack.Options{Template: shortRetention})
	hired, leaves := hiredAndCutOff(0, false)
	hired.Recorded = time.Now().UTC()
	r.publish(t, hired)
	person := hired.PersonID
	require.Eventually(t, func() bool { return r.enabled(t, person) == 3 }, patience, 50*time.Millisecond)

	assert.Contains(t, r.does(t, "hold", "place", person, "--until", "90d", "--reason", "matter 42", "--operator", "ada"), "nothing of "+person+" is deleted until")
	leaves.Recorded = time.Now().UTC()
	r.publish(t, leaves)
	require.Eventually(t, func() bool { return r.enabled(t, person) == 0 }, patience, 50*time.Millisecond, "cut off as everybody")
	require.Eventually(t, func() bool {
		return len(r.runs(t, "WorkflowId = '"+workflows.WorkflowID(person)+"' AND ExecutionStatus = 'Running' AND TenureStage = 'scheduled' AND TenureNextAction = 'hold'")) == 1
	}, patience, 100*time.Millisecond, "Temporal shows what it waits for")
	links, err := r.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: person})
	require.NoError(t, err)
	require.Len(t, links, 3)
	for _, l := range links {
		assert.Equal(t, ledger.LinkDisabled, l.State, l.App)
	}
	assert.Equal(t, map[string]string{"directory": "hold", "wiki": "hold", "chat": "hold"}, r.deletions(t, person))

	r.does(t, "hold", "release", person, "--reason", "settled", "--operator", "ada", "--apply")
	require.Eventually(t, func() bool {
		return r.linked(t, person, "chat").State == ledger.LinkDeleted && r.linked(t, person, "directory").State == ledger.LinkDeleted
	}, patience, 50*time.Millisecond, "deleted at once")
	require.Eventually(t, func() bool {
		return len(r.runs(t, "WorkflowId = '"+workflows.WorkflowID(person)+"' AND ExecutionStatus = 'Running' AND TenureNextAction = 'approve wiki'")) == 1
	}, patience, 100*time.Millisecond)
	assert.Equal(t, map[string]string{"wiki": "approval"}, r.deletions(t, person))
	assert.Contains(t, r.does(t, "deletion", "approve", person, "--reason", "ticket 42", "--operator", "grace", "--apply"), "in wiki is approved: it is deleted now")
	require.Eventually(t, func() bool { return r.linked(t, person, "wiki").State == ledger.LinkDeleted }, patience, 50*time.Millisecond)
	r.awaitRest(t)
	assert.Empty(t, r.deletions(t, person))
	assert.Empty(t, r.attention(t))
}

// deletions returns what the deletions of a person wait for, by app, according to the
// command line.
func (r *rig) deletions(t *testing.T, person string) map[string]string {
	t.Helper()
	stdout, _, _ := r.tenure(t, "deletion", "list", "--person", person, "-o", "json") // the exit code is 3 if a deletion waits for an approval
	var list []struct {
		App      string `json:"app"`
		WaitsFor string `json:"waitsFor"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &list))
	byApp := map[string]string{}
	for _, d := range list {
		byApp[d.App] = d.WaitsFor
	}
	return byApp
}
