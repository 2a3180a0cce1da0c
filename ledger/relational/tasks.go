package relational

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
)

const taskColumns = `id, person_id, app, key, kind, work, assignee, escalate_to, second_person, state,
	opened_at, due_at, look_at, reminders, escalated_at, done_by, proof, done_at, account, ended_by, why, ended_at,
	done_login, ended_login`

// taskDest lists the fields that taskColumns are scanned into.
func taskDest(k *ledger.Task) []any {
	return []any{
		&k.ID, &k.PersonID, &k.App, &k.Key, &k.Kind, decode{&k.Work}, &k.Assignee, &k.EscalateTo, &k.SecondPerson, &k.State,
		instant{&k.OpenedAt}, instant{&k.DueAt}, instant{&k.LookAt}, &k.Reminders, instant{&k.EscalatedAt},
		&k.DoneBy, &k.Proof, instant{&k.DoneAt}, &k.Account, &k.EndedBy, &k.Why, instant{&k.EndedAt},
		&k.DoneLogin, &k.EndedLogin,
	}
}

// unfinished is the condition for tasks that are open or confirming.
const unfinished = `state IN ('open', 'confirming')`

// Tasks implements ledger.Tasks.
func (s *Store) Tasks(ctx context.Context, f ledger.TaskFilter, after int64, limit int) ([]ledger.Task, error) {
	query, args := `SELECT `+taskColumns+` FROM tasks WHERE id > ?`, []any{after}
	for _, c := range []struct {
		column string
		value  any
		given  bool
	}{
		{"id", f.ID, f.ID != 0},
		{"person_id", f.PersonID, f.PersonID != ""},
		{"app", f.App, f.App != ""},
		{"assignee", f.Assignee, f.Assignee != ""},
	} {
		if c.given {
			query += ` AND ` + c.column + ` = ?`
			args = append(args, c.value)
		}
	}
	if len(f.States) > 0 {
		query += ` AND state IN (` + marks(len(f.States)) + `)`
		args = append(args, anys(f.States)...)
	}
	tasks, err := list(ctx, s.engine, query+` ORDER BY id LIMIT ?`, append(args, max(limit, 0)), taskDest)
	return tasks, s.explain(err)
}

// OpenTask implements ledger.Tasks.
func (s *Store) OpenTask(ctx context.Context, k ledger.Task) (ledger.Task, error) {
	return written(ctx, s, fmt.Sprintf("open a task for step %q of person %s", k.Key, k.PersonID), func(t *Tx) (ledger.Task, error) { return t.openTask(k) })
}

func (t *Tx) openTask(k ledger.Task) (task ledger.Task, err error) {
	if err := t.lock(k.PersonID); err != nil {
		return task, err
	}
	var planned, trying time.Time
	found, err := t.get(`SELECT planned_at, trying_since FROM steps WHERE person_id = ? AND key = ?`,
		[]any{k.PersonID, k.Key}, instant{&planned}, instant{&trying})
	if err != nil {
		return task, err
	}
	if !found {
		return task, ledger.ErrNotFound
	}
	found, err = t.get(`SELECT `+taskColumns+` FROM tasks WHERE person_id = ? AND key = ? ORDER BY id DESC LIMIT 1`,
		[]any{k.PersonID, k.Key}, taskDest(&task)...)
	if err != nil {
		return task, err
	}
	again := task.State == ledger.TaskRefused && task.EndedAt.Before(trying)
	stale := task.State == ledger.TaskWithdrawn || task.OpenedAt.Before(planned)
	work, err := encoded(k.Work)
	if err != nil {
		return task, err
	}
	if found && (task.Unfinished() || !again && !stale) {
		t.named = append(t.named, task.Name())
		return task, t.renewWork(&task, k, work)
	}
	task = ledger.Task{}
	_, err = t.get(`INSERT INTO tasks (person_id, app, key, kind, work, assignee, escalate_to, second_person, state, opened_at, due_at, look_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?) RETURNING `+taskColumns,
		[]any{
			k.PersonID, k.App, k.Key, k.Kind, work, k.Assignee, k.EscalateTo, k.SecondPerson,
			k.OpenedAt.UnixMicro(), micros(k.DueAt), micros(k.LookAt),
		}, taskDest(&task)...)
	if err != nil {
		return task, err
	}
	t.named = append(t.named, task.Name())
	return task, t.taskAudit(task, "task_opened", "tenure", k.OpenedAt)
}

// renewWork stores what an unfinished task asks for now, such as another person who is given data.
// A task that waits for its second person is open again if that is not what the first one has done.
func (t *Tx) renewWork(task *ledger.Task, now ledger.Task, text string) error {
	was, err := encoded(task.Work)
	switch {
	case err != nil || was == text:
		return err
	case task.State == ledger.TaskOpen:
		task.Work = now.Work
		return t.exec(`UPDATE tasks SET work = ? WHERE id = ?`, text, task.ID)
	case task.State != ledger.TaskConfirming || !asksForMore(task.Work, now.Work):
		return nil
	}
	id := task.ID
	*task = ledger.Task{}
	_, err = t.get(`UPDATE tasks SET work = ?, state = 'open', due_at = ?, look_at = ?, escalated_at = NULL,
			done_by = '', proof = '', done_at = NULL, done_login = '', account = ''
		WHERE id = ? RETURNING `+taskColumns,
		[]any{text, micros(now.DueAt), micros(now.LookAt), id}, taskDest(task)...)
	if err != nil {
		return err
	}
	return t.taskAudit(*task, "task_reopened", "tenure", now.OpenedAt)
}

// asksForMore reports whether now asks for what was not part of the work before: to give the data to
// somebody else, or to grant or revoke more.
func asksForMore(was, now ledger.TaskWork) bool {
	return was.To != now.To || was.ToPerson != now.ToPerson ||
		len(set.Minus(now.Grant, was.Grant)) > 0 || len(set.Minus(now.Revoke, was.Revoke)) > 0
}

// taskAudit writes an audit row about a task. It leaves out the proof, which may name
// somebody and is kept with the task only.
func (t *Tx) taskAudit(k ledger.Task, action, actor string, at time.Time) error {
	err := t.putAudit(ledger.AuditRow{
		At: at, PersonID: k.PersonID, App: k.App, Action: action, Actor: actor,
		Detail: map[string]any{"task": k.ID, "step": k.Kind},
	}, fmt.Sprintf("task:%d", k.ID), 0)
	return err
}

// task reads a task and locks its person.
func (t *Tx) task(id int64) (k ledger.Task, err error) {
	if _, err = t.get(`SELECT person_id FROM tasks WHERE id = ?`, []any{id}, &k.PersonID); err != nil {
		return k, err
	}
	if err := t.lock(k.PersonID); err != nil {
		return k, err
	}
	found, err := t.get(`SELECT `+taskColumns+` FROM tasks WHERE id = ?`, []any{id}, taskDest(&k)...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return k, err
}

// RemindOfTask implements ledger.Tasks.
func (s *Store) RemindOfTask(ctx context.Context, r ledger.TaskReminder) error {
	return s.write(ctx, func(t *Tx) error {
		k, err := t.task(r.ID)
		if err != nil {
			return fmt.Errorf("remind of task %d: %w", r.ID, err)
		}
		if !k.Unfinished() || k.LookAt.Equal(r.LookAt.Truncate(time.Microsecond)) {
			return nil // the task is finished, or this is a repetition
		}
		escalated, reminders := k.EscalatedAt, k.Reminders
		if r.Overdue && escalated.IsZero() {
			escalated = r.At
			if err := t.taskAudit(k, "task_overdue", "tenure", r.At); err != nil {
				return err
			}
		}
		if r.Reminded {
			reminders++
			if err := t.taskAudit(k, "task_reminded", "tenure", r.At); err != nil {
				return err
			}
		}
		return t.exec(`UPDATE tasks SET look_at = ?, reminders = ?, escalated_at = ? WHERE id = ?`,
			micros(r.LookAt), reminders, micros(escalated), r.ID)
	})
}

// ActOnTask implements ledger.Tasks.
func (s *Store) ActOnTask(ctx context.Context, a ledger.TaskAction) (task ledger.Task, err error) {
	if a.Verb != ledger.VerbTaskDone && a.Verb != ledger.VerbTaskRefuse {
		return task, fmt.Errorf("ledger: %q is not an operator's verb for a task", a.Verb)
	}
	return written(ctx, s, fmt.Sprintf("task %d", a.ID), func(t *Tx) (ledger.Task, error) { return t.actOnTask(a) })
}

func (t *Tx) actOnTask(a ledger.TaskAction) (ledger.Task, error) {
	k, err := t.task(a.ID)
	if err != nil {
		return k, err
	}
	if sameWord(k, a) {
		return k, nil
	}
	if !k.Unfinished() {
		return k, &ledger.TaskError{Text: "is " + string(k.State) + " already" + by(cmp.Or(k.EndedBy, k.DoneBy))}
	}
	first := k.State == ledger.TaskOpen
	switch {
	case a.Verb == ledger.VerbTaskRefuse:
		k.State, k.EndedBy, k.EndedLogin, k.Why, k.EndedAt = ledger.TaskRefused, a.Operator, t.login, a.Text, a.At
	case !first:
		if err := secondPerson(k, a, t.login); err != nil {
			return k, err
		}
		k.State, k.EndedBy, k.EndedLogin, k.Why, k.EndedAt = ledger.TaskDone, a.Operator, t.login, a.Text, a.At
	case k.SecondPerson:
		k.State, k.DoneBy, k.DoneLogin, k.Proof, k.DoneAt = ledger.TaskConfirming, a.Operator, t.login, a.Text, a.At
	default:
		k.State, k.DoneBy, k.DoneLogin, k.Proof, k.DoneAt = ledger.TaskDone, a.Operator, t.login, a.Text, a.At
		k.EndedAt = a.At
	}
	k.Account = cmp.Or(a.Account, k.Account)
	err = t.exec(`UPDATE tasks SET state = ?, done_by = ?, proof = ?, done_at = ?, account = ?, ended_by = ?, why = ?, ended_at = ?,
		done_login = ?, ended_login = ? WHERE id = ?`,
		string(k.State), k.DoneBy, k.Proof, micros(k.DoneAt), k.Account, k.EndedBy, k.Why, micros(k.EndedAt), k.DoneLogin, k.EndedLogin, k.ID)
	if err != nil {
		return k, err
	}
	action := string(a.Verb)
	if a.Verb == ledger.VerbTaskDone && !first {
		action = "task_confirmed"
	}
	if err := t.taskAudit(k, action, a.Operator, a.At); err != nil || k.Unfinished() {
		return k, err
	}
	return k, t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, a.At.UnixMicro(), ledger.DueTask, k.PersonID)
}

// secondPerson refuses a confirmation by the operator who did the task: one with the same
// name, or from the same login. For tasks that were done with a version that kept no logins,
// it compares the names only.
func secondPerson(k ledger.Task, a ledger.TaskAction, login string) error {
	switch {
	case ledger.SameOperator(k.DoneBy, a.Operator):
		return &ledger.TaskError{Text: "has to be confirmed by somebody else than " + k.DoneBy + ", who did it"}
	case k.DoneLogin != "" && ledger.SameLogin(k.DoneLogin, login):
		return &ledger.TaskError{Text: "has to be confirmed from another login than " + k.DoneLogin + ", from which " + k.DoneBy + " did it"}
	}
	return nil
}

// sameWord reports whether the same answer of the operator was recorded before.
func sameWord(k ledger.Task, a ledger.TaskAction) bool {
	at := a.At.Truncate(time.Microsecond)
	if a.Verb == ledger.VerbTaskDone && k.DoneBy == a.Operator && k.DoneAt.Equal(at) {
		return true
	}
	ended := map[ledger.TaskVerb]ledger.TaskState{ledger.VerbTaskDone: ledger.TaskDone, ledger.VerbTaskRefuse: ledger.TaskRefused}
	return k.State == ended[a.Verb] && k.EndedBy == a.Operator && k.EndedAt.Equal(at)
}

func by(operator string) string {
	if operator == "" {
		return ""
	}
	return ", by " + operator
}

// withdrawTasks ends the unfinished tasks for steps that are not among keys.
func (t *Tx) withdrawTasks(personID string, keys []string, at time.Time) error {
	return t.withdrawTasksIf(personID, at, func(k ledger.Task) bool { return !slices.Contains(keys, k.Key) })
}

// withdrawTasksOf ends the unfinished tasks for steps of a kind.
func (t *Tx) withdrawTasksOf(personID, kind string, at time.Time) error {
	return t.withdrawTasksIf(personID, at, func(k ledger.Task) bool { return k.Kind == kind })
}

func (t *Tx) withdrawTasksIf(personID string, at time.Time, gone func(ledger.Task) bool) error {
	for after := int64(0); ; {
		var k ledger.Task
		found, err := t.get(`SELECT `+taskColumns+` FROM tasks WHERE person_id = ? AND id > ? AND `+unfinished+` ORDER BY id LIMIT 1`,
			[]any{personID, after}, taskDest(&k)...)
		if !found || err != nil {
			return err
		}
		after = k.ID
		if !gone(k) {
			continue
		}
		err = t.exec(`UPDATE tasks SET state = 'withdrawn', ended_at = ? WHERE id = ?`, micros(at), k.ID)
		if err == nil {
			err = t.taskAudit(k, "task_withdrawn", "tenure", at)
		}
		if err != nil {
			return err
		}
	}
}
