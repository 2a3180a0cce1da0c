// Package sqlite keeps the ledger in one SQLite file, in WAL mode. Package relational
// implements the ledger's methods.
//
// The file may be used by several processes of one machine at once (starter,
// worker, the operator's command line). Reads use a pool of connections and
// never wait. All writes of a process go through one connection, owned by one
// goroutine, which commits all waiting calls in one transaction: a hundred
// concurrent callers share one fsync instead of queueing for a hundred. Writers
// of several processes wait for one another.
//
// The file must be on a local file system: WAL needs shared memory.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/relational"
)

// Store is a ledger in a SQLite file.
type Store struct {
	*relational.Store
	path   string
	reads  *reads
	writes *writer
	meter  relational.Meter
}

var _ ledger.Ledger = (*Store)(nil)

// Open opens the ledger in the file at path, which it makes if it is missing,
// and brings its schema up to date. A relative path is relative to the working
// directory.
func Open(ctx context.Context, path string) (*Store, error) {
	return openBatching(ctx, path, maxBatch)
}

func openBatching(ctx context.Context, path string, batch int) (*Store, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if err := migrate(ctx, path); err != nil {
		return nil, explain(path, err)
	}
	reads, err := openReads(ctx, path)
	if err != nil {
		return nil, explain(path, err)
	}
	s := &Store{path: path, reads: reads}
	if s.writes, err = openWriter(ctx, path, batch, &s.meter); err != nil {
		return nil, errors.Join(explain(path, err), reads.Close())
	}
	s.Store = relational.New(engine{s})
	return s, nil
}

// Spent returns what was asked of the file so far.
func (s *Store) Spent() relational.Spent { return s.meter.Spent() }

// Close waits for the writes that were accepted, then closes the file. Calls
// after it fail.
func (s *Store) Close() error {
	if err := errors.Join(s.writes.close(), s.reads.Close()); err != nil {
		return fmt.Errorf("close ledger %s: %w", s.path, err)
	}
	return nil
}

// dialect is SQLite's. One transaction writes at a time, and all processes that share the file
// share the machine's clock.
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
	e.meter.Reads.Add(1)
	e.meter.Statements.Add(1)
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
	e.meter.Reads.Add(1)
	e.meter.Statements.Add(2) // the beginning and the end
	return f(snapshot{tx, e.reads.compiled, &e.meter})
}

// Explain implements relational.Engine.
func (e engine) Explain(err error) error { return explain(e.path, err) }

// Dialect implements relational.Engine.
func (e engine) Dialect() relational.Dialect { return dialect }

// reads holds the connections that read. The most frequent queries are compiled once for each
// connection.
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
	meter    *relational.Meter
}

// QueryContext implements relational.Reader.
func (s snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s.meter.Statements.Add(1)
	if compiled, ok := s.compiled[query]; ok {
		return s.tx.StmtContext(ctx, compiled).QueryContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return s.tx.QueryContext(ctx, query, args...)
}
