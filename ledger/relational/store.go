// Package relational implements the ledger in SQL for every database. Packages sqlite and
// postgres add the tables, the transactions and the SQL that differs (Engine, Dialect).
package relational

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tenurehq/tenure/ledger"
)

// Store is a ledger.Ledger in an engine's tables, without Close: the engine opens and
// closes its database.
type Store struct {
	engine  Engine
	dialect Dialect
	known   string // knownQuery
	pepper  []byte // see SetPepper
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
	return s.explain(s.engine.Write(ctx, as(ctx, func(t *Tx) error {
		t.pepper = s.pepper
		return f(t)
	})))
}

// written returns the result of f, which runs as in write. An error of f says what it was to do,
// unless that is empty.
func written[T any](ctx context.Context, s *Store, what string, f func(*Tx) (T, error)) (result T, err error) {
	err = s.write(ctx, func(t *Tx) (err error) {
		if result, err = f(t); err != nil && what != "" {
			err = fmt.Errorf("%s: %w", what, err)
		}
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// as returns f with ctx's login, if an operator is at work, and with ctx's notices.
func as(ctx context.Context, f func(*Tx) error) func(*Tx) error {
	return func(t *Tx) (err error) {
		t.login, t.named = "", nil // other calls may have used t before
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
		if err := f(t); err != nil {
			return err
		}
		return t.tell(ledger.NoticesOf(ctx))
	}
}

func (s *Store) explain(err error) error { return s.engine.Explain(err) }

// Engine is a database that holds a ledger's tables.
type Engine interface {
	// Write runs f in a transaction. A nil error means that it is committed; any other
	// error means that nothing was changed. It may run f more than once.
	Write(ctx context.Context, f func(*Tx) error) error
	// QueryContext reads committed data.
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Snapshot runs f with a Reader that sees the data of one moment. It may run f more
	// than once.
	Snapshot(ctx context.Context, f func(Reader) error) error
	// Explain adds the database's address, and what to do, to an error of the database.
	Explain(err error) error
	Dialect() Dialect
}

// Reader runs queries: a database, a connection or a transaction.
type Reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Dialect holds the SQL that differs between engines. All engines understand the rest.
// Parameters are ? or ?1 (an engine with other numbers uses Numbered), flags are integers,
// and an upsert writes the column that it changes with the name of its table.
type Dialect struct {
	// Array is a table expression with columns key (from zero) and value: the elements of
	// the JSON array of texts in parameter ?1.
	Array string
	// Bytes is the type of a sequence of bytes.
	Bytes string
	// Lock is added to the end of a SELECT to lock its rows until the transaction ends. It
	// is empty if there is never another writer.
	Lock string
	// LockUsernames is a statement that only one transaction at a time can pass; empty if
	// there is never another writer.
	LockUsernames string
	// Clock reads the database's clock, in nanoseconds since 1970. If it is empty, all
	// processes that use the database are on this machine, and its clock is read.
	Clock string
	// Session reads the role as which the session was authenticated; empty if the database
	// has no roles.
	Session string
	// Writers lists the transactions that are under way, by names that are never used again
	// while one of them may be; empty if rows become visible in the order of their numbers.
	Writers string
	// LockTables keeps all others from writing to {tables} until the transaction ends;
	// empty if there is never another writer.
	LockTables string
	// Counter reads the highest number that the database ever gave to {column} of {table},
	// which it counts up. ForgetCounter (if it is not empty) and then SetCounter set the
	// counter to ?1.
	Counter, ForgetCounter, SetCounter string
}

// Compiled returns the most frequent queries, for an engine that keeps them compiled.
func Compiled(d Dialect) []string {
	return []string{
		summaryQuery, eventsQuery, linksQuery, stepsQuery, waiversQuery, lettersQuery, tasksQuery, withdrawalsQuery,
		holdsQuery, retentionsQuery, approvalsQuery, exceptionsQuery, accountsQuery, knownQuery(d),
		carriedQuery, earlierQuery, earlierEventsQuery, earlierHoldsQuery, earlierExceptionsQuery, unsequencedQuery,
	}
}
