package ledgertest

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RequireColumns compares a database's columns, in rows of table and column, with
// those that are moved.
func RequireColumns(t *testing.T, rows *sql.Rows, moved map[string][]string) {
	t.Helper()
	there := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		there[table] = append(there[table], column)
		slices.Sort(there[table])
	}
	assert.Equal(t, there, moved, "add what is new to the list in relational/tables.go, and something of it to ledgertest.Move")
}
