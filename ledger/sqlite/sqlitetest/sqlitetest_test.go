package sqlitetest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

func TestLedgersOfTestsAreApartAndWhole(t *testing.T) {
	a, b := New(t), New(t)
	one, err := sqlite.Open(t.Context(), a)
	require.NoError(t, err)
	defer func() { require.NoError(t, one.Close()) }()
	require.NoError(t, ledgertest.WriteRound(t.Context(), one, "ada", 0))
	other, err := sqlite.Open(t.Context(), b)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	rows, err := other.Audit(t.Context(), "", 0, 10)
	require.NoError(t, err)
	assert.Empty(t, rows)
	At(t, a)
	rows, err = one.Audit(t.Context(), "", 0, 10)
	require.NoError(t, err)
	assert.NotEmpty(t, rows, "what is there is left alone")
	info, err := os.Stat(b)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
