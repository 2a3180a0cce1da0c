package relational

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// identifierKey returns an identifier's value as it is stored and looked for: in lower case
// where spelling does not matter, and no longer than an index has room for.
func identifierKey(kind ledger.IdentifierKind, value string) string {
	switch kind {
	case ledger.IdentifiesAccount:
		return value // an app may tell IDs apart by their case
	case ledger.IdentifiesPerson:
		return indexable(value)
	case ledger.IdentifiesEmployee, ledger.IdentifiesUsername, ledger.IdentifiesEmail:
	}
	return indexable(strings.ToLower(strings.TrimSpace(value)))
}

// NoteIdentifiers implements ledger.Identifiers.
func (s *Store) NoteIdentifiers(ctx context.Context, at time.Time, ids []ledger.Identifier) error {
	return s.write(ctx, func(t *Tx) error {
		if err := t.noteIdentifiers(at, ids...); err != nil {
			return fmt.Errorf("note identifiers: %w", err)
		}
		return nil
	})
}

// noteIdentifiers adds the identifiers that are not recorded yet.
func (t *Tx) noteIdentifiers(at time.Time, ids ...ledger.Identifier) error {
	args, rows := []any{}, 0
	// In one order, so that two transactions do not wait for each other.
	ids = slices.SortedFunc(slices.Values(ids), func(a, b ledger.Identifier) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.App, b.App), cmp.Compare(a.Value, b.Value), cmp.Compare(a.PersonID, b.PersonID))
	})
	for _, id := range ids {
		value := identifierKey(id.Kind, id.Value)
		if value == "" || id.PersonID == "" {
			continue
		}
		args, rows = append(args, string(id.Kind), id.App, value, id.PersonID, at.UnixMicro()), rows+1
	}
	if rows == 0 {
		return nil
	}
	const row = `(?, ?, ?, ?, ?)`
	return t.exec(`INSERT INTO identifiers (kind, app, value, person_id, since) VALUES `+strings.Repeat(row+`, `, rows-1)+row+` ON CONFLICT DO NOTHING`, args...)
}

// noteAccount records that an account is, or was, the person's.
func (t *Tx) noteAccount(l ledger.Link, at time.Time) error {
	return t.noteIdentifiers(at, ledger.Identifier{Kind: ledger.IdentifiesAccount, App: l.App, Value: l.AccountID, PersonID: l.PersonID})
}

// Unidentified implements ledger.Identifiers.
func (s *Store) Unidentified(ctx context.Context, after string, limit int) ([]string, error) {
	ids, err := list(ctx, s.engine, `SELECT id FROM people p WHERE id > ? AND NOT EXISTS (
		SELECT 1 FROM identifiers i WHERE i.person_id = p.id AND i.kind = 'person') ORDER BY id LIMIT ?`,
		[]any{after, max(limit, 0)}, func(id *string) []any { return []any{id} })
	return ids, s.explain(err)
}

// Identifiers implements ledger.Identifiers.
func (s *Store) Identifiers(ctx context.Context, personID string) ([]ledger.Identifier, error) {
	ids, err := list(ctx, s.engine, `SELECT kind, app, value, person_id, since FROM identifiers WHERE person_id = ? ORDER BY kind, app, value`,
		[]any{personID}, func(i *ledger.Identifier) []any {
			return []any{&i.Kind, &i.App, &i.Value, &i.PersonID, instant{&i.Since}}
		})
	return ids, s.explain(err)
}
