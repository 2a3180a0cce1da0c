package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var assessmentTests = tests{
	"PlansMissingLinks": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 1, func(a *ledger.Assessment) {
			a.Planned = []ledger.Link{{PersonID: "p1", App: "wiki", Username: "zoë"}, {App: "chat"}}
		})
		assert.Equal(t, []ledger.Link{
			{PersonID: "p1", App: "chat", State: ledger.LinkPlanned},
			{PersonID: "p1", App: "wiki", State: ledger.LinkPlanned, Username: "zoë"},
		}, read(t, l, "p1").Links)
	},
	"SetsADeletedLinkBackToPlanned": func(t *testing.T, l ledger.Ledger) {
		link := fullLink("wiki")
		link.State = ledger.LinkDeleted
		putLink(t, l, link)
		assess(t, l, "p1", 1, func(a *ledger.Assessment) { a.Planned = []ledger.Link{{App: "wiki", Username: "zoë2"}} })
		want := ledger.Link{
			PersonID: "p1", App: "wiki", State: ledger.LinkPlanned, Username: "zoë2", Binned: link.Binned,
			ChangedAt: link.ChangedAt, GaveAt: link.GaveAt,
		}
		assert.Equal(t, []ledger.Link{want}, read(t, l, "p1").Links, "what may be in the recycle bin stays known")
	},
	"NeverDowngradesALink": func(t *testing.T, l ledger.Ledger) {
		for _, state := range []ledger.LinkState{ledger.LinkPlanned, ledger.LinkActive, ledger.LinkDisabled} {
			link := fullLink(string(state))
			link.State = state
			putLink(t, l, link)
		}
		before := read(t, l, "p1").Links
		assess(t, l, "p1", 1, func(a *ledger.Assessment) {
			a.Planned = []ledger.Link{{App: "planned", Username: "x"}, {App: "active", Username: "x"}, {App: "disabled", Username: "x"}}
		})
		assert.Equal(t, before, read(t, l, "p1").Links)
	},
	"PlansSteps": func(t *testing.T, l ledger.Ledger) {
		dated := step("chat", "b")
		dated.PlannedAt = at(-5)
		dated.State, dated.Attempts, dated.Code = ledger.StepDone, 9, "ignored"
		question := ledger.Step{Key: "c", Kind: "Question", State: ledger.StepAttention, Code: "why", Message: "a human must say"}
		assess(t, l, "p1", 1, plan(step("wiki", "a"), dated, question))
		assert.Equal(t, []ledger.Step{
			{
				PersonID: "p1", Key: "c", Kind: "Question", State: ledger.StepAttention,
				Code: "why", Message: "a human must say", PlannedAt: at(1),
			},
			{PersonID: "p1", Key: "b", App: "chat", Kind: "Provision", State: ledger.StepOpen, PlannedAt: at(-5)},
			{PersonID: "p1", Key: "a", App: "wiki", Kind: "Provision", State: ledger.StepOpen, PlannedAt: at(1)},
		}, read(t, l, "p1").Steps)
	},
	"LeavesUnfinishedStepsAsTheyAre": func(t *testing.T, l ledger.Ledger) {
		planned := plan(step("wiki", "open"), step("wiki", "attention"), step("wiki", "skipped"))
		assess(t, l, "p1", 1, planned)
		bringInto(t, l, "open", ledger.StepOpen)
		bringInto(t, l, "attention", ledger.StepAttention)
		bringInto(t, l, "skipped", ledger.StepSkipped)
		before := steps(t, l, "p1")
		assert.Equal(t, ledger.Step{
			PersonID: "p1", Key: "attention", App: "wiki", Kind: "Provision", State: ledger.StepAttention,
			Attempts: 1, Code: "forbidden", Message: "grant the right", PlannedAt: at(1), LastAttemptAt: at(2), TryingSince: at(2),
		}, before["attention"])
		assess(t, l, "p1", 9, planned)
		assert.Equal(t, before, steps(t, l, "p1"))
	},
	"KeepsSinceWhenSomebodyWaits": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 1))
		seq := read(t, l, "p1").LastSeq
		waits := map[string]ledger.Wait{"wiki": {Off: true, Since: at(-5)}, "chat": {Since: at(1)}}
		assess(t, l, "p1", 2, func(a *ledger.Assessment) { a.Summary.Waits = waits })
		record(t, l, received("p1", "e2", 3))
		p := read(t, l, "p1")
		assert.Equal(t, waits, p.Waits)
		assert.Equal(t, seq, p.Seen, "what came after it was not seen")
		people, err := l.People(t.Context(), "", all)
		require.NoError(t, err)
		assert.Equal(t, p.Summary, people[0])
		assess(t, l, "p1", 4, func(a *ledger.Assessment) { a.Summary.Waits = nil })
		p = read(t, l, "p1")
		assert.Nil(t, p.Waits)
		assert.Equal(t, p.LastSeq, p.Seen)
	},
	"OpensAFinishedStepAgain": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 1, plan(step("wiki", "done"), step("wiki", "superseded")))
		bringInto(t, l, "done", ledger.StepDone)
		bringInto(t, l, "superseded", ledger.StepAttention)
		assess(t, l, "p1", 8, nil)
		assert.Empty(t, steps(t, l, "p1"))
		assess(t, l, "p1", 9, plan(step("wiki", "done"), step("wiki", "superseded")))
		for key, got := range steps(t, l, "p1") {
			want := step("wiki", key)
			want.PersonID, want.State, want.PlannedAt = "p1", ledger.StepOpen, at(9)
			assert.Equal(t, want, got, "no attempts, no codes")
		}
		assert.Len(t, steps(t, l, "p1"), 2)
	},
	"ClosesStepsThatThePlanDoesNotWant": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 1, plan(step("wiki", "open"), step("wiki", "attention"), step("wiki", "skipped"), step("wiki", "kept")))
		assess(t, l, "p2", 1, plan(step("wiki", "open")))
		bringInto(t, l, "attention", ledger.StepAttention)
		bringInto(t, l, "skipped", ledger.StepSkipped)
		assess(t, l, "p1", 9, plan(step("wiki", "kept")))
		got := steps(t, l, "p1")
		assert.Len(t, got, 2)
		assert.Equal(t, ledger.StepSkipped, got["skipped"].State, "listed for ever")
		assert.Equal(t, ledger.StepOpen, got["kept"].State)
		assert.Len(t, steps(t, l, "p2"), 1, "somebody else's")
	},
	"KeepsSkippedStepsSkipped": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 1, plan(step("wiki", "a")))
		bringInto(t, l, "a", ledger.StepSkipped)
		for minute := 5; minute < 8; minute++ {
			assess(t, l, "p1", minute, nil)
			assess(t, l, "p1", minute, plan(step("wiki", "a")))
		}
		assert.Equal(t, ledger.StepSkipped, steps(t, l, "p1")["a"].State)
	},
	"LapsesSkips": func(t *testing.T, l ledger.Ledger) {
		planned := plan(step("wiki", "a"), step("wiki", "b"), step("wiki", "open"))
		for _, id := range []string{"p1", "p2"} {
			assess(t, l, id, 1, planned)
			for _, key := range []string{"a", "b"} {
				require.NoError(t, l.Act(t.Context(), ledger.Action{
					Verb: ledger.VerbSkip, PersonID: id, App: "wiki", Key: key, Operator: "ops", Reason: "not needed", At: at(3),
				}))
			}
		}
		assess(t, l, "p1", 4, func(a *ledger.Assessment) {
			plan(step("wiki", "open"))(a)
			a.LapsedSkips = []string{"a", "open", "unknown"}
		})
		got := steps(t, l, "p1")
		assert.Len(t, got, 2)
		assert.Equal(t, ledger.StepSkipped, got["b"].State, "what was skipped of another step holds")
		assert.Equal(t, ledger.StepOpen, got["open"].State, "only what is skipped lapses")
		assert.Equal(t, ledger.StepSkipped, steps(t, l, "p2")["a"].State, "somebody else's")

		assess(t, l, "p1", 5, planned)
		want := step("wiki", "a")
		want.PersonID, want.State, want.PlannedAt = "p1", ledger.StepOpen, at(5)
		assert.Equal(t, want, steps(t, l, "p1")["a"], "planned anew, as if nobody had said anything")
	},
	"IsAllOrNothing": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		before := read(t, l, "p1")
		a := ledger.Assessment{Summary: before.Summary, Planned: []ledger.Link{{App: "wiki"}}, Steps: []ledger.Step{step("wiki", "a"), step("wiki", "")}}
		a.Summary.JobTitle = "changed"
		require.Error(t, l.SaveAssessment(t.Context(), a), "a step without a key")
		assert.Equal(t, before, read(t, l, "p1"))
	},
	"PutsOnTheRecord": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		withheld := func(app string) ledger.AuditRow {
			return ledger.AuditRow{App: app, Action: "withheld", Actor: "tenure", Cause: "protected", Detail: map[string]any{"step": "Disable"}}
		}
		a := ledger.Assessment{Summary: read(t, l, "p1").Summary, Audit: []ledger.AuditRow{withheld("chat"), withheld("wiki")}}
		a.Summary.AssessedAt = at(1)
		for range 2 { // the second time it changes nothing
			require.NoError(t, l.SaveAssessment(t.Context(), a))
		}
		rows, err := l.Audit(t.Context(), "p1", 0, all)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		for i, app := range []string{"chat", "wiki"} {
			want := withheld(app)
			want.Seq, want.PersonID, want.At = rows[i].Seq, "p1", at(1)
			assert.Equal(t, want, rows[i])
		}
	},
	"RefusesWhatAnotherOvertook": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		slow := ledger.Assessment{Summary: read(t, l, "p1").Summary, Steps: []ledger.Step{step("wiki", "old")}}
		slow.Summary.AssessedAt = at(1)
		assess(t, l, "p1", 2, plan(step("wiki", "new")))
		before := read(t, l, "p1")
		require.ErrorIs(t, l.SaveAssessment(t.Context(), slow), ledger.ErrStale)
		assert.Equal(t, before, read(t, l, "p1"))
	},
	"DoesNotMindEventsThatComeMeanwhile": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		a := ledger.Assessment{Summary: read(t, l, "p1").Summary}
		record(t, l, received("p1", "e2", 1))
		a.Summary.AssessedAt = at(2)
		require.NoError(t, l.SaveAssessment(t.Context(), a))
	},
}

// bringInto begins p1's planned step in the wiki and brings it into a state.
func bringInto(t *testing.T, l ledger.Ledger, key string, state ledger.StepState) {
	t.Helper()
	begun := begin(t, l, attempt("p1", "wiki", key, 2))
	if state == ledger.StepSkipped {
		require.NoError(t, l.Act(t.Context(), ledger.Action{
			Verb: ledger.VerbSkip, PersonID: "p1", App: "wiki", Key: key, Operator: "ops", Reason: "not needed", At: at(3),
		}))
		return
	}
	o := outcome("p1", "wiki", key, 3, state)
	o.Attempt = begun.Attempt
	if state != ledger.StepDone {
		o.Code, o.Message = "forbidden", "grant the right"
	}
	finish(t, l, o)
}
