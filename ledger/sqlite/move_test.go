package sqlite

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
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
	there := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		there[table] = append(there[table], column)
		slices.Sort(there[table])
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, there, relational.Columns(), "add what is new to the list in relational/tables.go, and something of it to ledgertest.Move")
}
