//go:build real

package postgres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

// dump returns every row of every table as text.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`)
	require.NoError(t, err)
	var tables []string
	for rows.Next() {
		var table string
		require.NoError(t, rows.Scan(&table))
		tables = append(tables, table)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	var all strings.Builder
	for _, table := range tables {
		var text string
		require.NoError(t, s.db.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(t::text, chr(10)), '') FROM "`+table+`" t`).Scan(&text))
		all.WriteString(text)
	}
	return all.String()
}

func TestNoRowNamesWhoWasErased(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	ledgertest.Forgotten(t, s)
	ledgertest.RequireForgotten(t, dump(t, s))
	require.NoError(t, s.Scrub(t.Context()))
	ledgertest.RequireForgotten(t, dump(t, s))

	other := openStore(t, postgrestest.NewDatabase(t))
	ledgertest.Named(t, other)
	named := strings.ToLower(dump(t, other))
	for _, trace := range ledgertest.Traces {
		assert.Contains(t, named, trace, "this test would see it")
	}
}
