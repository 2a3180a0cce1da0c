// Package sqlitetest gives tests new ledgers in files. To make one with all its migrations takes
// longer than most tests do, so it is made once for each run of a package's tests, and copied.
package sqlitetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/sqlite"
)

// New returns the path of a new, empty ledger in a folder that is removed when the test ends.
func New(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	At(t, path)
	return path
}

// At makes a new, empty ledger at path, unless there is a file.
func At(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
		return
	}
	empty, err := empty()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, empty, 0o600))
}

// empty returns the content of the file of a new ledger.
var empty = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "tenure-ledger-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "ledger.db")
	store, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := store.Close(); err != nil { // writes all to the one file
		return nil, err
	}
	return os.ReadFile(path)
})
