package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"

	"github.com/tenurehq/tenure/ledger/relational"
)

// dialect of SQLite: one transaction writes at a time, and those who share the
// file share the machine's clock.
var dialect = relational.Dialect{
	Array:         `json_each(?1)`,
	Counter:       `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '{table}'`,
	ForgetCounter: `DELETE FROM sqlite_sequence WHERE name = '{table}'`,
	SetCounter:    `INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', ?1)`,
}

// engine is the file for package relational.
type engine struct{ *Store }

// Write implements relational.Engine. The transaction may be shared with other
// calls.
func (e engine) Write(ctx context.Context, f func(*relational.Tx) error) error {
	return e.writes.do(ctx, f)
}

// QueryContext implements relational.Engine.
func (e engine) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if compiled, ok := e.reads.compiled[query]; ok {
		return compiled.QueryContext(ctx, args...)
	}
	return e.reads.QueryContext(ctx, query, args...)
}

// Snapshot implements relational.Engine.
func (e engine) Snapshot(ctx context.Context, f func(relational.Reader) error) error {
	tx, err := e.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return f(snapshot{tx, e.reads.compiled})
}

// Explain implements relational.Engine.
func (e engine) Explain(err error) error { return explain(e.path, err) }

// Dialect implements relational.Engine.
func (e engine) Dialect() relational.Dialect { return dialect }

// reads are the connections that read, with the queries that are made most often
// compiled once per connection.
type reads struct {
	*sql.DB
	compiled map[string]*sql.Stmt // by their text
}

func openReads(ctx context.Context, path string) (*reads, error) {
	db, err := sql.Open(driverName, readDSN(path))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(max(4, runtime.NumCPU()))
	db.SetMaxIdleConns(max(4, runtime.NumCPU()))
	r := &reads{db, map[string]*sql.Stmt{}}
	for _, query := range relational.Compiled(dialect) {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept: closing the database closes it
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		r.compiled[query] = stmt
	}
	return r, nil
}

// snapshot is a transaction that reads.
type snapshot struct {
	tx       *sql.Tx
	compiled map[string]*sql.Stmt
}

// QueryContext implements relational.Reader.
func (s snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if compiled, ok := s.compiled[query]; ok {
		return s.tx.StmtContext(ctx, compiled).QueryContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return s.tx.QueryContext(ctx, query, args...)
}
