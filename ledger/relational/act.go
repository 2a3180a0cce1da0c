package relational

import (
	"context"
	"fmt"

	"github.com/tenurehq/tenure/ledger"
)

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
