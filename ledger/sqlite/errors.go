package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tenurehq/tenure/ledger"
)

// advice holds what an operator can do, by primary result code.
// See https://www.sqlite.org/rescode.html.
var advice = map[int]string{
	sqlite3.SQLITE_BUSY:     "another process has been writing for too long: see which programs have the file open",
	sqlite3.SQLITE_CANTOPEN: "cannot be opened: see that the file and its directory may be read and written",
	sqlite3.SQLITE_READONLY: "is read-only: see that the file and its directory may be written",
	sqlite3.SQLITE_PERM:     "is not accessible: see that the file and its directory may be read and written",
	sqlite3.SQLITE_FULL:     "the disk is full: free some space, nothing that was acknowledged is lost",
	sqlite3.SQLITE_IOERR:    "the disk failed: see the system's log, nothing that was acknowledged is lost",
	sqlite3.SQLITE_NOTADB:   "is not a ledger: give another path, the file was left as it is",
	sqlite3.SQLITE_CORRUPT:  "is damaged: stop Tenure and restore the last backup",
	sqlite3.SQLITE_PROTOCOL: "cannot be locked: it must be on a local file system",
}

// refusing holds the primary result codes of data that SQLite can never keep.
var refusing = map[int]bool{
	sqlite3.SQLITE_CONSTRAINT: true, sqlite3.SQLITE_TOOBIG: true, sqlite3.SQLITE_MISMATCH: true, sqlite3.SQLITE_RANGE: true,
}

// explain adds the file's path and what to do to an error.
func explain(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrNotFound), errors.Is(err, ledger.ErrStale),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if what, ok := advice[resultCode(err)]; ok {
		return fmt.Errorf("ledger %s %s: %w", path, what, err)
	}
	if refusing[resultCode(err)] {
		return fmt.Errorf("ledger %s: %w: %w", path, ledger.ErrRefused, err)
	}
	return fmt.Errorf("ledger %s: %w", path, err)
}

// resultCode returns SQLite's primary result code, or 0 if err is not SQLite's.
func resultCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}
