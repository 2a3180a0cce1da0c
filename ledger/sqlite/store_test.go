package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

func TestConformance(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledger.Ledger { return openStore(t, newPath(t)) })
}

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "ledger ?%41#ü.db")
}

// openStore opens the store and closes it when the test ends.
func openStore(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestALedgerMovesToAnotherFile(t *testing.T) {
	ledgertest.Move(t, openStore(t, newPath(t)), openStore(t, newPath(t)))
}

func TestOldWorkersBesideNewOnes(t *testing.T) {
	s := openStore(t, newPath(t))
	ledgertest.BesideOldWorkers(t, s, func(statement string) {
		require.NoError(t, s.writes.do(t.Context(), func(*relational.Tx) error {
			_, err := s.writes.stmt.Exec(statement)
			return err
		}))
	})
}

func TestEveryColumnIsMoved(t *testing.T) {
	s := openStore(t, newPath(t))
	rows, err := s.reads.QueryContext(t.Context(), `SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT IN ('goose_db_version', 'sqlite_sequence')`)
	require.NoError(t, err)
	defer rows.Close()
	ledgertest.RequireColumns(t, rows, relational.Columns())
	require.NoError(t, rows.Err())
}
