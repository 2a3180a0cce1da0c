package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a SQLite file as a ledger; the first migration sets it.
const applicationID = 0x544E524C

// migrate makes the file if it is missing, and brings its schema up to date.
// Several processes may do so at the same time.
func migrate(ctx context.Context, path string) (err error) {
	_, err = os.Stat(path)
	missing := os.IsNotExist(err)
	db, err := sql.Open(driverName, writeDSN(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if err := checkOwner(ctx, db); err != nil {
		return err
	}
	if missing {
		// Nobody else may read personal data. SQLite gives the files that it makes beside
		// this one the same permissions.
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
	}
	if err := enterWAL(ctx, db); err != nil {
		return err
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return up(ctx, provider)
}

// up applies the pending migrations. If a process loses the race for a migration, its own
// fails (it is one transaction, and unique by version). The process then finds that the
// version has gone up all the same, and goes on with the next migration.
func up(ctx context.Context, provider *goose.Provider) error {
	for last := int64(-1); ; {
		current, target, err := provider.GetVersions(ctx)
		if err != nil {
			return err
		}
		if current > target {
			return newerError(current, target)
		}
		_, err = provider.Up(ctx)
		if err == nil || current == last {
			return err
		}
		last = current
	}
}

func newerError(current, target int64) error {
	return fmt.Errorf("was written by a newer Tenure (schema %d, this one knows up to %d): use that version, or restore a backup made before it",
		current, target)
}

// checkOwner refuses a database that some other program made.
func checkOwner(ctx context.Context, db *sql.DB) error {
	var id, tables int
	err := db.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('goose_db_version', 'sqlite_sequence'))`).Scan(&id, &tables)
	if err != nil {
		return err
	}
	if id != applicationID && (id != 0 || tables > 0) {
		return errors.New("is another program's database: give another path, the file was left as it is")
	}
	return nil
}

// enterWAL changes the journal mode for good. It waits for the lock, since SQLite does not.
func enterWAL(ctx context.Context, db *sql.DB) error {
	for start := time.Now(); ; {
		var mode string
		err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode)
		if err == nil && mode != "wal" {
			return fmt.Errorf("cannot use WAL (journal mode is %s): the file must be on a local file system", mode)
		}
		waited := time.Since(start)
		if resultCode(err) != sqlite3.SQLITE_BUSY || waited > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause(waited)):
		}
	}
}

// Look describes the file of a ledger without opening it.
type Look struct {
	Missing        bool  // there is no file; Open makes one
	Schema, Newest int64 // the version that the file has, and the one that Open brings it to
}

// LookAt examines the ledger in the file at path without changing it. It fails if Open would.
func LookAt(ctx context.Context, path string) (look Look, err error) {
	if err := checkPath(path); err != nil {
		return Look{}, err
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return Look{}, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Look{Missing: true}, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Look{}, err
	}
	if err := f.Close(); err != nil {
		return Look{}, err
	}
	db, err := sql.Open(driverName, readDSN(path))
	if err != nil {
		return Look{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkOwner(ctx, db); err != nil {
		return Look{}, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return Look{}, err
	}
	sources := provider.ListSources()
	look.Newest = sources[len(sources)-1].Version
	var migrated bool
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'goose_db_version')`).Scan(&migrated)
	if err != nil || !migrated {
		return look, err // an empty file counts as missing
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&look.Schema)
	if err == nil && look.Schema > look.Newest {
		err = newerError(look.Schema, look.Newest)
	}
	return look, err
}
