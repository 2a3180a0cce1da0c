package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var actTests = tests{
	"SkipIsForGoodAndRetryOpens": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		bringInto(t, l, "a", ledger.StepAttention)
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbSkip, "a", 5)))
		want := ledger.Step{
			PersonID: "p1", Key: "a", App: "wiki", Kind: "Provision", State: ledger.StepSkipped, Attempts: 1,
			Code: "forbidden", Message: "grant the right", PlannedAt: at(0), LastAttemptAt: at(2), FinishedAt: at(5),
			Reason: "ticket 42",
		}
		assert.Equal(t, want, steps(t, l, "p1")["a"])
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbRetry, "a", 6)))
		got := steps(t, l, "p1")["a"]
		assert.Equal(t, ledger.StepOpen, got.State)
		assert.Zero(t, got.FinishedAt)
		assert.Empty(t, got.Reason)
		assert.Equal(t, 1, got.Attempts)
	},
	"AQuestionThatIsAskedAgainNeedsAttentionAgain": func(t *testing.T, l ledger.Ledger) {
		question := ledger.Step{Key: "policy", Kind: "Question", State: ledger.StepAttention, Code: "policy", Message: "no such role"}
		assess(t, l, "p1", 0, plan(question))
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbRetry, "policy", 5)))
		assert.Equal(t, ledger.StepOpen, steps(t, l, "p1")["policy"].State, "until it is looked at")
		question.Message = "no such field"
		assess(t, l, "p1", 6, plan(question))
		got := steps(t, l, "p1")["policy"]
		assert.Equal(t, []string{"attention", "no such field"}, []string{string(got.State), got.Message})
	},
	"ChangesTheStatesThatItMay": func(t *testing.T, l ledger.Ledger) {
		const none = ledger.StepState("") // not listed
		for _, c := range []struct{ state, skipped, retried ledger.StepState }{
			{ledger.StepOpen, ledger.StepSkipped, ledger.StepOpen},
			{ledger.StepAttention, ledger.StepSkipped, ledger.StepOpen},
			{ledger.StepSkipped, ledger.StepSkipped, ledger.StepOpen},
			{ledger.StepSuperseded, ledger.StepSkipped, none},
			{ledger.StepDone, none, none},
		} {
			for verb, want := range map[ledger.Verb]ledger.StepState{ledger.VerbSkip: c.skipped, ledger.VerbRetry: c.retried} {
				key := string(c.state) + string(verb)
				assess(t, l, "p1", 0, plan(step("wiki", key)))
				if c.state == ledger.StepSuperseded {
					assess(t, l, "p1", 1, nil)
				} else {
					bringInto(t, l, key, c.state)
				}
				require.NoError(t, l.Act(t.Context(), action(verb, key, 5)))
				assert.Equal(t, want, steps(t, l, "p1")[key].State, key)
			}
		}
	},
	"SkippingAConflictWaivesIt": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		assess(t, l, "p1", 0, plan(step("wiki", "b")))
		for _, key := range []string{"b", "a"} {
			a := action(ledger.VerbSkip, key, 5)
			a.Conflict = true
			require.NoError(t, l.Act(t.Context(), a))
		}
		p := read(t, l, "p1")
		assert.Equal(t, []string{"a", "b"}, p.Waivers)
		assert.Equal(t, ledger.StepOpen, p.Steps[0].State, "a step is not a conflict, though the keys be equal")
		a := action(ledger.VerbRetry, "a", 6)
		a.Conflict = true
		require.NoError(t, l.Act(t.Context(), a))
		assert.Equal(t, []string{"b"}, read(t, l, "p1").Waivers)
	},
	"IsOnTheRecord": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbSkip, "a", 5)))
		conflict := action(ledger.VerbSkip, "c", 6)
		conflict.Conflict, conflict.App = true, ""
		require.NoError(t, l.Act(t.Context(), conflict))
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbRetry, "a", 7)))
		rows := audit(t, l, "p1")
		require.Len(t, rows, 3)
		assert.Equal(t, []ledger.AuditRow{
			{Seq: rows[0].Seq, At: at(5), PersonID: "p1", App: "wiki", Action: "skip", Actor: "ops", Cause: "ticket 42", Detail: map[string]any{"step": "a"}},
			{Seq: rows[1].Seq, At: at(6), PersonID: "p1", Action: "skip", Actor: "ops", Cause: "ticket 42", Detail: map[string]any{"conflict": "c"}},
			{Seq: rows[2].Seq, At: at(7), PersonID: "p1", App: "wiki", Action: "retry", Actor: "ops", Cause: "ticket 42", Detail: map[string]any{"step": "a"}},
		}, rows)
	},
	"MakesThePersonDue": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		bringInto(t, l, "a", ledger.StepAttention)
		setDue(t, l, "p1", at(3), "start")
		seen := read(t, l, "p1").Summary
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbRetry, "a", 5)))
		want := []ledger.DuePerson{{PersonID: "p1", At: at(3), What: ledger.DueDecision}}
		assert.Equal(t, want, due(t, l), "whatever else they are due for: their run has to be told")

		seen.AssessedAt, seen.DueAt, seen.DueWhat = at(6), at(90), "delete"
		require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: seen}))
		assert.Equal(t, at(5), read(t, l, "p1").DueAt, "an assessment that did not see it does not take it back")
		assess(t, l, "p1", 7, nil)
		assert.Empty(t, due(t, l))
	},
	"OnNothingIsNotFound": func(t *testing.T, l ledger.Ledger) {
		conflict := action(ledger.VerbSkip, "c", 5)
		conflict.Conflict = true
		require.ErrorIs(t, l.Act(t.Context(), conflict), ledger.ErrNotFound, "nobody")
		record(t, l, received("p1", "e1", 0))
		require.ErrorIs(t, l.Act(t.Context(), action(ledger.VerbSkip, "a", 5)), ledger.ErrNotFound, "no step")
		require.ErrorIs(t, l.Act(t.Context(), action(ledger.VerbRetry, "a", 5)), ledger.ErrNotFound, "no step")
		assert.Empty(t, audit(t, l, ""))
	},
	"UnknownVerbIsRefused": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		require.Error(t, l.Act(t.Context(), action("delete", "a", 5)))
		assert.Empty(t, audit(t, l, ""))
	},
}

// action is an operator's, on p1 in the wiki.
func action(verb ledger.Verb, key string, minutes int) ledger.Action {
	return ledger.Action{
		Verb: verb, PersonID: "p1", Key: key, App: "wiki", Operator: "ops", Reason: "ticket 42", At: at(minutes),
	}
}
