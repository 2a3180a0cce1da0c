//go:build real

package deviations

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fromEnv returns a server's address as scripts/test-real gives it.
func fromEnv(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, "%s is not set: run `make test-real`, which starts the servers and sets it", name)
	return value
}

// runTool runs a program with further environment variables and an input, and returns
// what it prints.
func runTool(t *testing.T, env []string, input, name string, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), strings.NewReader(input), &out, &said
	require.NoError(t, cmd.Run(), "%s: %s", name, said.String())
	return out.String()
}

// companySize returns how many people the company begins with: TENURE_REAL_COMPANY, or else as
// many as SCIMMY, which works on one request at a time, can take within some minutes.
func companySize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TENURE_REAL_COMPANY")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "TENURE_REAL_COMPANY")
	return n
}

// entries reads LDIF (RFC 2849) without wrapped lines.
func entries(t *testing.T, ldif string) []map[string][]string {
	t.Helper()
	var all []map[string][]string
	for block := range strings.SplitSeq(ldif, "\n\n") {
		entry := map[string][]string{}
		for line := range strings.Lines(block) {
			name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
			if !ok || name == "" || strings.HasPrefix(name, "#") {
				continue
			}
			if encoded, is := strings.CutPrefix(value, ":"); is {
				text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
				require.NoError(t, err)
				value = string(text)
			}
			entry[name] = append(entry[name], strings.TrimSpace(value))
		}
		if len(entry) > 1 { // a smaller one is the end of a page, or a referral
			all = append(all, entry)
		}
	}
	return all
}

// bare returns the names of groups without the prefix of this run, sorted. Groups without
// the prefix are left out.
func bare(prefix string, names []string) []string {
	var mine []string
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			mine = append(mine, rest)
		}
	}
	slices.Sort(mine)
	return mine
}
