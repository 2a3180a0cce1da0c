//go:build real

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/cli"
)

// The same on SCIMMY, which is not ours, with leavers whose accounts are deleted.
func TestProvisioningIsMeasuredOnSCIMMY(t *testing.T) {
	url, secret := os.Getenv("TENURE_REAL_SCIM_URL"), os.Getenv("TENURE_REAL_SCIM_TOKEN")
	require.NotEmpty(t, url, "scripts/test-real sets it")
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte(secret), 0o600))
	run := func(args ...string) string {
		var out bytes.Buffer
		code := cli.Main(append([]string{
			"bench-provision", "--target", url, "--token-file", token, "--file", filepath.Join(dir, "people"), "--out", "", "--bin", binaries, "--leavers-are", "deleted",
		}, args...), &out, &out)
		require.Zero(t, code, out.String())
		return out.String()
	}
	assert.Contains(t, run("--people", "6", "--moves", "2", "--leavers", "2"), "The server is as the file says.")
	assert.Contains(t, run("--reset"), "deleted 4 accounts")
}
