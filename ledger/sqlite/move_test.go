package sqlite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

func TestALedgerMovesToAnotherFile(t *testing.T) {
	ledgertest.Move(t, openStore(t, newPath(t)), openStore(t, newPath(t)))
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
