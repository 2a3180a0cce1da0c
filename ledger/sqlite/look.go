package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"
)

// Look describes the file of a ledger without opening it.
type Look struct {
	Missing        bool  // there is no file; Open makes one
	Schema, Newest int64 // the version that the file has, and the one that Open brings it to
}

// LookAt looks at the ledger in the file at path without changing it. It fails if
// Open would.
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
		return look, err // an empty file is as good as none
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&look.Schema)
	if err == nil && look.Schema > look.Newest {
		err = newerError(look.Schema, look.Newest)
	}
	return look, err
}
