package ledgertest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// from returns the context of an operator with a login: a name, or "NAME by USER" with sudo.
func from(t *testing.T, login string) context.Context {
	name, sudo, _ := strings.Cut(login, " by ")
	return ledger.WithLogin(t.Context(), ledger.Login{Name: name, Sudo: sudo})
}

// names returns logins without the role of the database session.
func names(logins ...string) []string {
	return each(logins, func(login string) string {
		name, _, _ := strings.Cut(login, " (role ")
		return name
	})
}

// loginTests are tests of the logins from which operators decide.
var loginTests = tests{
	"IsOnTheRecordOfEveryDecision": func(t *testing.T, l ledger.Ledger) {
		decideAll(t, l)
		logins := map[string]string{}
		for _, r := range audit(t, l, "") {
			if r.Actor == ledger.ActorTenure {
				assert.Empty(t, r.Login, "%s is Tenure's own", r.Action)
				continue
			}
			logins[r.Action] = r.Login
		}
		for _, action := range []string{
			"suspend", "skip", "retry", "redrive", "discard", "hold_placed", "hold_released", "retention_set", "retention_reset",
			"deletion_approved", "exception_placed", "exception_ended",
			"request_made", "request_approved", "stand_in_set", "stand_in_ended", "task_done", "task_confirmed", "task_refuse", "rename", "release", "cancel",
		} {
			login, there := logins[action]
			assert.True(t, there, "nobody decides: %s", action)
			assert.Contains(t, login, "login-", action)
		}
	},
	"IsBesideTheOperatorOfWhatWasDecided": func(t *testing.T, l ledger.Ledger) {
		decideAll(t, l)
		holds, err := l.Holds(t.Context(), ledger.HoldFilter{PersonID: "p1"}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(holds[0].Login, holds[0].ReleasedLogin))
		kept, err := l.Retentions(t.Context(), "p1", 0, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(kept[0].Login, kept[0].EndedLogin))
		assert.Equal(t, []string{"login-b", "login-b"}, names(kept[1].Login, kept[1].EndedLogin))
		excepted, err := l.Exceptions(t.Context(), ledger.ExceptionFilter{PersonID: "p1"}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(excepted[0].Login, excepted[0].EndedLogin))
		requests, err := l.Requests(t.Context(), ledger.RequestFilter{}, 0, all)
		require.NoError(t, err)
		votes, err := l.Votes(t.Context(), requests[0].ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(requests[0].Login, votes[0].Login))
		standIns, err := l.StandIns(t.Context(), ledger.StandInFilter{}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(standIns[0].Login, standIns[0].EndedLogin))
		approvals, err := l.Approvals(t.Context(), ledger.ApprovalFilter{PersonID: "p1"}, ledger.ApprovalPlace{}, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a"}, names(approvals[0].Login))
		letters, err := l.DeadLetters(t.Context(), ledger.LetterFilter{}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(letters[0].Login, letters[1].Login))
		tasks, err := l.Tasks(t.Context(), ledger.TaskFilter{}, 0, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"login-a", "login-b"}, names(tasks[0].DoneLogin, tasks[0].EndedLogin))
		assert.Equal(t, []string{"", "login-a"}, names(tasks[1].DoneLogin, tasks[1].EndedLogin))
		cohorts, err := l.Cohorts(t.Context(), ledger.CohortFilter{})
		require.NoError(t, err)
		require.Len(t, cohorts, 1)
		assert.Equal(t, []string{"login-b"}, names(cohorts[0].Login))
	},
	"OfThisProcessIsRecordedWhereNobodyHandsOneOn": func(t *testing.T, l ledger.Ledger) {
		record(t, l, received("p1", "e1", 1))
		h := hold(1, 90)
		placed, err := l.PlaceHold(ledger.WithLogin(t.Context(), ledger.Login{Name: "ada", Sudo: "bob"}), h)
		require.NoError(t, err)
		assert.Regexp(t, `^ada( \(role [^)]+\))? \(sudo by bob\)$`, placed.Hold.Login)
		placed, err = l.PlaceHold(t.Context(), hold(2, 91))
		require.NoError(t, err)
		assert.Empty(t, placed.Hold.Login, "what follows has not the login of what came before")
	},
	"OfASecondPersonIsAnother": func(t *testing.T, l ledger.Ledger) {
		for i, c := range []struct {
			operator, login, refused string
		}{
			{"ada", "login-a", "by somebody else than ada"},
			{"ada", "login-b", "by somebody else than ada"},
			{" ADA", "login-b", "by somebody else than ada"},
			{"bob", "login-a", "from another login than login-a"},
			{"bob", "login-a by bob", "from another login"},
			{"bob", "login-b", ""},
		} {
			ask := asked("wiki/Disable/"+c.operator+c.login, i)
			ask.SecondPerson = true
			k := openTask(t, l, ask)
			done := ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: k.ID, Operator: "ada", Text: "did it", At: at(20 + i)}
			_, err := l.ActOnTask(from(t, "login-a"), done)
			require.NoError(t, err)
			done.Operator, done.At = c.operator, at(40+i)
			task, err := l.ActOnTask(from(t, c.login), done)
			if c.refused != "" {
				refusedAs(t, err, c.refused)
				continue
			}
			require.NoError(t, err)
			assert.Equal(t, ledger.TaskDone, task.State)
		}
	},
}

// decideAll makes every kind of decision, with two logins.
func decideAll(t *testing.T, l ledger.Ledger) {
	t.Helper()
	a, b := from(t, "login-a"), from(t, "login-b")
	ok := func(err error) { t.Helper(); require.NoError(t, err) }
	said := received("p1", "e1", 1)
	said.Audit = &ledger.AuditRow{Action: "suspend", Actor: "ada"}
	_, err := l.Record(a, []ledger.Received{said})
	ok(err)
	assess(t, l, "p1", 2, plan(step("wiki", "k1")))
	ok(l.Act(a, ledger.Action{Verb: ledger.VerbSkip, PersonID: "p1", Key: "k1", App: "wiki", Operator: "ada", Reason: "no", At: at(3)}))
	ok(l.Act(b, ledger.Action{Verb: ledger.VerbRetry, PersonID: "p1", Key: "k1", App: "wiki", Operator: "bob", Reason: "yes", At: at(4)}))
	ok(l.Act(a, ledger.Action{Verb: ledger.VerbSkip, PersonID: "p1", Key: "conflict/e1", Conflict: true, Operator: "ada", Reason: "no", At: at(5)}))
	for i, verb := range []ledger.LetterVerb{ledger.VerbRedrive, ledger.VerbDiscard} {
		id := recordLetter(t, l, letter(int64(i), 6)).ID
		ok(l.ActOnLetter([]context.Context{a, b}[i], ledger.LetterAction{Verb: verb, ID: id, Operator: "ada", At: at(7)}))
	}
	placed, err := l.PlaceHold(a, hold(8, 90))
	ok(err)
	_, err = l.ReleaseHold(b, ledger.HoldRelease{ID: placed.Hold.ID, Operator: "bob", Reason: "over", At: at(9)})
	ok(err)
	_, err = l.SetRetention(a, kept(10, "wiki", at(99), 0))
	ok(err)
	_, err = l.SetRetention(b, kept(11, "wiki", at(98), 0))
	ok(err)
	_, err = l.ResetRetention(b, ledger.RetentionReset{PersonID: "p1", App: "wiki", Operator: "bob", Reason: "over", At: at(12)})
	ok(err)
	_, err = l.ApproveDeletion(a, ledger.DeletionApproval{PersonID: "p1", App: "wiki", Key: "wiki/Delete/1", Operator: "ada", Reason: "yes", At: at(13)})
	ok(err)
	x, err := l.PlaceException(a, granted(13, 90))
	ok(err)
	_, err = l.EndException(b, givenBack(x.ID, 14))
	ok(err)
	record(t, l, received("boss", "of boss", 14), received("deputy", "of deputy", 14))
	r, err := l.AskFor(a, asking(14))
	ok(err)
	_, err = l.ChangeRequest(b, approved(r, 15))
	ok(err)
	s, err := l.SetStandIn(a, standIn(14, 90))
	ok(err)
	_, err = l.EndStandIn(b, standInEnd(s.ID, 15))
	ok(err)
	ask := asked("wiki/Disable/1", 14)
	ask.SecondPerson = true
	k := openTask(t, l, ask)
	_, err = l.ActOnTask(a, ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: k.ID, Operator: "ada", Text: "did it", At: at(15)})
	ok(err)
	_, err = l.ActOnTask(b, ledger.TaskAction{Verb: ledger.VerbTaskDone, ID: k.ID, Operator: "bob", Text: "seen", At: at(16)})
	ok(err)
	k = openTask(t, l, asked("wiki/Strip/1", 17))
	_, err = l.ActOnTask(a, ledger.TaskAction{Verb: ledger.VerbTaskRefuse, ID: k.ID, Operator: "ada", Text: "no", At: at(18)})
	ok(err)
	_, err = l.RenamePerson(a, ledger.Rename{PersonID: "p1", Base: "ada", Operator: "ada", Reason: "married", At: at(19)})
	ok(err)
	decideCohorts(t, l)
}

// decideCohorts decides about a cohort of three: it releases two people and cancels the last.
func decideCohorts(t *testing.T, l ledger.Ledger) {
	t.Helper()
	employ(t, l, "p2")
	record(t, l, termination("p2", "of p2", 10))
	id := cohortOf(t, l, 3)
	_, err := l.DecideCohort(from(t, "login-a"), decision(ledger.VerbRelease, id, "p0", "p1"))
	require.NoError(t, err)
	_, err = l.DecideCohort(from(t, "login-b"), decision(ledger.VerbCancel, id, "p2"))
	require.NoError(t, err)
}
