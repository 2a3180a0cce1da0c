package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/service"
)

// elsewhere writes a configuration with another ledger.
func (s *site) elsewhere(name, ledger string) {
	s.write(name, strings.Replace(configuration, "sqlite:tenure.db", "sqlite:"+ledger, 1))
}

// moves returns what the audit record says about moving the ledger.
func moves(t *testing.T, l ledger.Ledger) (all []string) {
	t.Helper()
	rows, err := l.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	for _, r := range rows {
		if strings.HasPrefix(r.Action, "ledger ") {
			all = append(all, fmt.Sprintf("%s by %s: %s", r.Action, r.Actor, r.Detail["sha256"]))
		}
	}
	return all
}

func TestTheLedgerMoves(t *testing.T) {
	s := newSite(t)
	s.people()
	s.elsewhere("other.yaml", "other.db")
	got := s.run("ledger", "export", "moved.jsonl", "--operator", "clerk")
	require.Equal(t, service.ExitDone, got.code, got.err)
	digest := regexp.MustCompile(`sha256 ([0-9a-f]{64})`)
	assert.Empty(t, got.stdout)
	assert.Regexp(t, `^exported \d+ rows of \d+ tables to moved\.jsonl: \d+ people, \d+ events, \d+ audit rows \(schema \d+, sha256 [0-9a-f]{64}\)\n$`, got.err,
		"one line, and no progress bar, since this is no terminal")
	first := digest.FindStringSubmatch(got.err)[1]
	info, err := os.Stat("moved.jsonl")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds names")
	before, err := os.ReadFile("moved.jsonl")
	require.NoError(t, err)

	got = s.run("ledger", "export", "moved.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "\"moved.jsonl\" is there already")
	got = s.run("ledger", "export", "-")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "to standard output")
	assert.Equal(t, strings.Count(string(before), "\n")+1, strings.Count(got.stdout, "\n"), "that it was exported before is a row")
	before = []byte(got.stdout)

	got = s.runWith(terminal{in: strings.NewReader(string(before))}, "ledger", "import", "-", "--config", "other.yaml", "--operator", "mary")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Regexp(t, `^imported \d+ rows of \d+ tables into other\.db: `, got.err)
	there, err := sqlite.Open(t.Context(), "other.db")
	require.NoError(t, err)
	defer there.Close()
	here := s.ledger()
	defer here.Close()
	moved := digest.FindStringSubmatch(got.err)[1]
	assert.Equal(t, []string{
		ledger.ActionExported + " by clerk: " + first, ledger.ActionExported + " by " + loginName() + ": " + moved,
	}, moves(t, here))
	assert.Equal(t, []string{
		ledger.ActionExported + " by clerk: " + first, ledger.ActionImported + " by mary: " + moved,
	}, moves(t, there))
	ledgertest.RequireMoved(t, here, there)

	got = s.run("ledger", "import", "moved.jsonl", "--config", "other.yaml")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "the ledger is not empty")

	s.elsewhere("third.yaml", "third.db")
	got = s.runWith(terminal{in: strings.NewReader(string(before[:len(before)-9]))}, "ledger", "import", "-", "--config", "third.yaml")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "it ends before its last line")
	got = s.runWith(terminal{in: strings.NewReader(string(before))}, "ledger", "import", "-", "--config", "third.yaml")
	assert.Equal(t, service.ExitDone, got.code, got.err, "nothing was imported by half")
}

func TestAnExportThatFailsLeavesNoFile(t *testing.T) {
	s := newSite(t)
	s.people()
	db, err := sqlite.Open(t.Context(), "tenure.db")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, os.Truncate("tenure.db", 5*4096))
	got := s.run("ledger", "export", "moved.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.NotEmpty(t, got.err)
	left, err := filepath.Glob("moved*")
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestMovingWhatIsNotThere(t *testing.T) {
	s := newSite(t)
	got := s.run("ledger", "export", "moved.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "there is no ledger at")
	assert.NoFileExists(t, "moved.jsonl")
	got = s.run("ledger", "import", "moved.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "no such file")
	assert.NoFileExists(t, "tenure.db", "none is made for nothing")
	for _, args := range [][]string{{"ledger"}, {"ledger", "export"}, {"ledger", "import"}, {"ledger", "import", "a", "b"}} {
		assert.Equal(t, service.ExitUsage, s.run(args...).code, args)
	}
}
