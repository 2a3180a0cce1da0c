package postgres

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestMigrationsAreOnlyAdded(t *testing.T) {
	sub, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	ledgertest.OnlyAddedMigrations(t, sub)
}
