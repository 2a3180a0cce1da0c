package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// scrubPatience is how long Scrub waits for those who read or write to let it pass.
const scrubPatience = 30 * time.Second

// Scrub implements ledger.Privacy. The writer overwrites what it erases (secure_delete), but
// earlier versions did not, and the write-ahead log has pages from before. So the file is written
// anew, and the log is emptied.
func (s *Store) Scrub(ctx context.Context) error {
	if err := s.scrub(ctx); err != nil {
		return explain(s.path, fmt.Errorf("scrub: %w", err))
	}
	return nil
}

func (s *Store) scrub(ctx context.Context) (err error) {
	db, err := sql.Open(driverName, writeDSN(s.path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// What SQLite puts aside meanwhile must not be a file, in which it would be left.
	if _, err := conn.ExecContext(ctx, `PRAGMA temp_store = MEMORY`); err != nil {
		return err
	}
	for start := time.Now(); ; {
		_, err := conn.ExecContext(ctx, `VACUUM`)
		if err == nil {
			var busy bool
			if busy, err = truncate(ctx, conn); err == nil && !busy {
				return nil
			}
		}
		if err != nil && resultCode(err) != sqlite3.SQLITE_BUSY {
			return err
		}
		waited := time.Since(start)
		if waited > scrubPatience {
			return errors.New("another process reads the file all the time, so that its log cannot be emptied: try again")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause(waited)):
		}
	}
}

// truncate empties the write-ahead log, and reports whether somebody was in the way.
func truncate(ctx context.Context, conn *sql.Conn) (busy bool, err error) {
	var frames, done int
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &done)
	return busy, err
}
