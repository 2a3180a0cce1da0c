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
	Bytes:         `BLOB`,
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

// Explain implements relational.Engine.
func (e engine) Explain(err error) error { return explain(e.path, err) }

// Dialect implements relational.Engine.
func (e engine) Dialect() relational.Dialect { return dialect }
