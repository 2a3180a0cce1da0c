package running_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/running"
)

func TestAStackIsKnownWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	assert.Empty(t, running.Configuration(dir))
	assert.Empty(t, running.Configuration(filepath.Join(dir, "none")))
	for _, path := range []string{"/etc/a-long-path/tenure.yaml", "/b.yaml"} {
		stack, err := running.Announce(dir, path)
		require.NoError(t, err)
		assert.Equal(t, path, running.Configuration(dir))
		assert.Equal(t, path, running.Configuration(dir), "looking changes nothing")
		require.NoError(t, stack.Close())
		assert.Empty(t, running.Configuration(dir), "the file is there still, and nobody holds it")
	}
	_, err := os.Stat(filepath.Join(dir, "running"))
	require.NoError(t, err)
	_, err = running.Announce(filepath.Join(dir, "none"), "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
