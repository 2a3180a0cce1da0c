package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
)

// governed is the configuration scanned with a role that has to be requested, and a review of
// what was granted.
var governed = strings.Replace(scanned, "roles:\n", `roles:
  - {name: admin, when: "true", grants: [{app: wiki, entitlements: [admins]}], request: {most: 8h}}
`, 1) + `
governance: {fallback: ["20003"]}
reviews: [{name: drill, covers: "item.because == 'grant'", undecided: revoke, settle: 1s}]
`

// milestones are the facts of a request, a scan and a review at which the worker is killed, as
// soon as the record has them: each is a step's end, of which Temporal may not have heard.
var milestones = []string{
	"request_made", "request_approved", "request_proven", ledger.AuditDriftSeen, "disabled",
	ledger.AuditReviewStarted, ledger.AuditReviewOpened, ledger.AuditReviewEnded, ledger.AuditReviewClosed, ledger.AuditReviewRevoked,
	ledger.AuditReviewProven,
}

// killAtMilestones kills the worker, and each second time the starter too, when one of the
// milestones is in the record for the first time from now on, until ctx is over. It returns at which
// it did.
func killAtMilestones(ctx context.Context, t *testing.T, r *rig, after int64) (killed []string) {
	for ctx.Err() == nil {
		rows, err := r.ledger.Audit(ctx, "", after, 100)
		if err != nil {
			assert.ErrorIs(t, err, context.Canceled)
			return killed
		}
		for _, row := range rows {
			after = row.Seq
			if !slices.Contains(milestones, row.Action) || slices.Contains(killed, row.Action) {
				continue
			}
			killed = append(killed, row.Action)
			r.Stack.Worker().Kill()
			if len(killed)%2 == 0 {
				r.Stack.Starter().Kill()
			}
		}
		pause(ctx, 5*time.Millisecond)
	}
	return killed
}

// TestKillsDuringARequestAScanAndAReview goes through a request, a scan that finds what somebody
// did by hand, and a review that closes and revokes what was granted, while worker and starter are
// killed at each milestone. Everything comes about, and nothing twice.
func TestKillsDuringARequestAScanAndAReview(t *testing.T) {
	t.Parallel()
	r, apps := startTwoApps(t, stack.Options{Template: governed})
	keepRunning(t, r.Stack.Worker())
	keepRunning(t, r.Stack.Starter())
	wiki := apps["wiki"]
	wiki.AddGroup("admins")
	person, _ := hiredAndCutOff(0, false)
	boss, _ := hiredAndCutOff(1, false)
	leaver, left := hiredAndCutOff(2, false)
	person.Profile.ManagerID = boss.PersonID
	r.say(t, boss, person, leaver)
	r.awaitRest(t)
	r.say(t, left)
	r.awaitRest(t)
	rows, err := r.ledger.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	before := rows[len(rows)-1].Seq
	ctx, cancel := context.WithCancel(t.Context())
	killed := make(chan []string, 1)
	go func() { killed <- killAtMilestones(ctx, t, r, before) }()
	has := func() bool { return slices.Contains(userOf(t, wiki, person.PersonID).Groups, "admins") }

	r.does(t, "request", "new", person.PersonID, "admin", "--for", "8h", "--reason", "INC-1", "--operator", "grace", "--apply")
	r.does(t, "request", "approve", "r-1", "--as", boss.PersonID, "--reason", "agreed", "--operator", "grace", "--apply")
	require.Eventually(t, has, rest, 50*time.Millisecond, "what was approved is to come")
	require.Eventually(t, func() bool {
		found, err := r.ledger.Requests(t.Context(), ledger.RequestFilter{ID: 1}, 0, 1)
		return err == nil && len(found) == 1 && !found[0].ProvenAt.IsZero()
	}, rest, 50*time.Millisecond, "it is proven")

	byHand(t, wiki, "/Users/"+userOf(t, wiki, leaver.PersonID).ID, `{"op": "replace", "path": "active", "value": true}`)
	r.does(t, "app", "scan", "wiki")
	require.Eventually(t, func() bool { return !userOf(t, wiki, leaver.PersonID).Active }, rest, 50*time.Millisecond, "the leaver is to be cut off again")

	r.does(t, "review", "start", "drill", "--reason", "a test", "--operator", "olga", "--apply")
	review := func() ledger.Review {
		found, err := r.ledger.Reviews(t.Context(), ledger.ReviewFilter{ID: 1}, 0, 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		return found[0]
	}
	require.Eventually(t, func() bool { return review().State == ledger.ReviewOpen }, rest, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		_, _, err := r.tenure(t, "review", "close", "v-1", "--reason", "a test", "--operator", "olga", "--apply")
		return err == nil // its run may have changed it at this moment
	}, rest, 50*time.Millisecond)
	require.Eventually(t, func() bool { return !review().DoneAt.IsZero() }, rest, 50*time.Millisecond, "what was revoked is to be proven")
	assert.False(t, has(), "nobody kept it")
	r.awaitRest(t)
	cancel()
	assert.ElementsMatch(t, milestones, <-killed)

	assert.Empty(t, r.attention(t))
	x, err := r.ledger.Exceptions(t.Context(), ledger.ExceptionFilter{}, 0, 10)
	require.NoError(t, err)
	require.Len(t, x, 1)
	assert.False(t, x[0].EndedAt.IsZero())
	items, err := r.ledger.ReviewItems(t.Context(), ledger.ItemFilter{Review: 1}, 0, 10)
	require.NoError(t, err)
	require.Len(t, items, 1)
	assert.Equal(t, []any{ledger.VerdictRevoke, ledger.ReviewNobody}, []any{items[0].Decision, items[0].DecidedBy})
	assert.False(t, items[0].ProvenAt.IsZero())
	rows, err = r.ledger.Audit(t.Context(), "", before, 1000)
	require.NoError(t, err)
	said := map[string]int{}
	for _, row := range rows {
		said[row.Action]++
	}
	for _, action := range append(slices.Clone(milestones), ledger.AuditReviewDone) {
		assert.Equal(t, 1, said[action], "how often the record has %s", action)
	}
	for _, app := range apps {
		assert.Len(t, app.Users(), 3, "nobody has two accounts")
	}
	state, _ := r.scan(t)
	assert.Equal(t, "done", state)
	assert.Empty(t, r.found(t))
}
