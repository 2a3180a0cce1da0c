package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var beginTests = tests{
	"CountsAttempts": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a"), step("wiki", "b")))
		first := begin(t, l, attempt("p1", "wiki", "a", 1))
		second := begin(t, l, attempt("p1", "wiki", "a", 2))
		assert.NotZero(t, first.Attempt)
		assert.NotEqual(t, first.Attempt, second.Attempt)
		got := steps(t, l, "p1")
		assert.Equal(t, 2, got["a"].Attempts)
		assert.Equal(t, at(2), got["a"].LastAttemptAt)
		assert.Equal(t, ledger.StepOpen, got["a"].State)
		assert.Zero(t, got["b"].Attempts)
	},
	"OfAnAttemptThatIsOverAtTheSameTimeItIsAnotherOne": func(t *testing.T, l ledger.Ledger) {
		a := attempt("p1", "wiki", "a", 1)
		for range 3 { // a clock that stands still
			o := outcome("p1", "wiki", "a", 1, ledger.StepOpen)
			o.Attempt = begin(t, l, a).Attempt
			finish(t, l, o)
		}
		assert.Equal(t, 3, steps(t, l, "p1")["a"].Attempts)
	},
	"GivesTheLinkAsItIs": func(t *testing.T, l ledger.Ledger) {
		assert.Zero(t, begin(t, l, attempt("p1", "wiki", "a", 1)).Link)
		putLink(t, l, fullLink("wiki"))
		putLink(t, l, fullLink("chat"))
		assert.Equal(t, fullLink("wiki"), begin(t, l, attempt("p1", "wiki", "a", 2)).Link)
	},
	"OfAStepThatNobodyPlannedMakesAnOpenOne": func(t *testing.T, l ledger.Ledger) {
		begin(t, l, attempt("p1", "wiki", "a", 1))
		assert.Equal(t, []ledger.Step{{
			PersonID: "p1", Key: "a", App: "wiki", Kind: "Provision", State: ledger.StepOpen,
			Attempts: 1, PlannedAt: at(1), LastAttemptAt: at(1),
		}}, read(t, l, "p1").Steps)
	},
	"LeavesTheStateOfAFinishedStep": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "done"), step("wiki", "skipped"), step("wiki", "superseded")))
		bringInto(t, l, "done", ledger.StepDone)
		bringInto(t, l, "skipped", ledger.StepSkipped)
		assess(t, l, "p1", 4, nil)
		for _, key := range []string{"done", "skipped", "superseded"} {
			begin(t, l, attempt("p1", "wiki", key, 5))
		}
		got := steps(t, l, "p1")
		assert.Len(t, got, 1)
		assert.Equal(t, ledger.StepSkipped, got["skipped"].State)
	},
	"DoubtsWhileAnotherGivingStepMayBeUnderWay": func(t *testing.T, l ledger.Ledger) {
		begin(t, l, attempt("p1", "wiki", "give", 1))
		begin(t, l, attempt("p1", "wiki", "give more", 3))
		begin(t, l, attempt("p1", "wiki", "give too", 2))
		assert.Equal(t, at(63), doubt(t, l, "p1", "wiki", "take", 10), "the latest deadline")
		assert.Equal(t, at(62), doubt(t, l, "p1", "wiki", "give more", 10), "not its own")
		assert.Equal(t, at(63), doubt(t, l, "p1", "wiki", "take", 62), "at its deadline an attempt is over")
		assert.Zero(t, doubt(t, l, "p1", "wiki", "take", 63))
		assert.Zero(t, doubt(t, l, "p1", "chat", "take", 10), "another app")
		assert.Zero(t, doubt(t, l, "p2", "wiki", "take", 10), "another person")
	},
	"SaysThatAnEarlierAttemptCameToNoProof": func(t *testing.T, l ledger.Ledger) {
		assert.False(t, begin(t, l, attempt("p1", "wiki", "a", 1)).Unproven, "the first")
		assert.True(t, begin(t, l, attempt("p1", "wiki", "a", 2)).Unproven, "what came of the first is not known")
		failed := outcome("p1", "wiki", "a", 3, ledger.StepAttention)
		finish(t, l, failed)
		assert.True(t, begin(t, l, attempt("p1", "wiki", "a", 4)).Unproven, "it failed")
		assert.True(t, begin(t, l, attempt("p1", "wiki", "b", 5)).Unproven, "another step of the account")
		assert.False(t, begin(t, l, attempt("p1", "chat", "c", 5)).Unproven, "another app")
		assert.False(t, begin(t, l, attempt("p2", "wiki", "a", 5)).Unproven, "another person")
		proven := outcome("p1", "wiki", "b", 6, ledger.StepDone)
		proven.Link = &ledger.Link{PersonID: "p1", App: "wiki", AccountID: "1", State: ledger.LinkActive, ProvenAt: at(6)}
		finish(t, l, proven)
		assert.False(t, begin(t, l, attempt("p1", "wiki", "d", 7)).Unproven, "all before it is proven")
	},
	"DoesNotDoubtAStepThatGivesNothing": func(t *testing.T, l ledger.Ledger) {
		a := attempt("p1", "wiki", "a", 1)
		a.Gives = false
		begin(t, l, a)
		assert.Zero(t, doubt(t, l, "p1", "wiki", "take", 10))
	},
	"DoesNotDoubtWhatHasAnOutcome": func(t *testing.T, l ledger.Ledger) {
		for _, state := range []ledger.StepState{ledger.StepDone, ledger.StepOpen, ledger.StepAttention} {
			o := outcome("p1", "wiki", string(state), 2, state)
			o.Attempt = begin(t, l, attempt("p1", "wiki", string(state), 1)).Attempt
			require.NotZero(t, doubt(t, l, "p1", "wiki", "take", 10))
			finish(t, l, o)
			assert.Zero(t, doubt(t, l, "p1", "wiki", "take", 10), state)
		}
	},
	"DoubtsEveryAttemptForItself": func(t *testing.T, l ledger.Ledger) {
		slow := begin(t, l, attempt("p1", "wiki", "give", 1))
		begin(t, l, attempt("p1", "wiki", "give", 2))
		o := outcome("p1", "wiki", "give", 3, ledger.StepDone)
		o.Attempt = slow.Attempt
		finish(t, l, o)
		assert.Equal(t, at(62), doubt(t, l, "p1", "wiki", "take", 10), "the second is still under way")
		finish(t, l, o)
		assert.Equal(t, at(62), doubt(t, l, "p1", "wiki", "take", 10))
		finish(t, l, outcome("p1", "wiki", "give", 4, ledger.StepDone))
		assert.Zero(t, doubt(t, l, "p1", "wiki", "take", 10), "no attempt named: every one is over")
	},
	"DoubtsWhatThePlanDoesNotWantAnyMore": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "give")))
		begin(t, l, attempt("p1", "wiki", "give", 1))
		assess(t, l, "p1", 2, plan(step("wiki", "take")))
		assert.Equal(t, at(61), doubt(t, l, "p1", "wiki", "take", 3))
		assess(t, l, "p1", 4, plan(step("wiki", "give")))
		assert.Equal(t, at(61), doubt(t, l, "p1", "wiki", "take", 5), "nor one that was planned anew")
	},
}

// doubt begins an attempt that takes access and says until when it is in doubt.
func doubt(t *testing.T, l ledger.Ledger, personID, app, key string, minutes int) any {
	t.Helper()
	a := attempt(personID, app, key, minutes)
	a.Gives = false
	if until := begin(t, l, a).DoubtUntil; !until.IsZero() {
		return until
	}
	return nil
}

var finishTests = tests{
	"StoresTheOutcome": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a"), step("wiki", "b")))
		o := outcome("p1", "wiki", "a", 2, ledger.StepAttention)
		o.Code, o.Message = "forbidden", "grant the right"
		finish(t, l, o)
		got := steps(t, l, "p1")
		assert.Equal(t, ledger.StepAttention, got["a"].State)
		assert.Equal(t, "forbidden", got["a"].Code)
		assert.Equal(t, "grant the right", got["a"].Message)
		assert.Zero(t, got["a"].FinishedAt)
		assert.Equal(t, ledger.StepOpen, got["b"].State)

		finish(t, l, outcome("p1", "wiki", "a", 3, ledger.StepOpen))
		got = steps(t, l, "p1")
		assert.Equal(t, ledger.StepOpen, got["a"].State)
		assert.Empty(t, got["a"].Code)
		assert.Empty(t, got["a"].Message)

		finish(t, l, outcome("p1", "wiki", "a", 4, ledger.StepDone))
		assert.NotContains(t, steps(t, l, "p1"), "a")
	},
	"StoresTheLink": func(t *testing.T, l ledger.Ledger) {
		o := outcome("p1", "wiki", "a", 2, ledger.StepDone)
		link := fullLink("wiki")
		link.PersonID, link.App = "", ""
		link.Entitlements = []string{"staff", "engineers", "staff"}
		o.Link = &link
		finish(t, l, o)
		want := fullLink("wiki")
		want.Entitlements = []string{"engineers", "staff"}
		assert.Equal(t, []ledger.Link{want}, read(t, l, "p1").Links)

		o = outcome("p1", "wiki", "b", 3, ledger.StepDone)
		finish(t, l, o)
		assert.Equal(t, []ledger.Link{want}, read(t, l, "p1").Links, "no link given: left as it is")

		o.At, o.Link = at(4), &ledger.Link{State: ledger.LinkActive, AccountID: "2", Entitlements: []string{}}
		finish(t, l, o)
		assert.Equal(t, []ledger.Link{{PersonID: "p1", App: "wiki", State: ledger.LinkActive, AccountID: "2"}},
			read(t, l, "p1").Links, "the whole link is replaced")
	},
	"NotesTheAttributesOfAFailedAttempt": func(t *testing.T, l ledger.Ledger) {
		wiki, chat := fullLink("wiki"), fullLink("chat")
		putLink(t, l, wiki)
		putLink(t, l, chat)
		for minutes, digest := range []string{"sha256:shown", ""} {
			o := outcome("p1", "wiki", "a", 10+minutes, ledger.StepOpen)
			o.Attributes = &digest
			finish(t, l, o)
			wiki.Attributes = digest
			assert.ElementsMatch(t, []ledger.Link{wiki, chat}, read(t, l, "p1").Links, "nothing else is another")
		}
		finish(t, l, outcome("p1", "unknown", "b", 12, ledger.StepAttention))
		assert.Len(t, read(t, l, "p1").Links, 2)
	},
	"WritesTheAuditRow": func(t *testing.T, l ledger.Ledger) {
		o := outcome("p1", "wiki", "a", 2, ledger.StepDone)
		o.Audit = &ledger.AuditRow{Seq: 99, PersonID: "ignored", Action: "created", Actor: "tenure", Cause: "everyone", Detail: map[string]any{
			"attempts": 2.0, "entitlements": []any{"a", "b"}, "adopted": true, "none": nil, "nested": map[string]any{"ü": "🙂"},
		}}
		finish(t, l, o)
		plain := outcome("p1", "wiki", "b", 3, ledger.StepOpen)
		plain.Audit = &ledger.AuditRow{At: at(9), App: "other", Action: "failed"}
		finish(t, l, plain)
		finish(t, l, outcome("p1", "wiki", "c", 4, ledger.StepOpen))
		rows := audit(t, l, "p1")
		require.Len(t, rows, 2)
		want := *o.Audit
		want.Seq, want.PersonID, want.App, want.At = rows[0].Seq, "p1", "wiki", at(2)
		assert.Equal(t, want, rows[0])
		assert.Equal(t, ledger.AuditRow{Seq: rows[1].Seq, PersonID: "p1", App: "other", At: at(9), Action: "failed"}, rows[1])
	},
	"KeepsTheTruthOfAStepThatIsNotWanted": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("superseded", "superseded"), step("skipped", "skipped"), step("done", "done")))
		require.NoError(t, l.Act(t.Context(), ledger.Action{Verb: ledger.VerbSkip, PersonID: "p1", Key: "skipped", Operator: "ops", At: at(1)}))
		finish(t, l, outcome("p1", "done", "done", 1, ledger.StepDone))
		assess(t, l, "p1", 2, nil)
		before, rows := steps(t, l, "p1"), len(audit(t, l, "p1"))
		for _, key := range []string{"superseded", "skipped", "done", "unknown"} {
			for i, state := range []ledger.StepState{ledger.StepDone, ledger.StepOpen, ledger.StepAttention} {
				o := outcome("p1", key, key, 3+i, state)
				o.Link = &ledger.Link{State: ledger.LinkActive, AccountID: string(state)}
				o.Audit = &ledger.AuditRow{Action: "created", Actor: "tenure"}
				finish(t, l, o)
			}
		}
		p := read(t, l, "p1")
		assert.Len(t, p.Links, 4)
		assert.Equal(t, "attention", p.Links[0].AccountID, "the last outcome's")
		assert.Len(t, audit(t, l, "p1"), rows+12)
		assert.Equal(t, before, steps(t, l, "p1"))
	},
	"IsAllOrNothing": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		before := read(t, l, "p1")
		o := outcome("p1", "wiki", "a", 1, ledger.StepDone)
		o.Link = &ledger.Link{State: "no such state"}
		o.Audit = &ledger.AuditRow{Action: "created"}
		require.Error(t, l.FinishStep(t.Context(), o))
		o.Link, o.Audit.Detail = &ledger.Link{State: ledger.LinkActive}, map[string]any{"not JSON": func() {}}
		require.Error(t, l.FinishStep(t.Context(), o))
		assert.Equal(t, before, read(t, l, "p1"))
		assert.Empty(t, audit(t, l, "p1"))
	},
	"SupersededIsNotUnfinished": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		begun := begin(t, l, attempt("p1", "wiki", "a", 1))
		o := outcome("p1", "wiki", "a", 2, ledger.StepSuperseded)
		o.Attempt = begun.Attempt
		require.NoError(t, l.FinishStep(t.Context(), o))
		assert.Empty(t, read(t, l, "p1").Steps)
		assert.Zero(t, begin(t, l, attempt("p1", "wiki", "b", 3)).DoubtUntil, "the attempt is over")
	},
	"AFailureInDoubtStaysInDoubt": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a"), step("wiki", "b")))
		first := attempt("p1", "wiki", "a", 1)
		begun := begin(t, l, first)
		o := outcome("p1", "wiki", "a", 2, ledger.StepOpen)
		o.Attempt, o.InDoubt = begun.Attempt, true
		require.NoError(t, l.FinishStep(t.Context(), o))
		again := begin(t, l, attempt("p1", "wiki", "a", 3))
		done := outcome("p1", "wiki", "a", 4, ledger.StepDone)
		done.Attempt = again.Attempt
		require.NoError(t, l.FinishStep(t.Context(), done))
		assert.Equal(t, first.Deadline, begin(t, l, attempt("p1", "wiki", "b", 5)).DoubtUntil, "whatever became of the next attempt")
	},
	"SaysHowLongItHasBeenTried": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		assert.Equal(t, at(1), begin(t, l, attempt("p1", "wiki", "a", 1)).TryingSince)
		assert.Equal(t, at(1), begin(t, l, attempt("p1", "wiki", "a", 5)).TryingSince)
		require.NoError(t, l.FinishStep(t.Context(), outcome("p1", "wiki", "a", 6, ledger.StepAttention)))
		assert.Equal(t, at(1), begin(t, l, attempt("p1", "wiki", "a", 7)).TryingSince)
		require.NoError(t, l.FinishStep(t.Context(), outcome("p1", "wiki", "a", 8, ledger.StepAttention)))
		require.NoError(t, l.Act(t.Context(), ledger.Action{
			Verb: ledger.VerbRetry, PersonID: "p1", Key: "a", App: "wiki", Operator: "x", At: at(9),
		}))
		assert.Equal(t, at(10), begin(t, l, attempt("p1", "wiki", "a", 10)).TryingSince, "an operator's retry starts afresh")
	},
	"RefusesAStateThatIsNoOutcome": func(t *testing.T, l ledger.Ledger) {
		for _, state := range []ledger.StepState{"", ledger.StepSkipped, "fine"} {
			require.Error(t, l.FinishStep(t.Context(), outcome("p1", "wiki", "a", 1, state)), state)
		}
	},
}
