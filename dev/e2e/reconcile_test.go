package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
)

// scanned is the configuration twoApps with small pages in the wiki, which is scanned only
// when somebody asks.
var scanned = strings.Replace(twoApps, `wiki: {connector: scim, settings: {url: "%s", token: demo}}`,
	`wiki: {connector: scim, settings: {url: "%s", token: demo, pageSize: 10}}`, 1) + "reconcile: {every: 0s}\n"

// byHand changes an app as its administrator does, past Tenure.
func byHand(t *testing.T, app *scimtest.Service, path, operation string) {
	t.Helper()
	body := `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [` + operation + `]}`
	r := httptest.NewRequest(http.MethodPatch, scimtest.BasePath+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer demo")
	r.Header.Set("Content-Type", "application/scim+json")
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, r)
	require.Less(t, answer.Code, 300, answer.Body.String())
}

// scan has the wiki scanned, and returns what the command says of it.
func (r *rig) scan(t *testing.T) (state string, accounts int) {
	t.Helper()
	stdout, stderr, err := r.tenure(t, "app", "scan", "wiki", "--wait", "-o", "json")
	require.NoError(t, err, stderr)
	var said struct {
		State    string
		Accounts int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &said))
	return said.State, said.Accounts
}

// found lists the findings that have not ended, as "kind what person state".
func (r *rig) found(t *testing.T) []string {
	t.Helper()
	all, err := r.ledger.Findings(t.Context(), ledger.FindingFilter{}, 0, 1000)
	require.NoError(t, err)
	list := []string{}
	for _, f := range all {
		list = append(list, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", f.Kind, f.What, f.PersonID, f.State)), " "))
	}
	return list
}

func userOf(t *testing.T, app *scimtest.Service, person string) scimtest.User {
	t.Helper()
	for _, u := range app.Users() {
		if u.ExternalID == person {
			return u
		}
	}
	require.Fail(t, "no account", person)
	return scimtest.User{}
}

// TestWhatAnAdministratorDidByHandIsFound has an administrator of the wiki turn on the account
// of somebody who was terminated, and put somebody into a group. One scan finds both: the one
// is cut off again, and an operator is asked about the other.
func TestWhatAnAdministratorDidByHandIsFound(t *testing.T) {
	t.Parallel()
	r, apps := startTwoApps(t, stack.Options{Template: scanned})
	wiki := apps["wiki"]
	hired, terminated := hiredAndCutOff(0, false)
	stays, _ := hiredAndCutOff(2, false)
	r.say(t, hired, stays)
	r.awaitRest(t)
	r.say(t, terminated)
	r.awaitRest(t)
	require.False(t, userOf(t, wiki, hired.PersonID).Active)
	require.Empty(t, r.attention(t))
	state, accounts := r.scan(t)
	require.Equal(t, "done", state)
	require.Equal(t, 2, accounts)
	require.Empty(t, r.found(t))

	leaver, colleague := userOf(t, wiki, hired.PersonID), userOf(t, wiki, stays.PersonID)
	byHand(t, wiki, "/Users/"+leaver.ID, `{"op": "replace", "path": "active", "value": true}`)
	byHand(t, wiki, "/Groups/"+wiki.AddGroup("admins"), `{"op": "add", "path": "members", "value": [{"value": "`+colleague.ID+`"}]}`)
	require.True(t, userOf(t, wiki, hired.PersonID).Active)
	state, _ = r.scan(t)
	require.Equal(t, "done", state)
	assert.ElementsMatch(t, []string{"state " + hired.PersonID + " repairing", "stray admins " + stays.PersonID + " open"}, r.found(t))
	require.Eventually(t, func() bool { return !userOf(t, wiki, hired.PersonID).Active }, patience, 50*time.Millisecond, "the leaver is to be cut off again")
	r.awaitRest(t)
	assert.Equal(t, []string{"admins"}, userOf(t, wiki, stays.PersonID).Groups, "nobody has decided about the colleague")

	stdout, _, err := r.tenure(t, "finding", "list", "--open")
	require.Error(t, err, "exit status 3")
	assert.Contains(t, stdout, "admins")
	_, stderr, err := r.tenure(t, "finding", "repair", "f-2", "f-1", "--reason", "nobody asked for it", "--operator", "olga", "--apply")
	require.Error(t, err)
	assert.Contains(t, stderr, "is being repaired")
	require.Eventually(t, func() bool { return len(userOf(t, wiki, stays.PersonID).Groups) == 0 }, patience, 50*time.Millisecond, "the colleague is to lose what nobody gave")
	r.awaitRest(t)
	state, _ = r.scan(t)
	require.Equal(t, "done", state)
	assert.Empty(t, r.found(t))
}

// TestAScanOutlivesItsWorker kills the worker in the middle of a list. Another one goes on
// with the page after the last one.
func TestAScanOutlivesItsWorker(t *testing.T) {
	t.Parallel()
	const people, pages = 200, 20
	r, apps := startTwoApps(t, stack.Options{Template: scanned})
	keepRunning(t, r.Stack.Worker())
	wiki := apps["wiki"]
	for i := range people {
		wiki.AddUser(scimtest.User{UserName: fmt.Sprint("u", i), Active: true})
	}
	wiki.SetFaults(scimtest.Faults{SlowMillis: 150})
	before := wiki.Stats().ByKind["GET /Users"]
	_, stderr, err := r.tenure(t, "app", "scan", "wiki")
	require.NoError(t, err, stderr)
	far := func() ledger.Scan {
		scans, err := r.ledger.Scans(t.Context(), "wiki", 1)
		require.NoError(t, err)
		if len(scans) == 0 {
			return ledger.Scan{}
		}
		return scans[0]
	}
	for _, listed := range []int{50, 120} {
		require.Eventually(t, func() bool {
			n, err := strconv.Atoi(strings.TrimPrefix(far().Token, "i"))
			return err == nil && n >= listed
		}, patience, 10*time.Millisecond)
		r.Stack.Worker().Kill()
	}
	require.Eventually(t, func() bool { return !far().State.Unfinished() && far().ID != 0 }, 2*patience, 50*time.Millisecond)
	scans, err := r.ledger.Scans(t.Context(), "wiki", 10)
	require.NoError(t, err)
	require.Len(t, scans, 1)
	assert.Equal(t, ledger.ScanDone, scans[0].State)
	assert.Equal(t, people, scans[0].Accounts)
	assert.Len(t, r.found(t), people, "all of them are nobody's")
	assert.Less(t, wiki.Stats().ByKind["GET /Users"]-before, pages+8, "what was listed is not listed again")
}

// TestAnOrphanEndsAndWhatSomebodyMadeForALeaverToo has an administrator of the wiki make an
// account for nobody whom HR knows, and one for somebody who has left. One scan finds both. The
// leaver's is ended by itself, the other one when an operator says so: turned off, kept and
// deleted.
func TestAnOrphanEndsAndWhatSomebodyMadeForALeaverToo(t *testing.T) {
	t.Parallel()
	r, apps := startTwoApps(t, stack.Options{Template: scanned + "leaver: {retain: 1s}\n"})
	wiki := apps["wiki"]
	hired, terminated := hiredAndCutOff(0, false)
	stays, _ := hiredAndCutOff(2, false) // or the wiki would be empty in the end, which no scan believes
	r.say(t, hired, stays)
	r.awaitRest(t)
	r.say(t, terminated)
	require.Eventually(t, func() bool { return len(wiki.Users()) == 1 }, patience, 50*time.Millisecond, "the leaver's account is deleted")
	r.awaitRest(t)

	wiki.AddUser(scimtest.User{UserName: "made-by-hand", ExternalID: hired.PersonID, Active: true})
	wiki.AddUser(scimtest.User{UserName: "stranger", Active: true})
	state, accounts := r.scan(t)
	require.Equal(t, "done", state)
	require.Equal(t, 3, accounts)
	there := func(name string) bool {
		return slices.ContainsFunc(wiki.Users(), func(u scimtest.User) bool { return u.UserName == name })
	}
	require.Eventually(t, func() bool { return !there("made-by-hand") }, patience, 50*time.Millisecond, "what was made for the leaver is to end")
	require.True(t, there("stranger"), "an operator is asked about what is nobody's")

	open, err := r.ledger.Findings(t.Context(), ledger.FindingFilter{States: []ledger.FindingStatus{ledger.FindingOpen}}, 0, 10)
	require.NoError(t, err)
	require.Len(t, open, 1)
	name, orphan := ledger.FindingName(open[0].ID), ledger.OrphanID(open[0].ID)
	stdout, stderr, err := r.tenure(t, "finding", "end", name)
	require.Error(t, err, "exit status 3: it is only shown")
	assert.Contains(t, stdout, "as the account of nobody ("+orphan+")", stderr)
	assert.Contains(t, stdout, "wiki: disable")
	require.True(t, there("stranger"))
	_, stderr, err = r.tenure(t, "finding", "end", name, "--reason", "nobody knows it", "--operator", "olga", "--apply")
	require.NoError(t, err, stderr)
	require.Eventually(t, func() bool { return !there("stranger") }, patience, 50*time.Millisecond, "it is turned off, kept for a second, and deleted")
	r.awaitRest(t)
	rows, err := r.ledger.Audit(t.Context(), orphan, 0, 100)
	require.NoError(t, err)
	var actions []string
	for _, row := range rows {
		actions = append(actions, row.Action)
	}
	assert.Subset(t, actions, []string{"drift_seen", "disabled", "deleted"})
	stdout, _, err = r.tenure(t, "person", "list")
	require.NoError(t, err)
	assert.NotContains(t, stdout, orphan)
	stdout, _, err = r.tenure(t, "person", "list", "--orphans")
	require.NoError(t, err)
	assert.Contains(t, stdout, orphan)
	state, _ = r.scan(t)
	require.Equal(t, "done", state)
	assert.Empty(t, r.found(t))
}
