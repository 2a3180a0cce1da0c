package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/service"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
)

// elsewhere writes a configuration whose ledger is another one.
func (s *site) elsewhere(name, ledger string) {
	s.write(name, strings.Replace(configuration, "sqlite:tenure.db", "sqlite:"+ledger, 1))
}

func TestTheLedgerMoves(t *testing.T) {
	s := newSite(t)
	s.people()
	s.elsewhere("other.yaml", "other.db")
	got := s.run("ledger", "export", "moved.jsonl")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Empty(t, got.stdout)
	assert.Regexp(t, `^exported \d+ rows of \d+ tables to moved\.jsonl: \d+ people, \d+ events, \d+ audit rows \(schema \d+, sha256 [0-9a-f]{64}\)\n$`, got.err,
		"one line, and no progress bar, since this is no terminal")
	info, err := os.Stat("moved.jsonl")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds names")
	before, err := os.ReadFile("moved.jsonl")
	require.NoError(t, err)

	got = s.run("ledger", "export", "moved.jsonl")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "moved.jsonl is there already")
	got = s.run("ledger", "export", "-")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, string(before), got.stdout)
	assert.Contains(t, got.err, "to standard output")

	got = s.run("ledger", "import", "moved.jsonl", "--config", "other.yaml")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Regexp(t, `^imported \d+ rows of \d+ tables into other\.db: `, got.err)
	there, err := sqlite.Open(t.Context(), "other.db")
	require.NoError(t, err)
	defer there.Close()
	here := s.ledger()
	defer here.Close()
	ledgertest.RequireSame(t, here, there)

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
