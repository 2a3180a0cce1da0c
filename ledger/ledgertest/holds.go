package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// hold returns a hold on p1 that begins and ends some minutes after t0.
func hold(from, to int) ledger.Hold {
	return ledger.Hold{PersonID: "p1", PlacedAt: at(from), ExpiresAt: at(to), Operator: "ada", Reason: "matter 42"}
}

func placeHold(t *testing.T, l ledger.Ledger, h ledger.Hold) ledger.PlacedHold {
	t.Helper()
	placed, err := l.PlaceHold(t.Context(), h)
	require.NoError(t, err)
	return placed
}

func holds(t *testing.T, l ledger.Ledger, f ledger.HoldFilter) []int64 {
	t.Helper()
	found, err := l.Holds(t.Context(), f, 0, all)
	require.NoError(t, err)
	return each(found, func(h ledger.Hold) int64 { return h.ID })
}

// lastAudit returns the last audit row of p1, without its detail.
func lastAudit(t *testing.T, l ledger.Ledger) []string {
	t.Helper()
	rows := audit(t, l, "p1")
	require.NotEmpty(t, rows)
	last := rows[len(rows)-1]
	return []string{last.Action, last.App, last.Actor, last.Cause}
}

// dueForDecision requires that p1 is due with DueDecision, so that their run is told.
func dueForDecision(t *testing.T, l ledger.Ledger, minutes int) {
	t.Helper()
	p := read(t, l, "p1")
	assert.Equal(t, ledger.DueDecision, p.DueWhat)
	assert.Equal(t, at(minutes), p.DueAt)
}

// nobody requires the error for a decision about a person whom the ledger does not know.
func nobody(t *testing.T, l ledger.Ledger, err error) {
	t.Helper()
	require.ErrorIs(t, err, ledger.ErrNotFound)
	_, err = l.Person(t.Context(), "p1")
	require.ErrorIs(t, err, ledger.ErrNotFound, "nor does it make them known")
}

var holdTests = tests{
	"IsPlacedAndReleased": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, nil)
		want := hold(2, 90)
		placed := placeHold(t, l, want)
		want.ID = placed.Hold.ID
		assert.Positive(t, want.ID)
		assert.Equal(t, ledger.PlacedHold{Hold: want}, placed)
		assert.Equal(t, placed, placeHold(t, l, hold(2, 90)), "a repeated call")
		assert.Equal(t, []ledger.Hold{want}, read(t, l, "p1").Holds)
		assert.Equal(t, []string{"hold_placed", "", "ada", "matter 42"}, lastAudit(t, l))
		assert.Equal(t, map[string]any{"hold": want.Name(), "until": at(90).Format(time.RFC3339)}, audit(t, l, "p1")[0].Detail)
		dueForDecision(t, l, 2)
		assess(t, l, "p1", 3, nil)
		assert.Empty(t, due(t, l), "an assessment has seen it")

		release := ledger.HoldRelease{ID: want.ID, Operator: "bob", Reason: "settled", At: at(5)}
		released, err := l.ReleaseHold(t.Context(), release)
		require.NoError(t, err)
		want.ReleasedAt, want.ReleasedBy, want.ReleaseReason = at(5), "bob", "settled"
		assert.Equal(t, want, released)
		assert.Empty(t, read(t, l, "p1").Holds)
		assert.Equal(t, []string{"hold_released", "", "bob", "settled"}, lastAudit(t, l))
		dueForDecision(t, l, 5)

		release.Operator, release.At = "eve", at(6)
		again, err := l.ReleaseHold(t.Context(), release)
		require.NoError(t, err)
		assert.Equal(t, want, again, "it stays as it was")
		assert.Len(t, audit(t, l, "p1"), 2)
		_, err = l.ReleaseHold(t.Context(), ledger.HoldRelease{ID: 4711, Operator: "bob", At: at(7)})
		assert.ErrorIs(t, err, ledger.ErrNotFound)
	},
	"SaysWhyAndUntilWhen": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		for name, change := range map[string]func(*ledger.Hold){
			"no end":           func(h *ledger.Hold) { h.ExpiresAt = time.Time{} },
			"over when placed": func(h *ledger.Hold) { h.ExpiresAt = h.PlacedAt },
			"no reason":        func(h *ledger.Hold) { h.Reason = "" },
			"nobody's":         func(h *ledger.Hold) { h.Operator = "" },
		} {
			wrong := hold(1, 2)
			change(&wrong)
			_, err := l.PlaceHold(t.Context(), wrong)
			assert.Error(t, err, name)
		}
		assert.Empty(t, holds(t, l, ledger.HoldFilter{}))
	},
	"OfNobody": func(t *testing.T, l ledger.Ledger) {
		_, err := l.PlaceHold(t.Context(), hold(1, 2))
		nobody(t, l, err)
	},
	"ByFilter": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		one, two := placeHold(t, l, hold(1, 10)).Hold.ID, placeHold(t, l, hold(1, 20)).Hold.ID
		other := hold(1, 20)
		other.PersonID = "p2"
		three := placeHold(t, l, other).Hold.ID
		_, err := l.ReleaseHold(t.Context(), ledger.HoldRelease{ID: three, Operator: "ada", Reason: "x", At: at(2)})
		require.NoError(t, err)
		for _, c := range []struct {
			filter ledger.HoldFilter
			want   []int64
		}{
			{ledger.HoldFilter{}, []int64{one, two, three}},
			{ledger.HoldFilter{PersonID: "p1"}, []int64{one, two}},
			{ledger.HoldFilter{ID: two}, []int64{two}},
			{ledger.HoldFilter{InForce: at(9)}, []int64{one, two}},
			{ledger.HoldFilter{InForce: at(10)}, []int64{two}},
			{ledger.HoldFilter{InForce: at(20)}, nil},
		} {
			assert.ElementsMatch(t, c.want, holds(t, l, c.filter), "%+v", c.filter)
		}
		page, err := l.Holds(t.Context(), ledger.HoldFilter{}, one, 1)
		require.NoError(t, err)
		assert.Equal(t, []int64{two}, each(page, func(h ledger.Hold) int64 { return h.ID }))
		assert.Equal(t, at(20), ledger.HeldUntil(read(t, l, "p1").Holds), "the last to end")
		assert.Len(t, read(t, l, "p1").Holds, 2, "whatever the time is")
	},
	"SaysWhichDeletionsHaveBegun": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		deletes := func(app string, minutes int) ledger.Attempt {
			a := attempt("p1", app, app+"/Delete/1", minutes)
			a.Kind, a.Gives = "Delete", false
			return a
		}
		begin(t, l, deletes("chat", 0)) // its process died: the attempt is over at 60
		begin(t, l, attempt("p1", "mail", "mail/Provision/1", 30))
		begin(t, l, deletes("wiki", 30))
		done := outcome("p1", "files", "files/Delete/1", 32, ledger.StepDone)
		done.Kind, done.Attempt = "Delete", begin(t, l, deletes("files", 31)).Attempt
		finish(t, l, done)
		assert.Equal(t, []string{"chat", "wiki"}, placeHold(t, l, hold(40, 99)).Deleting)
		assert.Equal(t, []string{"wiki"}, placeHold(t, l, hold(60, 99)).Deleting)
	},
	"SaysWhichDisablingsThatDestroyHaveBegun": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		disables := func(app string, destroys bool) ledger.Attempt {
			a := attempt("p1", app, app+"/Disable/1", 0)
			a.Kind, a.Gives, a.Destroys = "Disable", false, destroys
			return a
		}
		begin(t, l, disables("mail", false))
		begun := begin(t, l, disables("wiki", true))
		done := outcome("p1", "files", "files/Disable/1", 1, ledger.StepDone)
		done.Kind, done.Attempt = "Disable", begin(t, l, disables("files", true)).Attempt
		finish(t, l, done)
		assert.Equal(t, []string{"wiki"}, placeHold(t, l, hold(2, 99)).Deleting)
		failed := outcome("p1", "wiki", "wiki/Disable/1", 3, ledger.StepOpen)
		failed.Kind, failed.Attempt, failed.InDoubt = "Disable", begun.Attempt, true
		finish(t, l, failed)
		assert.Equal(t, []string{"wiki"}, placeHold(t, l, hold(4, 99)).Deleting, "no answer came")
		assert.Empty(t, placeHold(t, l, hold(60, 99)).Deleting, "it is over")
	},
	"WithdrawsWhatHumansWereToDelete": func(t *testing.T, l ledger.Ledger) {
		erase := asked("keys/Delete/1", 0)
		erase.Kind = "Delete"
		gone, kept := openTask(t, l, erase), openTask(t, l, asked("wiki/Disable/1", 0))
		placeHold(t, l, hold(1, 90))
		assert.Equal(t, []int64{gone.ID}, tasks(t, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskWithdrawn}}))
		assert.Equal(t, []int64{kept.ID}, tasks(t, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskOpen}}))
		_, err := l.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: gone.ID, Operator: "ada", Text: "x", At: at(2)})
		refusedAs(t, err, "is withdrawn already")
	},
	"ThatIsPlacedWhileSomebodyIsAssessedKeepsThemDue": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, nil)
		before := read(t, l, "p1")
		placeHold(t, l, hold(5, 90))
		stale := ledger.Assessment{Summary: before.Summary}
		stale.Summary.AssessedAt = at(6)
		require.NoError(t, l.SaveAssessment(t.Context(), stale))
		dueForDecision(t, l, 5)
	},
}

// kept returns a retention of p1, set some minutes after t0.
func kept(minutes int, app string, until time.Time, lasts time.Duration) ledger.Retention {
	return ledger.Retention{PersonID: "p1", App: app, Until: until, For: lasts, SetAt: at(minutes), Operator: "ada", Reason: "ticket 42"}
}

func setRetention(t *testing.T, l ledger.Ledger, r ledger.Retention) ledger.Retention {
	t.Helper()
	set, err := l.SetRetention(t.Context(), r)
	require.NoError(t, err)
	return set
}

var retentionTests = tests{
	"IsSetAndReset": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, nil)
		first := setRetention(t, l, kept(2, "", at(500), 0))
		assert.Positive(t, first.ID)
		want := kept(2, "", at(500), 0)
		want.ID = first.ID
		assert.Equal(t, want, first)
		assert.Equal(t, first, setRetention(t, l, kept(2, "", at(500), 0)), "a repeated call")
		dueForDecision(t, l, 2)
		assert.Equal(t, []string{"retention_set", "", "ada", "ticket 42"}, lastAudit(t, l))
		wiki := setRetention(t, l, kept(3, "wiki", time.Time{}, 90*time.Minute))
		assert.Equal(t, 90*time.Minute, wiki.For)
		none := setRetention(t, l, kept(3, "chat", time.Time{}, 0))
		assert.Equal(t, []ledger.Retention{first, none, wiki}, read(t, l, "p1").Retentions, "by app")

		second := setRetention(t, l, kept(4, "", at(600), 0))
		assert.Greater(t, second.ID, wiki.ID)
		assert.Equal(t, []ledger.Retention{second, none, wiki}, read(t, l, "p1").Retentions, "in place of the first")
		reset := ledger.RetentionReset{PersonID: "p1", App: "wiki", Operator: "bob", Reason: "not needed", At: at(9)}
		was, err := l.ResetRetention(t.Context(), reset)
		require.NoError(t, err)
		wiki.EndedAt, wiki.EndedBy, wiki.EndReason = at(9), "bob", "not needed"
		assert.Equal(t, wiki, was)
		again, err := l.ResetRetention(t.Context(), reset)
		require.NoError(t, err)
		assert.Equal(t, was, again, "a repeated call")
		assert.Equal(t, []ledger.Retention{second, none}, read(t, l, "p1").Retentions)
		assert.Equal(t, []string{"retention_reset", "wiki", "bob", "not needed"}, lastAudit(t, l))
		first.EndedAt, first.EndedBy, first.EndReason = at(4), "ada", "ticket 42"
		record, err := l.Retentions(t.Context(), "p1", 0, all)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Retention{first, wiki, none, second}, record, "nothing is forgotten")
		nothing, err := l.ResetRetention(t.Context(), ledger.RetentionReset{PersonID: "p1", App: "mail", Operator: "bob", At: at(10)})
		require.NoError(t, err)
		assert.Zero(t, nothing)
	},
	"LapsesWithAnAssessment": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		lapsed, stays := setRetention(t, l, kept(2, "wiki", at(500), 0)), setRetention(t, l, kept(2, "", at(500), 0))
		for range 2 {
			assess(t, l, "p1", 3, func(a *ledger.Assessment) { a.LapsedRetentions = []int64{lapsed.ID} })
		}
		assert.Equal(t, []ledger.Retention{stays}, read(t, l, "p1").Retentions)
		found, err := l.Retentions(t.Context(), "p1", 0, 1)
		require.NoError(t, err)
		assert.Equal(t, []any{at(3), "tenure", "another employment has begun"}, []any{found[0].EndedAt, found[0].EndedBy, found[0].EndReason})
		assert.Equal(t, []string{"retention_lapsed", "wiki", "tenure", "another employment has begun"}, lastAudit(t, l))
		assert.Len(t, audit(t, l, "p1"), 3)
	},
	"SaysHowLongAndWhy": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		for _, wrong := range []ledger.Retention{
			kept(1, "", at(2), time.Hour), kept(1, "", time.Time{}, -time.Hour),
			{PersonID: "p1", Until: at(2), SetAt: at(1), Reason: "x"}, {PersonID: "p1", Until: at(2), SetAt: at(1), Operator: "x"},
		} {
			_, err := l.SetRetention(t.Context(), wrong)
			assert.Error(t, err, "%+v", wrong)
		}
		found, err := l.Retentions(t.Context(), "", 0, all)
		require.NoError(t, err)
		assert.Empty(t, found)
	},
	"OfNobody": func(t *testing.T, l ledger.Ledger) {
		_, err := l.SetRetention(t.Context(), kept(1, "", at(2), 0))
		nobody(t, l, err)
		_, err = l.ResetRetention(t.Context(), ledger.RetentionReset{PersonID: "p1", Operator: "x", At: at(1)})
		nobody(t, l, err)
	},
}

// asks sets the approvals that an assessment waits for, each with LookAt at the minute look.
func asks(look int, keys ...string) func(*ledger.Assessment) {
	return func(a *ledger.Assessment) {
		for _, key := range keys {
			a.Approvals = append(a.Approvals, ledger.Approval{App: "wiki", Key: key, LookAt: at(look)})
		}
	}
}

// approvals returns the ledger's approvals, by key.
func approvals(t *testing.T, l ledger.Ledger, f ledger.ApprovalFilter) map[string]ledger.Approval {
	t.Helper()
	found, err := l.Approvals(t.Context(), f, ledger.ApprovalPlace{}, all)
	require.NoError(t, err)
	byKey := map[string]ledger.Approval{}
	for _, a := range found {
		byKey[a.Key] = a
	}
	return byKey
}

func approval(key string, minutes int) ledger.DeletionApproval {
	return ledger.DeletionApproval{PersonID: "p1", App: "wiki", Key: key, Operator: "ada", Reason: "ticket 42", At: at(minutes)}
}

var approvalTests = tests{
	"IsAskedForRemindedOfAndGiven": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 1, asks(60, "k1", "k2"))
		assess(t, l, "p1", 2, asks(60, "k1", "k2"))
		want := ledger.Approval{PersonID: "p1", App: "wiki", Key: "k1", State: ledger.ApprovalAsked, AskedAt: at(1), LookAt: at(60)}
		p := read(t, l, "p1")
		require.Len(t, p.Approvals, 2)
		assert.Equal(t, want, p.Approvals[0])
		assess(t, l, "p1", 60, asks(120, "k1", "k2"))
		want.LookAt, want.Reminders = at(120), 1
		assert.Equal(t, want, approvals(t, l, ledger.ApprovalFilter{})["k1"])
		assert.Equal(t, []string{"approval_reminded", "wiki", "tenure", ""}, lastAudit(t, l))
		assert.Len(t, audit(t, l, "p1"), 4, "asked and reminded, of each")

		given, err := l.ApproveDeletion(t.Context(), approval("k1", 61))
		require.NoError(t, err)
		want.State, want.LookAt, want.ApprovedAt, want.Operator, want.Reason = ledger.ApprovalApproved, time.Time{}, at(61), "ada", "ticket 42"
		assert.Equal(t, want, given)
		assert.Equal(t, []string{"deletion_approved", "wiki", "ada", "ticket 42"}, lastAudit(t, l))
		dueForDecision(t, l, 61)
		again := approval("k1", 62)
		again.Operator = "eve"
		same, err := l.ApproveDeletion(t.Context(), again)
		require.NoError(t, err)
		assert.Equal(t, want, same, "it stays as it is")
		assess(t, l, "p1", 63, asks(180, "k1", "k2"))
		assert.Equal(t, want, approvals(t, l, ledger.ApprovalFilter{})["k1"], "what is approved is not asked for")
		assert.Len(t, approvals(t, l, ledger.ApprovalFilter{State: ledger.ApprovalAsked}), 1)

		assess(t, l, "p1", 64, func(a *ledger.Assessment) { a.Lapsed = []string{"k1", "k2"} })
		assert.Empty(t, read(t, l, "p1").Approvals)
		over := approvals(t, l, ledger.ApprovalFilter{PersonID: "p1", State: ledger.ApprovalOver})
		assert.Equal(t, "ada", over["k1"].Operator, "who approved it is not forgotten")
		assess(t, l, "p1", 65, asks(200, "k1"))
		assert.Equal(t, ledger.Approval{PersonID: "p1", App: "wiki", Key: "k1", State: ledger.ApprovalAsked, AskedAt: at(65), LookAt: at(200)},
			approvals(t, l, ledger.ApprovalFilter{})["k1"], "what was over is asked for anew")
	},
	"IsGivenBeforeItIsAskedFor": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		given, err := l.ApproveDeletion(t.Context(), approval("k1", 1))
		require.NoError(t, err)
		assert.Equal(t, ledger.ApprovalApproved, given.State)
		assert.Zero(t, given.AskedAt)
		assess(t, l, "p1", 2, asks(60, "k1"))
		assert.Equal(t, given, read(t, l, "p1").Approvals[0])
	},
	"SaysOfWhatAndWhy": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		for _, wrong := range []ledger.DeletionApproval{
			{PersonID: "p1", Operator: "ada", Reason: "x", At: at(1)}, {PersonID: "p1", Key: "k", Reason: "x", At: at(1)},
			{PersonID: "p1", Key: "k", Operator: "ada", At: at(1)},
		} {
			_, err := l.ApproveDeletion(t.Context(), wrong)
			assert.Error(t, err, "%+v", wrong)
		}
	},
	"OfNobody": func(t *testing.T, l ledger.Ledger) {
		_, err := l.ApproveDeletion(t.Context(), approval("k1", 1))
		nobody(t, l, err)
	},
	"ListsGoOnWhereTheyEnded": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0), received("p2", "e2", 0))
		for _, id := range []string{"p2", "p1"} {
			assess(t, l, id, 1, asks(60, "k2", "k1"))
		}
		var got []string
		for after := (ledger.ApprovalPlace{}); ; {
			page, err := l.Approvals(t.Context(), ledger.ApprovalFilter{State: ledger.ApprovalAsked}, after, 1)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			got = append(got, page[0].PersonID+page[0].Key)
			after = ledger.ApprovalPlace{PersonID: page[0].PersonID, Key: page[0].Key}
		}
		assert.Equal(t, []string{"p1k1", "p1k2", "p2k1", "p2k2"}, got)
	},
}
