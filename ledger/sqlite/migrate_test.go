package sqlite

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestMigrationsAreOnlyAdded(t *testing.T) {
	sub, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	ledgertest.OnlyAddedMigrations(t, sub)
}

func TestLookAtChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	look, err := LookAt(t.Context(), path)
	require.NoError(t, err)
	assert.True(t, look.Missing)
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(path, nil, 0o600))
	look, err = LookAt(t.Context(), path)
	require.NoError(t, err)
	assert.Zero(t, look.Schema)
	assert.Positive(t, look.Newest)

	store, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, store.Close())
	look, err = LookAt(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, look.Newest, look.Schema)

	db, err := sql.Open(driverName, writeDSN(path))
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = LookAt(t.Context(), path)
	assert.ErrorContains(t, err, "written by a newer Tenure (schema 99999")
}
