package postgres

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

// TestEveryMigrationHasATwin: whoever changes the tables of one database changes
// those of the other by a file of the same name.
func TestEveryMigrationHasATwin(t *testing.T) {
	ours, theirs := names(t, "migrations"), names(t, "../sqlite/migrations")
	require.NotEmpty(t, ours)
	assert.Equal(t, theirs, ours)
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestStorable(t *testing.T) {
	for text, want := range map[string]string{
		"Zoë 山田": "Zoë 山田", "a\x00b": "a\uFFFDb", "bad\xff": "bad\uFFFD", "": "",
	} {
		assert.Equal(t, want, relational.Storable(text))
	}
	type word string
	assert.Equal(t, []any{int64(1), int64(0), "w", int64(7), nil, "x"}, plain([]any{true, false, word("w"), int64(7), nil, "x"}))
}

func TestMigrationsAreOnlyAdded(t *testing.T) {
	sub, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	ledgertest.OnlyAddedMigrations(t, sub)
}
