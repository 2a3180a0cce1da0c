package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
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
		for range 3 { // the clock stands still
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
			Attempts: 1, PlannedAt: at(1), LastAttemptAt: at(1), TryingSince: at(1),
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

// doubt begins an attempt that does not give access, and returns its DoubtUntil, or nil if
// that is zero.
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
	"SaysThatAnOperatorIsNeeded": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, func(a *ledger.Assessment) {
			a.Steps, a.Summary.Department = []ledger.Step{step("wiki", "a")}, "Sales"
		})
		for minute, state := range []ledger.StepState{ledger.StepOpen, ledger.StepAttention, ledger.StepAttention} {
			o := outcome("p1", "wiki", "a", 2+minute, state)
			o.Code = "forbidden"
			finish(t, l, o)
		}
		rows := audit(t, l, "p1")
		require.Len(t, rows, 1, "once, although it fails again")
		assert.Equal(t, ledger.AuditRow{
			Seq: rows[0].Seq, At: at(3), PersonID: "p1", App: "wiki", Action: ledger.AuditNeedsAttention, Actor: ledger.ActorTenure,
			Detail: map[string]any{"step": "Provision", "code": "forbidden", "department": "Sales"},
		}, rows[0])
		require.NoError(t, l.Act(t.Context(), ledger.Action{Verb: ledger.VerbRetry, PersonID: "p1", Key: "a", App: "wiki", Operator: "ops", At: at(6)}))
		finish(t, l, outcome("p1", "wiki", "a", 7, ledger.StepAttention))
		assert.Len(t, audit(t, l, "p1"), 3, "it was tried again, and needs one again")
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
	"NotesWhatMayHaveChangedTheAccount": func(t *testing.T, l ledger.Ledger) {
		want := fullLink("wiki")
		putLink(t, l, want)
		a := attempt("p1", "wiki", "a", 5)
		a.May = &ledger.Unsure{Entitlements: []string{"staff", "engineers"}}
		begun := begin(t, l, a)
		assert.Equal(t, want, begun.Link, "as it was before")
		want.ChangedAt, want.GaveAt = a.Deadline, a.Deadline
		want.Unsure.Entitlements = []string{"engineers", "sales", "staff"}
		assert.Equal(t, want, read(t, l, "p1").Links[0], "until the outcome is known")

		o := outcome("p1", "wiki", "a", 6, ledger.StepOpen)
		o.Attempt = begun.Attempt
		o.Changes = &ledger.Changes{ChangedAt: at(6), Unsure: ledger.Unsure{Entitlements: []string{"staff"}}}
		finish(t, l, o)
		want.ChangedAt, want.GaveAt, want.Unsure = at(6), time.Time{}, o.Changes.Unsure
		assert.Equal(t, want, read(t, l, "p1").Links[0])

		a = attempt("p1", "wiki", "b", 7)
		a.Gives, a.May = false, &ledger.Unsure{State: true}
		begin(t, l, a)
		want.ChangedAt, want.Unsure.State = a.Deadline, true
		assert.Equal(t, want, read(t, l, "p1").Links[0])
		finish(t, l, outcome("p1", "wiki", "b", 8, ledger.StepOpen))
		assert.Equal(t, want, read(t, l, "p1").Links[0], "nothing more is known")
	},
	"RemembersWhatIsAcknowledgedOrUnderWay": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a"), step("wiki", "b")))
		o := outcome("p1", "wiki", "a", 2, ledger.StepOpen)
		o.AcknowledgedAt, o.Underway = at(1), ledger.Underway{Operation: "job/1", Call: "hand_over", Since: at(1), LookAt: at(3)}
		finish(t, l, o)
		begun := begin(t, l, attempt("p1", "wiki", "a", 3))
		assert.Equal(t, at(1), begun.AcknowledgedAt)
		assert.Equal(t, o.Underway, begun.Underway)
		assert.Equal(t, at(2), begun.TryingSince, "the app is at work")
		assert.Equal(t, o.Underway, steps(t, l, "p1")["a"].Underway, "operators see it")
		other := begin(t, l, attempt("p1", "wiki", "b", 3))
		assert.Zero(t, other.AcknowledgedAt)
		assert.Zero(t, other.Underway)

		finish(t, l, outcome("p1", "wiki", "a", 4, ledger.StepAttention))
		begun = begin(t, l, attempt("p1", "wiki", "a", 5))
		assert.Zero(t, begun.AcknowledgedAt, "the last outcome counts")
		assert.Zero(t, begun.Underway)

		o.At = at(6)
		finish(t, l, o)
		assess(t, l, "p1", 7, plan(step("wiki", "b")))
		assess(t, l, "p1", 8, plan(step("wiki", "a")))
		assert.Zero(t, begin(t, l, attempt("p1", "wiki", "a", 9)).Underway, "it is planned anew")
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
	"SaysHowLongAStepWaitedInAQueue": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		fails := func(minutes, due int) {
			o := outcome("p1", "wiki", "a", minutes, ledger.StepOpen)
			o.Due = at(due)
			require.NoError(t, l.FinishStep(t.Context(), o))
		}
		queued := func(begins int) time.Duration {
			begun := begin(t, l, attempt("p1", "wiki", "a", begins))
			assert.Equal(t, at(1), begun.TryingSince)
			return begun.Queued
		}
		assert.Zero(t, queued(1))
		fails(2, 3)
		assert.Zero(t, queued(3), "in time")
		fails(4, 6)
		assert.Zero(t, queued(5), "before its time: somebody asked for it")
		fails(6, 7)
		assert.Equal(t, 30*time.Minute, queued(37))
		fails(38, 39)
		assert.Equal(t, 40*time.Minute, queued(49), "and ten minutes more")
		assert.Equal(t, 40*time.Minute, queued(60), "an attempt that said nothing has no due time")
		fails(61, 62)
		require.NoError(t, l.FinishStep(t.Context(), outcome("p1", "wiki", "a", 61, ledger.StepAttention)))
		require.NoError(t, l.Act(t.Context(), ledger.Action{
			Verb: ledger.VerbRetry, PersonID: "p1", Key: "a", App: "wiki", Operator: "x", At: at(70),
		}))
		afresh := begin(t, l, attempt("p1", "wiki", "a", 90))
		assert.Equal(t, at(90), afresh.TryingSince, "an operator's retry starts afresh")
		assert.Zero(t, afresh.Queued)
	},
	"CountsAsTryingWhatPassesBetweenWorkersWhoseClocksDiffer": func(t *testing.T, l ledger.Ledger) {
		const apart = 10
		for name, clocks := range map[string][]int{"one is behind": {0, -apart}, "one is ahead": {0, apart}} {
			assess(t, l, name, 0, plan(step("wiki", "a")))
			for i := range 20 { // they take turns, and wait a minute each time
				now := 20 + i + clocks[i%2]
				begun := begin(t, l, attempt(name, "wiki", "a", now))
				tried := at(now).Sub(begun.TryingSince) - begun.Queued
				assert.GreaterOrEqual(t, tried, time.Duration(i/2)*time.Minute, "%s: %d", name, i)
				assert.LessOrEqual(t, tried, time.Duration(i)*time.Minute, "%s: %d", name, i)
				o := outcome(name, "wiki", "a", now, ledger.StepOpen)
				o.Due = at(now + 1)
				require.NoError(t, l.FinishStep(t.Context(), o))
			}
		}
	},
	"RefusesAStateThatIsNoOutcome": func(t *testing.T, l ledger.Ledger) {
		for _, state := range []ledger.StepState{"", ledger.StepSkipped, "fine"} {
			require.Error(t, l.FinishStep(t.Context(), outcome("p1", "wiki", "a", 1, state)), state)
		}
	},
}

var stepFilterTests = tests{
	"AreSelectedAmongEverybodys": func(t *testing.T, l ledger.Ledger) {
		for i, person := range []string{"p2", "p1", "p3"} {
			assess(t, l, person, 1, func(a *ledger.Assessment) {
				a.Summary.Status = []hr.Status{hr.StatusEnded, hr.StatusActive, hr.StatusEnded}[i]
				a.Steps = []ledger.Step{
					{App: "wiki", Key: "wiki/Disable", Kind: "Disable", PlannedAt: at(1)},
					{App: "chat", Key: "chat/Disable", Kind: "Disable", PlannedAt: at(1)},
					{Key: "policy", Kind: "Question", State: ledger.StepAttention, Code: "policy", PlannedAt: at(20 * (i + 1))},
				}
			})
			a := attempt(person, "wiki", "wiki/Disable", 10*(i+1))
			a.Kind = "Disable"
			begin(t, l, a)
			o := outcome(person, "wiki", "wiki/Disable", 10*(i+1), ledger.StepAttention)
			o.Code, o.Message = "unauthorized", "no"
			finish(t, l, o)
		}
		attention := []ledger.StepState{ledger.StepAttention}
		for name, c := range map[string]struct {
			filter ledger.StepFilter
			want   []string
		}{
			"by person": {ledger.StepFilter{PersonID: "p2"}, []string{"p2 chat/Disable", "p2 policy", "p2 wiki/Disable"}},
			"by state": {ledger.StepFilter{States: attention}, []string{
				"p1 policy", "p1 wiki/Disable", "p2 policy", "p2 wiki/Disable", "p3 policy", "p3 wiki/Disable",
			}},
			"by states": {ledger.StepFilter{States: []ledger.StepState{ledger.StepOpen, ledger.StepDone}}, []string{"p1 chat/Disable", "p2 chat/Disable", "p3 chat/Disable"}},
			"by app":    {ledger.StepFilter{App: "wiki"}, []string{"p1 wiki/Disable", "p2 wiki/Disable", "p3 wiki/Disable"}},
			"by kind":   {ledger.StepFilter{Kind: "Question"}, []string{"p1 policy", "p2 policy", "p3 policy"}},
			"by code":   {ledger.StepFilter{Code: "unauthorized", Statuses: []hr.Status{hr.StatusEnded}}, []string{"p2 wiki/Disable", "p3 wiki/Disable"}},
			"by time": {ledger.StepFilter{States: attention, From: at(20), Until: at(40)}, []string{
				"p1 wiki/Disable", "p2 policy", "p3 wiki/Disable",
			}},
			"nothing": {ledger.StepFilter{App: "crm"}, nil},
		} {
			found, err := l.Steps(t.Context(), c.filter, ledger.StepPlace{}, all)
			require.NoError(t, err)
			assert.Equal(t, c.want, places(found), name)
		}
		steps, err := l.Steps(t.Context(), ledger.StepFilter{PersonID: "p2", App: "wiki"}, ledger.StepPlace{}, all)
		require.NoError(t, err)
		assert.Equal(t, read(t, l, "p2").Steps[2], steps[0], "as Person gives it")
	},
	"ByPages": func(t *testing.T, l ledger.Ledger) {
		for _, person := range []string{"p1", "p2"} {
			assess(t, l, person, 1, plan(step("a", "a"), step("b", "b"), step("c", "c")))
		}
		var got []string
		for after := (ledger.StepPlace{}); ; {
			page, err := l.Steps(t.Context(), ledger.StepFilter{}, after, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			got = append(got, places(page)...)
			after = ledger.StepPlace{PersonID: page[len(page)-1].PersonID, Key: page[len(page)-1].Key}
		}
		assert.Equal(t, []string{"p1 a", "p1 b", "p1 c", "p2 a", "p2 b", "p2 c"}, got)
	},
}

func places(steps []ledger.Step) []string {
	if len(steps) == 0 {
		return nil
	}
	return each(steps, func(s ledger.Step) string { return s.PersonID + " " + s.Key })
}

var actTests = tests{
	"SkipIsForGoodAndRetryOpens": func(t *testing.T, l ledger.Ledger) {
		assess(t, l, "p1", 0, plan(step("wiki", "a")))
		bringInto(t, l, "a", ledger.StepAttention)
		require.NoError(t, l.Act(t.Context(), action(ledger.VerbSkip, "a", 5)))
		want := ledger.Step{
			PersonID: "p1", Key: "a", App: "wiki", Kind: "Provision", State: ledger.StepSkipped, Attempts: 1,
			Code: "forbidden", Message: "grant the right", PlannedAt: at(0), LastAttemptAt: at(2), TryingSince: at(2), FinishedAt: at(5),
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

// action returns an operator's action on p1 in the wiki.
func action(verb ledger.Verb, key string, minutes int) ledger.Action {
	return ledger.Action{
		Verb: verb, PersonID: "p1", Key: key, App: "wiki", Operator: "ops", Reason: "ticket 42", At: at(minutes),
	}
}
