package ledgertest

import (
	"database/sql"
	"io/fs"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// released lists the migrations that released versions have, in order. A ledger at one of
// them accepts only migrations with a higher number.
var released = []string{
	"00001_ledger.sql", "00002_dead_letters.sql", "00003_app_pace.sql", "00004_tasks.sql", "00008_steps_in_attention.sql",
	"00009_breaker.sql", "00010_holds.sql", "00011_destroying_attempts.sql", "00012_announced_redrives.sql",
	"00014_ownership.sql", "00018_relabelled_links.sql", "00019_same_people.sql",
}

// OnlyAddedMigrations requires that an engine has all released migrations, and that every
// other one has a higher number. With a lower number, existing ledgers could not be opened.
func OnlyAddedMigrations(t *testing.T, migrations fs.FS) {
	t.Helper()
	there, err := fs.Glob(migrations, "*.sql")
	require.NoError(t, err)
	slices.Sort(there)
	require.GreaterOrEqual(t, len(there), len(released))
	require.Equal(t, released, there[:len(released)])
}

// RequireColumns requires that a database's columns, in rows of table and column, are the
// ones that Export moves.
func RequireColumns(t *testing.T, rows *sql.Rows, moved map[string][]string) {
	t.Helper()
	there := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		there[table] = append(there[table], column)
		slices.Sort(there[table])
	}
	assert.Equal(t, there, moved, "add what is new to the list in relational/export.go, and something of it to ledgertest.Move")
}
