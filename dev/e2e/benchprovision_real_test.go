//go:build real

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/cli"
)

// benchProvision runs bench-provision with these arguments and the secret, over a file of its own, and
// returns a function that runs it with further ones.
func benchProvision(t *testing.T, secretFlag, secret string, args ...string) func(more ...string) string {
	t.Helper()
	require.NotEmpty(t, secret, "scripts/test-real sets it")
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret), 0o600))
	args = append(args, secretFlag, file, "--file", filepath.Join(dir, "people"), "--out", "", "--bin", binaries)
	return func(more ...string) string {
		var out bytes.Buffer
		code := cli.Main(slices.Concat([]string{"bench-provision"}, args, more), &out, &out)
		require.Zero(t, code, out.String())
		return out.String()
	}
}

// The same on SCIMMY, which is not ours, with leavers whose accounts are deleted.
func TestProvisioningIsMeasuredOnSCIMMY(t *testing.T) {
	run := benchProvision(t, "--token-file", os.Getenv("TENURE_REAL_SCIM_TOKEN"), "--target", os.Getenv("TENURE_REAL_SCIM_URL"), "--leavers-are", "deleted")
	assert.Contains(t, run("--people", "6", "--moves", "2", "--leavers", "2"), "The server is as the file says.")
	assert.Contains(t, run("--reset"), "deleted 4 accounts")
}

// The same on OpenLDAP, over TLS, with leavers whose accounts are locked, by its policy of passwords.
func TestProvisioningIsMeasuredOnOpenLDAP(t *testing.T) {
	run := benchProvision(t, "--password-file", os.Getenv("TENURE_REAL_LDAP_PASSWORD"), "--target", os.Getenv("TENURE_REAL_LDAPS_URL"),
		"--ca", os.Getenv("TENURE_REAL_LDAP_CA"), "--user", "cn=admin,dc=plain", "--people-dn", "ou=people,dc=plain", "--groups-dn", "ou=groups,dc=plain")
	said := run("--people", "6", "--moves", "2", "--leavers", "2")
	assert.Contains(t, said, "The server is as the file says.")
	assert.Regexp(t, `add .*\b6\b`, said, "entries that were added")
	assert.Contains(t, run("--check"), "The server is as the file says.")
	assert.Contains(t, run("--reset"), "deleted 6 accounts")
}
