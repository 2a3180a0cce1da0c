package relational

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"github.com/tenurehq/tenure/ledger"
)

// BeginStep implements ledger.Work.
func (s *Store) BeginStep(ctx context.Context, a ledger.Attempt) (ledger.Begun, error) {
	var begun ledger.Begun
	err := s.write(ctx, func(t *Tx) (err error) {
		begun, err = t.beginStep(a)
		return err
	})
	if err != nil {
		return ledger.Begun{}, err
	}
	return begun, nil
}

func (t *Tx) beginStep(a ledger.Attempt) (begun ledger.Begun, err error) {
	if err := t.person(a.PersonID); err != nil {
		return ledger.Begun{}, err
	}
	if begun.Link, err = t.link(a.PersonID, a.App); err != nil {
		return ledger.Begun{}, err
	}
	before := begun.Link.Changes()
	repeated, err := t.get(`SELECT id, before FROM attempts WHERE person_id = ? AND key = ? AND at = ? AND deadline = ?`,
		[]any{a.PersonID, a.Key, a.At.UnixMicro(), a.Deadline.UnixMicro()}, &begun.Attempt, decode{&before})
	if err != nil {
		return ledger.Begun{}, err
	}
	begun.Link.ChangedAt, begun.Link.GaveAt, begun.Link.Unsure = before.ChangedAt, before.GaveAt, before.Unsure
	if !repeated {
		if begun.Attempt, err = t.newAttempt(a, before); err != nil {
			return ledger.Begun{}, fmt.Errorf("begin step %q of person %s: %w", a.Key, a.PersonID, err)
		}
	}
	_, err = t.get(`SELECT max(deadline) FROM attempts
		WHERE person_id = ? AND app = ? AND key <> ? AND gives = 1 AND deadline > ?`,
		[]any{a.PersonID, a.App, a.Key, a.At.UnixMicro()}, instant{&begun.DoubtUntil})
	if err != nil {
		return ledger.Begun{}, err
	}
	_, err = t.get(`SELECT trying_since, acknowledged_at, operation, operation_call, operation_at, operation_look_at FROM steps WHERE person_id = ? AND key = ?`,
		[]any{a.PersonID, a.Key},
		append([]any{instant{&begun.TryingSince}, instant{&begun.AcknowledgedAt}}, underwayDest(&begun.Underway)...)...)
	if err != nil {
		return ledger.Begun{}, err
	}
	begun.Unproven, err = t.get(`SELECT 1 FROM steps
		WHERE person_id = ? AND app = ? AND CASE WHEN key = ? THEN attempts > 1 ELSE last_attempt_at > ? END LIMIT 1`,
		[]any{a.PersonID, a.App, a.Key, begun.Link.ProvenAt.UnixMicro()}, new(int))
	return begun, err
}

// newAttempt counts the attempt, marks it as under way, and notes what it may change.
func (t *Tx) newAttempt(a ledger.Attempt, before ledger.Changes) (id int64, err error) {
	if err := t.mayChange(before, a); err != nil {
		return 0, err
	}
	noted, err := encoded(before)
	if err != nil {
		return 0, err
	}
	err = t.exec(`INSERT INTO steps (person_id, key, app, kind, state, attempts, planned_at, trying_since, last_attempt_at)
		VALUES (?, ?, ?, ?, 'open', 1, ?5, ?5, ?5)
		ON CONFLICT (person_id, key) DO UPDATE SET
			attempts = steps.attempts + 1, trying_since = coalesce(steps.trying_since, excluded.trying_since),
			last_attempt_at = excluded.last_attempt_at`,
		a.PersonID, a.Key, a.App, a.Kind, a.At.UnixMicro())
	if err != nil {
		return 0, err
	}
	// An attempt after its deadline is no longer in doubt.
	err = t.exec(`DELETE FROM attempts WHERE person_id = ? AND app = ? AND deadline <= ?`,
		a.PersonID, a.App, a.At.UnixMicro())
	if err != nil {
		return 0, err
	}
	_, err = t.get(`INSERT INTO attempts (person_id, key, app, at, deadline, gives, destroys, before) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		[]any{a.PersonID, a.Key, a.App, a.At.UnixMicro(), a.Deadline.UnixMicro(), a.Gives, a.Destroys, noted}, &id)
	return id, err
}

// FinishStep implements ledger.Work.
func (s *Store) FinishStep(ctx context.Context, o ledger.Outcome) error {
	switch o.State {
	case ledger.StepDone, ledger.StepOpen, ledger.StepAttention, ledger.StepSuperseded:
	default:
		return fmt.Errorf("ledger: %q is not the state of an outcome", o.State)
	}
	return s.write(ctx, func(t *Tx) error {
		if err := t.finishStep(o); err != nil {
			return fmt.Errorf("finish step %q of person %s: %w", o.Key, o.PersonID, err)
		}
		return nil
	})
}

func (t *Tx) finishStep(o ledger.Outcome) error {
	if o.DueReports {
		if err := t.lockWithReports(o.PersonID); err != nil {
			return err
		}
	}
	if err := t.person(o.PersonID); err != nil {
		return err
	}
	if !o.InDoubt {
		if err := t.endAttempts(o); err != nil {
			return err
		}
	}
	asks, asked, err := t.comesToNeed(o)
	if err != nil {
		return err
	}
	repeated, err := t.saveOutcome(o)
	if repeated || err != nil {
		return err
	}
	if asks {
		if _, err := t.appendAudit(asked, o.Key, o.Attempt); err != nil {
			return err
		}
	}
	if o.Link != nil {
		l := *o.Link
		l.PersonID, l.App = o.PersonID, cmp.Or(l.App, o.App)
		if err := t.putLink(l); err != nil {
			return err
		}
		if err := t.noteAccount(l, o.At); err != nil {
			return err
		}
	}
	if o.Link == nil && o.Changes != nil {
		if err := t.putChanges(o.PersonID, o.App, *o.Changes); err != nil {
			return err
		}
	}
	if o.Attributes != nil {
		err := t.exec(`UPDATE links SET attributes = ? WHERE person_id = ? AND app = ?`, *o.Attributes, o.PersonID, o.App)
		if err != nil {
			return err
		}
	}
	if o.Audit != nil {
		row := *o.Audit
		row.PersonID, row.App, row.At = o.PersonID, cmp.Or(row.App, o.App), cmp.Or(row.At, o.At)
		if o.Link != nil {
			row.Detail = withAccount(row.Detail, *o.Link)
		}
		if _, err := t.appendAudit(row, o.Key, o.Attempt); err != nil {
			return err
		}
	}
	if o.DueReports {
		return t.nudge(o.PersonID, o.At)
	}
	return nil
}

// comesToNeed reports whether a step was open and needs an operator by this outcome, and returns
// the audit row that says so.
func (t *Tx) comesToNeed(o ledger.Outcome) (asks bool, row ledger.AuditRow, err error) {
	if o.State != ledger.StepAttention {
		return false, row, nil
	}
	var department string
	open, err := t.get(`SELECT p.department FROM steps s JOIN people p ON p.id = s.person_id
		WHERE s.person_id = ? AND s.key = ? AND s.state = 'open'`, []any{o.PersonID, o.Key}, &department)
	return open, ledger.AuditRow{
		At: o.At, PersonID: o.PersonID, App: o.App, Action: ledger.AuditNeedsAttention, Actor: ledger.ActorTenure,
		Detail: map[string]any{"step": o.Kind, "code": o.Code, ledger.DetailDepartment: department},
	}, err
}

// withAccount adds to the detail of an audit row what the account is from then on.
func withAccount(detail map[string]any, l ledger.Link) map[string]any {
	with := maps.Clone(detail)
	if with == nil {
		with = map[string]any{}
	}
	has := l.Entitlements
	if has == nil {
		has = []string{}
	}
	with[ledger.DetailState], with[ledger.DetailHas] = string(l.State), has
	return with
}

// endAttempts removes the attempt, or all attempts at the step.
func (t *Tx) endAttempts(o ledger.Outcome) error {
	return t.exec(`DELETE FROM attempts WHERE person_id = ?1 AND key = ?2 AND (id = ?3 OR ?3 = 0)`,
		o.PersonID, o.Key, o.Attempt)
}

// saveOutcome stores the outcome of a step. It reports whether the same outcome was stored
// before. A step that was never planned is kept as superseded.
func (t *Tx) saveOutcome(o ledger.Outcome) (repeated bool, err error) {
	err = t.exec(`INSERT INTO steps (person_id, key, app, kind, state, planned_at, finished_at)
		VALUES (?, ?, ?, ?, 'superseded', ?5, ?5) ON CONFLICT DO NOTHING`,
		o.PersonID, o.Key, o.App, o.Kind, micros(o.At))
	if err != nil {
		return false, err
	}
	outcome, err := encoded([]any{o.Attempt, o.At.UnixMicro(), o.State, o.Code, o.Message})
	if err != nil {
		return false, err
	}
	n, err := t.change(`UPDATE steps SET outcome = ? WHERE person_id = ? AND key = ? AND outcome IS DISTINCT FROM ?1`,
		outcome, o.PersonID, o.Key)
	if n == 0 || err != nil {
		return true, err
	}
	return false, t.exec(`UPDATE steps SET state = ?1, code = ?2, message = ?3,
			finished_at = CASE WHEN ?1 IN ('done', 'superseded') THEN CAST(?4 AS BIGINT) END,
			acknowledged_at = ?7, operation = ?8, operation_call = ?9, operation_at = ?10, operation_look_at = ?11,
			trying_since = CASE WHEN CAST(?11 AS BIGINT) IS NOT NULL THEN CAST(?4 AS BIGINT) ELSE trying_since END
		WHERE person_id = ?5 AND key = ?6 AND state IN ('open', 'attention')`,
		o.State, o.Code, o.Message, micros(o.At), o.PersonID, o.Key,
		micros(o.AcknowledgedAt), o.Underway.Operation, o.Underway.Call, micros(o.Underway.Since), micros(o.Underway.LookAt))
}

const stepColumns = `s.person_id, s.key, s.app, s.kind, s.state, s.attempts, s.code, s.message, s.reason,
	s.planned_at, s.last_attempt_at, s.finished_at, s.trying_since, s.operation, s.operation_call, s.operation_at, s.operation_look_at`

// underwayDest lists the fields that the columns of an operation are scanned into.
func underwayDest(u *ledger.Underway) []any {
	return []any{&u.Operation, &u.Call, instant{&u.Since}, instant{&u.LookAt}}
}

// stepDest lists the fields that stepColumns are scanned into.
func stepDest(s *ledger.Step) []any {
	return append([]any{
		&s.PersonID, &s.Key, &s.App, &s.Kind, &s.State, &s.Attempts, &s.Code, &s.Message, &s.Reason,
		instant{&s.PlannedAt}, instant{&s.LastAttemptAt}, instant{&s.FinishedAt}, instant{&s.TryingSince},
	}, underwayDest(&s.Underway)...)
}

// Steps implements ledger.Steps.
func (s *Store) Steps(ctx context.Context, f ledger.StepFilter, after ledger.StepPlace, limit int) ([]ledger.Step, error) {
	query := `SELECT ` + stepColumns + ` FROM steps s JOIN people p ON p.id = s.person_id
		WHERE (s.person_id > ? OR s.person_id = ? AND s.key > ?)`
	args := []any{after.PersonID, after.PersonID, after.Key}
	where := func(condition string, values ...any) {
		query += ` AND ` + condition
		args = append(args, values...)
	}
	for _, c := range []struct{ column, value string }{
		{"s.person_id", f.PersonID}, {"s.app", f.App}, {"s.kind", f.Kind}, {"s.code", f.Code},
	} {
		if c.value != "" {
			where(c.column+` = ?`, c.value)
		}
	}
	// A single state is written out, so that the database uses its index.
	if len(f.States) == 1 && f.States[0] == ledger.StepAttention {
		where(`s.state = 'attention'`)
	} else if len(f.States) > 0 {
		where(`s.state IN (`+marks(len(f.States))+`)`, anys(f.States)...)
	}
	if !f.From.IsZero() {
		where(`coalesce(s.last_attempt_at, s.planned_at) >= ?`, f.From.UnixMicro())
	}
	if !f.Until.IsZero() {
		where(`coalesce(s.last_attempt_at, s.planned_at) < ?`, f.Until.UnixMicro())
	}
	if len(f.Statuses) > 0 {
		where(`p.status IN (`+marks(len(f.Statuses))+`)`, anys(f.Statuses)...)
	}
	steps, err := list(ctx, s.engine, query+` ORDER BY s.person_id, s.key LIMIT ?`, append(args, max(limit, 0)), stepDest)
	return steps, s.explain(err)
}

// Act implements ledger.Work.
func (s *Store) Act(ctx context.Context, a ledger.Action) error {
	if a.Verb != ledger.VerbRetry && a.Verb != ledger.VerbSkip {
		return fmt.Errorf("ledger: %q is not an operator's verb", a.Verb)
	}
	act, what := (*Tx).actOnStep, "step"
	if a.Conflict {
		act, what = (*Tx).actOnConflict, "conflict"
	}
	return s.write(ctx, func(t *Tx) error {
		if err := t.lock(a.PersonID); err != nil {
			return err
		}
		written, err := t.appendAudit(ledger.AuditRow{
			At: a.At, PersonID: a.PersonID, App: a.App, Action: string(a.Verb), Actor: a.Operator, Cause: a.Reason,
			Detail: map[string]any{what: a.Key},
		}, what+":"+a.Key, 0)
		if written && err == nil {
			err = act(t, a)
		}
		if written && err == nil {
			err = t.toBeTold(a.PersonID, a.At)
		}
		if err != nil {
			return fmt.Errorf("%s %s %q of person %s: %w", a.Verb, what, a.Key, a.PersonID, err)
		}
		return nil
	})
}

func (t *Tx) actOnStep(a ledger.Action) error {
	found, err := t.get(`SELECT 1 FROM steps WHERE person_id = ? AND key = ?`, []any{a.PersonID, a.Key}, new(int))
	if err != nil {
		return err
	}
	if !found {
		return ledger.ErrNotFound
	}
	if a.Verb == ledger.VerbSkip {
		return t.exec(`UPDATE steps SET state = 'skipped', reason = ?, finished_at = ?
			WHERE person_id = ? AND key = ? AND state <> 'done'`,
			a.Reason, micros(a.At), a.PersonID, a.Key)
	}
	return t.exec(`UPDATE steps SET state = 'open', reason = '', trying_since = NULL, finished_at = NULL
		WHERE person_id = ? AND key = ? AND state IN ('attention', 'skipped')`,
		a.PersonID, a.Key)
}

func (t *Tx) actOnConflict(a ledger.Action) error {
	found, err := t.get(`SELECT 1 FROM people WHERE id = ?`, []any{a.PersonID}, new(int))
	if err != nil {
		return err
	}
	if !found {
		return ledger.ErrNotFound
	}
	if a.Verb == ledger.VerbRetry {
		return t.exec(`DELETE FROM waivers WHERE person_id = ? AND key = ?`, a.PersonID, a.Key)
	}
	return t.exec(`INSERT INTO waivers (person_id, key, operator, reason, at, login) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		a.PersonID, a.Key, a.Operator, a.Reason, a.At.UnixMicro(), t.login)
}
