package relational

import (
	"context"
	"database/sql"
)

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
	// Explain makes an error of the database's say where it is and what to do.
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

// Compiled are the queries that are made most often, for an engine that keeps
// compiled ones itself.
func Compiled(d Dialect) []string {
	return []string{
		summaryQuery, eventsQuery, linksQuery, stepsQuery, waiversQuery, lettersQuery, tasksQuery, withdrawalsQuery,
		holdsQuery, retentionsQuery, approvalsQuery, accountsQuery, knownQuery(d),
	}
}
