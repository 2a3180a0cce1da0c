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
	err := s.write(ctx, func(t *Tx) error { return t.beginStep(a, &begun) })
	if err != nil {
		return ledger.Begun{}, err
	}
	return begun, nil
}

// beginStep needs two round trips: one before which nothing is known, and one for all that
// depends on it, with the commit. What begun holds is complete after the commit.
func (t *Tx) beginStep(a ledger.Attempt, begun *ledger.Begun) error {
	*begun = ledger.Begun{}
	if err := t.person(a.PersonID); err != nil {
		return err
	}
	var linked, tried bool
	if err := t.later(linkQuery, []any{a.PersonID, a.App}, &linked, linkDest(&begun.Link)...); err != nil {
		return err
	}
	var untried bool
	var same int
	if ahead := a.Ahead; ahead != nil {
		err := t.later(aheadQuery, []any{a.PersonID, a.App, ahead.Revision, ahead.Username}, &untried, &same)
		if err != nil {
			return err
		}
	}
	var noted before
	repeated, err := t.get(`SELECT id, before FROM attempts WHERE person_id = ? AND key = ? AND at = ? AND deadline = ?`,
		[]any{a.PersonID, a.Key, a.At.UnixMicro(), a.Deadline.UnixMicro()}, &begun.Attempt, decode{&noted})
	if err != nil {
		return err
	}
	if repeated {
		noted.restore(a, begun)
	} else {
		begun.Untried = untried && begun.Link.Untouched()
		begun.AsRead = begun.Untried && same == 1
		if begun.Untried && !begun.AsRead && a.Ahead.OrNone {
			return nil
		}
		if err := t.newAttempt(a, begun); err != nil {
			return fmt.Errorf("begin step %q of person %s: %w", a.Key, a.PersonID, err)
		}
	}
	err = t.later(`SELECT max(deadline) FROM attempts
		WHERE person_id = ? AND app = ? AND key <> ? AND gives = 1 AND deadline > ?`,
		[]any{a.PersonID, a.App, a.Key, a.At.UnixMicro()}, &tried, instant{&begun.DoubtUntil})
	if err != nil {
		return err
	}
	err = t.later(`SELECT trying_since, queued, acknowledged_at, operation, operation_call, operation_at, operation_look_at FROM steps WHERE person_id = ? AND key = ?`,
		[]any{a.PersonID, a.Key}, &tried,
		append([]any{instant{&begun.TryingSince}, span{&begun.Queued}, instant{&begun.AcknowledgedAt}}, underwayDest(&begun.Underway)...)...)
	if err != nil {
		return err
	}
	return t.later(`SELECT 1 FROM steps
		WHERE person_id = ? AND app = ? AND CASE WHEN key = ? THEN attempts > 1 ELSE last_attempt_at > ? END LIMIT 1`,
		[]any{a.PersonID, a.App, a.Key, begun.Link.ProvenAt.UnixMicro()}, &begun.Unproven, new(int))
}

// aheadQuery finds somebody for whom nothing was attempted in an app, and whether they are as they
// were read. Whoever has the lock of the person knows that it stays so.
const aheadQuery = `SELECT CASE WHEN revision = ?3 AND username = ?4 THEN 1 ELSE 0 END FROM people WHERE id = ?1
	AND NOT EXISTS (SELECT 1 FROM attempts WHERE person_id = ?1 AND app = ?2)
	AND NOT EXISTS (SELECT 1 FROM steps WHERE person_id = ?1 AND app = ?2 AND attempts > 0)`

// before is what the row of an attempt holds of the time before it, for when the call is repeated.
type before struct {
	ledger.Changes
	AsRead  bool `json:",omitempty"`
	Untried bool `json:",omitempty"`
}

// restore answers a repeated call as the first one was answered, unless somebody else has changed
// the link since, or may have.
func (b before) restore(a ledger.Attempt, begun *ledger.Begun) {
	l := &begun.Link
	alone := l.ChangedAt.IsZero() || l.ChangedAt.UnixMicro() == a.Deadline.UnixMicro() // no other attempt has begun since
	l.ChangedAt, l.GaveAt, l.Unsure = b.ChangedAt, b.GaveAt, b.Unsure
	if a.Ahead == nil || !alone {
		return
	}
	if c := a.Ahead.Creating; b.AsRead && l.Creating.State == c.State && l.Creating.Username == c.Username && l.Creating.At.UnixMicro() == c.At.UnixMicro() {
		l.Creating = ledger.Creation{}
	}
	begun.AsRead, begun.Untried = b.AsRead && l.Untouched(), b.Untried && l.Untouched()
}

// late is how much later than due an attempt at ?5 begins. Workers from before migration 00056
// leave due_at and queued as they are, while newer ones run beside them: what was due before the
// last attempt says nothing about the next one, and nobody waits in a queue for longer than they try.
const late = `CASE
	WHEN steps.due_at >= steps.last_attempt_at AND steps.due_at < ?5 THEN ?5 - steps.due_at
	WHEN steps.last_attempt_at > ?5 THEN ?5 - steps.last_attempt_at
	ELSE 0 END`

// newAttempt counts the attempt, marks it as under way, and notes what it may change.
func (t *Tx) newAttempt(a ledger.Attempt, begun *ledger.Begun) error {
	was := begun.Link.Changes()
	if err := t.mayChange(was, a); err != nil {
		return err
	}
	if begun.AsRead && a.Ahead.Creating.Pending() {
		if err := t.putCreation(a.PersonID, a.App, a.Ahead.Creating); err != nil {
			return err
		}
	}
	noted, err := encoded(before{was, begun.AsRead, begun.Untried})
	if err != nil {
		return err
	}
	err = t.exec(`INSERT INTO steps (person_id, key, app, kind, state, attempts, planned_at, trying_since, last_attempt_at)
		VALUES (?, ?, ?, ?, 'open', 1, ?5, ?5, ?5)
		ON CONFLICT (person_id, key) DO UPDATE SET
			attempts = steps.attempts + 1, last_attempt_at = excluded.last_attempt_at, due_at = NULL,
			trying_since = coalesce(steps.trying_since, ?5),
			queued = CASE
				WHEN steps.trying_since IS NULL THEN 0
				WHEN steps.queued + `+late+` > ?5 - steps.trying_since THEN ?5 - steps.trying_since
				ELSE steps.queued + `+late+` END`,
		a.PersonID, a.Key, a.App, a.Kind, a.At.UnixMicro())
	if err != nil {
		return err
	}
	// An attempt after its deadline is no longer in doubt.
	err = t.exec(`DELETE FROM attempts WHERE person_id = ? AND app = ? AND deadline <= ?`,
		a.PersonID, a.App, a.At.UnixMicro())
	if err != nil {
		return err
	}
	return t.later(`INSERT INTO attempts (person_id, key, app, at, deadline, gives, destroys, before) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		[]any{a.PersonID, a.Key, a.App, a.At.UnixMicro(), a.Deadline.UnixMicro(), a.Gives, a.Destroys, noted}, new(bool), &begun.Attempt)
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

// finishStep needs two round trips, as beginStep does.
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
	var was outcomeBefore
	if err := t.noteOutcome(o, &was); err != nil {
		return err
	}
	if o.Link != nil {
		l := *o.Link
		l.PersonID, l.App = o.PersonID, cmp.Or(l.App, o.App)
		o.Link = &l
		if err := t.standing(l, &was.link); err != nil {
			return err
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	if was.changed == 0 {
		return nil // the same outcome was stored before
	}
	if err := t.saveOutcome(o, was); err != nil {
		return err
	}
	if o.Link != nil {
		if err := t.replaceLink(was.link, *o.Link); err != nil {
			return err
		}
		if err := t.noteAccount(*o.Link, o.At); err != nil {
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
		if err := t.putAudit(row, o.Key, o.Attempt); err != nil {
			return err
		}
	}
	if o.DueReports {
		return t.nudge(o.PersonID, o.At)
	}
	return nil
}

// outcomeBefore is what storing an outcome depends on.
type outcomeBefore struct {
	changed    int64  // zero if the same outcome was stored before
	open       bool   // the step was open; only asked if it needs attention now
	department string // then: the person's
	link       standing
}

// noteOutcome notes the outcome of a step, and looks whether it is a new one. A step that was
// never planned is kept as superseded.
func (t *Tx) noteOutcome(o ledger.Outcome, was *outcomeBefore) error {
	if o.State == ledger.StepAttention {
		err := t.later(`SELECT p.department FROM steps s JOIN people p ON p.id = s.person_id
			WHERE s.person_id = ? AND s.key = ? AND s.state = 'open'`, []any{o.PersonID, o.Key}, &was.open, &was.department)
		if err != nil {
			return err
		}
	}
	err := t.exec(`INSERT INTO steps (person_id, key, app, kind, state, planned_at, finished_at)
		VALUES (?, ?, ?, ?, 'superseded', ?5, ?5) ON CONFLICT DO NOTHING`,
		o.PersonID, o.Key, o.App, o.Kind, micros(o.At))
	if err != nil {
		return err
	}
	outcome, err := encoded([]any{o.Attempt, o.At.UnixMicro(), o.State, o.Code, o.Message})
	if err != nil {
		return err
	}
	return t.changes(&was.changed, `UPDATE steps SET outcome = ? WHERE person_id = ? AND key = ? AND outcome IS DISTINCT FROM ?1`,
		outcome, o.PersonID, o.Key)
}

// saveOutcome stores the outcome of a step. The record has a row if it was open and needs an
// operator by this outcome.
func (t *Tx) saveOutcome(o ledger.Outcome, was outcomeBefore) error {
	err := t.exec(`UPDATE steps SET state = ?1, code = ?2, message = ?3,
			finished_at = CASE WHEN ?1 IN ('done', 'superseded') THEN CAST(?4 AS BIGINT) END,
			acknowledged_at = ?7, operation = ?8, operation_call = ?9, operation_at = ?10, operation_look_at = ?11, due_at = ?12,
			trying_since = CASE WHEN CAST(?11 AS BIGINT) IS NOT NULL THEN CAST(?4 AS BIGINT) ELSE trying_since END,
			queued = CASE WHEN CAST(?11 AS BIGINT) IS NOT NULL THEN 0 ELSE queued END
		WHERE person_id = ?5 AND key = ?6 AND state IN ('open', 'attention')`,
		o.State, o.Code, o.Message, micros(o.At), o.PersonID, o.Key,
		micros(o.AcknowledgedAt), o.Underway.Operation, o.Underway.Call, micros(o.Underway.Since), micros(o.Underway.LookAt), micros(o.Due))
	if err != nil || !was.open {
		return err
	}
	return t.putAudit(ledger.AuditRow{
		At: o.At, PersonID: o.PersonID, App: o.App, Action: ledger.AuditNeedsAttention, Actor: ledger.ActorTenure,
		Detail: map[string]any{"step": o.Kind, "code": o.Code, ledger.DetailDepartment: was.department},
	}, o.Key, o.Attempt)
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
		}, what+":"+a.Key)
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
	return t.exec(`UPDATE steps SET state = 'open', reason = '', trying_since = NULL, due_at = NULL, queued = 0, finished_at = NULL
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
