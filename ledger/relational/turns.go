package relational

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// What recording an event changes about its person. Once the person is told of an event, they
// wait for none: their run sees everything that was recorded before it.
const (
	queued = `UPDATE people SET last_seq = ?1, revision = revision + 1, erased_at = NULL,
			turn_seq = coalesce(turn_seq, ?1), turn_manager = coalesce(nullif(?3, ''), turn_manager)
		WHERE id = ?2`
	told = `UPDATE people SET last_seq = ?1, revision = revision + 1, erased_at = NULL, ` + takesTurn + ` WHERE id = ?3`

	takesTurn = `turn_seq = NULL, turn_manager = '', told_at = ?2,
			due_what = CASE WHEN due_at < ?2 THEN due_what ELSE 'event' END,
			due_at = CASE WHEN due_at < ?2 THEN due_at ELSE ?2 END`
)

// waitsAsNew reports whether a person waits and was never assessed.
func (t *Tx) waitsAsNew(personID string) (bool, error) {
	return t.get(`SELECT 1 FROM people WHERE id = ? AND turn_seq IS NOT NULL AND assessed_at IS NULL AND told_at IS NULL`,
		[]any{personID}, new(int))
}

// managerOf returns the manager whom an event names, if it names one.
func managerOf(e hr.Event) string {
	if e.Profile == nil {
		return ""
	}
	return e.Profile.ManagerID
}

// Line implements ledger.Turns.
func (s *Store) Line(ctx context.Context, after int64, limit int) ([]ledger.Place, error) {
	places, err := list(ctx, s.engine, `SELECT p.id, p.last_seq, p.turn_manager,
			EXISTS (SELECT 1 FROM people m WHERE m.id = p.turn_manager AND m.assessed_at IS NOT NULL)
		FROM people p WHERE p.turn_seq IS NOT NULL AND p.last_seq > ? ORDER BY p.last_seq LIMIT ?`,
		[]any{after, max(limit, 0)}, func(p *ledger.Place) []any { return []any{&p.PersonID, &p.LastSeq, &p.ManagerID, &p.Known} })
	return places, s.explain(err)
}

// turnsQuery returns the query for what people wait for. Their IDs are a JSON array (?1).
func turnsQuery(d Dialect) string {
	return `SELECT p.id, p.last_seq, l.source, l.id, f.body, f.at
		FROM ` + d.Array + ` AS wanted CROSS JOIN people p
			JOIN events f ON f.seq = p.turn_seq
			JOIN events l ON l.seq = p.last_seq
		WHERE p.id = wanted.value`
}

// Turns implements ledger.Turns.
func (s *Store) Turns(ctx context.Context, people []string) ([]ledger.Turn, error) {
	wanted, err := encoded(append([]string{}, people...))
	if err != nil {
		return nil, err
	}
	turns, err := list(ctx, s.engine, turnsQuery(s.engine.Dialect()), []any{wanted}, func(t *ledger.Turn) []any {
		return []any{&t.PersonID, &t.LastSeq, &t.LastKey.Source, &t.LastKey.ID, decode{&t.First}, instant{&t.At}}
	})
	if err != nil {
		return nil, s.explain(fmt.Errorf("read what %d people wait for: %w", len(people), err))
	}
	return turns, nil
}

// TakeTurns implements ledger.Turns.
func (s *Store) TakeTurns(ctx context.Context, turns []ledger.Turn, at time.Time) error {
	// In one order, so that two callers do not wait for each other.
	turns = slices.SortedFunc(slices.Values(turns), func(a, b ledger.Turn) int { return cmp.Compare(a.PersonID, b.PersonID) })
	return s.write(ctx, func(t *Tx) error {
		for _, turn := range turns {
			if err := t.exec(`UPDATE people SET revision = revision + 1, `+takesTurn+` WHERE id = ?1 AND turn_seq IS NOT NULL AND last_seq = ?3`,
				turn.PersonID, at.UnixMicro(), turn.LastSeq); err != nil {
				return err
			}
		}
		return nil
	})
}

// AtWork implements ledger.Turns.
func (s *Store) AtWork(ctx context.Context, since time.Time, limit int) ([]ledger.Told, error) {
	people, err := list(ctx, s.engine, `SELECT id, told_at FROM people WHERE told_at > ? ORDER BY told_at DESC LIMIT ?`,
		[]any{since.UnixMicro(), max(limit, 0)}, func(t *ledger.Told) []any { return []any{&t.PersonID, instant{&t.At}} })
	return people, s.explain(err)
}

// Backlog implements ledger.Turns.
func (s *Store) Backlog(ctx context.Context) (ledger.Backlog, error) {
	rows, err := list(ctx, s.engine, `SELECT count(*), min(e.at) FROM people p JOIN events e ON e.seq = p.turn_seq
		WHERE p.turn_seq IS NOT NULL`, nil,
		func(b *ledger.Backlog) []any { return []any{&b.People, instant{&b.Oldest}} })
	if err != nil {
		return ledger.Backlog{}, s.explain(err)
	}
	return rows[0], nil
}
