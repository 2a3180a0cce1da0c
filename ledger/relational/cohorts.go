package relational

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

const withdrawalColumns = `person_id, kind, key, state, coalesce(cohort, 0), source, event_id, voids, apps, why,
	said_at, due_at, counted_at, seen_at`

// withdrawalDest lists the fields that withdrawalColumns are scanned into.
func withdrawalDest(w *ledger.Withdrawal) []any {
	return []any{
		&w.PersonID, &w.Kind, &w.Key, &w.State, &w.Cohort, &w.Event.Source, &w.Event.ID, &w.Voids, decode{&w.Apps}, &w.Why,
		instant{&w.SaidAt}, instant{&w.DueAt}, instant{&w.CountedAt}, instant{&w.SeenAt},
	}
}

const cohortColumns = `id, kind, state, counted, allowed, opened_at, closed_at, operator, login, reason,
	(SELECT count(DISTINCT person_id) FROM withdrawals w WHERE w.cohort = cohorts.id),
	(SELECT count(DISTINCT person_id) FROM withdrawals w WHERE w.cohort = cohorts.id AND w.state = 'held')`

// cohortDest lists the fields that cohortColumns are scanned into.
func cohortDest(c *ledger.Cohort) []any {
	return []any{
		&c.ID, &c.Kind, &c.State, &c.Counted, &c.Allowed, instant{&c.OpenedAt}, instant{&c.ClosedAt}, &c.Operator, &c.Login, &c.Reason,
		&c.People, &c.Held,
	}
}

// Cohorts implements ledger.Breaker.
func (s *Store) Cohorts(ctx context.Context, f ledger.CohortFilter) ([]ledger.Cohort, error) {
	query, args := `SELECT `+cohortColumns+` FROM cohorts WHERE id > ?`, []any{f.After}
	if f.ID != 0 {
		query, args = query+` AND id = ?`, append(args, f.ID)
	}
	if f.Open {
		query += ` AND state = 'open'`
	}
	query += ` ORDER BY id`
	if f.Limit > 0 {
		query, args = query+` LIMIT ?`, append(args, f.Limit)
	}
	cohorts, err := list(ctx, s.engine, query, args, cohortDest)
	return cohorts, s.explain(err)
}

// Withdrawals implements ledger.Breaker.
func (s *Store) Withdrawals(ctx context.Context, cohort int64, after string, limit int) ([]ledger.Withdrawal, error) {
	all, err := list(ctx, s.engine, `SELECT `+withdrawalColumns+` FROM withdrawals
		WHERE cohort = ?1 AND person_id IN (SELECT DISTINCT person_id FROM withdrawals
			WHERE cohort = ?1 AND person_id > ?2 ORDER BY person_id LIMIT ?3)
		ORDER BY person_id, key`,
		[]any{cohort, after, max(limit, 0)}, withdrawalDest)
	return all, s.explain(err)
}

// DecideCohort implements ledger.Breaker.
func (s *Store) DecideCohort(ctx context.Context, d ledger.CohortDecision) (people int, err error) {
	if d.Verb != ledger.VerbRelease && d.Verb != ledger.VerbCancel {
		return 0, fmt.Errorf("ledger: %q is not an operator's verb for a cohort", d.Verb)
	}
	return written(ctx, s, fmt.Sprintf("%s cohort %s", d.Verb, ledger.CohortName(d.Cohort)), func(t *Tx) (int, error) { return t.decideCohort(d) })
}

func (t *Tx) decideCohort(d ledger.CohortDecision) (people int, err error) {
	if err := t.breakerTurn(); err != nil {
		return 0, err
	}
	found, err := t.get(`SELECT 1 FROM cohorts WHERE id = ?`, []any{d.Cohort}, new(int))
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, ledger.ErrNotFound
	}
	for _, person := range d.People {
		decided, err := t.decidePerson(d, person)
		if err != nil {
			return 0, fmt.Errorf("person %s: %w", person, err)
		}
		if decided {
			people++
		}
	}
	if people == 0 {
		return 0, nil
	}
	state := ledger.CohortReleased
	if d.Verb == ledger.VerbCancel {
		state = ledger.CohortCancelled
	}
	return people, t.exec(`UPDATE cohorts SET state = ?1, closed_at = ?2, operator = ?3, reason = ?4, login = ?6 WHERE id = ?5 AND state = 'open'
		AND NOT EXISTS (SELECT 1 FROM withdrawals WHERE cohort = ?5 AND state = 'held')`,
		state, d.At.UnixMicro(), d.Operator, d.Reason, d.Cohort, t.login)
}

// decidePerson decides about all withdrawals that a cohort holds of one person. It takes one
// after the other, since a decided one is no longer held.
func (t *Tx) decidePerson(d ledger.CohortDecision, person string) (decided bool, err error) {
	for {
		var w ledger.Withdrawal
		held, err := t.get(`SELECT `+withdrawalColumns+` FROM withdrawals
			WHERE person_id = ? AND cohort = ? AND state = 'held' ORDER BY key LIMIT 1`,
			[]any{person, d.Cohort}, withdrawalDest(&w)...)
		if err != nil {
			return false, err
		}
		if !held {
			break
		}
		if err := t.decideWithdrawal(d, w); err != nil {
			return false, err
		}
		decided = true
	}
	if !decided {
		return false, nil
	}
	// This comes after the records above, because a person who has a run may have to be told.
	return true, t.exec(`UPDATE people SET `+nudged+` WHERE id = ?3`, d.At.UnixMicro(), ledger.DueBreaker, person)
}

func (t *Tx) decideWithdrawal(d ledger.CohortDecision, w ledger.Withdrawal) error {
	state := ledger.WithdrawalAdmitted
	detail := map[string]any{"cohort": ledger.CohortName(d.Cohort), "kind": string(w.Kind)}
	if w.Event.ID != "" {
		detail["event"], detail["source"] = w.Event.ID, w.Event.Source
	}
	if d.Verb == ledger.VerbCancel {
		state = ledger.WithdrawalRefused
		if w.Voids {
			state = ledger.WithdrawalGone
			if err := t.void(d, w); err != nil {
				return err
			}
		}
	}
	err := t.exec(`UPDATE withdrawals SET state = ?, released = ? WHERE person_id = ? AND kind = ? AND key = ?`,
		state, d.Verb == ledger.VerbRelease, w.PersonID, w.Kind, w.Key)
	if err != nil {
		return err
	}
	err = t.putAudit(ledger.AuditRow{
		At: d.At, PersonID: w.PersonID, Action: string(d.Verb), Actor: d.Operator, Cause: d.Reason, Detail: detail,
	}, "cohort:"+ledger.CohortName(d.Cohort)+":"+w.Key, 0)
	return err
}

// void records a rescind of the event behind a withdrawal, with the same effect as a rescind
// by HR. The rescind is Tenure's own event, with an ID that nobody can guess and use first.
// If it cannot be recorded, the whole decision fails.
func (t *Tx) void(d ledger.CohortDecision, w ledger.Withdrawal) error {
	var event hr.Event
	found, err := t.get(`SELECT body FROM events WHERE source = ? AND id = ?`, []any{w.Event.Source, w.Event.ID}, decode{&event})
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("event %q of %q, which is to be cancelled, is not in the ledger: nothing was decided", w.Event.ID, w.Event.Source)
	}
	recorded := d.At
	if !recorded.After(event.Recorded) {
		recorded = event.Recorded.Add(time.Microsecond) // HR's clock is ahead
	}
	rescind := hr.Event{
		EventKey: hr.EventKey{Source: hr.BreakerSource, ID: uuid.NewString()},
		Type:     hr.EventRescinded, PersonID: w.PersonID, Recorded: recorded.UTC(),
		Effective: hr.DateOf(recorded.UTC()), Rescinds: event.ID, RescindsSource: event.Source,
	}
	body, err := encoded(rescind)
	if err != nil {
		return err
	}
	receipt, err := t.record(ledger.Received{Event: rescind, At: d.At}, body)
	if err == nil && (receipt.Duplicate || receipt.Conflict) {
		err = fmt.Errorf("the rescind of event %q of %q did not take, since its ID is taken: nothing was decided", w.Event.ID, w.Event.Source)
	}
	return err
}
