package postgres

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/ledger/relational"
)

// patience is how long a call is repeated before it fails. A server that restarts, or fails
// over to another, takes seconds. Callers of a ledger wait longer than this.
const patience = 10 * time.Second

// dialect is PostgreSQL's. There are other writers at the same time, on other machines.
var dialect = relational.Dialect{
	Array: `(SELECT ordinality - 1 AS key, value FROM json_array_elements_text(?1::json) WITH ORDINALITY)`,
	Bytes: `BYTEA`,
	Lock:  ` FOR NO KEY UPDATE`,
	// The number is a random one that identifies this advisory lock.
	LockUsernames: `SELECT pg_advisory_xact_lock(4853611790230161)`,
	Clock:         `SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint`,

	Session:    `SELECT session_user::text`,
	LockTables: `LOCK TABLE {tables} IN EXCLUSIVE MODE`,
	// Every transaction holds a lock on its own name until it ends, and whoever asks may see it.
	Writers:    `SELECT virtualtransaction FROM pg_locks WHERE locktype = 'virtualxid' AND mode = 'ExclusiveLock' AND pid <> pg_backend_pid()`,
	Counter:    `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_{column}_seq`,
	SetCounter: `SELECT setval('{table}_{column}_seq', ?1)`,
}

// engine is the database for package relational.
type engine struct {
	db       *sql.DB
	at       *address
	patience time.Duration
	meter    relational.Meter
}

// Dialect implements relational.Engine.
func (e *engine) Dialect() relational.Dialect { return dialect }

// Explain implements relational.Engine.
func (e *engine) Explain(err error) error { return e.at.explain(err) }

// QueryContext implements relational.Engine.
func (e *engine) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	e.meter.Reads.Add(1)
	e.meter.RoundTrips.Add(1)
	e.meter.Statements.Add(1)
	err = e.persist(ctx, func() (again bool, err error) {
		rows, err = reader{e.db}.QueryContext(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // the caller's
		return transient(err), err
	})
	return rows, err
}

// Snapshot implements relational.Engine.
func (e *engine) Snapshot(ctx context.Context, f func(relational.Reader) error) error {
	return e.persist(ctx, func() (again bool, err error) {
		tx, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err == nil {
			defer func() { _ = tx.Rollback() }() // nothing was written
			e.meter.Reads.Add(1)
			e.meter.RoundTrips.Add(2)
			e.meter.Statements.Add(2)
			err = f(metered{reader{tx}, &e.meter})
		}
		return transient(err), err
	})
}

// Write implements relational.Engine.
func (e *engine) Write(ctx context.Context, f func(*relational.Tx) error) error {
	e.meter.Writes.Add(1)
	return e.persist(ctx, func() (again bool, err error) { return e.transact(ctx, f) })
}

// pauses are those between tries of one call.
var pauses = backoff.Range{Min: time.Millisecond, Max: time.Second}

// persist repeats a call until it succeeds, fails in a way that another try would not mend,
// or patience is over.
func (e *engine) persist(ctx context.Context, call func() (again bool, err error)) error {
	for start, pauses := time.Now(), pauses.Start(); ; {
		again, err := call()
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil || !again || time.Since(start) > e.patience {
			return err
		}
		if err := pauses.Wait(ctx, 0); err != nil {
			return err
		}
	}
}

// transact runs f in one transaction, and reports whether to do so again.
func (e *engine) transact(ctx context.Context, f func(*relational.Tx) error) (again bool, err error) {
	c, err := e.db.Conn(ctx)
	if err != nil {
		return transient(err), err
	}
	defer func() { _ = c.Close() }() // returns the connection; one that is still in a transaction is not used again
	p := e.pipe(ctx, c)
	for _, statement := range begin {
		_ = p.Later(statement, nil, nil) // is sent with the first statement
	}
	err = f(relational.NewTx(p, dialect))
	if err == nil && !p.sent {
		// A wait for locks ends with ctx, and the one for a commit does not.
		err = p.Flush()
	}
	if err != nil {
		again = transient(err) || broken(c)
		p.rollback(ctx)
		return again, err
	}
	// From here on the caller waits for the outcome, even if ctx ends.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.patience)
	defer cancel()
	if err := p.commit(end); err != nil && broken(c) {
		// The commit may have happened or not. The call can be repeated in both cases.
		return true, &unansweredError{err}
	} else if err != nil {
		p.rollback(ctx)
		return transient(err), err
	}
	e.meter.Commits.Add(1)
	return false, nil
}

// begin begins a transaction. The timeout keeps a process that hangs from holding its locks for
// ever.
var begin = []string{`BEGIN ISOLATION LEVEL READ COMMITTED`, `SET LOCAL idle_in_transaction_session_timeout = '1min'`}

// Together implements relational.Asked.
func (e *engine) Together(ctx context.Context, asks []relational.Ask) error {
	e.meter.Reads.Add(1)
	return e.persist(ctx, func() (again bool, err error) {
		c, err := e.db.Conn(ctx)
		if err != nil {
			return transient(err), err
		}
		defer func() { _ = c.Close() }()
		p := e.pipe(ctx, c)
		p.queued = append(p.queued, queued{query: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`})
		for _, ask := range asks {
			p.queued = append(p.queued, queued{ask.Query, ask.Args, ask.Read})
		}
		p.queued = append(p.queued, queued{query: `COMMIT`})
		if err = p.Flush(); err != nil {
			again = transient(err) || broken(c)
			p.rollback(ctx)
		}
		return again, err
	})
}

// unansweredError wraps the error of a commit whose answer was lost.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

// broken reports whether the connection cannot be used any more.
func broken(c *sql.Conn) bool {
	var closed bool
	err := c.Raw(func(driver any) error {
		closed = driver.(*stdlib.Conn).Conn().IsClosed()
		return nil
	})
	return closed || err != nil
}

// state returns the SQLSTATE of an error, or "" if the server gave none.
func state(err error) string {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Code
	}
	return ""
}

// querier is a database, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// reader is a querier that understands package relational's queries.
type reader struct{ q querier }

// QueryContext implements relational.Reader.
func (r reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.q.QueryContext(ctx, relational.Numbered(query), plain(args)...)
}

// metered is a reader in a transaction that only reads.
type metered struct {
	reader
	meter *relational.Meter
}

// QueryContext implements relational.Reader.
func (r metered) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.meter.RoundTrips.Add(1)
	r.meter.Statements.Add(1)
	return r.reader.QueryContext(ctx, query, args...)
}

// conn is a connection in a transaction, for one call.
type conn struct {
	ctx context.Context //nolint:containedctx // of the call, and lives no longer
	q   querier
}

// Exec implements relational.Conn.
func (c conn) Exec(query string, args ...any) (sql.Result, error) {
	return c.q.ExecContext(c.ctx, relational.Numbered(query), plain(args)...)
}

// Query implements relational.Conn.
func (c conn) Query(query string, args ...any) (*sql.Rows, error) {
	return reader{c.q}.QueryContext(c.ctx, query, args...)
}

// plain converts arguments to the types of the columns: texts and whole numbers.
func plain(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			out[i] = int64(0)
			if v {
				out[i] = int64(1)
			}
		case string:
			out[i] = relational.Storable(v)
		default:
			out[i] = a
			if r := reflect.ValueOf(a); r.Kind() == reflect.String {
				out[i] = relational.Storable(r.String())
			}
		}
	}
	return out
}
