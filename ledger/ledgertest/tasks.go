package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// asked returns a task for a step of p1, opened some minutes after t0.
func asked(key string, minutes int) ledger.Task {
	return ledger.Task{
		PersonID: "p1", App: "wiki", Key: key, Kind: "Disable",
		Work: ledger.TaskWork{
			Account: "zoë", Grant: []string{"a"}, Revoke: []string{"b"}, Attributes: map[string]any{"title": "Chief \"Z\""},
			Why: "access ended", Instructions: "in the console",
		},
		Assignee: "it-helpdesk", EscalateTo: "it-leads",
		OpenedAt: at(minutes), DueAt: at(minutes + 60), LookAt: at(minutes + 30),
	}
}

// openTask begins the step and asks for it.
func openTask(t *testing.T, l ledger.Ledger, k ledger.Task) ledger.Task {
	t.Helper()
	_, err := l.BeginStep(t.Context(), ledger.Attempt{
		PersonID: k.PersonID, App: k.App, Key: k.Key, Kind: k.Kind, At: k.OpenedAt, Deadline: k.OpenedAt.Add(time.Minute),
	})
	require.NoError(t, err)
	task, err := l.OpenTask(t.Context(), k)
	require.NoError(t, err)
	return task
}

func says(t *testing.T, l ledger.Ledger, verb ledger.TaskVerb, id int64, operator string, minutes int) ledger.Task {
	t.Helper()
	task, err := l.ActOnTask(t.Context(), ledger.TaskAction{Verb: verb, ID: id, Operator: operator, Text: "ticket 42", At: at(minutes)})
	require.NoError(t, err)
	return task
}

func tasks(t *testing.T, l ledger.Ledger, f ledger.TaskFilter) []int64 {
	t.Helper()
	found, err := l.Tasks(t.Context(), f, 0, all)
	require.NoError(t, err)
	return each(found, func(k ledger.Task) int64 { return k.ID })
}

func refusedAs(t *testing.T, err error, text string) {
	t.Helper()
	var refused *ledger.TaskError
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Text, text)
}

var taskTests = tests{
	"IsOpenedOnceForAStep": func(t *testing.T, l ledger.Ledger) {
		want := asked("wiki/Disable/1", 0)
		first := openTask(t, l, want)
		assert.Positive(t, first.ID)
		want.ID, want.State = first.ID, ledger.TaskOpen
		assert.Equal(t, want, first)
		again := asked("wiki/Disable/1", 5)
		again.Assignee = "others"
		assert.Equal(t, first, openTask(t, l, again), "as it was asked first")
		person, err := l.Person(t.Context(), "p1")
		require.NoError(t, err)
		assert.Equal(t, []ledger.Task{first}, person.Tasks)
		audit, err := l.Audit(t.Context(), "p1", 0, all)
		require.NoError(t, err)
		require.Len(t, audit, 1)
		assert.Equal(t, "task_opened", audit[0].Action)
	},
	"NeedsAStep": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 0))
		_, err := l.OpenTask(t.Context(), asked("wiki/Disable/1", 0))
		assert.ErrorIs(t, err, ledger.ErrNotFound)
	},
	"IsDoneWithAProof": func(t *testing.T, l ledger.Ledger) {
		k := openTask(t, l, asked("wiki/Disable/1", 0))
		task, err := l.ActOnTask(t.Context(), ledger.TaskAction{
			Verb: ledger.VerbTaskDone, ID: k.ID, Operator: "ada", Text: "see ticket 42", Account: "zoe2", At: at(7),
		})
		require.NoError(t, err)
		assert.Equal(t, ledger.TaskDone, task.State)
		assert.Equal(t, []any{"ada", "see ticket 42", "zoe2", at(7), at(7)}, []any{task.DoneBy, task.Proof, task.Account, task.DoneAt, task.EndedAt})
		assert.Equal(t, task, says(t, l, ledger.VerbTaskDone, k.ID, "ada", 7), "again")
		_, err = l.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskRefuse, ID: k.ID, Operator: "bob", At: at(8)})
		refusedAs(t, err, "is done already, by ada")
		person, err := l.Person(t.Context(), "p1")
		require.NoError(t, err)
		assert.Empty(t, person.Tasks)
		assert.Equal(t, at(7), person.DueAt, "its person is due")
		assert.Equal(t, ledger.DueTask, person.DueWhat)
		assert.Equal(t, task, openTask(t, l, asked("wiki/Disable/1", 9)), "the step learns of it")
	},
	"IsConfirmedByASecondPerson": func(t *testing.T, l ledger.Ledger) {
		ask := asked("wiki/Disable/1", 0)
		ask.SecondPerson = true
		k := openTask(t, l, ask)
		assert.Equal(t, ledger.TaskConfirming, says(t, l, ledger.VerbTaskDone, k.ID, "ada", 1).State)
		person, err := l.Person(t.Context(), "p1")
		require.NoError(t, err)
		assert.Len(t, person.Tasks, 1, "it is not finished")
		assert.NotEqual(t, ledger.DueTask, person.DueWhat)
		_, err = l.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: k.ID, Operator: "ada", At: at(2)})
		refusedAs(t, err, "confirmed by somebody else than ada")
		task := says(t, l, ledger.VerbTaskDone, k.ID, "bob", 3)
		assert.Equal(t, []any{ledger.TaskDone, "ada", "bob", at(1), at(3)}, []any{task.State, task.DoneBy, task.EndedBy, task.DoneAt, task.EndedAt})
	},
	"IsOpenAgainIfTheFirstPersonHasDoneSomethingElse": func(t *testing.T, l ledger.Ledger) {
		for key, c := range map[string]struct {
			change func(*ledger.TaskWork)
			opens  bool
		}{
			"wiki/HandOver/other receiver": {func(w *ledger.TaskWork) { w.To, w.ToPerson = "9", "lee" }, true},
			"wiki/HandOver/no receiver":    {func(w *ledger.TaskWork) { w.To, w.ToPerson, w.Nobody = "", "", "not at work" }, true},
			"wiki/Disable/more to revoke":  {func(w *ledger.TaskWork) { w.Revoke = []string{"b", "c"} }, true},
			"wiki/Disable/less to revoke":  {func(w *ledger.TaskWork) { w.Revoke = nil }, false},
			"wiki/Disable/in other words":  {func(w *ledger.TaskWork) { w.Instructions = "by the new console" }, false},
		} {
			ask := asked(key, 0)
			ask.SecondPerson, ask.Work.To, ask.Work.ToPerson = true, "8", "kim"
			first := openTask(t, l, ask)
			says(t, l, ledger.VerbTaskDone, first.ID, "ada", 1)
			confirming := openTask(t, l, ask)
			assert.Equal(t, ledger.TaskConfirming, confirming.State, key)

			next := asked(key, 5)
			next.SecondPerson, next.Work = true, ask.Work
			c.change(&next.Work)
			got := openTask(t, l, next)
			if !c.opens {
				assert.Equal(t, confirming, got, key)
				continue
			}
			want := first
			want.Work, want.DueAt, want.LookAt = next.Work, next.DueAt, next.LookAt
			assert.Equal(t, want, got, key)
			audit, err := l.Audit(t.Context(), "p1", 0, all)
			require.NoError(t, err)
			assert.Equal(t, "task_reopened", audit[len(audit)-1].Action)
			assert.Equal(t, ledger.TaskConfirming, says(t, l, ledger.VerbTaskDone, got.ID, "bob", 6).State, "two say so anew")
			assert.Equal(t, ledger.TaskDone, says(t, l, ledger.VerbTaskDone, got.ID, "ada", 7).State)
		}
	},
	"IsAskedAnewWhenItsStepIsPlannedAnew": func(t *testing.T, l ledger.Ledger) {
		k := openTask(t, l, asked("wiki/Disable/1", 0))
		says(t, l, ledger.VerbTaskDone, k.ID, "ada", 1)
		finish(t, l, ledger.Outcome{PersonID: "p1", App: "wiki", Key: k.Key, Kind: k.Kind, At: at(2), State: ledger.StepDone})
		assess(t, l, "p1", 5, plan(step("wiki", k.Key)))
		again := openTask(t, l, asked(k.Key, 6))
		assert.NotEqual(t, k.ID, again.ID)
		assert.Equal(t, ledger.TaskOpen, again.State)
	},
	"ThatWasRefusedIsAskedAnewAfterARetry": func(t *testing.T, l ledger.Ledger) {
		k := openTask(t, l, asked("wiki/Disable/1", 0))
		task := says(t, l, ledger.VerbTaskRefuse, k.ID, "ada", 1)
		assert.Equal(t, []any{ledger.TaskRefused, "ada", "ticket 42"}, []any{task.State, task.EndedBy, task.Why})
		assert.Equal(t, task, openTask(t, l, asked(k.Key, 2)), "the step learns of it")
		finish(t, l, ledger.Outcome{PersonID: "p1", App: "wiki", Key: k.Key, Kind: k.Kind, At: at(2), State: ledger.StepAttention, Code: "refused"})
		require.NoError(t, l.Act(t.Context(), ledger.Action{Verb: ledger.VerbRetry, PersonID: "p1", Key: k.Key, App: "wiki", Operator: "bob", At: at(3)}))
		assert.Equal(t, ledger.TaskOpen, openTask(t, l, asked(k.Key, 4)).State)
	},
	"IsWithdrawnWithItsStep": func(t *testing.T, l ledger.Ledger) {
		kept, gone := openTask(t, l, asked("wiki/Disable/1", 0)), openTask(t, l, asked("wiki/Strip/1", 0))
		done := openTask(t, l, asked("wiki/Delete/1", 0))
		says(t, l, ledger.VerbTaskDone, done.ID, "ada", 1)
		assess(t, l, "p1", 5, plan(step("wiki", kept.Key)))
		assert.Equal(t, []int64{kept.ID}, tasks(t, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskOpen}}))
		assert.Equal(t, []int64{gone.ID}, tasks(t, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskWithdrawn}}))
		assert.Equal(t, []int64{done.ID}, tasks(t, l, ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskDone}}))
		_, err := l.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: gone.ID, Operator: "ada", At: at(8)})
		refusedAs(t, err, "is withdrawn already")
		assert.Equal(t, ledger.TaskOpen, openTask(t, l, asked(gone.Key, 9)).State, "asked anew")
	},
	"IsRemindedOfAndEscalated": func(t *testing.T, l ledger.Ledger) {
		k := openTask(t, l, asked("wiki/Disable/1", 0))
		reminder := ledger.TaskReminder{ID: k.ID, At: at(30), LookAt: at(60), Reminded: true}
		for range 2 {
			require.NoError(t, l.RemindOfTask(t.Context(), reminder))
		}
		require.NoError(t, l.RemindOfTask(t.Context(), ledger.TaskReminder{ID: k.ID, At: at(60), LookAt: at(90), Overdue: true, Reminded: true}))
		require.NoError(t, l.RemindOfTask(t.Context(), ledger.TaskReminder{ID: k.ID, At: at(90), LookAt: at(120), Overdue: true}))
		found, err := l.Tasks(t.Context(), ledger.TaskFilter{ID: k.ID}, 0, all)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, []any{2, at(60), at(120)}, []any{found[0].Reminders, found[0].EscalatedAt, found[0].LookAt})
		assert.ErrorIs(t, l.RemindOfTask(t.Context(), ledger.TaskReminder{ID: 99}), ledger.ErrNotFound)
	},
	"ByFilter": func(t *testing.T, l ledger.Ledger) {
		one := openTask(t, l, asked("wiki/Disable/1", 0))
		other := asked("chat/Disable/1", 0)
		other.PersonID, other.App, other.Assignee = "p2", "chat", "chat-admins"
		two := openTask(t, l, other)
		for _, c := range []struct {
			filter ledger.TaskFilter
			want   []int64
		}{
			{ledger.TaskFilter{}, []int64{one.ID, two.ID}},
			{ledger.TaskFilter{PersonID: "p2"}, []int64{two.ID}},
			{ledger.TaskFilter{App: "wiki"}, []int64{one.ID}},
			{ledger.TaskFilter{Assignee: "chat-admins"}, []int64{two.ID}},
			{ledger.TaskFilter{ID: one.ID, App: "chat"}, nil},
			{ledger.TaskFilter{States: []ledger.TaskState{ledger.TaskDone, ledger.TaskOpen}}, []int64{one.ID, two.ID}},
		} {
			assert.ElementsMatch(t, c.want, tasks(t, l, c.filter), "%+v", c.filter)
		}
		found, err := l.Tasks(t.Context(), ledger.TaskFilter{}, one.ID, 1)
		require.NoError(t, err)
		assert.Equal(t, []int64{two.ID}, each(found, func(k ledger.Task) int64 { return k.ID }))
	},
	"ThatIsNotThere": func(t *testing.T, l ledger.Ledger) {
		_, err := l.ActOnTask(t.Context(), ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: 4711, Operator: "ada"})
		assert.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = l.ActOnTask(t.Context(), ledger.TaskAction{Verb: "dance", ID: 4711})
		assert.Error(t, err)
	},
}
