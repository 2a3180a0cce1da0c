package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// reviewed is the configuration scanned with a review of what no role gives. 20001 answers for
// the wiki and 20003 for the directory.
func reviewed(t *testing.T) string {
	t.Helper()
	owned := strings.NewReplacer(`wiki: {`, `wiki: {owner: ["20001"], `, `directory: {`, `directory: {owner: ["20003"], `).Replace(scanned)
	_, clock, ok := strings.Cut(stack.DefaultTemplate, "{{- with .Clock}}")
	require.True(t, ok)
	return owned + `
governance: {fallback: ["20001", "20003"]}
reviews: [{name: strays, covers: "item.because == 'stray'", days: 2, settle: 0s, undecided: revoke}]
{{- with .Clock}}` + clock
}

// shownReview is what the command line says of a review.
type shownReview struct {
	State   string
	DoneAt  time.Time
	Summary struct{ Items, Open, Human, Silence, Revoked, Proven int }
	List    []struct {
		Item                     int64
		App, Decision, DecidedBy string
		ProvenAt                 time.Time
	}
}

// showReview has the command line show a review.
func (r *rig) showReview(t *testing.T, flags ...string) (v shownReview) {
	t.Helper()
	stdout, stderr, _ := r.tenure(t, append([]string{"review", "show", "v-1", "-o", "json"}, flags...)...) // exit status 3 while something is open
	require.NoError(t, json.Unmarshal([]byte(stdout), &v), stderr)
	return v
}

// TestAReviewIsDecidedClosesAndIsProven goes through the life of a review with the real command
// line, on the embedded stack. Administrators have put one person into a group of the wiki, and
// another one into a group of the directory. The wiki's owner revokes it; the directory's owner
// does nothing, and silence revokes it when the review closes by itself. The apps show both gone.
func TestAReviewIsDecidedClosesAndIsProven(t *testing.T) {
	t.Parallel()
	const day = 45 * time.Second
	r, apps := startTwoApps(t, stack.Options{Template: reviewed(t), Clock: &config.AcceleratedClock{
		Epoch: time.Now().Add(3 * time.Second).Truncate(time.Second), Start: time.Now().UTC().Truncate(time.Second), Rate: float64(24*time.Hour) / float64(day),
	}})
	for i := range 4 {
		hired, _ := hiredAndCutOff(i, false)
		hired.Recorded = r.Clock.Now()
		r.publish(t, hired)
	}
	r.awaitRest(t)
	theirs := map[string]string{"wiki": "20000", "directory": "20002"} // whom an administrator gives something, by app
	groups := func(app string) []string { return userOf(t, apps[app], theirs[app]).Groups }
	for app, person := range theirs {
		apps[app].AddMember("admins", userOf(t, apps[app], person).ID)
		r.does(t, "app", "scan", app, "--wait")
	}
	require.ElementsMatch(t, []string{"stray admins 20000 open", "stray admins 20002 open"}, r.found(t))

	stdout, stderr, err := r.tenure(t, "review", "start", "strays", "--reason", "the year ends", "--operator", "olga")
	require.Error(t, err, "exit status 3: it is only shown")
	assert.Contains(t, stdout, "2 items about 2 accounts and entitlements", stderr)
	assert.Contains(t, stdout, "asked  20001  1 item\n")
	assert.Contains(t, r.does(t, "review", "start", "strays", "--reason", "the year ends", "--operator", "olga", "--apply"), "v-1 is started")
	require.Eventually(t, func() bool { return r.showReview(t).State == "open" }, patience, 200*time.Millisecond)

	asked := r.showReview(t, "--as", "20001", "--open").List
	require.Len(t, asked, 1)
	require.Equal(t, "wiki", asked[0].App)
	revoke := func(as string) (stderr string, err error) {
		_, stderr, err = r.tenure(t, "review", "decide", "v-1", "revoke", fmt.Sprint(asked[0].Item), "--as", as, "--reason", "case 12", "--operator", "olga", "--apply")
		return stderr, err
	}
	stderr, err = revoke("20003")
	require.Error(t, err)
	assert.Contains(t, stderr, "they are not asked about it")
	assert.Equal(t, []string{"admins"}, groups("wiki"))
	stderr, err = revoke("20001")
	require.NoError(t, err, stderr)
	require.Eventually(t, func() bool { return len(groups("wiki")) == 0 }, rest, 50*time.Millisecond, "what was revoked is to be taken out of the app")
	if v := r.showReview(t); assert.Equal(t, "open", v.State) {
		assert.Equal(t, []string{"admins"}, groups("directory"), "nobody has decided about it")
		assert.Equal(t, 1, v.Summary.Open)
	}

	require.Eventually(t, func() bool { return !r.showReview(t).DoneAt.IsZero() }, rest, 500*time.Millisecond, "it closes by itself, and is done when all of it is proven")
	assert.Empty(t, groups("directory"), "silence has revoked it")
	shown := r.showReview(t)
	assert.Equal(t, "closed", shown.State)
	for _, i := range shown.List {
		assert.Equal(t, map[string]string{"wiki": "20001", "directory": "nobody"}[i.App], i.DecidedBy)
		assert.Equal(t, "revoke", i.Decision)
		assert.False(t, i.ProvenAt.IsZero(), i.App)
	}
	n := shown.Summary
	assert.Equal(t, []int{2, 0, 1, 1, 2, 2}, []int{n.Items, n.Open, n.Human, n.Silence, n.Revoked, n.Proven})
	for app, person := range theirs {
		actions := map[string]int{}
		for row, err := range ledger.AllAudit(t.Context(), r.ledger, person, 0) {
			require.NoError(t, err)
			if row.App == app {
				actions[row.Action]++
			}
		}
		assert.Equal(t, []int{1, 1, 1}, []int{actions[ledger.AuditReviewDecided], actions[ledger.AuditReviewRevoked], actions[ledger.AuditReviewProven]}, "%s: %v", app, actions)
		r.does(t, "app", "scan", app, "--wait")
	}
	assert.Empty(t, r.found(t), "the apps, read again, show nothing that no role gives")
	ended := "WorkflowId = '" + workflows.ReviewWorkflowID(1) + "' AND ExecutionStatus = 'Completed'"
	require.Eventually(t, func() bool { return len(r.runs(t, ended)) > 0 }, patience, 100*time.Millisecond, "the run has ended")
	r.awaitRest(t)
	assert.Empty(t, r.attention(t))
}
