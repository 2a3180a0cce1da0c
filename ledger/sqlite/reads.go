package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"

	"github.com/tenurehq/tenure/ledger/relational"
)

// reads holds the connections that read. The most frequent queries are compiled once for each
// connection.
type reads struct {
	*sql.DB
	compiled map[string]*sql.Stmt // by their text

	// A transaction of database/sql compiles a query anew each time, unless it was compiled on its
	// connection before. So snapshots have connections of their own.
	places chan struct{} // one for each snapshot at a time
	mu     sync.Mutex
	idle   []*session
	closed bool
}

// session is a connection for snapshots.
type session struct {
	*sql.Conn
	compiled map[string]*sql.Stmt
}

// close closes the connection. The compiled queries are closed first: SQLite keeps a file open as
// long as there is one.
func (s *session) close() (err error) {
	for _, compiled := range s.compiled {
		err = errors.Join(err, compiled.Close())
	}
	return errors.Join(err, s.Close())
}

// readers is how many reads there are at a time, of snapshots and of others each.
func readers() int { return max(4, runtime.NumCPU()) }

func openReads(ctx context.Context, path string) (*reads, error) {
	db, err := sql.Open(driverName, readDSN(path))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(2 * readers())
	db.SetMaxIdleConns(2 * readers())
	r := &reads{DB: db, compiled: map[string]*sql.Stmt{}, places: make(chan struct{}, readers())}
	for _, query := range relational.Compiled(dialect) {
		stmt, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept: closing the database closes it
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		r.compiled[query] = stmt
	}
	return r, nil
}

// Close closes all connections. Snapshots that are under way end first.
func (r *reads) Close() error {
	r.mu.Lock()
	r.closed = true
	idle := r.idle
	r.idle = nil
	r.mu.Unlock()
	var failed error
	for _, s := range idle {
		failed = errors.Join(failed, s.close())
	}
	return errors.Join(failed, r.DB.Close())
}

// take returns a connection for a snapshot, and waits for one if all are in use.
func (r *reads) take(ctx context.Context) (*session, error) {
	select {
	case r.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		s := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return s, nil
	}
	r.mu.Unlock()
	conn, err := r.Conn(ctx)
	if err != nil {
		<-r.places
		return nil, err
	}
	return &session{conn, map[string]*sql.Stmt{}}, nil
}

// put takes a connection back. One that is broken, or of which the ledger was closed meanwhile, is
// closed.
func (r *reads) put(s *session, broken bool) {
	defer func() { <-r.places }()
	r.mu.Lock()
	keep := !broken && !r.closed
	if keep {
		r.idle = append(r.idle, s)
	}
	r.mu.Unlock()
	if !keep {
		_ = s.close() // nothing was written
	}
}

// Snapshot implements relational.Engine.
func (e engine) Snapshot(ctx context.Context, f func(relational.Reader) error) error {
	s, err := e.reads.take(ctx)
	if err != nil {
		return err
	}
	tx, err := s.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		e.reads.put(s, true)
		return err
	}
	defer func() { // nothing was written; if the context has ended, the connection may be closed already
		e.reads.put(s, tx.Rollback() != nil)
	}()
	e.meter.Reads.Add(1)
	e.meter.Statements.Add(2) // the beginning and the end
	return f(snapshot{tx, s, e.reads.compiled, &e.meter})
}

// snapshot is a transaction that reads.
type snapshot struct {
	tx       *sql.Tx
	on       *session
	frequent map[string]*sql.Stmt
	meter    *relational.Meter
}

// QueryContext implements relational.Reader.
func (s snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s.meter.Statements.Add(1)
	if _, ok := s.frequent[query]; !ok {
		return s.tx.QueryContext(ctx, query, args...)
	}
	compiled, ok := s.on.compiled[query]
	if !ok {
		var err error
		if compiled, err = s.on.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		s.on.compiled[query] = compiled
	}
	return compiled.QueryContext(ctx, args...)
}
