package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/ledger"
)

// Person implements ledger.Work.
func (s *Store) Person(ctx context.Context, personID string) (ledger.Person, error) {
	p, err := s.readPerson(ctx, personID)
	if err != nil {
		return ledger.Person{}, explain(s.path, fmt.Errorf("read person %s: %w", personID, err))
	}
	return p, nil
}

func (s *Store) readPerson(ctx context.Context, id string) (p ledger.Person, err error) {
	// One transaction: all of it is of the same moment.
	tx, err := s.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return ledger.Person{}, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	err = tx.QueryRowContext(ctx, `SELECT `+summaryColumns+` FROM people WHERE id = ?`, id).Scan(summaryDest(&p.Summary)...)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Person{}, ledger.ErrNotFound
	}
	if err != nil {
		return ledger.Person{}, err
	}
	if p.Events, err = personEvents(ctx, tx, id); err != nil {
		return ledger.Person{}, err
	}
	p.Links, err = list(ctx, tx, `SELECT `+linkColumns+` FROM links WHERE person_id = ? ORDER BY app`, []any{id}, linkDest)
	if err != nil {
		return ledger.Person{}, err
	}
	if p.Steps, err = unfinishedSteps(ctx, tx, id); err != nil {
		return ledger.Person{}, err
	}
	p.Waivers, err = list(ctx, tx, `SELECT key FROM waivers WHERE person_id = ? ORDER BY key`, []any{id},
		func(key *string) []any { return []any{key} })
	if err != nil {
		return ledger.Person{}, err
	}
	p.ManagerAccounts, err = accounts(ctx, tx, p.ManagerID)
	return p, err
}

func personEvents(ctx context.Context, tx *sql.Tx, id string) ([]ledger.StoredEvent, error) {
	events, err := list(ctx, tx, `SELECT seq, at, body FROM events WHERE person_id = ? ORDER BY seq`, []any{id},
		func(e *ledger.StoredEvent) []any { return []any{&e.Seq, instant{&e.At}, decode{&e.Event}} })
	for i := range events {
		e := &events[i].Event
		e.Recorded = e.Recorded.UTC()
		if e.Termination != nil {
			e.Termination.AccessEndsAt = e.Termination.AccessEndsAt.UTC()
		}
	}
	return events, err
}

func unfinishedSteps(ctx context.Context, tx *sql.Tx, id string) ([]ledger.Step, error) {
	return list(ctx, tx, `SELECT person_id, key, app, kind, state, attempts, code, message, reason,
			planned_at, last_attempt_at, finished_at
		FROM steps WHERE person_id = ? AND state IN ('open', 'attention', 'skipped') ORDER BY app, key`, []any{id},
		func(s *ledger.Step) []any {
			return []any{
				&s.PersonID, &s.Key, &s.App, &s.Kind, &s.State, &s.Attempts, &s.Code, &s.Message, &s.Reason,
				instant{&s.PlannedAt}, instant{&s.LastAttemptAt}, instant{&s.FinishedAt},
			}
		})
}

// accounts are the account IDs that a person has, by app.
func accounts(ctx context.Context, tx *sql.Tx, id string) (map[string]string, error) {
	if id == "" {
		return nil, nil
	}
	type account struct{ app, id string }
	found, err := list(ctx, tx, `SELECT app, account_id FROM links
		WHERE person_id = ? AND state IN ('active', 'disabled') AND account_id <> ''`, []any{id},
		func(a *account) []any { return []any{&a.app, &a.id} })
	byApp := make(map[string]string, len(found))
	for _, a := range found {
		byApp[a.app] = a.id
	}
	return byApp, err
}
