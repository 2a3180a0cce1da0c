package sqlite

import (
	"context"
	"database/sql"
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

// The queries of one read of a person, each compiled once per connection.
const (
	summaryQuery = `SELECT ` + summaryColumns + ` FROM people WHERE id = ?`
	eventsQuery  = `SELECT seq, at, body FROM events WHERE person_id = ? ORDER BY seq`
	linksQuery   = `SELECT ` + linkColumns + ` FROM links WHERE person_id = ? ORDER BY app`
	stepsQuery   = `SELECT ` + stepColumns + ` FROM steps s
		WHERE person_id = ? AND state IN ('open', 'attention', 'skipped') ORDER BY app, key`
	waiversQuery = `SELECT key FROM waivers WHERE person_id = ? ORDER BY key`
	lettersQuery = `SELECT ` + letterColumns + ` FROM dead_letters
		WHERE person_id = ? AND person_id <> '' AND state IN ('open', 'redriven') ORDER BY id`
	tasksQuery    = `SELECT ` + taskColumns + ` FROM tasks WHERE person_id = ? AND ` + unfinished + ` ORDER BY id`
	accountsQuery = `SELECT app, account_id FROM links
		WHERE person_id = ? AND state IN ('active', 'disabled') AND account_id <> ''`
)

// personReads are the compiled queries, by their text.
type personReads map[string]*sql.Stmt

func preparePersonReads(ctx context.Context, db *sql.DB) (personReads, error) {
	reads := personReads{}
	for _, query := range []string{summaryQuery, eventsQuery, linksQuery, stepsQuery, waiversQuery, lettersQuery, tasksQuery, accountsQuery} {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept: closing the database closes it
		if err != nil {
			return nil, err
		}
		reads[query] = stmt
	}
	return reads, nil
}

// snapshot is a transaction that runs compiled queries.
type snapshot struct {
	tx    *sql.Tx
	reads personReads
}

// QueryContext implements queryer for the queries that are compiled.
func (s snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.tx.StmtContext(ctx, s.reads[query]).QueryContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
}

func (s *Store) readPerson(ctx context.Context, id string) (p ledger.Person, err error) {
	// One transaction: all of it is of the same moment.
	tx, err := s.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return ledger.Person{}, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	now := snapshot{tx, s.personReads}
	summaries, err := list(ctx, now, summaryQuery, []any{id}, summaryDest)
	if err != nil {
		return ledger.Person{}, err
	}
	if len(summaries) == 0 {
		return ledger.Person{}, ledger.ErrNotFound
	}
	p.Summary = summaries[0]
	if p.Events, err = personEvents(ctx, now, id); err != nil {
		return ledger.Person{}, err
	}
	if p.Links, err = list(ctx, now, linksQuery, []any{id}, linkDest); err != nil {
		return ledger.Person{}, err
	}
	if p.Steps, err = list(ctx, now, stepsQuery, []any{id}, stepDest); err != nil {
		return ledger.Person{}, err
	}
	p.Waivers, err = list(ctx, now, waiversQuery, []any{id}, func(key *string) []any { return []any{key} })
	if err != nil {
		return ledger.Person{}, err
	}
	if p.Letters, err = list(ctx, now, lettersQuery, []any{id}, letterDest); err != nil {
		return ledger.Person{}, err
	}
	if p.Tasks, err = list(ctx, now, tasksQuery, []any{id}, taskDest); err != nil {
		return ledger.Person{}, err
	}
	p.ManagerAccounts, err = accounts(ctx, now, p.ManagerID)
	return p, err
}

func personEvents(ctx context.Context, now snapshot, id string) ([]ledger.StoredEvent, error) {
	events, err := list(ctx, now, eventsQuery, []any{id},
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

// accounts are the account IDs that a person has, by app.
func accounts(ctx context.Context, now snapshot, id string) (map[string]string, error) {
	if id == "" {
		return nil, nil
	}
	type account struct{ app, id string }
	found, err := list(ctx, now, accountsQuery, []any{id},
		func(a *account) []any { return []any{&a.app, &a.id} })
	byApp := make(map[string]string, len(found))
	for _, a := range found {
		byApp[a.app] = a.id
	}
	return byApp, err
}
