package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// mark is the comment on the table of people, by which a schema is known as a
// ledger's; the first migration sets it.
const mark = "Tenure ledger"

// migrating lets only one process of a database at a time change its tables. The
// number is ours alone among advisory locks, by chance.
const migrating = `SELECT pg_advisory_xact_lock(4853611790230162)`

// migrate makes the tables, or brings them up to date. Several processes may do so
// at the same time.
func migrate(ctx context.Context, db *sql.DB) (err error) {
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	look, err := lookAt(ctx, db, newest(provider))
	if err != nil || look.Schema == look.Newest {
		return err
	}
	turn, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = turn.Rollback() }() // lets the next one have its turn
	if _, err := turn.ExecContext(ctx, migrating); err != nil {
		return err
	}
	if _, err := lookAt(ctx, db, newest(provider)); err != nil { // by now another may have made it something else
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithDisableGlobalRegistry(true))
}

func newest(provider *goose.Provider) int64 {
	sources := provider.ListSources()
	return sources[len(sources)-1].Version
}

// lookAt finds out what the schema holds. It fails if that is nothing of ours, or
// nothing that this version can use.
func lookAt(ctx context.Context, db *sql.DB, newest int64) (look Look, err error) {
	look.Newest = newest
	var schema, encoding sql.NullString
	var marked, migrated bool
	var tables int
	err = db.QueryRowContext(ctx, `SELECT current_user::text, current_setting('server_version'), current_schema()::text, current_setting('server_encoding'),
			coalesce(obj_description(to_regclass(quote_ident(current_schema()) || '.people'), 'pg_class') = $1, false),
			to_regclass(quote_ident(current_schema()) || '.goose_db_version') IS NOT NULL,
			(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname <> 'goose_db_version'
					AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')),
			coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), current_setting('fsync') = 'on'`,
		mark).Scan(&look.Role, &look.Version, &schema, &encoding, &marked, &migrated, &tables, &look.MayCreate, &look.Synced)
	switch {
	case err != nil:
		return look, err
	case !schema.Valid:
		return look, errors.New("has none of the schemas of search_path: create one, or check search_path in the URL")
	case encoding.String != "UTF8":
		return look, fmt.Errorf("has the encoding %s: make a database with ENCODING 'UTF8'", encoding.String)
	case tables > 0 && !marked:
		return look, fmt.Errorf("has other tables in its schema %s, and is not a ledger: give Tenure a database of its own (or a schema, by search_path in the URL); it was left as it is", schema.String)
	case !migrated:
		return look, nil
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&look.Schema)
	if err == nil && look.Schema > look.Newest {
		err = fmt.Errorf("was written by a newer Tenure (schema %d, this one knows up to %d): use that version, or restore a backup made before it",
			look.Schema, look.Newest)
	}
	return look, err
}

// Look describes a ledger without opening it.
type Look struct {
	Role, Version  string // whom the server takes us for, and what it is
	Schema, Newest int64  // the version that the tables have (zero: there are none), and the one that Open brings them to
	MayCreate      bool   // the role may make tables
	Synced         bool   // the server waits for its disk
}

// LookAt looks at the ledger at url without changing it. It fails if Open would,
// but for rights that the role lacks. Address is the URL without its secrets.
func LookAt(ctx context.Context, url string) (look Look, address string, err error) {
	at, err := parse(url)
	if err != nil {
		return Look{}, "", err
	}
	db := connections(at)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db)
	if err != nil {
		return Look{}, at.String(), err
	}
	look, err = lookAt(ctx, db, newest(provider))
	return look, at.String(), at.explain(err)
}
