// Package postgres keeps the ledger in a PostgreSQL database (14 or later), for
// processes on any number of machines. What the ledger does there is in package
// relational.
//
// Every call that writes is a transaction of its own (READ COMMITTED), which locks
// the people whom it concerns. It is run again if it is told to give way (deadlock,
// serialization), and if the connection breaks: before the commit was sent nothing
// has happened, and of a commit whose answer was lost it is not known, but calls of
// a ledger may be repeated. See docs/adr/0017-one-sql-for-two-databases.md.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/relational"
)

// Store is a ledger in a PostgreSQL database.
type Store struct {
	*relational.Store
	db     *sql.DB
	at     *address
	engine *engine
}

var _ ledger.Ledger = (*Store)(nil)

// Open opens the ledger in the database at url, and makes its tables or brings them
// up to date: many processes may do so at once. The error is ledger.ErrUnreachable
// if the database does not answer, and never holds the URL's password.
func Open(ctx context.Context, url string) (*Store, error) {
	at, err := parse(url)
	if err != nil {
		return nil, err
	}
	db := connections(at)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(at.explain(err), db.Close())
	}
	s := &Store{db: db, at: at, engine: &engine{db: db, at: at, patience: patience}}
	s.Store = relational.New(s.engine)
	return s, nil
}

// Spent returns what was asked of the server so far. It does not count the preparing of each
// statement, which happens once for each connection.
func (s *Store) Spent() relational.Spent { return s.engine.meter.Spent() }

// Ping implements ledger.Ledger. It is less patient than other calls: it is asked how
// things are.
func (s *Store) Ping(ctx context.Context) error {
	const patience = time.Second // connections from before a restart are given up one by one
	return relational.New(&engine{db: s.db, at: s.at, patience: patience}).Ping(ctx)
}

// Close waits for the calls that are under way, and closes the connections. Calls
// after it fail.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close ledger %s: %w", s.at, err)
	}
	return nil
}

// connections returns a pool of connections to the database, and makes none yet.
func connections(at *address) *sql.DB {
	db := stdlib.OpenDB(*at.config, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		again, err := at.parsed() // the files that it names may be others by now
		if err != nil {
			return err
		}
		*c = *again
		return nil
	}))
	db.SetMaxOpenConns(at.most)
	db.SetMaxIdleConns(at.most)
	db.SetConnMaxIdleTime(idle)
	return db
}
