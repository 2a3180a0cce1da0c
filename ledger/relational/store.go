// Package relational is the ledger in SQL, for every database that it can be
// kept in: package sqlite and package postgres bring the tables, the transactions
// and what they say in another way (Engine, Dialect).
package relational

import (
	"context"

	"github.com/tenurehq/tenure/ledger"
)

// Store is a ledger.Ledger in an engine's tables, but for Close: opening and closing
// is the engine's.
type Store struct {
	engine  Engine
	dialect Dialect
	known   string // knownQuery
}

// New is a ledger in the engine's tables.
func New(engine Engine) *Store {
	return &Store{engine: engine, dialect: engine.Dialect(), known: knownQuery(engine.Dialect())}
}

// Ping implements ledger.Ledger.
func (s *Store) Ping(ctx context.Context) error {
	_, err := list(ctx, s.engine, `SELECT count(*) FROM people WHERE id = ''`, nil, func(n *int) []any { return []any{n} })
	return s.explain(err)
}

// write runs f in a transaction that may be shared with other calls.
func (s *Store) write(ctx context.Context, f func(*Tx) error) error {
	return s.explain(s.engine.Write(ctx, as(ctx, f)))
}

// as is f for the operator whose login ctx has, if one is at work.
func as(ctx context.Context, f func(*Tx) error) func(*Tx) error {
	return func(t *Tx) (err error) {
		t.login = "" // others may have had their turn with it
		if login := ledger.LoginOf(ctx, ""); login != "" {
			var role string
			if t.dialect.Session != "" {
				_, err = t.get(t.dialect.Session, nil, &role)
			}
			t.login = ledger.LoginOf(ctx, role)
		}
		if err != nil {
			return err
		}
		return f(t)
	}
}

func (s *Store) explain(err error) error { return s.engine.Explain(err) }
