// Package sqlite keeps the ledger in one SQLite file, in WAL mode. What the
// ledger does there is in package relational.
//
// The file may be used by several processes of one machine at once (starter,
// worker, the operator's command line). Reads use a pool of connections and
// never wait. All writes of a process go through one connection, owned by one
// goroutine, which commits what is waiting in one transaction: a hundred
// concurrent callers share one fsync instead of queueing for a hundred. Writers
// of several processes wait for one another.
//
// The file must be on a local file system: WAL needs shared memory.
package sqlite

import (
	"context"
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
	writes, err := openWriter(ctx, path, batch)
	if err != nil {
		return nil, errors.Join(explain(path, err), reads.Close())
	}
	s := &Store{path: path, reads: reads, writes: writes}
	s.Store = relational.New(engine{s})
	return s, nil
}

// Close waits for the writes that were accepted, then closes the file. Calls
// after it fail.
func (s *Store) Close() error {
	if err := errors.Join(s.writes.close(), s.reads.Close()); err != nil {
		return fmt.Errorf("close ledger %s: %w", s.path, err)
	}
	return nil
}
