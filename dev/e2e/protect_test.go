package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/hr"
)

// TestNobodyTouchesWhatIsProtected has HR terminate three people, one of whom is a
// break-glass administrator, and hire two people whom protected accounts match. The
// configuration protects them only after all accounts exist. Worker and starter are then
// restarted with it, as in real life.
func TestNobodyTouchesWhatIsProtected(t *testing.T) {
	t.Parallel()
	r := startRig(t, stack.Options{})
	var hires, ends []hr.Event
	for i := range 5 {
		hired, leaves := hiredAndCutOff(i, false)
		hires, ends = append(hires, hired), append(ends, leaves)
	}
	say := func(events ...hr.Event) {
		for i := range events {
			events[i].Recorded = time.Now().UTC()
		}
		r.publish(t, events...)
	}
	say(hires[:3]...)
	require.Eventually(t, func() bool {
		return r.enabled(t, "20000")+r.enabled(t, "20001")+r.enabled(t, "20002") == 3+4+3
	}, patience, 50*time.Millisecond)
	r.awaitRest(t)

	// Two accounts that administrators made themselves: one has the ID of the next
	// joiner, the other has the username of the joiner after that.
	wiki := r.Stack.App("wiki")
	admin, err := scim.Kind.Open(t.Context(), connector.Env{App: "wiki"}, connector.Settings{"url": wiki.SCIMURL(), "token": stack.Token})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, admin.Close()) })
	var ids []string
	for _, spec := range []connector.Spec{{PersonID: "20003", Username: "breakglass", Active: true}, {PersonID: "elsewhere", Username: "pno20004", Active: true}} {
		made, err := admin.Create(t.Context(), spec)
		require.NoError(t, err)
		ids = append(ids, made.ID)
	}

	path := r.Stack.ConfigFile()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "  wiki:\n", "  wiki:\n    protected: [BreakGlass, pno20004]\n", 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(path, []byte(changed+"\nprotected: {persons: [\"20000\"]}\n"), 0o600))
	for _, p := range []interface {
		Stop()
	}{r.Stack.Starter(), r.Stack.Worker()} {
		p.Stop()
	}
	require.NoError(t, r.Stack.Worker().Start(t.Context()))
	require.NoError(t, r.Stack.Starter().Start(t.Context()))

	before := r.accounts(t)
	protected := func(all map[string]map[string][]story.User) (users []story.User) {
		for _, app := range r.Stack.Apps() {
			users = append(users, all[app.Name]["20000"]...)
			for _, of := range all[app.Name] {
				for _, u := range of {
					if u.ID == ids[0] || u.ID == ids[1] {
						users = append(users, u)
					}
				}
			}
		}
		return users
	}
	require.Len(t, protected(before), 5)

	say(append(ends[:3], hires[3:]...)...)
	require.Eventually(t, func() bool { return r.enabled(t, "20001")+r.enabled(t, "20002") == 0 }, patience, 50*time.Millisecond)
	r.awaitRest(t)
	for _, args := range [][]string{{"--no-wait"}, {"--break-glass"}} {
		_, said, err := r.tenure(t, append([]string{"person", "suspend", "20000", "--reason", "a test"}, args...)...)
		require.Error(t, err)
		assert.Contains(t, said, "20000 is protected")
	}
	r.awaitRest(t)
	after := r.accounts(t)
	assert.ElementsMatch(t, protected(before), protected(after))
	assert.Equal(t, 3, r.enabled(t, "20000"))

	asked := map[string]int{}
	for _, line := range r.attention(t) {
		words := strings.Fields(line)
		asked[words[0]+" "+words[3]]++
	}
	assert.Equal(t, map[string]int{"20000 protected": 3, "20003 protected": 1}, asked)
	runs := r.runs(t, "TenureAttention = 'wiki' AND ExecutionStatus = 'Running' AND WorkflowId = 'person:20000'")
	assert.Len(t, runs, 1, "it is seen in the Temporal UI")
	rows, err := r.ledger.Audit(t.Context(), "20000", 0, 1000)
	require.NoError(t, err)
	withheld := 0
	for _, row := range rows {
		if row.Action == "withheld" {
			withheld++
		}
	}
	assert.Equal(t, 3, withheld)
	require.Len(t, after["wiki"]["20004"], 1)
	assert.Equal(t, "pno200042", after["wiki"]["20004"][0].UserName, "the next free username")
}
