//go:build real

package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exposure is the most, in tenths, that `systemd-analyze security` may find: what is left
// is the network, sockets of the machine (PostgreSQL's), and that there is no root of its
// own.
const exposure = "11"

func TestSystemdTakesTheUnits(t *testing.T) {
	built := t.TempDir()
	each(t, func(t *testing.T, path string, _ unit) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		// Where the programs are that there are here.
		copied := filepath.Join(t.TempDir(), filepath.Base(path))
		require.NoError(t, os.WriteFile(copied, []byte(strings.ReplaceAll(string(text), install, built+"/")), 0o600))
		for _, program := range programs(path) {
			helpOf(t, built, program)
			unit := copied
			if strings.HasSuffix(path, "@.service") {
				unit += ":" + strings.Replace(filepath.Base(path), "@.", "@"+program+".", 1)
			}
			out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--recursive-errors=no", unit).CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Empty(t, string(out), program)
		}
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+exposure, path).CombinedOutput()
		require.NoError(t, err, string(out))
	})
}
