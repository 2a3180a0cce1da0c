package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/audit/pack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/evidence"
	"github.com/tenurehq/tenure/service"
)

func TestAPackIsMadeAndVerified(t *testing.T) {
	s := newLogged(t)
	s.refuses(service.ExitFailed, "the audit record has no checkpoint yet", "audit", "pack", "early", "--from", "2026-01-01")
	assert.NoDirExists(t, "early")
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 5) })

	got := s.run("audit", "pack", "year", "--from", "2026-01-01", "--until", "2027-01-01", "--operator", "kim", "-o", "json")
	require.Contains(t, []int{service.ExitDone, service.ExitAttention}, got.code, got.err)
	var made evidence.Made
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &made), got.stdout)
	assert.True(t, made.Signed)
	assert.Equal(t, "kim", made.By)
	assert.NotEmpty(t, made.Checks)
	info, err := os.Stat(filepath.Join("year", "evidence.html"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	s.refuses(service.ExitFailed, `"year" is there already`, "audit", "pack", "year", "--month", "2026-03")

	got = s.run("audit", "pack", "ada", "--person", "10002")
	require.Contains(t, []int{service.ExitDone, service.ExitAttention}, got.code, got.err)
	assert.Contains(t, got.stdout, "Is it all?")

	require.NoError(t, os.Remove("tenure.yaml"))
	for _, folder := range []string{"year", "ada"} {
		got = s.run("audit", "verify", folder, "--key", s.verifies, "--checkpoint", "checkpoints")
		require.Equal(t, service.ExitDone, got.code, got.err+got.stdout)
		assert.Contains(t, got.stdout, "The pack is sound:")
		assert.Contains(t, got.stdout, "by a key that was given")
	}
	assert.Contains(t, s.run("audit", "verify", "year").stdout, "give the key with --key")

	path := filepath.Join("year", "leavers.jsonl")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, ' '), 0o600))
	got = s.run("audit", "verify", "year", "--key", s.verifies, "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code)
	var r pack.Report
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r))
	require.Len(t, r.Findings, 1)
	assert.Equal(t, "leavers.jsonl", r.Findings[0].File)
	assert.Contains(t, s.run("audit", "verify", "year", "--key", s.verifies).stdout, "The pack is not sound.")
}

func TestAPackIsAboutSomething(t *testing.T) {
	s := newLogged(t)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 1) })
	s.refuses(service.ExitUsage, "at least one of the flags", "audit", "pack", "p")
	s.refuses(service.ExitUsage, "none of the others can be", "audit", "pack", "p", "--person", "10002", "--month", "2026-03")
	s.refuses(service.ExitUsage, "wants the name of a review", "audit", "pack", "p", "--review", "3")
	s.refuses(service.ExitFailed, "there is no review v-3", "audit", "pack", "p", "--review", "v-3")
	s.refuses(service.ExitFailed, "nobody", "audit", "pack", "p", "--person", "nobody")
	s.refuses(service.ExitUsage, "--from wants a day", "audit", "pack", "p", "--from", "yesterday")
	s.refuses(service.ExitUsage, "there is no app", "audit", "pack", "p", "--month", "2026-03", "--app", "wikki")
	require.NoError(t, os.Remove("audit.signer"))
	s.refuses(service.ExitFailed, "make it on a machine that has the key", "audit", "pack", "p", "--month", "2026-03")
	assert.NoDirExists(t, "p")
}
