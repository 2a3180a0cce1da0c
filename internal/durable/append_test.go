package durable

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Wherever a line was cut, the next text begins with a line of its own.
func TestALineThatWasCutIsEnded(t *testing.T) {
	for was, want := range map[string]string{
		"": "b\n", "a\n": "a\nb\n", "a": "a\nb\n", "a\n\n": "a\n\nb\n", "a\nx": "a\nx\nb\n",
	} {
		path := filepath.Join(t.TempDir(), "file")
		if was != "" {
			require.NoError(t, os.WriteFile(path, []byte(was), 0o600))
		}
		require.NoError(t, Append(path, 0o600, []byte("b\n")))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, want, string(got), "%q", was)
	}
}

func TestAFileIsMadeWithItsPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, Append(path, 0o640, []byte("a\n")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode())
	require.ErrorIs(t, Append(filepath.Join(t.TempDir(), "none", "file"), 0o600, nil), os.ErrNotExist)
}
