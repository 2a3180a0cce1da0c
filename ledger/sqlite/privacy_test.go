package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
)

// files returns all bytes of the ledger's files.
func files(t *testing.T, path string) string {
	t.Helper()
	var all strings.Builder
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		require.NoError(t, err)
		all.Write(b)
	}
	return all.String()
}

// Nothing that was erased is left in the file, in what is free of it, and in its log, while
// other processes have it open.
func TestNoByteIsLeftInTheFiles(t *testing.T) {
	path := newPath(t)
	s, other := openStore(t, path), openStore(t, path)
	_, err := s.writes.conn.ExecContext(t.Context(), `PRAGMA secure_delete = off`) // as earlier versions wrote
	require.NoError(t, err)
	ledgertest.Forgotten(t, s)
	_, err = other.Person(t.Context(), "p1")
	require.NoError(t, err)
	before := strings.ToLower(files(t, path))
	for _, trace := range ledgertest.Traces {
		assert.Contains(t, before, trace, "this test would see it")
	}
	require.NoError(t, s.Scrub(t.Context()))
	ledgertest.RequireForgotten(t, files(t, path))
	_, err = other.Person(t.Context(), "p1")
	require.NoError(t, err)
	require.NoError(t, ledgertest.WriteRound(t.Context(), other, "ada", 1), "others go on writing")
	require.NoError(t, s.Scrub(t.Context()))
	ledgertest.RequireForgotten(t, files(t, path))
}
