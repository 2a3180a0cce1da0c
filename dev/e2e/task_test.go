package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// keyCabinet changes the configuration: everybody gets a key, which a human hands out and
// takes back.
var keyCabinet = strings.NewReplacer(
	"\nroles:", "\n  keys: {connector: manual, settings: {assignee: facilities, secondPerson: [disable]}}\n\nroles:",
	"{app: chat, entitlements: [general]}", "{app: chat, entitlements: [general]}\n      - {app: keys, entitlements: [main door]}",
).Replace(withBreaker("{enabled: false}")) + "\nsweep: {every: 1s}\n"

// TestHumansHandOutAndTakeBackAKey has somebody join and leave. Humans do the steps of
// the key cabinet, with the real command line.
func TestHumansHandOutAndTakeBackAKey(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{Template: keyCabinet})
	hired, leaves := hiredAndCutOff(0, false)
	hired.Recorded = time.Now().UTC()
	r.publish(t, hired)
	person := hired.PersonID
	task := r.awaitTask(t, "Provision")
	require.Eventually(t, func() bool { return r.enabled(t, person) == 3 }, patience, 50*time.Millisecond, "no other app waits for the human")
	require.Eventually(t, func() bool {
		return len(r.runs(t, "WorkflowId = '"+workflows.WorkflowID(person)+"' AND TenureStage = 'waiting' AND TenureNextAction = 'task keys'")) == 1
	}, patience, 100*time.Millisecond, "Temporal shows what it waits for")
	r.does(t, "task", "done", task, "--proof", "badge 4711", "--operator", "grace")
	require.Eventually(t, func() bool { return r.linked(t, person, "keys").State == ledger.LinkActive }, patience, 50*time.Millisecond)
	assert.Equal(t, []string{"main door"}, r.linked(t, person, "keys").Entitlements)

	leaves.Recorded = time.Now().UTC()
	r.publish(t, leaves)
	task = r.awaitTask(t, "Disable")
	require.Eventually(t, func() bool { return r.enabled(t, person) == 0 }, patience, 50*time.Millisecond, "the others are cut off meanwhile")
	assert.Contains(t, r.does(t, "task", "done", task, "--proof", "badge 4711 is back", "--operator", "grace"), "confirmed by a second person")
	assert.Equal(t, ledger.LinkActive, r.linked(t, person, "keys").State, "one word is not enough")
	_, stderr, err := r.tenure(t, "task", "done", task, "--proof", "seen", "--operator", "mary")
	assert.Error(t, err, "another name from the same login is no second person")
	assert.Contains(t, stderr, "has to be confirmed from another login")
	id, err := strconv.ParseInt(task, 10, 64)
	require.NoError(t, err)
	_, err = r.ledger.ActOnTask(ledger.WithLogin(t.Context(), ledger.Login{Name: "mary"}),
		ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: id, Operator: "mary", Text: "seen", At: time.Now()})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.linked(t, person, "keys").State == ledger.LinkDisabled }, patience, 50*time.Millisecond)
	r.awaitRest(t)
	assert.Empty(t, r.attention(t))
}

// TestWhoHasAKeyAlreadyIsNotAskedFor starts with a company whose people have keys. A file says
// so: the tasks that are open already are withdrawn, and a leaver's key is asked for.
func TestWhoHasAKeyAlreadyIsNotAskedFor(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{Template: keyCabinet})
	hired, leaves := hiredAndCutOff(0, false)
	hired.Recorded = time.Now().UTC()
	r.publish(t, hired)
	person := hired.PersonID
	r.awaitTask(t, "Provision")
	file := filepath.Join(t.TempDir(), "keys.csv")
	require.NoError(t, os.WriteFile(file, []byte("person,account\n"+person+",badge 4711\n"), 0o600))
	r.does(t, "app", "adopt", "keys", "--map", file, "--apply", "--operator", "grace")
	require.Eventually(t, func() bool { return r.does(t, "task", "list", "-o", "json") == "[]\n" }, patience, 200*time.Millisecond, "the task is withdrawn")
	r.awaitRest(t)
	link := r.linked(t, person, "keys")
	assert.Equal(t, []any{ledger.LinkActive, "badge 4711", []string{"main door"}}, []any{link.State, link.Username, link.Entitlements})

	leaves.Recorded = time.Now().UTC()
	r.publish(t, leaves)
	assert.Contains(t, r.does(t, "task", "show", r.awaitTask(t, "Disable")), "badge 4711")
}

// does runs the real command line, which must succeed, and returns what it printed.
func (r *rig) does(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := r.tenure(t, args...)
	require.NoError(t, err, "tenure %v: %s", args, stderr)
	return stdout
}

// awaitTask waits until a human is asked for a step, and returns the task's number.
func (r *rig) awaitTask(t *testing.T, step string) (id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var tasks []struct {
			ID   int64  `json:"id"`
			Step string `json:"step"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.does(t, "task", "list", "-o", "json")), &tasks))
		if len(tasks) != 1 || tasks[0].Step != step {
			return false
		}
		id = strconv.FormatInt(tasks[0].ID, 10)
		return true
	}, patience, 200*time.Millisecond)
	return id
}

// linked returns a person's link in an app.
func (r *rig) linked(t *testing.T, person, app string) ledger.Link {
	t.Helper()
	links, err := r.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: person, App: app})
	require.NoError(t, err)
	if len(links) == 0 {
		return ledger.Link{}
	}
	return links[0]
}
