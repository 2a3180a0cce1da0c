package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tenurehq/tenure/ledger/relational"
)

// maxBatch bounds how many calls share a transaction, so that other processes
// get their turn.
const maxBatch = 256

var errClosed = errors.New("closed")

// writer is the one connection that writes. Its goroutine takes the queued calls, runs them in
// one transaction, and answers after the commit. While one batch is being synced to the disk,
// the next one gathers.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	stmt *statements
	tx   *relational.Tx // on stmt

	batch    int           // most calls in one transaction
	patience time.Duration // most time to wait for other processes

	mu     sync.RWMutex // held for reading while queueing, so that close can end the queue
	closed bool
	queue  chan *job
	done   chan struct{} // closed when the goroutine has ended
}

// job is one call that waits to be part of a transaction.
type job struct {
	run    func(*relational.Tx) error
	claim  atomic.Bool // set by the first of the two: the writer to run the job, or the caller to give up
	err    error
	answer chan struct{} // closed when err holds
}

func openWriter(ctx context.Context, path string, batch int, meter *relational.Meter) (*writer, error) {
	db, err := sql.Open(driverName, writeDSN(path))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, `PRAGMA busy_timeout = 0`) // from now on, begin does the waiting
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	stmt := &statements{meter: meter, compiled: map[string]*sql.Stmt{}, prepare: func(query string) (*sql.Stmt, error) {
		return conn.PrepareContext(context.WithoutCancel(ctx), query)
	}}
	w := &writer{
		db:       db,
		conn:     conn,
		stmt:     stmt,
		tx:       relational.NewTx(stmt, dialect),
		batch:    batch,
		patience: patience,
		queue:    make(chan *job, maxBatch),
		done:     make(chan struct{}),
	}
	go w.loop()
	return w, nil
}

// do runs f in a transaction. A nil error means that it is committed; any other error means
// that nothing was changed. When ctx ends, do returns at once if f has not been started,
// else it waits for the outcome.
func (w *writer) do(ctx context.Context, f func(*relational.Tx) error) error {
	j := &job{run: f, answer: make(chan struct{})}
	if err := w.enqueue(ctx, j); err != nil {
		return err
	}
	select {
	case <-j.answer:
		return j.err
	case <-ctx.Done():
		if j.claim.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-j.answer
		return j.err
	}
}

func (w *writer) enqueue(ctx context.Context, j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.queue <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the queue, waits until it is drained, and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	if !again {
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
	if again {
		return nil
	}
	return errors.Join(w.stmt.close(), w.conn.Close(), w.db.Close())
}

func (w *writer) loop() {
	defer close(w.done)
	for first := range w.queue {
		// Take the file's write lock before the queue is read, so that calls which come
		// during the wait share the transaction.
		err := w.begin(first)
		if err != nil && first.claim.Load() {
			continue // its caller has given up; the next one's may have patience left
		}
		batch := w.gather(first)
		if err == nil {
			err = w.run(batch)
		}
		for _, j := range batch {
			if err != nil {
				j.err = err
			}
			close(j.answer)
		}
	}
}

// begin takes the write lock, waiting for other processes. It polls more often
// than SQLite's own busy handler, which sleeps 100 ms at a time: a process that
// writes without a pause would keep the others out for seconds (measured: one
// write in a hundred waited 1.8 s; this way, 0.07 s).
func (w *writer) begin(first *job) error {
	for start := time.Now(); ; {
		err := w.stmt.exec(`BEGIN IMMEDIATE`)
		waited := time.Since(start)
		if resultCode(err) != sqlite3.SQLITE_BUSY || waited > w.patience || first.claim.Load() {
			return err
		}
		time.Sleep(pause(waited))
	}
}

// pause returns how long to wait before the next try: 1 ms at first, 10 ms after a second,
// with jitter.
func pause(waited time.Duration) time.Duration {
	base := min(max(waited/100, time.Millisecond), 10*time.Millisecond)
	return base/2 + rand.N(base) //nolint:gosec // no secret
}

// gather claims the first job and all jobs that are queued now.
func (w *writer) gather(first *job) []*job {
	var batch []*job
	claim := func(j *job) {
		if j.claim.CompareAndSwap(false, true) {
			batch = append(batch, j)
		}
	}
	claim(first)
	for len(batch) < w.batch {
		select {
		case j, ok := <-w.queue:
			if !ok {
				return batch
			}
			claim(j)
		default:
			return batch
		}
	}
	return batch
}

// run runs the jobs in the open transaction and ends it. A job that fails is undone alone and
// has its own error. If run returns an error, it applies to all jobs, and nothing was changed.
func (w *writer) run(batch []*job) error {
	w.stmt.meter.Writes.Add(int64(len(batch)))
	for _, j := range batch {
		if err := w.savepoint(j); err != nil {
			w.stmt.rollback()
			return err
		}
	}
	if err := w.stmt.exec(`COMMIT`); err != nil {
		w.stmt.rollback()
		return err
	}
	w.stmt.meter.Commits.Add(1)
	return nil
}

func (w *writer) savepoint(j *job) error {
	if err := w.stmt.exec(`SAVEPOINT job`); err != nil {
		return err
	}
	if j.err = j.run(w.tx); j.err != nil {
		// After some errors (disk full, I/O) SQLite has already rolled back
		// everything, savepoints included.
		if err := w.stmt.exec(`ROLLBACK TO job`); err != nil {
			return j.err
		}
	}
	return w.stmt.exec(`RELEASE job`)
}

// statements is the writing connection for the writer and relational.Tx, with statements that
// are compiled once. It is used by one goroutine. It takes no context, because a transaction
// that several callers share must not end when one of them has gone.
type statements struct {
	meter    *relational.Meter
	prepare  func(query string) (*sql.Stmt, error)
	compiled map[string]*sql.Stmt
}

func (s *statements) stmt(query string) (*sql.Stmt, error) {
	s.meter.Statements.Add(1)
	if compiled, ok := s.compiled[query]; ok {
		return compiled, nil
	}
	compiled, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	s.compiled[query] = compiled
	return compiled, nil
}

// Exec implements relational.Conn.
func (s *statements) Exec(query string, args ...any) (sql.Result, error) {
	stmt, err := s.stmt(query) //nolint:sqlclosecheck // kept for the next time: close closes it
	if err != nil {
		return nil, err
	}
	return stmt.Exec(args...)
}

// Query implements relational.Conn.
func (s *statements) Query(query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.stmt(query) //nolint:sqlclosecheck // kept for the next time: close closes it
	if err != nil {
		return nil, err
	}
	return stmt.Query(args...)
}

func (s *statements) exec(query string) error {
	_, err := s.Exec(query)
	return err
}

// rollback ends the transaction. It ignores the error that there is none, because SQLite ends
// the transaction itself after a severe error.
func (s *statements) rollback() { _ = s.exec(`ROLLBACK`) }

func (s *statements) close() error {
	errs := make([]error, 0, len(s.compiled))
	for _, stmt := range s.compiled {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
