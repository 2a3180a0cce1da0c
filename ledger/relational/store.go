// Package relational implements the ledger in SQL, for every database that can hold it.
// Packages sqlite and postgres bring the tables, the transactions and the SQL that differs
// (Engine, Dialect).
package relational

import (
	"context"
	"database/sql"

	"github.com/tenurehq/tenure/ledger"
)

// Store is a ledger.Ledger in an engine's tables, without Close: the engine opens and
// closes its database.
type Store struct {
	engine  Engine
	dialect Dialect
	known   string // knownQuery
}

// New returns a ledger in the engine's tables.
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

// as returns f with the login that ctx has, if an operator is at work.
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

// Engine is a database that holds a ledger's tables.
type Engine interface {
	// Write runs f in a transaction. A nil error means that it is committed, any
	// other that nothing of it happened. f may be run more than once.
	Write(ctx context.Context, f func(*Tx) error) error
	// QueryContext reads what is committed.
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Snapshot runs f, all of whose reads are of one moment. F may be run more than
	// once.
	Snapshot(ctx context.Context, f func(Reader) error) error
	// Explain adds to an error of the database its address and what to do.
	Explain(err error) error
	Dialect() Dialect
}

// Reader runs queries: a database, a connection or a transaction.
type Reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Dialect holds the SQL that differs between engines. All engines understand the
// rest: parameters are ? or ?1 (an engine that numbers them otherwise uses Numbered),
// flags are integers, and an upsert names the column that it changes with its table.
type Dialect struct {
	// Array is the text of a table with columns key (from zero) and value: the
	// elements of the JSON array of texts that is parameter ?1.
	Array string
	// Lock ends a SELECT whose rows nobody else is to change until the transaction
	// ends. Empty if nobody else writes meanwhile anyway.
	Lock string
	// LockUsernames is a statement that lets only one transaction at a time go on;
	// empty as above.
	LockUsernames string
	// Clock reads the database's clock, in nanoseconds since 1970. If it is empty
	// this machine's is read: all who use the database share it.
	Clock string
	// Session reads the role that the session was authenticated as; empty if the
	// database has none.
	Session string
	// LockTables keeps everybody else from writing to {tables} until the transaction
	// ends; empty as above.
	LockTables string
	// Counter reads the highest number that {column} of {table}, which the database
	// counts up, was ever given; ForgetCounter (if there is one) and then SetCounter
	// set it to ?1.
	Counter, ForgetCounter, SetCounter string
}

// Compiled lists the queries that are made most often, for an engine that keeps them
// compiled.
func Compiled(d Dialect) []string {
	return []string{
		summaryQuery, eventsQuery, linksQuery, stepsQuery, waiversQuery, lettersQuery, tasksQuery, withdrawalsQuery,
		holdsQuery, retentionsQuery, approvalsQuery, accountsQuery, knownQuery(d),
	}
}
